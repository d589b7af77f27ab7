//! Where requests begin and end in a stream of bytes.

use bytes::{Buf, BytesMut};

use super::head::{Extent, Fault, judge};

/// The most hexadecimal digits in the size of a chunk.
const SIZE_DIGITS: usize = 8;

/// Follows HTTP/1.1 framing and moves on only what it has understood.
#[derive(Debug)]
pub(crate) struct Framing {
    state: State,
    most_head: usize,
    /// How much of the input is known to hold no end of a head.
    scanned: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Head,
    Length(u64),
    Size,
    Data(u64),
    DataEnd,
    /// After the chunk of size zero: the empty line, since trailers are refused.
    Last,
}

/// What became of the input.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Step {
    /// Nothing more can be said before more of it is there.
    More {
        /// Whether it is a head that is waited for.
        in_head: bool,
    },
    /// Some of it was understood and moved on.
    Passed,
}

impl Framing {
    pub(crate) const fn new(most_head: usize) -> Self {
        Self { state: State::Head, most_head, scanned: 0 }
    }

    /// Whether the next byte would be the first of a request.
    pub(crate) fn between_requests(&self) -> bool {
        self.state == State::Head
    }

    /// Moves what it understands from the input to the output.
    pub(crate) fn advance(
        &mut self,
        input: &mut BytesMut,
        output: &mut BytesMut,
    ) -> Result<Step, Fault> {
        match self.state {
            State::Head => self.head(input, output),
            State::Length(left) => Ok(self.pass(left, input, output, State::Length, State::Head)),
            State::Size => self.size(input, output),
            State::Data(left) => Ok(self.pass(left, input, output, State::Data, State::DataEnd)),
            State::DataEnd => self.line_end(input, output, State::Size, Fault::Chunk),
            State::Last => self.line_end(input, output, State::Head, Fault::Trailer),
        }
    }

    fn head(&mut self, input: &mut BytesMut, output: &mut BytesMut) -> Result<Step, Fault> {
        let from = self.scanned.saturating_sub(3);
        let fresh = input.get(from..).unwrap_or_default();
        let found = fresh.windows(4).position(|four| four == b"\r\n\r\n");
        let end = found.map(|at| at.saturating_add(from).saturating_add(4));
        // A line feed alone would make other readers see an end where this one sees none.
        let known = input.get(..end.unwrap_or(input.len())).unwrap_or_default();
        let mut before = None;
        for byte in known {
            if *byte == b'\n' && before != Some(b'\r') {
                return Err(Fault::BareLineEnd);
            }
            before = Some(*byte);
        }
        let Some(end) = end else {
            if input.len() >= self.most_head {
                return Err(Fault::HeadTooLarge);
            }
            self.scanned = input.len();
            return Ok(Step::More { in_head: true });
        };
        if end > self.most_head {
            return Err(Fault::HeadTooLarge);
        }
        let head = input.split_to(end);
        self.scanned = 0;
        self.state = match judge(&head)? {
            Extent::Chunked => State::Size,
            Extent::Length(0) => State::Head,
            Extent::Length(length) => State::Length(length),
        };
        output.extend_from_slice(&head);
        Ok(Step::Passed)
    }

    /// Moves on up to `left` bytes of a body.
    fn pass(
        &mut self,
        left: u64,
        input: &mut BytesMut,
        output: &mut BytesMut,
        within: fn(u64) -> State,
        after: State,
    ) -> Step {
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
        if here == 0 {
            return Step::More { in_head: false };
        }
        output.extend_from_slice(&input.split_to(here));
        let left = left.saturating_sub(u64::try_from(here).unwrap_or(u64::MAX));
        self.state = if left == 0 { after } else { within(left) };
        Step::Passed
    }

    /// The line with the size of a chunk: hexadecimal digits and nothing else. Extensions mean
    /// nothing to anybody here and have been used to hide requests.
    fn size(&mut self, input: &mut BytesMut, output: &mut BytesMut) -> Result<Step, Fault> {
        let digits = input.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        if digits > SIZE_DIGITS {
            return Err(Fault::Chunk);
        }
        let rest = input.get(digits..).unwrap_or_default();
        match rest {
            [] | [b'\r'] => return Ok(Step::More { in_head: false }),
            [b'\r', b'\n', ..] if digits > 0 => {}
            [..] => return Err(Fault::Chunk),
        }
        let line = input.split_to(digits.saturating_add(2));
        let size = line.get(..digits).and_then(|digits| std::str::from_utf8(digits).ok());
        let size = size.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        self.state = match size.ok_or(Fault::Chunk)? {
            0 => State::Last,
            size => State::Data(size),
        };
        output.extend_from_slice(&line);
        Ok(Step::Passed)
    }

    fn line_end(
        &mut self,
        input: &mut BytesMut,
        output: &mut BytesMut,
        next: State,
        fault: Fault,
    ) -> Result<Step, Fault> {
        match input.get(..2).unwrap_or(input) {
            b"\r\n" => {
                input.advance(2);
                output.extend_from_slice(b"\r\n");
                self.state = next;
                Ok(Step::Passed)
            }
            b"" | b"\r" => Ok(Step::More { in_head: false }),
            _ => Err(fault),
        }
    }
}
