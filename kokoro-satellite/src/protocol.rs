//! What an application and a Satellite (a native child process of a Planet) say to each other.
//!
//! A Satellite is started with these open files, and nothing else is shared with it:
//!
//! | number | what |
//! |---|---|
//! | 0, 1, 2 | standard input (empty), output and error (both go to the application's log, line by line) |
//! | 3 | a Unix socket (a stream): the messages of this module |
//! | 4 | a memory file in which the application writes what does not fit into a message; the Satellite reads it |
//! | 5 | one that the Satellite writes and the application reads |
//! | 6 | a pipe: the numbers of calls that the application waits for no more, 8 bytes each, little-endian; may be left unread |
//!
//! The environment variable `KOKORO_SATELLITE` is the token that its [`Hello`] has to begin with. A message is a frame: its length as a `u32`,
//! little-endian, at least 1 and at most [`MOST_FRAME`], then as many bytes, a [`ToSatellite`] or a [`ToApplication`] in the form of
//! [`kokoro_value`].
//!
//! The Satellite speaks first: [`Hello`]. The application answers with [`Welcome`]; or it ends the Satellite, and tells its
//! user why. From then on there is one call at a time, and one answer to each: [`Answer`] or [`Failed`]. Between them the Satellite may
//! send [`Log`] whenever it likes. At the end of the file on the socket it ends by itself, in a short time; after that it is ended.

use std::fmt;

use kokoro_value::{Decode, DecodeError, Encode, Encoder, from_bytes};

/// The version of the protocol, which both sides have to speak.
pub const VERSION: u32 = 1;

/// What the first message begins with, whatever the version.
pub const MAGIC: &str = "kokoro-satellite";

/// The environment variable with the token.
pub const TOKEN_VARIABLE: &str = "KOKORO_SATELLITE";

/// The file numbers of the table above.
pub const SOCKET: i32 = 3;
/// As above.
pub const ARGUMENTS: i32 = 4;
/// As above.
pub const ANSWERS: i32 = 5;
/// As above.
pub const CANCELS: i32 = 6;

/// How many bytes a frame may have, without its length: 1 MiB.
pub const MOST_FRAME: usize = 1 << 20;

/// Values of up to so many bytes go inside of the message, larger ones through the memory file: 32 KiB.
pub const MOST_INLINE: usize = 32 << 10;

/// What the application says.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum ToSatellite {
    /// The answer to [`Hello`].
    Welcome(Welcome),
    /// A function is called.
    Call(Call),
}

/// What a Satellite says.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum ToApplication {
    /// The first message.
    Hello(Hello),
    /// A call's result.
    Answer(Answer),
    /// There is no result: the function panicked, say.
    Failed(Failed),
    /// A line for the application's log.
    Log(Log),
}

/// Who the Satellite is, and what it serves. `magic` and `protocol` come first in every version.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Hello {
    /// [`MAGIC`].
    pub magic: String,
    /// [`VERSION`].
    pub protocol: u32,
    /// What [`TOKEN_VARIABLE`] was.
    pub token: String,
    /// The interfaces that it serves.
    pub interfaces: Vec<Interface>,
}

/// An interface that a Satellite serves.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Interface {
    /// Its full name: `images:native/codec@0.1.0`.
    pub name: String,
    /// Its functions.
    pub functions: Vec<Function>,
}

/// A function that a Satellite serves. It is called by its number: its place among all functions of all interfaces of the [`Hello`],
/// from 0.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Function {
    /// Its name in WIT.
    pub name: String,
    /// Its type without names of types and parameters: `func(string, u8) -> result<list<record{x: s16, y: s16}>, string>`.
    pub signature: String,
}

/// What the Satellite should know before the first call.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Welcome {
    /// The name of the Planet that it belongs to.
    pub planet: String,
    /// How many bytes a value may have. A result that has more is answered by its length alone, as [`Carried::Shared`]: nobody reads
    /// it, and the call fails with a limit that was exceeded.
    pub most: u64,
    /// The least important level of which the application wants a [`Log`].
    pub level: Level,
}

/// A function is called.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Call {
    /// The call's number: greater than those of all calls before.
    pub number: u64,
    /// Which function.
    pub function: u32,
    /// The tuple of its arguments.
    pub arguments: Carried,
}

/// A call's result.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Answer {
    /// The call's number.
    pub number: u64,
    /// The result: no bytes if the function has none.
    pub result: Carried,
}

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Failed {
    /// The call's number.
    pub number: u64,
    /// What happened: `panicked at src/main.rs:3:5: index out of bounds`.
    pub message: String,
}

/// A line for the application's log.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Log {
    /// How important it is.
    pub level: Level,
    /// Which part of the program says it: as a rule, a module's path.
    pub target: String,
    /// The text.
    pub message: String,
}

/// How important a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum Level {
    /// Of the finest grain.
    Trace,
    /// For who looks for mistakes.
    Debug,
    /// What goes on.
    Info,
    /// What may be wrong.
    Warn,
    /// What is wrong.
    Error,
}

/// Where a value is.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Carried {
    /// Here.
    Inline(Vec<u8>),
    /// In the sender's memory file: its first bytes, so many. They stay as they are until the other side sends its next message
    /// about a call.
    Shared(u64),
}

/// Bytes that are not what this protocol has there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// A frame of more than [`MOST_FRAME`] bytes, or of none.
    FrameLength(u32),
    /// A frame that is no message.
    Message(DecodeError),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FrameLength(length) => {
                write!(f, "a frame says that it has {length} bytes; it may have 1 to {MOST_FRAME}")
            }
            Self::Message(error) => write!(f, "a frame is no message: {error}"),
        }
    }
}

impl std::error::Error for Violation {}

/// Puts a message, as a frame, at the end of `to`.
pub fn put_frame(to: &mut Vec<u8>, message: &impl Encode) {
    let mut body = Encoder::new();
    message.encode(&mut body);
    let body = body.into_bytes();
    to.extend_from_slice(&(body.len() as u32).to_le_bytes());
    to.extend_from_slice(&body);
}

/// Takes bytes as they arrive, and gives messages.
#[derive(Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
    read: usize,
}

impl Frames {
    /// Bytes that have arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.read == self.bytes.len() {
            self.bytes.clear();
            self.read = 0;
        } else if self.read > MOST_FRAME {
            self.bytes.drain(..self.read);
            self.read = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message that is there as a whole.
    ///
    /// # Errors
    ///
    /// If what has arrived is none; nothing that comes after that can be understood.
    pub fn take<M: Decode>(&mut self) -> Result<Option<M>, Violation> {
        let Some((length, rest)) = self.bytes[self.read..].split_first_chunk() else { return Ok(None) };
        let length = u32::from_le_bytes(*length);
        if length == 0 || length as usize > MOST_FRAME {
            return Err(Violation::FrameLength(length));
        }
        let Some(body) = rest.get(..length as usize) else { return Ok(None) };
        let message = from_bytes(body).map_err(Violation::Message)?;
        self.read += 4 + length as usize;
        Ok(Some(message))
    }

    /// Whether a message has begun to arrive.
    pub fn is_amid(&self) -> bool {
        self.read < self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_however_their_bytes_arrive() {
        let call = |number| Call { number, function: 3, arguments: Carried::Inline(vec![7; 5]) };
        let mut bytes = Vec::new();
        (0..3).for_each(|number| put_frame(&mut bytes, &ToSatellite::Call(call(number))));
        for piece in [1, 2, 3, 7, bytes.len()] {
            let (mut frames, mut came) = (Frames::default(), Vec::new());
            for bytes in bytes.chunks(piece) {
                frames.push(bytes);
                while let Some(message) = frames.take::<ToSatellite>().unwrap() {
                    came.push(message);
                }
            }
            assert_eq!(came, [0, 1, 2].map(|number| ToSatellite::Call(call(number))));
            assert!(!frames.is_amid());
        }
    }

    #[test]
    fn lengths_that_no_frame_has_are_refused_before_the_frame_is_there() {
        for length in [0, MOST_FRAME as u32 + 1, u32::MAX] {
            let mut frames = Frames::default();
            frames.push(&length.to_le_bytes());
            assert_eq!(frames.take::<ToSatellite>(), Err(Violation::FrameLength(length)));
        }
    }

    #[test]
    fn a_frame_that_is_no_message_is_refused() {
        let mut frames = Frames::default();
        frames.push(&[1, 0, 0, 0, 9]);
        assert!(matches!(frames.take::<ToSatellite>(), Err(Violation::Message(_))));
    }
}
