//! Server-sent events, read within bounds. Ids and retry times are of no use here.

use super::wire::Violation;

/// The most bytes of one event.
const MOST: usize = 16 * 1024 * 1024;

/// Reads events from pieces of a stream.
#[derive(Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: Option<Vec<u8>>,
    foreign: bool,
    after_return: bool,
    begun: bool,
}

impl Events {
    /// Takes a piece, and gives the data of the messages that it completes.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<Vec<Vec<u8>>, Violation> {
        let mut done = Vec::new();
        for byte in piece {
            let after_return = std::mem::replace(&mut self.after_return, *byte == b'\r');
            match byte {
                // The second half of one line end.
                b'\n' if after_return => {}
                b'\n' | b'\r' => done.extend(self.end_line()?),
                other => self.line.push(*other),
            }
            let held = self.data.as_ref().map_or(0, Vec::len).saturating_add(self.line.len());
            if held > MOST {
                return Err(Violation("an event is too long"));
            }
        }
        Ok(done)
    }

    fn end_line(&mut self) -> Result<Option<Vec<u8>>, Violation> {
        let mut line = std::mem::take(&mut self.line);
        if !std::mem::replace(&mut self.begun, true) && line.starts_with(b"\xef\xbb\xbf") {
            line.drain(..3);
        }
        if line.is_empty() {
            let data = self.data.take().filter(|data| !data.is_empty());
            let foreign = std::mem::take(&mut self.foreign);
            return match data {
                Some(_) if foreign => Err(Violation("an event of another kind than `message`")),
                data => Ok(data),
            };
        }
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let field = parts.next().unwrap_or_default();
        let value = parts.next().unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => self.data = Some(value.to_vec()),
            },
            b"event" => self.foreign = value != b"message",
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pieces: &[&str]) -> Result<Vec<String>, Violation> {
        let mut events = Events::default();
        let mut found = Vec::new();
        for piece in pieces {
            for data in events.push(piece.as_bytes())? {
                found.push(String::from_utf8(data).unwrap());
            }
        }
        Ok(found)
    }

    #[test]
    fn events_are_read_whatever_the_pieces_and_line_ends() {
        let whole = "\u{feff}: hello\r\nid: 1\rretry: 0\ndata: a\r\ndata:b\r\r\nevent: message\ndata: c\n\n";
        let expected = vec!["a\nb".to_owned(), "c".to_owned()];
        assert_eq!(all(&[whole]), Ok(expected.clone()));
        let pieces: Vec<String> = whole.chars().map(String::from).collect();
        assert_eq!(all(&pieces.iter().map(String::as_str).collect::<Vec<_>>()), Ok(expected));
        assert_eq!(all(&["data: never ended"]), Ok(Vec::new()));
        assert_eq!(all(&["data:\n\n\n\nid: 3\n\n"]), Ok(Vec::new()));
    }

    #[test]
    fn x11_an_event_of_another_kind_or_without_an_end_is_refused() {
        assert!(all(&["event: endpoint\ndata: /messages\n\n"]).is_err());
        let long = "x".repeat(MOST);
        assert!(all(&["data: ", &long, "xxxxxxxx"]).is_err());
        let half = "x".repeat(MOST / 2);
        assert!(all(&["data: ", &half, "\ndata: ", &half, "xx"]).is_err());
    }
}
