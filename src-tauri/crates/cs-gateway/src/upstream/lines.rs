//! Lines of bounded length, from a stream that may never end one.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// What becomes of a line that is too long.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Overlong {
    /// Its beginning is kept, the rest is read and thrown away.
    Cut,
    /// It is an error.
    Refuse,
}

/// Reads one line without its end. `None` when the stream is over.
///
/// Never holds more than `most` bytes and the reader's own buffer.
pub(super) async fn read<R: AsyncBufRead + Unpin>(
    from: &mut R,
    most: usize,
    overlong: Overlong,
) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut begun = false;
    loop {
        let available = from.fill_buf().await?;
        if available.is_empty() {
            return Ok(begun.then_some(line));
        }
        begun = true;
        let end = available.iter().position(|byte| *byte == b'\n');
        let part = available.get(..end.unwrap_or(available.len())).unwrap_or_default();
        let room = most.saturating_sub(line.len());
        if part.len() > room && overlong == Overlong::Refuse {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is too long"));
        }
        line.extend_from_slice(part.get(..room.min(part.len())).unwrap_or_default());
        let used = part.len().saturating_add(usize::from(end.is_some()));
        from.consume(used);
        if end.is_some() {
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return Ok(Some(line));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::BufReader;

    use super::*;

    async fn all(text: &[u8], most: usize, overlong: Overlong) -> io::Result<Vec<Vec<u8>>> {
        let mut from = BufReader::with_capacity(3, text);
        let mut lines = Vec::new();
        while let Some(line) = read(&mut from, most, overlong).await? {
            lines.push(line);
        }
        Ok(lines)
    }

    #[tokio::test]
    async fn lines_are_read_whatever_the_buffer_cuts() {
        let lines = all(b"one\r\n\ntwo three\nlast", 99, Overlong::Refuse).await.unwrap();
        assert_eq!(lines, [&b"one"[..], b"", b"two three", b"last"]);
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_cut_or_refused_as_asked() {
        let cut = all(b"123456\nab\n", 4, Overlong::Cut).await.unwrap();
        assert_eq!(cut, [&b"1234"[..], b"ab"]);
        let refused = all(b"1234\n12345\n", 4, Overlong::Refuse).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
    }
}
