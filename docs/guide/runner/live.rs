//! A command that goes on until Ctrl-C, and what happens meanwhile.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::pattern;

/// How long nothing comes before what has come is taken for all. It matters only to who is about to fail.
const QUIET: Duration = Duration::from_secs(30);

/// How a transcript writes Ctrl-C.
pub(crate) const INTERRUPT: &str = "^C";

/// Something that is done while the command runs, and what it prints then.
#[derive(Debug)]
pub(crate) struct Act {
    /// `$ ` and the command; the same for others in another terminal; `> ` and what is typed; or [`INTERRUPT`].
    pub(crate) line: String,
    pub(crate) shows: String,
}

/// Takes a transcript apart.
pub(crate) fn acts(transcript: &str) -> Result<Vec<Act>> {
    let mut acts: Vec<Act> = Vec::new();
    for line in transcript.lines() {
        if line.starts_with("$ ") || line.starts_with("> ") || line == INTERRUPT {
            acts.push(Act { line: line.to_owned(), shows: String::new() });
        } else {
            let act = acts.last_mut().context("a transcript begins with `$ `")?;
            act.shows += &format!("{line}\n");
        }
    }
    ensure!(acts.first().is_some_and(|act| act.line.starts_with("$ ")), "a transcript begins with `$ `");
    Ok(acts)
}

/// A running command.
#[derive(Debug)]
pub(crate) struct Live {
    child: Child,
    input: Option<ChildStdin>,
    output: Receiver<String>,
}

impl Live {
    /// Starts it.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("bash cannot be started")?;
        let output = BufReader::new(child.stdout.take().context("a pipe")?);
        let input = child.stdin.take();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, input, output: receiver })
    }

    /// Types a line.
    pub(crate) fn enter(&mut self, line: &str) -> Result<()> {
        let input = self.input.as_mut().context("it reads no more")?;
        writeln!(input, "{line}").and_then(|()| input.flush()).context("it reads no more")
    }

    /// What it prints until that is what was expected, or it prints no more.
    pub(crate) fn printed(&self, expected: &str) -> String {
        let mut printed = String::new();
        while !pattern::matches(expected, &printed) {
            match self.output.recv_timeout(QUIET) {
                Ok(line) => printed += &(line + "\n"),
                Err(_) => break,
            }
        }
        printed
    }

    /// Does what Ctrl-C does, and returns what it prints until it has ended.
    pub(crate) fn interrupted(mut self) -> Result<String> {
        let killed = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status()?;
        ensure!(killed.success(), "it has ended already");
        let rest: Vec<_> = self.output.iter().map(|line| line + "\n").collect();
        let status = self.child.wait()?;
        ensure!(status.success(), "{status} after Ctrl-C:\n{}", rest.concat());
        Ok(rest.concat())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // Nobody is left who would end it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transcript_is_what_is_done_and_what_comes_of_it() {
        let acts = acts("$ run\na\nb\n> call()\n1\n$ touch c\n^C\nc\n").unwrap();
        let parts: Vec<_> = acts.iter().map(|act| (&*act.line, &*act.shows)).collect();
        assert_eq!(parts, [("$ run", "a\nb\n"), ("> call()", "1\n"), ("$ touch c", ""), ("^C", "c\n")]);
        assert!(super::acts("a\n$ run\n").is_err());
    }

    #[test]
    fn what_is_typed_is_read_and_ctrl_c_ends_it() {
        let mut command = Command::new("bash");
        command.args(["-c", "trap 'echo bye; exit' INT; while true; do read -t 0.1 line && echo \"read $line\"; done"]);
        let mut live = Live::start(&mut command).unwrap();
        live.enter("this").unwrap();
        assert_eq!(live.printed("read this"), "read this\n");
        assert_eq!(live.interrupted().unwrap(), "bye\n");
    }
}
