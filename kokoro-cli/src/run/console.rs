//! What `kokoro run` shows: events and answers on standard output, the log on standard error, all in the order in which it
//! happens.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use kokoro_host::{Event, Events, State};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::coop::unconstrained;
use tracing_subscriber::fmt::MakeWriter;

use crate::failure::Failure;

/// The one place through which everything goes out. As long as it listens to nobody it only passes the log on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Console(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    screen: Mutex<Screen>,
    /// Told when nothing can be shown any more.
    closed: Notify,
}

#[derive(Debug, Default)]
struct Screen {
    /// What has happened and is not shown yet.
    events: Option<Events>,
    form: Form,
    /// Why nothing can be shown any more.
    problem: Option<io::Error>,
}

/// For whom it is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Form {
    #[default]
    Text,
    /// Text with colours, for terminals.
    Coloured,
    /// One object a line.
    Json,
}

impl Console {
    /// Shows these events from now on. Somebody has to call [`catch_up`](Console::catch_up) when there are any.
    pub(super) fn listen(&self, events: Events, form: Form) {
        let mut screen = self.screen();
        screen.events = Some(events);
        screen.form = form;
    }

    /// Shows what has happened so far.
    pub(super) fn catch_up(&self) {
        self.write(|screen| screen.catch_up());
    }

    /// Shows something that is no event: lines for people, or an object for programs.
    pub(super) fn say(&self, text: &str, object: impl FnOnce() -> Value) {
        self.write(|screen| {
            screen.catch_up();
            match screen.form {
                Form::Json => screen.line(&object().to_string()),
                Form::Text | Form::Coloured if text.is_empty() => {}
                Form::Text | Form::Coloured => screen.line(text.trim_end()),
            }
        });
    }

    /// Says more to people about what has been shown.
    pub(super) fn explain(&self, text: &str) {
        self.write(|screen| {
            screen.catch_up();
            if !matches!(screen.form, Form::Json) {
                text.lines().for_each(|line| screen.line(&plain(line)));
            }
        });
    }

    /// Says on standard error that something has gone wrong.
    pub(super) fn complain(&self, error: impl fmt::Display) {
        self.remark(&format!("error: {error}"));
    }

    /// Says something on standard error.
    pub(crate) fn remark(&self, text: &str) {
        self.write(|screen| {
            screen.catch_up();
            // Where nobody reads it, what goes to standard output has to do.
            let _ = writeln!(io::stderr().lock(), "{text}");
        });
    }

    /// Comes back when standard output takes nothing any more.
    pub(super) async fn closed(&self) {
        self.0.closed.notified().await;
    }

    /// Whether everything could be shown. A reader that has gone away, as in `kokoro run DIR | head -1`, has seen enough.
    pub(super) fn outcome(&self) -> Result<(), Failure> {
        match self.screen().problem.take() {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::failed(format!("the output cannot be written: {error}")))
            }
            _ => Ok(()),
        }
    }

    fn write(&self, write: impl FnOnce(&mut Screen)) {
        let mut screen = self.screen();
        write(&mut screen);
        if screen.problem.is_some() {
            self.0.closed.notify_one();
        }
    }

    fn screen(&self) -> MutexGuard<'_, Screen> {
        self.0.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Screen {
    fn catch_up(&mut self) {
        while let Some(event) = self.events.as_mut().and_then(at_hand) {
            let line = match self.form {
                Form::Text => plain(&event.to_string()),
                Form::Coloured => coloured(&event),
                Form::Json => json!(event).to_string(),
            };
            self.line(&line);
        }
    }

    fn line(&mut self, line: &str) {
        if self.problem.is_none() {
            let mut stdout = io::stdout().lock();
            self.problem = writeln!(stdout, "{line}").and_then(|()| stdout.flush()).err();
        }
    }
}

/// The next event, if it has happened already.
fn at_hand(events: &mut Events) -> Option<Event> {
    // It does not count as work of the task that happens to be here, and must not be put off for it.
    let next = pin!(unconstrained(events.next()));
    match next.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(event) => event,
        Poll::Pending => None,
    }
}

/// What comes from a Planet (plugin) is not to be trusted with a terminal.
fn plain(line: &str) -> String {
    line.replace(char::is_control, "?")
}

fn coloured(event: &Event) -> String {
    let line = plain(&event.to_string());
    let (before, word, colour) = match event {
        Event::State { planet, from, to, .. } => {
            let from = from.map(|from| format!("{from} -> ")).unwrap_or_default();
            (format!("{planet}: {from}"), to.to_string(), colour_of(*to))
        }
        Event::Reloaded { planet, .. } => (format!("{planet}: "), "reloaded".to_owned(), GREEN),
        Event::NotReloaded { planet, .. } => (format!("{planet}: "), "not reloaded".to_owned(), RED),
        _ => return line,
    };
    match line.strip_prefix(&before).and_then(|rest| rest.strip_prefix(&word)) {
        Some(rest) => format!("{before}\x1b[{colour}m{word}\x1b[0m{rest}"),
        None => line,
    }
}

const RED: u8 = 31;
const GREEN: u8 = 32;
const YELLOW: u8 = 33;
const CYAN: u8 = 36;
const GREY: u8 = 90;

fn colour_of(state: State) -> u8 {
    match state {
        State::Running => GREEN,
        State::Failed | State::Refused => RED,
        State::Waiting => YELLOW,
        State::Gone => GREY,
        _ => CYAN,
    }
}

/// The log goes to standard error, after what has happened before it.
impl<'a> MakeWriter<'a> for Console {
    type Writer = LogLine;

    fn make_writer(&'a self) -> LogLine {
        LogLine(self.clone())
    }
}

#[derive(Debug)]
pub(crate) struct LogLine(Console);

impl Write for LogLine {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut written = Ok(0);
        self.0.write(|screen| {
            screen.catch_up();
            written = io::stderr().lock().write(line);
        });
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(from: Option<State>, to: State, reason: Option<&str>) -> Event {
        Event::State { planet: "a".into(), from, to, reason: reason.map(str::to_owned) }
    }

    #[test]
    fn the_new_state_has_the_colour() {
        let event = state(Some(State::Starting), State::Running, None);
        assert_eq!(coloured(&event), "a: starting -> \x1b[32mrunning\x1b[0m");
        let event = state(None, State::Waiting, Some("it has just been loaded"));
        assert_eq!(coloured(&event), "a: \x1b[33mwaiting\x1b[0m: it has just been loaded");
        let event = Event::NotReloaded { planet: "a".into(), reason: "it is empty".into() };
        assert_eq!(coloured(&event), "a: \x1b[31mnot reloaded\x1b[0m: it is empty");
    }

    #[test]
    fn a_reason_cannot_change_the_terminal() {
        let event = state(Some(State::Starting), State::Failed, Some("\x1b[2Jgone"));
        assert_eq!(coloured(&event), "a: starting -> \x1b[31mfailed\x1b[0m: ?[2Jgone");
    }
}
