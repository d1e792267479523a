//! A `kokoro run`, as a person at a terminal meets it.

use std::io::{BufRead as _, BufReader, PipeReader, Write as _, pipe};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::program;

/// How long a line may take to come before a test fails. Nothing is measured by it.
pub const TOO_LONG: Duration = Duration::from_secs(600);

/// A `kokoro run` that goes on until it is told to end.
pub struct Running {
    pub child: Child,
    pub input: Option<ChildStdin>,
    pub lines: Receiver<String>,
    /// All lines so far, with `> ` before those that it was given.
    pub transcript: Vec<String>,
}

impl Running {
    /// `kokoro run DIR OPTIONS..`, with standard output and standard error in one pipe, as on a terminal.
    pub fn of(folder: &Path, options: &[&str]) -> Self {
        let mut command = program();
        command.arg("run").arg(folder).args(options);
        Self::start(&mut command)
    }

    pub fn start(command: &mut Command) -> Self {
        let (output, end) = pipe().expect("a pipe");
        command.stdout(end.try_clone().expect("a pipe")).stderr(end).stdin(Stdio::piped()).env_remove("RUST_LOG");
        let mut child = command.spawn().expect("kokoro runs");
        // It has the ends of the pipe, which must close with the process.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let input = child.stdin.take();
        Self { child, input, lines: lines(output), transcript: Vec::new() }
    }

    /// Reads on up to the line that is wanted.
    pub fn until(&mut self, wanted: &str) {
        self.until_line(wanted, |line| line == wanted);
    }

    /// Reads on up to a line that begins so.
    pub fn until_beginning(&mut self, wanted: &str) {
        self.until_line(wanted, |line| line.starts_with(wanted));
    }

    fn until_line(&mut self, wanted: &str, is_wanted: impl Fn(&str) -> bool) {
        loop {
            match self.lines.recv_timeout(TOO_LONG) {
                Ok(line) => {
                    let is_it = is_wanted(&line);
                    self.transcript.push(line);
                    if is_it {
                        return;
                    }
                }
                Err(_) => panic!("there is no line `{wanted}`:\n{}", self.transcript.join("\n")),
            }
        }
    }

    /// Gives it a line, and reads on up to what it is to answer.
    pub fn ask(&mut self, line: &str, answer: &str) {
        writeln!(self.input.as_mut().expect("an input"), "{line}").expect("it reads");
        self.transcript.push(format!("> {line}"));
        self.until(answer);
    }

    /// Reads on up to its end: its exit code, and all that it has shown.
    pub fn end(mut self) -> (Option<i32>, String) {
        loop {
            match self.lines.recv_timeout(TOO_LONG) {
                Ok(line) => self.transcript.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end:\n{}", self.shown()),
            }
        }
        let code = self.child.wait().expect("an end").code();
        (code, self.shown())
    }

    /// All that it has shown.
    pub fn shown(&self) -> String {
        self.transcript.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Ends it with Ctrl-C.
    pub fn interrupted(self) -> (Option<i32>, String) {
        signal(&self.child, "INT");
        self.end()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only one whose test has failed still runs.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn signal(child: &Child, name: &str) {
    let kill = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status();
    assert!(kill.expect("a command `kill`").success());
}

pub fn lines(output: PipeReader) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
