//! How people see that a build goes on.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::run::Console;

/// Where the progress of a build is shown.
#[derive(Debug, Clone)]
pub(crate) enum Progress {
    /// One line of a terminal that changes; messages go above it.
    Terminal(ProgressBar),
    /// Lines on standard error, cargo's own among them.
    Lines,
    /// Nothing but messages, where `kokoro run` shows all else.
    Console(Console),
}

impl Progress {
    /// On standard error.
    pub(crate) fn new() -> Self {
        if !io::stderr().is_terminal() {
            return Self::Lines;
        }
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner} {msg} [{elapsed}]");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(Duration::from_millis(100));
        Self::Terminal(bar)
    }

    /// Whether cargo's own words are to be left out.
    pub(crate) fn is_quiet(&self) -> bool {
        !matches!(self, Self::Lines)
    }

    /// Whether it shows how far it is.
    pub(crate) fn counts(&self) -> bool {
        matches!(self, Self::Terminal(_))
    }

    /// Something begins that takes time.
    pub(crate) fn begin(&self, text: &str) {
        match self {
            Self::Terminal(bar) => bar.set_message(text.to_owned()),
            Self::Lines => say(text),
            Self::Console(_) => {}
        }
    }

    /// It goes on, and has come so far.
    pub(crate) fn step(&self, text: &str) {
        if let Self::Terminal(bar) = self {
            bar.set_message(text.to_owned());
        }
    }

    /// Something to be read: what a compiler says, for instance.
    pub(crate) fn line(&self, text: &str) {
        match self {
            Self::Terminal(bar) => bar.suspend(|| say(text)),
            Self::Lines => say(text),
            Self::Console(console) => console.remark(text),
        }
    }

    /// It is over: nothing of it stays on the terminal.
    pub(crate) fn end(&self) {
        if let Self::Terminal(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn say(text: &str) {
    // Where nobody reads it, nobody misses it.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
