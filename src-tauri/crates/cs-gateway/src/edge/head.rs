//! One head of a request: plain enough that nobody can read it in a second way.

use http::StatusCode;

/// The most header lines in a head.
const MOST_LINES: usize = 100;

/// Why a request is not listened to.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Fault {
    /// The request line names another authority than the `Host` header.
    Authority,
    /// A line ends in something else than CR LF.
    BareLineEnd,
    /// A chunk of the body is ill-formed.
    Chunk,
    /// `Content-Length` stands twice or is not a plain number.
    ContentLength,
    /// A control character stands in a value.
    Control,
    /// A header goes on in the next line.
    Folded,
    /// The name of a header is not a token, or something stands between it and the colon.
    HeaderName,
    /// The head is too long.
    HeadTooLarge,
    /// `Host` stands there not at all, or more than once.
    Host,
    /// Both `Content-Length` and `Transfer-Encoding`.
    LengthAndEncoding,
    /// The request line is not `METHOD target HTTP/1.1`.
    RequestLine,
    /// The head did not come in time.
    SlowHead,
    /// Something follows the last chunk.
    Trailer,
    /// `Transfer-Encoding` is not exactly `chunked`.
    TransferEncoding,
}

impl Fault {
    /// A short code for the log.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Authority => "authority_mismatch",
            Self::BareLineEnd => "bare_line_end",
            Self::Chunk => "chunk",
            Self::ContentLength => "content_length",
            Self::Control => "control_character",
            Self::Folded => "folded_header",
            Self::HeaderName => "header_name",
            Self::HeadTooLarge => "head_too_large",
            Self::Host => "host_count",
            Self::LengthAndEncoding => "cl_te",
            Self::RequestLine => "request_line",
            Self::SlowHead => "head_too_slow",
            Self::Trailer => "trailer",
            Self::TransferEncoding => "transfer_encoding",
        }
    }

    /// The status that answers it.
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::SlowHead => StatusCode::REQUEST_TIMEOUT,
            Self::Authority
            | Self::BareLineEnd
            | Self::Chunk
            | Self::ContentLength
            | Self::Control
            | Self::Folded
            | Self::HeaderName
            | Self::Host
            | Self::LengthAndEncoding
            | Self::RequestLine
            | Self::Trailer
            | Self::TransferEncoding => StatusCode::BAD_REQUEST,
        }
    }

    /// Whether it shows only after the head was let through.
    pub(crate) const fn is_in_body(self) -> bool {
        matches!(self, Self::Chunk | Self::Trailer)
    }
}

/// How far the body of a request goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Extent {
    Chunked,
    Length(u64),
}

/// Judges a head, from the request line to the empty line at its end.
pub(crate) fn judge(head: &[u8]) -> Result<Extent, Fault> {
    let text = head.strip_suffix(b"\r\n\r\n").ok_or(Fault::BareLineEnd)?;
    let mut lines = Lines(Some(text));
    let target_authority = request_line(lines.next().unwrap_or_default())?;
    let mut seen = Seen::default();
    for (count, line) in lines.enumerate() {
        if count >= MOST_LINES {
            return Err(Fault::HeadTooLarge);
        }
        seen.header(line)?;
    }
    let host = seen.host.ok_or(Fault::Host)?;
    if target_authority.is_some_and(|authority| authority != host) {
        return Err(Fault::Authority);
    }
    match (seen.chunked, seen.length) {
        (true, Some(_)) => Err(Fault::LengthAndEncoding),
        (true, None) => Ok(Extent::Chunked),
        (false, length) => Ok(Extent::Length(length.unwrap_or(0))),
    }
}

/// The lines between the CR LFs.
struct Lines<'h>(Option<&'h [u8]>);

impl<'h> Iterator for Lines<'h> {
    type Item = &'h [u8];

    fn next(&mut self) -> Option<&'h [u8]> {
        let rest = self.0?;
        match rest.windows(2).position(|pair| pair == b"\r\n") {
            Some(at) => {
                let (line, after) = rest.split_at_checked(at)?;
                self.0 = after.get(2..);
                Some(line)
            }
            None => {
                self.0 = None;
                Some(rest)
            }
        }
    }
}

/// What has been seen of the headers that frame a request.
#[derive(Default)]
struct Seen<'h> {
    host: Option<&'h [u8]>,
    length: Option<u64>,
    chunked: bool,
}

impl<'h> Seen<'h> {
    fn header(&mut self, line: &'h [u8]) -> Result<(), Fault> {
        if line.first().is_some_and(|first| matches!(first, b' ' | b'\t')) {
            return Err(Fault::Folded);
        }
        let colon = line.iter().position(|b| *b == b':').ok_or(Fault::HeaderName)?;
        let (name, rest) = line.split_at_checked(colon).ok_or(Fault::HeaderName)?;
        if name.is_empty() || !name.iter().copied().all(is_token) {
            return Err(Fault::HeaderName);
        }
        let value = rest.get(1..).unwrap_or_default();
        if value.iter().any(|b| matches!(b, b'\r' | b'\n')) {
            return Err(Fault::BareLineEnd);
        }
        if value.iter().any(|b| (*b < b' ' && *b != b'\t') || *b == 0x7f) {
            return Err(Fault::Control);
        }
        let value = trim(value);
        if name.eq_ignore_ascii_case(b"host") {
            if value.is_empty() || self.host.replace(value).is_some() {
                return Err(Fault::Host);
            }
        } else if name.eq_ignore_ascii_case(b"content-length") {
            let length = decimal(value).ok_or(Fault::ContentLength)?;
            if self.length.replace(length).is_some() {
                return Err(Fault::ContentLength);
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Fault::TransferEncoding);
            }
            self.chunked = true;
        }
        Ok(())
    }
}

/// Checks the request line and gives the authority where the target has one.
fn request_line(line: &[u8]) -> Result<Option<&[u8]>, Fault> {
    let mut words = line.split(|b| *b == b' ');
    let (Some(method), Some(target), Some(b"HTTP/1.1"), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Fault::RequestLine);
    };
    if method.is_empty() || !method.iter().copied().all(is_token) {
        return Err(Fault::RequestLine);
    }
    if !target.iter().all(|b| (0x21..=0x7e).contains(b)) {
        return Err(Fault::RequestLine);
    }
    if target.starts_with(b"/") || (target == b"*" && method == b"OPTIONS") {
        return Ok(None);
    }
    let rest = target.strip_prefix(b"http://").ok_or(Fault::RequestLine)?;
    let authority = rest.split(|b| matches!(b, b'/' | b'?' | b'#')).next().unwrap_or_default();
    if authority.is_empty() { Err(Fault::RequestLine) } else { Ok(Some(authority)) }
}

/// A character of a token (RFC 9110, section 5.6.2).
const fn is_token(b: u8) -> bool {
    matches!(b, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_'
        | b'`' | b'|' | b'~' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z')
}

fn trim(value: &[u8]) -> &[u8] {
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let start = value.iter().position(|b| !blank(b)).unwrap_or(value.len());
    let end = value.iter().rposition(|b| !blank(b)).map_or(start, |last| last.saturating_add(1));
    value.get(start..end).unwrap_or_default()
}

/// A number in plain decimal digits, of at most 18 of them.
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}
