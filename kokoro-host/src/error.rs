//! The one public error, over the layers' own.

use std::fmt;
use std::path::PathBuf;

use crate::engine::EngineError;
use crate::inspect::InspectError;
use crate::interface::{InterfaceName, InterfaceNameError};
use crate::planet::{CallError, Cause};

/// Why Kokoro could not do what it was asked for.
///
/// It is opaque, so that it can grow: ask it what it is through its predicates (`is_timeout`, ...), and show it to people. Shown,
/// it says what failed, who needed it, what there was, and what to do, on as many lines as that takes.
pub struct Error(Box<Kind>);

#[derive(Debug)]
pub(crate) enum Kind {
    Engine(EngineError),
    Directory {
        path: PathBuf,
        error: std::io::Error,
    },
    File {
        path: PathBuf,
        error: std::io::Error,
    },
    Component {
        what: String,
        error: InspectError,
    },
    Name(InterfaceNameError),
    NameTaken {
        name: String,
        by: String,
    },
    Call(CallError),
    /// No running Planet exports the interface; `others` says of Planets that do, and do not run, why not.
    NoProvider {
        interface: InterfaceName,
        others: Vec<String>,
        closest: Vec<String>,
    },
    /// Planets export the interface, with other types.
    Mismatch {
        interface: InterfaceName,
        reasons: Vec<String>,
    },
    NoPlanet {
        name: String,
        nearest: Vec<String>,
    },
    NotRunning {
        name: String,
        /// As in `waiting: needs ..`.
        state: String,
    },
    NoFunction {
        path: String,
        function: String,
        nearest: Vec<String>,
        there: Vec<String>,
    },
    Arguments {
        function: String,
        signature: String,
        problem: String,
    },
    /// Nobody but Kokoro calls a Planet's life cycle.
    Core {
        interface: InterfaceName,
    },
    ServedTwice {
        interface: InterfaceName,
    },
    /// Two interfaces that share a resource are served with different types behind it.
    TwoTypes {
        resource: &'static str,
        interfaces: [InterfaceName; 2],
        types: [&'static str; 2],
    },
    /// A change would wait for Planets that wait for it.
    InOwnChain {
        change: &'static str,
        planet: String,
        /// The Planet that waits, and would have to stop: that one, or one that requires it.
        through: String,
        chain: Vec<String>,
    },
    /// A change would wait for the very call that asks for it.
    HeldByOwnCall {
        change: &'static str,
        planet: String,
        /// The Planet that is held: that one, or one that would have to stop with it.
        held: String,
    },
    /// A change that a part of another change has asked for.
    WithinChange,
    /// A Planet cannot be had for a change: why.
    Busy {
        change: &'static str,
        planet: String,
        why: String,
    },
    /// A new release could not take the place of the old one.
    NotReloaded {
        planet: String,
        /// What was being done: `while it was started`.
        step: &'static str,
        why: String,
        /// What is the case now.
        now: String,
        /// The call of the life cycle that failed, if it was one.
        call: Option<CallError>,
        is_busy: bool,
    },
    NoFile {
        planet: String,
    },
    NoRuntime,
    InsideRuntime,
    NoThreads {
        error: std::io::Error,
    },
    ShutDown,
}

impl Error {
    /// Whether a deadline passed.
    pub fn is_timeout(&self) -> bool {
        self.call().is_some_and(|call| call.kind() == "overdue")
    }

    /// Whether nobody provides what was called, or its provider does not run (yet, or any more).
    pub fn is_unavailable(&self) -> bool {
        match &*self.0 {
            Kind::NoProvider { .. } | Kind::NoPlanet { .. } | Kind::NotRunning { .. } => true,
            Kind::Call(call) => match &call.root().cause {
                Cause::Absent | Cause::Gone(_) => true,
                Cause::Satellite(failure) => failure.kind() == "absent",
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a Planet's own code ended in an error during the call: a trap, a panic, an exit.
    pub fn is_crash(&self) -> bool {
        self.call().is_some_and(|call| matches!(call.root().cause, Cause::Crashed(_)))
    }

    /// Whether a Planet's own Satellite (a native child process) is where the failure began: it could not be started, ended, did not
    /// answer in time, or answered what it should not.
    pub fn is_of_satellite(&self) -> bool {
        self.call().is_some_and(|call| matches!(call.root().cause, Cause::Satellite(_)))
    }

    /// Whether the call would have come back to a Planet that was waiting for it, or would have waited in a circle; or whether a
    /// change (an unload, ..) would have waited for the very call that asked for it.
    pub fn is_reentry(&self) -> bool {
        match &*self.0 {
            Kind::InOwnChain { .. } | Kind::HeldByOwnCall { .. } | Kind::WithinChange => true,
            _ => self.call().is_some_and(|call| matches!(call.root().cause, Cause::Reentered | Cause::Circle(_))),
        }
    }

    /// Whether a Planet could not be changed because calls went on in it, or others held it, for too long. Later it may work.
    pub fn is_busy(&self) -> bool {
        matches!(&*self.0, Kind::Busy { .. } | Kind::NotReloaded { is_busy: true, .. })
    }

    /// Whether the Primary has been shut down.
    pub fn is_shut_down(&self) -> bool {
        matches!(&*self.0, Kind::ShutDown)
    }

    /// Whether the types of the two sides (or of arguments) do not fit, or a function does not exist.
    pub fn is_mismatch(&self) -> bool {
        match &*self.0 {
            Kind::Mismatch { .. } | Kind::NoFunction { .. } | Kind::Arguments { .. } => true,
            Kind::Call(call) => matches!(call.root().cause, Cause::NoFunction(_)),
            _ => false,
        }
    }

    /// Whether the application has cancelled the call.
    pub fn is_cancelled(&self) -> bool {
        self.call().is_some_and(|call| call.kind() == "cancelled")
    }

    /// Whether a function was not called because of a handle of a resource that it is passed: its owner's instance has ended, it was
    /// given back before, or it is of another Planet than the one that is called. (Once the owner itself has gone, this is
    /// [`is_unavailable`](Self::is_unavailable).)
    pub fn is_stale(&self) -> bool {
        self.call().is_some_and(|call| matches!(call.root().cause, Cause::Handle(_)))
    }

    /// Whether a limit was exceeded: of memory, of tables, of handles, of the size of values, of waiting calls.
    pub fn is_limit(&self) -> bool {
        self.call().is_some_and(|call| call.kind() == "limited")
    }

    /// Whether a Planet ended because it could have no more memory.
    pub fn is_out_of_memory(&self) -> bool {
        self.call().is_some_and(CallError::is_out_of_memory)
    }

    /// Whether a new release of a Planet could not take the place of the old one. That goes on, unless it has ended in an error
    /// itself, in its `save` perhaps: then it is started anew, without its state.
    pub fn is_not_reloaded(&self) -> bool {
        matches!(&*self.0, Kind::NotReloaded { .. })
    }

    /// The Planet that a failed call ended in: the innermost one, where the failure began, or whose Satellite it was.
    pub fn planet(&self) -> Option<&str> {
        let root = self.call()?.root();
        // What is passed wrongly is not called at all.
        let is_passed =
            matches!(root.cause, Cause::TooLarge { answered: false, .. } | Cause::Handle(_) | Cause::Satellite(_));
        root.planet.as_ref().or_else(|| root.chain.last().filter(|_| is_passed)).map(|name| &**name)
    }

    fn call(&self) -> Option<&CallError> {
        match &*self.0 {
            Kind::Call(call) => Some(call),
            Kind::NotReloaded { call, .. } => call.as_ref(),
            _ => None,
        }
    }
}

impl fmt::Debug for Error {
    /// The same as for people, since this is what `unwrap` and `fn main` show.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Engine(error) => write!(f, "the engine refused: {error}"),
            Kind::Directory { path, error } => write!(
                f,
                "the directory `{}` cannot be read: {error}\n  help: give a directory that holds Planets (plugins), as files `*.wasm`",
                path.display()
            ),
            Kind::File { path, error } => write!(f, "the file `{}` cannot be read: {error}", path.display()),
            Kind::Component { what, error } => write!(f, "`{what}` cannot be loaded: {error}"),
            Kind::Name(error) => write!(f, "{error}"),
            Kind::NameTaken { name, by } => write!(f, "{}", name_taken(name, by)),
            Kind::Call(error) => write!(f, "{error}"),
            Kind::NoProvider { interface, others, closest } => {
                write!(f, "no running planet provides `{interface}`")?;
                for other in others {
                    write!(f, "\n  {other}")?;
                }
                if !others.is_empty() {
                    return Ok(());
                }
                for name in closest {
                    write!(f, "\n  closest: {name}")?;
                }
                f.write_str("\n  help: load a planet that exports it")
            }
            Kind::Mismatch { interface, reasons } => {
                write!(f, "`{interface}` has other types in the application than in the planets that provide it")?;
                for reason in reasons {
                    write!(f, "\n  {reason}")?;
                }
                f.write_str("\n  help: build both against the same WIT")
            }
            Kind::NoPlanet { name, nearest } => {
                write!(f, "there is no planet `{name}`")?;
                write_nearest(f, nearest)
            }
            Kind::NotRunning { name, state } => write!(f, "planet `{name}` is {state}"),
            Kind::NoFunction { path, function, nearest, there } => {
                write!(f, "`{path}` has no function `{function}`")?;
                match (nearest.is_empty(), there.is_empty()) {
                    (true, false) => write!(f, "\n  it has: {}", there.join(", ")),
                    _ => write_nearest(f, nearest),
                }
            }
            Kind::Arguments { function, signature, problem } => {
                write!(f, "`{function}` cannot be called like that: {problem}\n  its type: {signature}")
            }
            Kind::Core { interface } => write!(f, "`{interface}` is between Kokoro and the planet, and cannot be called"),
            Kind::ServedTwice { interface } => write!(
                f,
                "the application serves `{interface}` twice\n  help: one service for each version of an interface"
            ),
            Kind::TwoTypes { resource, interfaces: [one, two], types: [this, that] } => write!(
                f,
                "the resource `{resource}` is served as `{this}` by `{one}` and as `{that}` by `{two}`, which pass it to each \
                 other\n  help: serve both by one type of `{resource}`"
            ),
            Kind::InOwnChain { change, planet, through, chain } => {
                let chain: Vec<String> = chain.iter().map(|name| format!("`{name}`")).collect();
                write!(f, "planet `{planet}` cannot be {change} by a call that came through ")?;
                match through == planet {
                    true => f.write_str("it")?,
                    false => write!(f, "`{through}`, which would have to stop as well")?,
                }
                write!(f, ": {}\n  {AFTERWARDS}", chain.join(" -> "))
            }
            Kind::HeldByOwnCall { change, planet, held } => write!(
                f,
                "planet `{planet}` cannot be {change} by a call that holds `{held}` as an option\n  {AFTERWARDS}"
            ),
            Kind::WithinChange => f.write_str(
                "planets are being loaded, started or stopped, and this was called by one of them: it would wait for itself\n  \
                 help: do it in a task of its own, which nobody waits for",
            ),
            Kind::Busy { change, planet, why } => {
                write!(f, "planet `{planet}` was not {change}: {why}\n  help: try again later, or raise `Limits::drain`")
            }
            Kind::NotReloaded { planet, step, why, now, is_busy, .. } => {
                write!(f, "planet `{planet}` was not reloaded, {step}: {why}\n  {now}")?;
                f.write_str(if *is_busy { "\n  help: try again later, or raise `Limits::drain`" } else { "" })
            }
            Kind::NoFile { planet } => write!(
                f,
                "planet `{planet}` was loaded from memory, so there is no file to load it from again\n  \
                 help: give the new component: `primary.reload(\"{planet}\").bytes(..)`"
            ),
            Kind::NoRuntime => f.write_str(
                "there is no tokio runtime here, and a Primary needs one for its clock\n  help: build it inside of an async function, under `#[tokio::main]`, or use `build_blocking`",
            ),
            Kind::InsideRuntime => f.write_str(
                "this waits, and must not do so inside an async runtime\n  \
                 help: use `kokoro_host::Primary`, from `build` (or `primary()`), and `.await` what it returns; or wait on a thread outside of the runtime",
            ),
            Kind::NoThreads { error } => write!(f, "the system gives no threads: {error}"),
            Kind::ShutDown => f.write_str("this Primary has been shut down; build another one"),
        }
    }
}

const AFTERWARDS: &str = "help: do it when that call has ended, in a task of its own";

fn write_nearest(f: &mut fmt::Formatter<'_>, nearest: &[String]) -> fmt::Result {
    match nearest {
        [] => Ok(()),
        nearest => write!(f, "\n  help: did you mean {}?", nearest.join(" or ")),
    }
}

/// Names as a sentence lists them: `a`, `b` and `c`.
pub(crate) fn name_list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    names.dedup();
    match names.pop() {
        Some(last) if !names.is_empty() => format!("{} and {last}", names.join(", ")),
        last => last.unwrap_or_default(),
    }
}

/// What is said of a Planet whose name another one has already.
pub(crate) fn name_taken(name: &str, by: &str) -> String {
    format!(
        "another planet is called `{name}` already, from {by}\n  help: load only one of them, or give one another name (by `Admission::named`, or as it calls itself: `name: \"..\"` in `planet!`, `name` in its manifest)"
    )
}

/// Of `names`, up to three that look like `wanted`, the most similar first, in backquotes.
pub(crate) fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut scored: Vec<(usize, &str)> = names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(wanted, name), name))
        .filter(|(distance, name)| *distance <= 1 + wanted.len().max(name.len()) / 3)
        .collect();
    scored.sort();
    scored.dedup();
    scored.into_iter().take(3).map(|(_, name)| format!("`{name}`")).collect()
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            Kind::Directory { error, .. } | Kind::File { error, .. } | Kind::NoThreads { error } => Some(error),
            _ => None,
        }
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self(Box::new(kind))
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        Kind::Call(error).into()
    }
}

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        Kind::Engine(error).into()
    }
}

impl From<InterfaceNameError> for Error {
    fn from(error: InterfaceNameError) -> Self {
        Kind::Name(error).into()
    }
}
