//! The socket, on which messages go and come.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};

use crate::protocol::{self, Frames, MOST_INLINE, ToApplication, ToSatellite};

/// How much is read at once: a call with the largest value that is inside of it.
const ROOM: usize = MOST_INLINE + 1024;

/// The writing half of the socket. Threads that log use it, too.
#[derive(Debug)]
pub(super) struct Channel {
    socket: UnixStream,
    frame: Mutex<Vec<u8>>,
}

impl Channel {
    pub(super) fn new(socket: UnixStream) -> Self {
        Self { socket, frame: Mutex::default() }
    }

    /// Writes a message, whole.
    pub(super) fn send(&self, message: &ToApplication) -> io::Result<()> {
        let mut frame = self.frame.lock().unwrap_or_else(PoisonError::into_inner);
        frame.clear();
        protocol::put_frame(&mut frame, message);
        (&self.socket).write_all(&frame)
    }
}

/// Where messages come from.
#[derive(Debug)]
pub(super) struct Incoming {
    socket: UnixStream,
    frames: Frames,
    buffer: Box<[u8]>,
}

impl Incoming {
    pub(super) fn new(socket: UnixStream) -> Self {
        Self { socket, frames: Frames::default(), buffer: vec![0; ROOM].into_boxed_slice() }
    }

    /// Waits for a message. `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<ToSatellite>, String> {
        loop {
            match self.frames.take() {
                Ok(None) => {}
                Ok(message) => return Ok(message),
                Err(violation) => return Err(unintelligible(violation)),
            }
            match self.socket.read(&mut self.buffer) {
                Ok(0) if self.frames.is_amid() => return Err(unintelligible("it ended within a frame")),
                Ok(0) => return Ok(None),
                Ok(read) => self.frames.push(&self.buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The other end was closed with something of ours unread.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
                Err(error) => return Err(format!("the application's messages cannot be read: {error}")),
            }
        }
    }
}

/// A sentence about what the application said.
pub(super) fn unintelligible(what: impl std::fmt::Display) -> String {
    format!(
        "the application does not speak the protocol of satellites: {what}\n  \
         help: rebuild this program and the application with the same version of Kokoro"
    )
}
