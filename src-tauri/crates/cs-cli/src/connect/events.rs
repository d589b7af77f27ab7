//! Server-sent events, read as they come in: the messages of a `text/event-stream`.

/// The most bytes that one message may have.
const MOST: usize = 16 * 1024 * 1024;

/// A message that is too long to be one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct TooLong;

/// What has been read of a stream.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    after_return: bool,
}

impl Events {
    /// Takes in what arrived and gives the messages that are complete by it. Comments, names,
    /// ids and events without data are nothing that a client on stdio is told.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, TooLong> {
        let mut messages = Vec::new();
        for byte in bytes {
            let follows_return = std::mem::replace(&mut self.after_return, *byte == b'\r');
            match *byte {
                b'\n' if follows_return => {}
                b'\n' | b'\r' => messages.extend(self.end_line()),
                other => self.line.push(other),
            }
            if self.line.len().saturating_add(self.data.len()) > MOST {
                return Err(TooLong);
            }
        }
        Ok(messages)
    }

    fn end_line(&mut self) -> Option<Vec<u8>> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            let whole = std::mem::take(&mut self.data);
            let complete = std::mem::take(&mut self.has_data) && !whole.is_empty();
            return complete.then_some(whole);
        }
        let value = line.strip_prefix(b"data:")?;
        if std::mem::replace(&mut self.has_data, true) {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(stream: &str, chunk: usize) -> Vec<String> {
        let mut events = Events::default();
        let mut found = Vec::new();
        for bytes in stream.as_bytes().chunks(chunk) {
            found.extend(events.read(bytes).unwrap());
        }
        found.into_iter().map(|message| String::from_utf8(message).unwrap()).collect()
    }

    #[test]
    fn messages_are_the_same_however_the_stream_is_cut() {
        let stream = ": hello\r\n\r\nid: 1\r\ndata:\r\n\r\nevent: message\r\ndata: {\"a\":\r\n\
                      data: 1}\r\n\r\ndata:{}\n\ndata: lost";
        for chunk in 1..stream.len() {
            assert_eq!(messages(stream, chunk), ["{\"a\":\n1}", "{}"], "in pieces of {chunk}");
        }
    }

    #[test]
    fn a_message_without_end_is_given_up() {
        let mut events = Events::default();
        let piece = vec![b'x'; 1024 * 1024];
        let given_up = (0..17).find_map(|_| events.read(&piece).err());
        assert_eq!(given_up, Some(TooLong));
    }
}
