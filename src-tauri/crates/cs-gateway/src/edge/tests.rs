use super::*;

/// What comes out of a stream that arrives in pieces of this size, and the fault that ended it.
fn through(bytes: &[u8], piece: usize) -> (Vec<u8>, Option<Fault>) {
    let mut framing = Framing::new(1024);
    let (mut input, mut output) = (BytesMut::new(), BytesMut::new());
    for part in bytes.chunks(piece) {
        input.extend_from_slice(part);
        loop {
            match framing.advance(&mut input, &mut output) {
                Ok(Step::Passed) => {}
                Ok(Step::More { .. }) => break,
                Err(fault) => return (output.to_vec(), Some(fault)),
            }
        }
    }
    (output.to_vec(), None)
}

const GOOD: &[&str] = &[
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /x HTTP/1.1\r\nHost:a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n00A\r\n0123456789\r\n\
     0\r\n\r\nOPTIONS * HTTP/1.1\r\nhost:\ta \r\ncontent-length: 0\r\n\r\n",
    "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 34\r\n\r\nGET / HTTP/1.1\nHost: evil\n\n\r\n\r\n\r\n\r",
];

const BAD: &[(&str, Fault)] = &[
    ("GET / HTTP/1.1\r\n\r\n", Fault::Host),
    ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Fault::Host),
    ("GET / HTTP/1.1\r\nHost: a\n\r\n\r\n", Fault::BareLineEnd),
    ("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", Fault::Authority),
    ("GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n", Fault::RequestLine),
    ("GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n", Fault::RequestLine),
    ("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", Fault::RequestLine),
    ("GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n", Fault::RequestLine),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        Fault::LengthAndEncoding,
    ),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n123456789\r\n", Fault::Chunk),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX", Fault::Trailer),
];

#[test]
fn a_good_stream_comes_out_as_it_went_in_however_it_arrives() {
    for text in GOOD {
        for piece in 1..=text.len() {
            let (output, fault) = through(text.as_bytes(), piece);
            assert_eq!(fault, None, "{text:?} in pieces of {piece}");
            assert_eq!(output, text.as_bytes(), "{text:?} in pieces of {piece}");
        }
    }
}

#[test]
fn a_bad_head_does_not_come_out_however_it_arrives() {
    for (text, expected) in BAD {
        for piece in 1..=text.len() {
            let (output, fault) = through(text.as_bytes(), piece);
            assert_eq!(fault, Some(*expected), "{text:?} in pieces of {piece}");
            assert_eq!(output.is_empty(), !expected.is_in_body(), "{text:?} in pieces of {piece}");
        }
    }
}

#[test]
fn no_stream_whatever_makes_it_wait_with_more_than_a_head() {
    let endless = "x".repeat(4096);
    for piece in [1, 7, 1024, 4096] {
        assert_eq!(through(endless.as_bytes(), piece).1, Some(Fault::HeadTooLarge));
    }
}

#[tokio::test]
async fn t18_a_client_that_does_not_read_is_given_up() {
    let (mut ours, _theirs) = tokio::io::duplex(16);
    let limits = EdgeLimits {
        head_bytes: 1024,
        head_time: Duration::from_secs(10),
        idle_time: Duration::from_secs(10),
        stall_time: Duration::from_millis(20),
    };
    let mut edge = Edge::new(&mut ours, Arc::default(), limits);
    let sent = tokio::io::AsyncWriteExt::write_all(&mut edge, &[0; 64]).await;
    assert_eq!(sent.unwrap_err().kind(), io::ErrorKind::TimedOut);
}
