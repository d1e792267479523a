//! What a Satellite writes to standard output and standard error: line by line into `tracing`, and the last lines of standard
//! error kept for error messages.
//!
//! It has a thread of its own, so that a flood of lines costs the application's runtime nothing. Who writes faster than
//! its lines are taken waits, as with any pipe.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;

use super::failure::Whose;
use super::rate::{Passage, Rate, in_their_place};
use crate::interface::in_one_line;

/// How many lines of standard error are kept, and how many characters of each.
const KEPT_LINES: usize = 24;
const KEPT_OF_A_LINE: usize = 500;
/// A longer line is broken.
const MOST_LINE: usize = 16 << 10;
/// What is still read when the process has ended: what fits into a pipe. Somebody else may go on writing to it.
const MOST_AFTERWARDS: usize = 1 << 20;

/// The two streams of a process, which are read until it has ended.
#[derive(Debug)]
pub(super) struct Output {
    thread: JoinHandle<VecDeque<String>>,
    /// By which the thread hears that the process has ended.
    over: PipeWriter,
}

impl Output {
    /// Reads the two streams, and gives what the process is to write to.
    pub(super) fn read(whose: &Whose) -> io::Result<(Self, [OwnedFd; 2])> {
        let (stdout, to_stdout) = io::pipe()?;
        let (stderr, to_stderr) = io::pipe()?;
        let (ended, over) = io::pipe()?;
        let streams = [Stream::of(stdout, Channel::Stdout)?, Stream::of(stderr, Channel::Stderr)?];
        let reader = Reader { whose: whose.clone(), streams, kept: VecDeque::new(), rate: Rate::default() };
        let thread = thread::Builder::new().name("satellite-output".to_owned()).spawn(move || reader.run(&ended))?;
        Ok((Self { thread, over }, [to_stdout.into(), to_stderr.into()]))
    }

    /// Reads what the process has left behind. Then nothing is read any more, even if somebody else still can write. Gives the last
    /// lines of standard error.
    pub(super) fn finish(mut self) -> Vec<String> {
        // To close it would not be enough: a process that was forked off from the application may have it open as well.
        if self.over.write_all(b"!").is_err() {
            drop(self.over);
        }
        self.thread.join().unwrap_or_default().into()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Channel {
    Stdout,
    Stderr,
}

struct Stream {
    channel: Channel,
    /// None when its end has been read.
    pipe: Option<File>,
    /// The begun line.
    line: Vec<u8>,
}

impl Stream {
    fn of(pipe: PipeReader, channel: Channel) -> io::Result<Self> {
        let pipe = OwnedFd::from(pipe);
        rustix::fs::fcntl_setfl(&pipe, OFlags::NONBLOCK)?;
        Ok(Self { channel, pipe: Some(pipe.into()), line: Vec::new() })
    }
}

struct Reader {
    whose: Whose,
    streams: [Stream; 2],
    kept: VecDeque<String>,
    rate: Rate,
}

impl Reader {
    fn run(mut self, ended: &PipeReader) -> VecDeque<String> {
        let mut bytes = vec![0; MOST_LINE];
        while self.wait(ended) {
            for place in 0..self.streams.len() {
                self.take(place, &mut bytes);
            }
        }
        for place in 0..self.streams.len() {
            let mut left = MOST_AFTERWARDS;
            while let Some(read @ 1..) = self.take(place, &mut bytes) {
                left = left.saturating_sub(read);
                if left == 0 {
                    break;
                }
            }
            self.end_line(place);
        }
        let left_out = self.rate.end();
        self.tell_of(left_out);
        self.kept
    }

    /// Waits for more. False when the process has ended.
    fn wait(&self, ended: &PipeReader) -> bool {
        let open = self.streams.iter().filter_map(|stream| stream.pipe.as_ref());
        let mut files: Vec<PollFd<'_>> =
            open.map(|pipe| PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::IN)).collect();
        files.push(PollFd::new(ended, PollFlags::IN));
        match poll(&mut files, None) {
            Ok(_) => files.last().is_some_and(|ended| ended.revents().is_empty()),
            Err(error) => error == rustix::io::Errno::INTR,
        }
    }

    /// Takes what is there, once. Gives how much it was; none if there is nothing at present.
    fn take(&mut self, place: usize, bytes: &mut [u8]) -> Option<usize> {
        let stream = &mut self.streams[place];
        match stream.pipe.as_mut()?.read(bytes) {
            Ok(0) => {
                stream.pipe = None;
                self.end_line(place);
                None
            }
            Ok(read) => {
                self.append(place, &bytes[..read]);
                Some(read)
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => None,
            Err(_) => {
                stream.pipe = None;
                None
            }
        }
    }

    fn append(&mut self, place: usize, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let line = &mut self.streams[place].line;
            line.extend_from_slice(piece);
            if line.ends_with(b"\n") || line.len() >= MOST_LINE {
                self.end_line(place);
            }
        }
    }

    fn end_line(&mut self, place: usize) {
        let stream = &mut self.streams[place];
        if stream.line.is_empty() {
            return;
        }
        let mut line = std::mem::take(&mut stream.line);
        let channel = stream.channel;
        if let Passage::Through { left_out } = self.rate.take(Instant::now(), line.len()) {
            self.tell_of(left_out);
            self.tell(channel, &line);
        }
        if channel == Channel::Stderr {
            self.keep(&line);
        }
        line.clear();
        self.streams[place].line = line;
    }

    fn tell(&self, channel: Channel, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\n', '\r']);
        let (planet, satellite) = (&*self.whose.planet, &*self.whose.program);
        match channel {
            Channel::Stdout => {
                tracing::info!(target: "kokoro::satellite", planet, satellite, stream = "stdout", "{text}");
            }
            Channel::Stderr => {
                tracing::warn!(target: "kokoro::satellite", planet, satellite, stream = "stderr", "{text}");
            }
        }
    }

    fn tell_of(&self, left_out: u64) {
        if left_out > 0 {
            let (planet, satellite) = (&*self.whose.planet, &*self.whose.program);
            tracing::warn!(target: "kokoro::satellite", planet, satellite, "{}", in_their_place(left_out));
        }
    }

    /// Keeps the beginning of a line of standard error.
    fn keep(&mut self, line: &[u8]) {
        if self.kept.len() == KEPT_LINES {
            self.kept.pop_front();
        }
        // A character has at most four bytes.
        let begin = &line[..line.len().min(4 * (KEPT_OF_A_LINE + 1))];
        let text = String::from_utf8_lossy(begin);
        let text = text.trim_end_matches(['\n', '\r']);
        let mut kept: String = text.chars().take(KEPT_OF_A_LINE).collect();
        if kept.len() < text.len() {
            kept.push('…');
        }
        self.kept.push_back(in_one_line(kept));
    }
}
