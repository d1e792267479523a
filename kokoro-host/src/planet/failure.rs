//! How a call into a Planet can fail.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::call::{FunctionName, Late};
use super::memory::Limit;
use super::refusals::beginning;
use crate::interface::in_one_line;
use crate::restarts::had_time;
use crate::satellite;

/// A call that got no answer: whom it was for, the way it had come, and what happened.
#[derive(Debug, Clone)]
pub(crate) struct CallError {
    /// The Planet that was called; for [`Cause::Absent`] none.
    pub(crate) planet: Option<Arc<str>>,
    pub(crate) function: FunctionName,
    /// The Planets that the call came through before that one.
    pub(crate) chain: Arc<[Arc<str>]>,
    pub(crate) cause: Cause,
}

#[derive(Debug, Clone)]
pub(crate) enum Cause {
    /// Nobody provides the interface.
    Absent,
    /// The Planet's code ended in an error.
    Crashed(Arc<Crash>),
    /// The Planet had ended before the call came.
    Gone(End),
    /// The deadline passed while the Planet was executing, `after` it had been entered; before that the call had been `queued`.
    Overdue { after: Duration, queued: Duration },
    /// The deadline passed while the call waited for its turn; perhaps because the instance had ended: why.
    OverdueInQueue(Option<Arc<str>>),
    /// The application took the call back, and the Planet went on executing it for too long.
    Cancelled { after: Duration },
    /// The application took the call back while it waited for its turn.
    CancelledInQueue,
    /// As many calls as may wait for the Planet.
    TooManyWait(usize),
    /// The call would come back to a Planet that waits for it.
    Reentered,
    /// The call would wait for Planets that wait for it; the path begins and ends with the Planet that was called.
    Circle(Vec<Arc<str>>),
    /// A call that this Planet had made failed, and the called function's type had no place for the failure.
    Dependency(Box<CallError>),
    /// The deadline passed while the application answered a function that it serves.
    OverdueService,
    /// The application took the call back while it answered a function that it serves.
    CancelledService,
    /// The Planet has no such function, or one of another type; the text says which.
    NoFunction(Arc<str>),
    /// `start` returned an error: the text.
    Refused(Arc<str>),
    /// What the function is passed or, if `answered`, what it answered has more than `most` bytes.
    TooLarge { most: usize, answered: bool },
    /// The Planet's own Satellite has not answered.
    Satellite(Arc<satellite::Failure>),
    /// A handle that the function is passed is of no use there; the sentence says why.
    Handle(Arc<str>),
}

/// How a Planet ended.
#[derive(Debug, Clone)]
pub(crate) struct End {
    /// A sentence.
    pub(crate) reason: Arc<str>,
    /// Whether it was stopped, and did not fail.
    pub(crate) stopped: bool,
}

/// The end of an instance, in its own code.
#[derive(Debug)]
pub(crate) struct Crash {
    /// What happened, as in `panicked at src/lib.rs:3:5: index out of bounds`.
    pub(crate) what: String,
    /// Which limit it ran into, if it did.
    pub(crate) limit: Option<Limit>,
    /// The functions that were executing, the innermost first.
    pub(crate) frames: Vec<String>,
    /// The last lines on standard error.
    pub(crate) stderr: Vec<String>,
    /// What it tried in this call without having been granted it, as sentences.
    pub(crate) refused: Vec<String>,
}

impl Cause {
    /// A call that a Planet has executed for too long.
    pub(super) fn late(late: Late, after: Duration, queued: Duration) -> Self {
        match late {
            Late::Overdue => Self::Overdue { after, queued },
            Late::Cancelled => Self::Cancelled { after },
        }
    }

    /// A call that never had its turn.
    pub(super) fn late_in_queue(late: Late, because: Option<Arc<str>>) -> Self {
        match late {
            Late::Overdue => Self::OverdueInQueue(because),
            Late::Cancelled => Self::CancelledInQueue,
        }
    }

    /// Whether the Planet that was called has itself to blame. Not so for who was lost with a call of its own, unless that was for
    /// what it passed; for who was cut off by the application; and for who had little time left to answer, and less than the call
    /// had waited for.
    pub(crate) fn is_own_doing(&self) -> bool {
        match self {
            Self::Dependency(inner) if matches!(inner.cause, Self::TooLarge { answered: false, .. }) => true,
            Self::Dependency(_) | Self::Cancelled { .. } => false,
            Self::Overdue { after, queued } => had_time(*after, *queued),
            _ => true,
        }
    }
}

impl CallError {
    /// The innermost failure: the one that caused all the others.
    pub(crate) fn root(&self) -> &CallError {
        match &self.cause {
            Cause::Dependency(inner) => inner.root(),
            _ => self,
        }
    }

    /// Whether another Planet was away just then, of which it lacked an answer, and may be back by and by.
    pub(crate) fn was_not_met(&self) -> bool {
        let root = self.root();
        !std::ptr::eq(root, self) && matches!(root.cause, Cause::Gone(_) | Cause::OverdueInQueue(_))
    }

    pub(crate) fn is_out_of_memory(&self) -> bool {
        matches!(&self.root().cause, Cause::Crashed(crash) if matches!(crash.limit, Some(Limit::Memory(_) | Limit::AllMemory(_))))
    }

    /// Whether the Planet was never entered, because it had ended or has become another.
    pub(crate) fn has_not_begun(&self) -> bool {
        matches!(self.cause, Cause::Gone(_) | Cause::NoFunction(_))
    }

    /// The name of the failure's kind in `kokoro:core/types`.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.root().cause {
            Cause::Absent | Cause::NoFunction(_) | Cause::Handle(_) | Cause::Gone(End { stopped: true, .. }) => {
                "absent"
            }
            Cause::Overdue { .. } | Cause::OverdueInQueue(_) | Cause::OverdueService => "overdue",
            Cause::Reentered | Cause::Circle(_) => "reentered",
            Cause::Cancelled { .. } | Cause::CancelledInQueue | Cause::CancelledService => "cancelled",
            Cause::TooManyWait(_) | Cause::TooLarge { .. } => "limited",
            Cause::Crashed(crash) if crash.limit.is_some() => "limited",
            Cause::Satellite(failure) => failure.kind(),
            Cause::Crashed(_) | Cause::Gone(_) | Cause::Refused(_) | Cause::Dependency(_) => "crashed",
        }
    }

    /// All Planets that the call came through, the one that failed last.
    pub(crate) fn whole_chain(&self) -> Vec<String> {
        let root = self.root();
        root.chain.iter().chain(&root.planet).map(|name| name.to_string()).collect()
    }

    /// What a Planet is told that has made the call: of a Satellite of its own all that there is to say, since nobody else may ever see
    /// it.
    pub(crate) fn told(&self) -> String {
        match &self.cause {
            Cause::Satellite(failure) => failure.to_string(),
            _ => self.sentence(),
        }
    }

    /// What happened as one sentence, without frames and output.
    pub(crate) fn sentence(&self) -> String {
        let function = &self.function;
        let planet = self.planet.as_deref().unwrap_or("?");
        match &self.cause {
            Cause::Absent => format!("no planet provides `{function}` at present"),
            Cause::Crashed(crash) => match crash.limit {
                Some(Limit::Memory(_) | Limit::AllMemory(_)) => {
                    format!("planet `{planet}` ran out of memory in `{function}`: {}", crash.what)
                }
                Some(_) => format!("planet `{planet}` exceeded a limit in `{function}`: {}", crash.what),
                None => format!("planet `{planet}` failed in `{function}`: {}", crash.what),
            },
            Cause::Gone(end) => format!("planet `{planet}` cannot answer `{function}`: {}", end.reason),
            Cause::Overdue { after, .. } => {
                format!("planet `{planet}` was late: `{function}` did not answer within {}", span(*after))
            }
            Cause::OverdueInQueue(None) => {
                format!("the deadline passed before `{planet}` was free to answer `{function}`")
            }
            Cause::OverdueInQueue(Some(reason)) => {
                format!(
                    "the deadline passed before `{planet}` was started anew to answer `{function}`; before that: {reason}"
                )
            }
            Cause::Cancelled { after } => format!(
                "the call of `{function}` was cancelled, and planet `{planet}` did not give it up: it was ended after {}",
                span(*after)
            ),
            Cause::CancelledInQueue => {
                format!("the call of `{function}` was cancelled before `{planet}` began to answer it")
            }
            Cause::TooManyWait(limit) => {
                format!("`{planet}` has {limit} calls waiting already, as many as may be: `{function}` was not called")
            }
            Cause::Reentered => {
                let way: Vec<String> = self.chain.iter().map(|name| format!("`{name}`")).collect();
                format!(
                    "`{function}` would re-enter planet `{planet}`, which waits for this very call: {} -> `{planet}`",
                    way.join(" -> ")
                )
            }
            Cause::Circle(path) => {
                let way: Vec<String> = path.iter().map(|name| format!("`{name}`")).collect();
                format!(
                    "`{function}` would wait in a circle: {} is held by this very call",
                    way.join(", which waits for ")
                )
            }
            Cause::Dependency(inner) => {
                format!("planet `{planet}` was lost in `{function}` with a call that it made: {}", inner.sentence())
            }
            Cause::OverdueService => format!("the deadline passed before the application had answered `{function}`"),
            Cause::CancelledService => {
                format!("the call was cancelled, and the application had not answered `{function}`")
            }
            Cause::NoFunction(problem) => problem.to_string(),
            Cause::TooLarge { most, answered } => {
                let what = match answered {
                    true => format!("planet `{planet}` answered `{function}` with"),
                    false => format!("`{function}` is passed"),
                };
                format!("{what} more than {most} bytes, the most that may cross: `Limits::value`")
            }
            Cause::Satellite(failure) => failure.sentence().to_owned(),
            Cause::Handle(problem) => format!("`{function}` was not called: {problem}"),
            Cause::Refused(reason) => format!("planet `{planet}` did not start: {reason}"),
        }
    }
}

/// A time as people write it.
pub(crate) fn span(time: Duration) -> String {
    match time.as_millis() {
        millis if millis < 1000 => format!("{millis} ms"),
        millis if millis.is_multiple_of(1000) => format!("{} s", millis / 1000),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())?;
        let root = self.root();
        if root.chain.len() > 1 || !std::ptr::eq(root, self) {
            let way: Vec<String> = self.whole_chain().iter().map(|name| format!("`{name}`")).collect();
            write!(f, "\n  called along: the application -> {}", way.join(" -> "))?;
        }
        if let Cause::Satellite(failure) = &root.cause {
            for line in failure.details() {
                write!(f, "\n  {line}")?;
            }
            write_output(f, failure.stderr())?;
        }
        if let Cause::Crashed(crash) = &root.cause {
            if !crash.frames.is_empty() {
                f.write_str("\n  executing, innermost first:")?;
                for frame in &crash.frames {
                    write!(f, "\n    {frame}")?;
                }
            }
            for refused in &crash.refused {
                write!(f, "\n  before that it had been refused something: {refused}")?;
            }
            write_output(f, &crash.stderr)?;
        }
        Ok(())
    }
}

/// What a Planet or a Satellite wrote last.
fn write_output(f: &mut fmt::Formatter<'_>, stderr: &[String]) -> fmt::Result {
    if !stderr.is_empty() {
        f.write_str("\n  last lines of its standard error:")?;
        for line in stderr {
            write!(f, "\n    {line}")?;
        }
    }
    Ok(())
}

impl std::error::Error for CallError {}

/// How a host function tells the Planet that calls it, and whoever waits for that, why it ends: found again in the
/// `wasmtime::Error` that comes out.
#[derive(Debug)]
pub(crate) enum Interruption {
    Late(Late),
    Dependency(CallError),
}

impl fmt::Display for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late(Late::Overdue) => f.write_str("the deadline passed"),
            Self::Late(Late::Cancelled) => f.write_str("the call was cancelled"),
            Self::Dependency(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for Interruption {}

impl Crash {
    /// Reads out of Wasmtime's error, and of what the Planet wrote last, what went wrong.
    pub(super) fn of(
        error: &wasmtime::Error,
        stderr: Vec<String>,
        refused: Vec<String>,
        refused_growth: Option<Limit>,
    ) -> Self {
        let stderr = without_noise(stderr);
        let frames = error.downcast_ref::<wasmtime::WasmBacktrace>().map(frames).unwrap_or_default();
        let trap = error.downcast_ref::<wasmtime::Trap>();
        let limit = refused_growth.or_else(|| exceeded(error));
        let mut what = match (error.downcast_ref::<wasmtime_wasi::I32Exit>(), panic_message(&stderr), trap) {
            (Some(wasmtime_wasi::I32Exit(code)), ..) => format!("it exited with status {code}"),
            (None, Some(panic), Some(wasmtime::Trap::UnreachableCodeReached)) => format!("panicked at {panic}"),
            (None, _, Some(trap)) => trap.to_string(),
            (None, _, None) => error.root_cause().to_string(),
        };
        if let Some(limit) = limit {
            what += &format!(" ({limit})");
        }
        let stderr = stderr.iter().map(in_one_line).collect();
        Self { what: in_one_line(what), limit, frames, stderr, refused }
    }
}

/// Which limit Wasmtime's error tells of. It has no types for these.
fn exceeded(error: &wasmtime::Error) -> Option<Limit> {
    if matches!(error.downcast_ref(), Some(wasmtime::component::ResourceTableError::Full)) {
        return Some(Limit::Handles);
    }
    let said = error.root_cause().to_string();
    let says = |words: &str| said.contains(words);
    if says("store handle limit exceeded") {
        Some(Limit::Handles)
    } else if says("fuel allocated for hostcalls has been exhausted") {
        Some(Limit::Value)
    } else if says("resource limit exceeded") {
        Some(Limit::Instances)
    } else {
        None
    }
}

/// What a Rust panic wrote: `thread '<unnamed>' panicked at src/lib.rs:3:5:`, then the message, then a note.
fn panic_message(stderr: &[String]) -> Option<String> {
    let start = stderr.iter().rposition(|line| line.starts_with("thread '") && line.contains("panicked at "))?;
    let (_, place) = stderr[start].split_once("panicked at ")?;
    let message: Vec<&str> =
        stderr[start + 1..].iter().map(String::as_str).take_while(|line| !line.starts_with("note: ")).collect();
    Some(format!("{place} {}", message.join(" ")).trim().to_owned())
}

/// Without the blank lines around a panic, and without its hint at a variable that nobody grants.
fn without_noise(mut stderr: Vec<String>) -> Vec<String> {
    stderr.retain(|line| !line.starts_with("note: run with `RUST_BACKTRACE"));
    let blank = stderr.iter().take_while(|line| line.is_empty()).count();
    stderr.drain(..blank);
    while stderr.last().is_some_and(String::is_empty) {
        stderr.pop();
    }
    stderr
}

/// How many frames an error shows.
const SHOWN_FRAMES: usize = 16;

/// The names of the Planet's own functions that were executing; the panic machinery on top of them says nothing.
fn frames(backtrace: &wasmtime::WasmBacktrace) -> Vec<String> {
    let name = |frame: &wasmtime::FrameInfo| match frame.func_name() {
        Some(name) => in_one_line(beginning(&format!("{:#}", rustc_demangle::demangle(name)))),
        None => format!("function {}", frame.func_index()),
    };
    let machinery = |name: &String| {
        [
            "std::",
            "core::panicking",
            "core::option::",
            "core::result::",
            "core::cell::",
            "__rust",
            "abort",
            "rust_panic",
        ]
        .iter()
        .any(|prefix| name.starts_with(prefix))
    };
    let names: Vec<String> = backtrace.frames().iter().map(name).collect();
    let own = names.iter().position(|name| !machinery(name)).unwrap_or(0);
    names.into_iter().skip(own).take(SHOWN_FRAMES).collect()
}
