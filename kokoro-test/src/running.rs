//! A test that has started.

use std::collections::BTreeSet;
use std::fmt;
use std::future::IntoFuture;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use kokoro_host::dynamic::Function;
use kokoro_host::{EdgeKind, EdgeProvider, Error, Graph, Inspection, Interface, Primary, State, Val};
use tokio::runtime::{self, Runtime};
use tracing::Dispatch;

use crate::fake::Fake;
use crate::harness::{Directory, place};
use crate::log::{Line, Log};
use crate::start::INSIDE;
use crate::text;

/// A Planet (plugin) under test, with all that it was given. Made by [`Harness::start`](crate::Harness::start).
///
/// Each method panics if a fake was called otherwise than it was said to be, or has no answer: with the call, by whom, and what
/// was expected. The end of the test, when this is dropped, does the same. A test that fails shows what the Planet asked its fakes, what it
/// logged, and how it stood.
pub struct Running {
    fixture: Arc<Fixture>,
    /// Whether somebody was told of what happened.
    has_told: AtomicBool,
}

/// What a test runs in. Its fakes come back to it.
pub(crate) struct Fixture {
    pub(crate) planet: String,
    pub(crate) inspection: Inspection,
    pub(crate) primary: Primary,
    /// Only taken when this is dropped.
    pub(crate) runtime: Option<Runtime>,
    pub(crate) dispatch: Dispatch,
    pub(crate) log: Log,
    pub(crate) fakes: Vec<Fake>,
    /// How all stood when a fake was called wrongly for the first time. That call ends the fake's Planet, and in what state that is when
    /// somebody asks would depend on time.
    pub(crate) at_misuse: Mutex<Option<Standing>>,
    pub(crate) directories: Vec<Directory>,
}

/// How the Planet stands, and its dependencies.
pub(crate) type Standing = [String; 2];

impl Fixture {
    /// Waits for work of the Primary's.
    #[track_caller]
    pub(crate) fn wait<F: IntoFuture>(&self, work: F) -> F::Output {
        assert!(runtime::Handle::try_current().is_err(), "{INSIDE}");
        let runtime = self.runtime.as_ref().expect("the runtime is there until this is dropped");
        tracing::dispatcher::with_default(&self.dispatch, || runtime.block_on(async { work.await }))
    }

    /// Where the Planet is in its life, and why.
    fn state(&self) -> (State, Option<String>) {
        match self.primary.graph().planet(&self.planet) {
            Some(node) => (node.state, node.details.clone().or_else(|| node.reason.clone())),
            None => (State::Gone, None),
        }
    }

    fn standing(&self) -> Standing {
        let (state, reason) = self.state();
        let mut planet = format!("planet `{}` {}", self.planet, how(state));
        if let Some(reason) = reason {
            planet += &format!(": {}", reason.replace('\n', "\n  "));
        }
        [planet, section("what it depends on", self.dependencies())]
    }

    /// Remembers how all stand at a misuse, unless an earlier one is still to be told.
    pub(crate) fn remember_standing(&self) {
        let standing = self.standing();
        self.at_misuse.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(standing);
    }

    fn take_at_misuse(&self) -> Option<Standing> {
        self.at_misuse.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What helps to understand a failure.
    fn story(&self, [planet, dependencies]: Standing) -> String {
        let mut asked: Vec<_> = self.fakes.iter().flat_map(Fake::all_asked).collect();
        asked.sort();
        let asked = section("what the fakes were asked", asked.into_iter().map(|(_, line)| line));
        let logged = self.log.lines();
        let logged = section("what was logged", logged.iter().map(|line| text::short(&line.to_string())));
        planet + &asked + &logged + &dependencies
    }

    /// Who serves the Planet's imports, a line each.
    fn dependencies(&self) -> impl Iterator<Item = String> {
        let graph = self.primary.graph();
        let edges = graph.planet(&self.planet).map(|node| node.imports.clone()).unwrap_or_default();
        edges.into_iter().map(move |edge| {
            let provider = match &edge.provider {
                Some(EdgeProvider::Planet(name)) => match graph.planet(name) {
                    Some(node) if node.state != State::Running => format!("planet `{name}`, which {}", how(node.state)),
                    _ => format!("planet `{name}`"),
                },
                Some(EdgeProvider::Satellite(program)) => format!("satellite `{program}`"),
                Some(_) => "the application".to_owned(),
                None => "nobody".to_owned(),
            };
            let is_optional = if edge.kind == EdgeKind::Optional { " (optional)" } else { "" };
            format!("{}{is_optional} <- {provider}", edge.interface)
        })
    }
}

fn how(state: State) -> String {
    match state {
        State::Failed => "has failed".to_owned(),
        state => format!("is {state}"),
    }
}

fn section(title: &str, lines: impl Iterator<Item = String>) -> String {
    let lines: String = lines.map(|line| format!("\n    {}", line.trim_end())).collect();
    if lines.is_empty() { String::new() } else { format!("\n  {title}:{lines}") }
}

impl Running {
    pub(crate) fn new(fixture: Arc<Fixture>) -> Self {
        Self { fixture, has_told: AtomicBool::new(false) }
    }

    pub(crate) fn load_component(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
        let loaded = self.fixture.wait(self.fixture.primary.load_bytes(name, bytes));
        loaded.map(drop).map_err(|error| error.to_string())
    }

    /// Why the Planet has not started, if it has not.
    pub(crate) fn failed_start(&self) -> Option<String> {
        let misuses = self.misuses();
        let (state, reason) = self.fixture.state();
        if state == State::Running && misuses.is_empty() {
            return None;
        }
        self.has_told.store(true, Ordering::Relaxed);
        if !misuses.is_empty() {
            let [planet, _] = self.standing_at_misuse();
            return Some(format!("{}\n{planet}", misuses.join("\n")));
        }
        let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        Some(format!("planet `{}` does not run ({state}){reason}", self.fixture.planet))
    }

    pub(crate) fn says_nothing(&self) {
        self.has_told.store(true, Ordering::Relaxed);
    }

    fn misuses(&self) -> Vec<String> {
        self.fixture.fakes.iter().flat_map(Fake::take_misuses).collect()
    }

    /// Ends the test, and says all that there is to say.
    #[track_caller]
    fn fail(&self, what: &str) -> ! {
        self.fail_after(what, self.fixture.standing())
    }

    #[track_caller]
    fn fail_after(&self, what: &str, standing: Standing) -> ! {
        self.has_told.store(true, Ordering::Relaxed);
        panic!("{what}\n\n{}\n", self.fixture.story(standing));
    }

    #[track_caller]
    fn check(&self) {
        let misuses = self.misuses();
        if !misuses.is_empty() {
            self.fail_after(&misuses.join("\n"), self.standing_at_misuse());
        }
    }

    fn standing_at_misuse(&self) -> Standing {
        self.fixture.take_at_misuse().unwrap_or_else(|| self.fixture.standing())
    }

    /// A typed handle to an interface that the Planet exports: `let greeting: Greeting = test.get();`
    ///
    /// # Panics
    ///
    /// If it does not export it with these types, or does not run.
    #[track_caller]
    pub fn get<I: Interface>(&self) -> I {
        match self.fixture.primary.get() {
            Ok(handle) => handle,
            Err(error) => self.fail(&error.to_string()),
        }
    }

    /// Waits for a call: `test.wait(greeting.greet("ada"))`. What it gives is what the function itself returns, its `Err` included.
    /// An async block with several calls is waited for all the same.
    ///
    /// # Panics
    ///
    /// If there is no answer: the Planet ended in an error, was late, does not run.
    #[track_caller]
    pub fn wait<T>(&self, call: impl IntoFuture<Output = Result<T, Error>>) -> T {
        match self.try_wait(call) {
            Ok(answer) => answer,
            Err(error) => self.fail(&error.to_string()),
        }
    }

    /// As [`wait`](Running::wait), for tests of failures.
    ///
    /// # Errors
    ///
    /// That of the call.
    #[track_caller]
    pub fn try_wait<T>(&self, call: impl IntoFuture<Output = Result<T, Error>>) -> Result<T, Error> {
        let outcome = self.fixture.wait(call);
        self.check();
        outcome
    }

    /// Calls a function in WAVE, and gives its answer in WAVE: `test.call(r#"greet("ada")"#)`. Where several interfaces of the
    /// Planet have such a function, it is `greeting.greet(..)`, or with the interface's whole name.
    ///
    /// # Panics
    ///
    /// If the Planet has no such function, if the text does not fit its type, or if there is no answer.
    #[track_caller]
    pub fn call(&self, call: &str) -> String {
        match self.try_call(call) {
            Ok(answer) => answer,
            Err(error) => self.fail(&format!("`{call}` was not answered: {error}")),
        }
    }

    /// As [`call`](Running::call), for tests of failures.
    ///
    /// # Errors
    ///
    /// That of the call.
    ///
    /// # Panics
    ///
    /// If the Planet has no such function, or if the text does not fit its type.
    #[track_caller]
    pub fn try_call(&self, call: &str) -> Result<String, Error> {
        let (function, arguments) = self.function(call)?;
        let outcome = self.fixture.wait(function.call(&arguments));
        self.check();
        outcome.map(|values| text::values(&values))
    }

    /// Compares the answer to a call with what it should be, both in WAVE, by their values.
    ///
    /// # Panics
    ///
    /// If it is another, or as [`call`](Running::call).
    #[track_caller]
    pub fn assert_answer(&self, call: &str, answer: &str) {
        let got = self.call(call);
        let (function, _) = self.function(call).unwrap_or_else(|error| self.fail(&error.to_string()));
        let ty = function.ty().results().next();
        let value = |text: &str| match &ty {
            Some(ty) => {
                kokoro_host::dynamic::wave::from_str::<Val>(ty, text).map(Some).map_err(|error| error.to_string())
            }
            None if text.trim().is_empty() => Ok(None),
            None => Err("the function has no result".to_owned()),
        };
        match value(answer) {
            Err(error) => {
                panic!("this is no answer of `{call}`: {answer}\n  {error}\n  its type: {}", function.signature())
            }
            Ok(wanted) if value(&got).is_ok_and(|got| got == wanted) => {}
            Ok(_) => self.fail(&format!("`{call}` gave another answer\n  expected: {answer}\n  got:      {got}")),
        }
    }

    /// The function of a call, and its arguments.
    #[track_caller]
    fn function(&self, call: &str) -> Result<(Function, Vec<Val>), Error> {
        const EXAMPLE: &str = "  help: write it like `greet(\"ada\")` or `greeting.greet(\"ada\")`";
        let Some((callee, _)) = call.split_once('(') else { panic!("`{call}` is no call: it has no `(`\n{EXAMPLE}") };
        let (path, name) =
            callee.trim().rsplit_once('.').map_or((None, callee.trim()), |(path, name)| (Some(path), name));
        let inspection = &self.fixture.inspection;
        let mut found = BTreeSet::new();
        for (export, interface) in &inspection.exports {
            let is_meant = path
                .is_none_or(|path| [export.to_string().as_str(), export.path(), export.interface()].contains(&path));
            if is_meant && interface.functions.contains_key(name) {
                found.insert(export.to_string());
            }
        }
        if path.is_none_or(|path| path == self.fixture.planet) && inspection.functions.contains_key(name) {
            found.insert(self.fixture.planet.clone());
        }
        let mut paths = found.into_iter();
        let path = match (paths.next(), paths.next()) {
            (Some(path), None) => path,
            (Some(one), Some(other)) => panic!(
                "`{name}` could be of `{one}` or of `{other}`\n  help: write the interface before it: `{one}.{name}(..)`"
            ),
            (None, _) => {
                let exports =
                    inspection.exports.iter().filter(|(export, _)| !export.path().starts_with("kokoro:core/"));
                let inside = exports.flat_map(|(export, interface)| {
                    interface.functions.keys().map(move |function| format!("{}.{function}", export.interface()))
                });
                let there: Vec<String> = inside.chain(inspection.functions.keys().cloned()).collect();
                panic!(
                    "planet `{}` exports no function `{}`; it has: {}",
                    self.fixture.planet,
                    callee,
                    there.join(", ")
                )
            }
        };
        let function = self.fixture.primary.function(&path, name)?;
        let rest = &call[call.find('(').unwrap_or_default()..];
        let inside = rest.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(rest);
        match text::arguments(function.ty(), inside) {
            Ok(arguments) => Ok((function, arguments)),
            Err(error) => panic!("`{call}` does not fit: {error}\n  its type: {name}: {}", function.signature()),
        }
    }

    /// Whether the Planet has logged or printed a line with this text in it, so far.
    pub fn logged(&self, text: &str) -> bool {
        self.log().iter().any(|line| line.text.contains(text))
    }

    /// What the Planet has logged and printed so far, line by line.
    pub fn log(&self) -> Vec<Line> {
        self.whole_log().into_iter().filter(|line| line.planet == self.fixture.planet).collect()
    }

    /// What all Planets of the test have logged and printed, and what Kokoro warned of.
    pub fn whole_log(&self) -> Vec<Line> {
        self.fixture.log.lines()
    }

    /// Where the Planet is in its life.
    pub fn state(&self) -> State {
        self.fixture.state().0
    }

    /// Why the Planet does not run, with everything that helps; none if it does.
    pub fn reason(&self) -> Option<String> {
        self.fixture.state().1
    }

    /// All Planets of the test, fakes included, and who serves whom.
    pub fn graph(&self) -> Graph {
        self.fixture.primary.graph()
    }

    /// What helps to understand a failure: what the fakes were asked, what was logged, how all stand. A test that fails shows it.
    pub fn story(&self) -> String {
        self.fixture.story(self.fixture.standing())
    }

    /// The Primary that has them: for what has no method here.
    pub fn primary(&self) -> &Primary {
        &self.fixture.primary
    }

    /// The path of a [`directory`](crate::Harness::directory) that the Planet was given, or of a file in it, on this machine.
    ///
    /// # Panics
    ///
    /// If it was given none that this is in.
    #[track_caller]
    pub fn directory(&self, guest: impl AsRef<Path>) -> PathBuf {
        let guest = guest.as_ref().to_string_lossy();
        place(&self.fixture.directories, &guest).unwrap_or_else(|| {
            let there: Vec<String> = self.fixture.directories.iter().map(|dir| format!("`{}`", dir.guest)).collect();
            panic!(
                "the test has no directory `{guest}`; it has: {}\n  help: give it one before it starts: `.directory(\"{guest}\")`",
                there.join(", ")
            )
        })
    }

    /// Reloads the Planet with another release of it, which takes over its state: a component in memory.
    ///
    /// # Errors
    ///
    /// If the new one cannot take its place. The old one goes on then.
    ///
    /// # Panics
    ///
    /// If a fake was called wrongly by it.
    #[track_caller]
    pub fn reload(&self, component: impl Into<Vec<u8>>) -> Result<(), Error> {
        let outcome = self.fixture.wait(self.fixture.primary.reload(&self.fixture.planet).bytes(component));
        self.check();
        outcome.map(drop)
    }

    /// Stops the Planet and starts it anew, without its state.
    ///
    /// # Panics
    ///
    /// If it does not start again.
    #[track_caller]
    pub fn restart(&self) {
        let outcome = self.fixture.wait(self.fixture.primary.restart(&self.fixture.planet));
        self.check();
        if let Err(error) = outcome {
            self.fail(&error.to_string());
        }
        if self.state() != State::Running {
            self.fail("the planet was restarted and does not run");
        }
    }

    /// Stops the Planet, for tests of what it does then. It is gone.
    ///
    /// # Panics
    ///
    /// If it is gone already.
    #[track_caller]
    pub fn stop(&self) {
        let outcome = self.fixture.wait(self.fixture.primary.unload(&self.fixture.planet));
        self.check();
        if let Err(error) = outcome {
            self.fail(&error.to_string());
        }
    }

    /// Ends the test: what dropping it does as well, but says at this line what is wrong.
    ///
    /// # Panics
    ///
    /// If a fake was called otherwise than expected, or an expected call has not come.
    #[track_caller]
    pub fn finish(self) {
        self.end();
    }

    #[track_caller]
    fn end(&self) {
        // Afterwards all are gone.
        let standing = self.fixture.standing();
        if runtime::Handle::try_current().is_err() {
            self.fixture.wait(self.fixture.primary.shutdown());
        }
        let fakes = &self.fixture.fakes;
        let mut wrong = self.misuses();
        wrong.extend(fakes.iter().flat_map(Fake::take_unmet));
        if !wrong.is_empty() {
            self.fail_after(&wrong.join("\n"), self.fixture.take_at_misuse().unwrap_or(standing));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        match (std::thread::panicking(), self.has_told.load(Ordering::Relaxed)) {
            (false, false) => self.end(),
            (true, false) => tell(&self.story()),
            (_, true) => {}
        }
    }
}

/// Says something on the way: tests that fail show what they have written.
#[expect(clippy::print_stderr, reason = "this is the only way that goes to the test's own output")]
pub(crate) fn tell(story: &str) {
    eprintln!("\n{story}\n");
}

impl Drop for Fixture {
    /// Waits for nothing: a runtime that is dropped would, and must not where others run.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("planet", &self.fixture.planet).finish_non_exhaustive()
    }
}
