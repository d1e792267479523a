//! What the program says, wherever that goes.

use std::fmt;
use std::io::{self, ErrorKind, Write as _};

/// Standard output. Whoever reads it may stop listening (`| head`); the site is made all the same, in silence.
#[derive(Debug, Default)]
pub(crate) struct Output {
    closed: bool,
    problem: Option<io::Error>,
}

impl Output {
    /// Prints some text.
    pub(crate) fn print(&mut self, text: fmt::Arguments<'_>) {
        if self.closed {
            return;
        }
        let mut stdout = io::stdout().lock();
        if let Err(error) = stdout.write_fmt(text).and_then(|()| stdout.flush()) {
            self.closed = true;
            self.problem = Some(error).filter(|error| error.kind() != ErrorKind::BrokenPipe);
        }
    }

    /// Why not everything was printed, unless nobody wanted to read it.
    pub(crate) fn problem(self) -> Option<String> {
        self.problem.map(|error| format!("standard output: {error}"))
    }
}

/// Says something on standard error; if that cannot be written to, there is nobody to tell.
pub(crate) fn complain(text: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{text}");
}
