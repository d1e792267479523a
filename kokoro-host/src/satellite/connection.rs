//! The application's end of the protocol: one call at a time, and everything that a Satellite says looked at.

use std::fmt;
use std::future::poll_fn;
use std::io::{self, PipeReader, PipeWriter, Write as _};
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use kokoro_satellite::memory::{Filling, Memory};
use kokoro_satellite::protocol::{
    Answer, Carried, Failed, Frames, Hello, Log, MAGIC, MOST_INLINE, ToApplication, ToSatellite, VERSION, Welcome,
    put_frame,
};
use kokoro_value::{Decode, DecodeError, Decoder, Encode as _, Encoder};
use rustix::fs::OFlags;
use rustix::net::{SendFlags, Shutdown};
use tokio::io::Interest;
use tokio::net::UnixStream;

use crate::interface::in_one_line;
use crate::value::Buffer;

/// The open files that one process shares with the application.
#[derive(Debug)]
pub(super) struct Connection {
    stream: UnixStream,
    /// What the application writes.
    arguments: Memory,
    /// What the Satellite writes.
    answers: Memory,
    cancels: PipeWriter,
    /// Held so that a cancellation that nobody can read is no error, and no signal.
    _cancelled: PipeReader,
    state: Mutex<State>,
}

/// How far the call is that is under way.
#[derive(Debug, Default)]
struct State {
    /// The number of the call that has no answer yet.
    waiting: Option<u64>,
    reply: Option<Reply>,
    /// Why nothing comes any more.
    broken: Option<Broken>,
    waker: Option<Waker>,
}

/// What a Satellite said about a call.
#[derive(Debug, PartialEq)]
pub(super) enum Reply {
    Answer(Carried),
    Failed(String),
}

/// Why there is nothing more to be had from a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Broken {
    /// The other end has been closed; in the middle of a message, perhaps.
    Closed { amid: bool },
    /// It has said what it must not: a sentence.
    Violation(String),
    /// It speaks another version of the protocol.
    Version(u32),
}

impl Broken {
    fn violation(what: impl fmt::Display) -> Self {
        Self::Violation(what.to_string())
    }
}

/// What has arrived from the other side, and the room that it arrives in.
#[derive(Debug)]
pub(super) struct Inlet {
    frames: Frames,
    bytes: Box<[u8]>,
}

impl Inlet {
    pub(super) fn new() -> Self {
        Self { frames: Frames::default(), bytes: vec![0; MOST_READ].into() }
    }
}

/// What nobody can read any more is an error, not a signal.
#[cfg(not(target_vendor = "apple"))]
const QUIETLY: SendFlags = SendFlags::NOSIGNAL;
/// There the socket is set so.
#[cfg(target_vendor = "apple")]
const QUIETLY: SendFlags = SendFlags::empty();

/// How many bytes are read at a time.
const MOST_READ: usize = 64 << 10;
/// After so many messages, or bytes of them, in a row others have their turn.
const MANY: usize = 64;
const MUCH: usize = 256 << 10;

impl Connection {
    /// A connection, and the files for its other end. To be called inside of the runtime.
    pub(super) fn new() -> io::Result<(Self, [OwnedFd; 4])> {
        let (own, other) = std::os::unix::net::UnixStream::pair()?;
        own.set_nonblocking(true)?;
        #[cfg(target_vendor = "apple")]
        rustix::net::sockopt::set_socket_nosigpipe(&own, true)?;
        let (cancelled, cancels) = io::pipe()?;
        rustix::fs::fcntl_setfl(&cancels, OFlags::NONBLOCK)?;
        let (arguments, answers) = (Memory::new()?, Memory::new()?);
        let files = [
            other.into(),
            arguments.file().try_clone()?.into(),
            answers.file().try_clone()?.into(),
            cancelled.try_clone()?.into(),
        ];
        let (stream, state) = (UnixStream::from_std(own)?, Mutex::default());
        Ok((Self { stream, arguments, answers, cancels, _cancelled: cancelled, state }, files))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why nothing comes any more, if that is so.
    pub(super) fn broken(&self) -> Option<Broken> {
        self.state().broken.clone()
    }

    /// Whether the next call can be made.
    pub(super) fn is_free(&self) -> bool {
        let state = self.state();
        state.waiting.is_none() && state.broken.is_none()
    }

    /// Says that nothing more will be said, which asks the other side to end.
    pub(super) fn finish(&self) {
        // It fails if the other side has closed it already.
        let _ = rustix::net::shutdown(&self.stream, Shutdown::Write);
    }

    /// Has nothing more come than what has arrived, even if somebody else has the other end open: a process that the Satellite has left
    /// behind.
    pub(super) fn hang_up(&self) {
        // It fails if it is closed already.
        let _ = rustix::net::shutdown(&self.stream, Shutdown::Read);
    }

    /// Tells the other side that nobody waits for the call any more that is under way.
    pub(super) fn cancel(&self) {
        let waiting = self.state().waiting;
        if let Some(number) = waiting {
            // Nobody has to read this: when the pipe is full it stays unsaid.
            let _ = (&self.cancels).write(&number.to_le_bytes());
        }
    }

    /// Waits for the first message.
    pub(super) async fn hello(&self, inlet: &mut Inlet, token: &str) -> Result<Hello, Broken> {
        let hello = loop {
            match inlet.frames.take::<First>().map_err(Broken::violation)? {
                Some(First::Hello(hello)) => break hello,
                Some(First::Version(version)) => return Err(Broken::Version(version)),
                Some(First::Other) => return Err(Broken::violation("its first message is not a greeting")),
                None => drop(self.read(inlet).await?),
            }
        };
        match hello.token == token {
            true => Ok(hello),
            false => Err(Broken::violation("it does not give the token that it was started with")),
        }
    }

    pub(super) async fn welcome(&self, welcome: Welcome) -> Result<(), Broken> {
        let mut frame = Vec::new();
        put_frame(&mut frame, &ToSatellite::Welcome(welcome));
        self.send(&frame, &mut 0).await
    }

    /// Takes in what the other side says, until nothing more can come.
    pub(super) async fn listen(&self, mut inlet: Inlet, log: impl FnMut(Log)) -> Broken {
        let broken = match self.take_in(&mut inlet, log).await {
            Ok(never) => match never {},
            Err(broken) => broken,
        };
        let waker = {
            let mut state = self.state();
            state.broken = Some(broken.clone());
            state.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
        broken
    }

    async fn take_in(&self, inlet: &mut Inlet, mut log: impl FnMut(Log)) -> Result<std::convert::Infallible, Broken> {
        let (mut in_a_row, mut read) = (0, 0);
        loop {
            while let Some(message) = inlet.frames.take().map_err(Broken::violation)? {
                match message {
                    ToApplication::Answer(Answer { number, result }) => self.reply(number, Reply::Answer(result))?,
                    ToApplication::Failed(Failed { number, message }) => self.reply(number, Reply::Failed(message))?,
                    ToApplication::Log(message) => log(message),
                    ToApplication::Hello(_) => return Err(Broken::violation("it greets a second time")),
                }
                in_a_row += 1;
                if in_a_row == MANY || read >= MUCH {
                    (in_a_row, read) = (0, 0);
                    tokio::task::yield_now().await;
                }
            }
            read += self.read(inlet).await?;
        }
    }

    /// The call of this number has its reply.
    fn reply(&self, number: u64, reply: Reply) -> Result<(), Broken> {
        let waker = {
            let mut state = self.state();
            if state.waiting != Some(number) {
                return Err(Broken::violation(format!(
                    "it answers the call {number}, which does not wait for an answer"
                )));
            }
            state.waiting = None;
            state.reply = Some(reply);
            state.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
        Ok(())
    }

    /// Waits for more bytes, and tells how many have come.
    async fn read(&self, inlet: &mut Inlet) -> Result<usize, Broken> {
        loop {
            // It fails where the runtime is shut down.
            let closed = |_| Broken::Closed { amid: inlet.frames.is_amid() };
            self.stream.readable().await.map_err(closed)?;
            match self.stream.try_read(&mut inlet.bytes) {
                Ok(0) => return Err(Broken::Closed { amid: inlet.frames.is_amid() }),
                Ok(read) => {
                    inlet.frames.push(&inlet.bytes[..read]);
                    return Ok(read);
                }
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Err(_) => return Err(Broken::Closed { amid: inlet.frames.is_amid() }),
            }
        }
    }

    /// Begins a call: puts what has to be sent in place of what is in `frame`.
    ///
    /// # Errors
    ///
    /// If there is no memory for the arguments.
    pub(super) fn begin(
        &self,
        frame: &mut Vec<u8>,
        number: u64,
        function: u32,
        arguments: Passed<'_>,
    ) -> io::Result<()> {
        let place = match arguments {
            Passed::Bytes(bytes) if bytes.len() > MOST_INLINE => {
                self.arguments.write(bytes)?;
                Place::Shared(bytes.len() as u64)
            }
            Passed::Bytes(bytes) => Place::Inline(bytes),
            Passed::There(length) => Place::Shared(length as u64),
        };
        put_call(frame, number, function, place);
        let mut state = self.state();
        state.waiting = Some(number);
        state.reply = None;
        Ok(())
    }

    /// Where arguments are put. Only for who has the turn.
    pub(super) fn arguments(&self) -> Filling<'_> {
        self.arguments.fill()
    }

    /// Takes arguments back, so many bytes, that have been put there and not been sent.
    pub(super) fn taken_back(&self, length: usize) -> io::Result<Buffer> {
        let mut bytes = Buffer::new();
        self.arguments.read(length, &mut bytes)?;
        Ok(bytes)
    }

    /// Sends a frame, of which so much has been sent already. May be given up and begun again.
    pub(super) async fn send(&self, frame: &[u8], sent: &mut usize) -> Result<(), Broken> {
        while *sent < frame.len() {
            let send = || Ok(rustix::net::send(&self.stream, &frame[*sent..], QUIETLY)?);
            match self.stream.try_io(Interest::WRITABLE, send) {
                Ok(more) => *sent += more,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.stream.writable().await.map_err(|_| Broken::Closed { amid: false })?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Broken::Closed { amid: false }),
            }
        }
        Ok(())
    }

    /// Waits for the reply to the call that is under way. May be given up and begun again.
    pub(super) async fn answered(&self) -> Result<Reply, Broken> {
        poll_fn(|cx| self.poll_answered(cx)).await
    }

    fn poll_answered(&self, cx: &mut Context<'_>) -> Poll<Result<Reply, Broken>> {
        let mut state = self.state();
        if let Some(reply) = state.reply.take() {
            return Poll::Ready(Ok(reply));
        }
        if let Some(broken) = &state.broken {
            return Poll::Ready(Err(broken.clone()));
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => state.waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// The value that came with an answer; none if it has more bytes than it may.
    pub(super) fn value(&self, carried: Carried, most: usize) -> Result<Option<Buffer>, Broken> {
        match carried {
            Carried::Inline(bytes) if bytes.len() > most => Ok(None),
            Carried::Inline(bytes) => Ok(Some(bytes.into())),
            Carried::Shared(length) => {
                let Some(size) = usize::try_from(length).ok().filter(|size| *size <= most) else {
                    self.leave(length);
                    return Ok(None);
                };
                let mut bytes = Buffer::new();
                self.answers.read(size, &mut bytes).map_err(|error| {
                    let why =
                        format!("it answers with {length} bytes in its memory file, which cannot be read: {error}");
                    Broken::Violation(why)
                })?;
                self.leave(length);
                Ok(Some(bytes))
            }
        }
    }

    /// Whether so many bytes are in its memory file, and stay reachable.
    pub(super) fn has_answered(&self, length: usize) -> bool {
        self.answers.reaches(length)
    }

    /// Copies bytes out of its memory file, which may be any.
    pub(super) fn answer(&self, offset: usize, to: &mut [u8]) -> io::Result<()> {
        self.answers.copy(offset, to)
    }

    /// Nobody needs what the Satellite has answered with any more, so many bytes in its memory file.
    pub(super) fn leave(&self, length: u64) {
        self.answers.give_back(length);
    }

    /// Nobody needs the arguments any more, which had so many bytes.
    pub(super) fn give_back(&self, arguments: usize) {
        self.arguments.give_back(arguments as u64);
    }
}

/// The arguments of a call.
#[derive(Clone, Copy)]
pub(super) enum Passed<'a> {
    Bytes(&'a [u8]),
    /// So many bytes, which are in the memory file already.
    There(usize),
}

impl Passed<'_> {
    pub(super) fn len(self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::There(length) => length,
        }
    }
}

/// What a connection may begin with.
enum First {
    Hello(Hello),
    /// A greeting of another version, of which nobody knows how it goes on.
    Version(u32),
    Other,
}

impl Decode for First {
    const MIN_SIZE: usize = 1;

    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let rest = |from: &mut Decoder<'_>, first| from.take(from.left()).map(|_| first);
        let all = from.clone();
        // The first case of `ToApplication`, and then what is the same in every version.
        if from.take(1)? != [0] {
            return rest(from, Self::Other);
        }
        if from.str().ok() != Some(MAGIC) {
            return rest(from, Self::Other);
        }
        match u32::decode(from)? {
            VERSION => {}
            version => return rest(from, Self::Version(version)),
        }
        *from = all;
        match ToApplication::decode(from)? {
            ToApplication::Hello(hello) => Ok(Self::Hello(hello)),
            _ => Ok(Self::Other),
        }
    }
}

/// Where arguments are: [`Carried`], without a copy of them.
enum Place<'a> {
    Inline(&'a [u8]),
    Shared(u64),
}

/// A [`Call`](kokoro_satellite::protocol::Call) as a frame, in place of what is in `frame`.
fn put_call(frame: &mut Vec<u8>, number: u64, function: u32, arguments: Place<'_>) {
    let mut to = Encoder::from(std::mem::take(frame));
    to.clear();
    to.put(&[0; 4]);
    to.discriminant(1, 2);
    number.encode(&mut to);
    function.encode(&mut to);
    match arguments {
        Place::Inline(bytes) => {
            to.discriminant(0, 2);
            bytes.encode(&mut to);
        }
        Place::Shared(length) => {
            to.discriminant(1, 2);
            length.encode(&mut to);
        }
    }
    *frame = to.into_bytes();
    let length = (frame.len() - 4) as u32;
    frame[..4].copy_from_slice(&length.to_le_bytes());
}

/// Text of a Satellite's as part of a sentence: one line, and not much of it.
pub(super) fn said(text: &str) -> String {
    const MOST: usize = 2000;
    let mut said: String = text.chars().take(MOST).collect();
    if said.len() < text.len() {
        said.push('…');
    }
    in_one_line(said)
}

#[cfg(test)]
mod tests {
    use kokoro_satellite::protocol::Call;

    use super::*;

    #[test]
    fn calls_are_written_as_the_protocol_has_them() {
        let mut frame = vec![9; 7];
        for arguments in [Carried::Inline(vec![1, 2, 3]), Carried::Inline(vec![]), Carried::Shared(1 << 40)] {
            let place = match &arguments {
                Carried::Inline(bytes) => Place::Inline(bytes),
                Carried::Shared(length) => Place::Shared(*length),
            };
            put_call(&mut frame, 7, 3, place);
            let mut expected = Vec::new();
            put_frame(&mut expected, &ToSatellite::Call(Call { number: 7, function: 3, arguments: arguments.clone() }));
            assert_eq!(frame, expected);
        }
    }
}
