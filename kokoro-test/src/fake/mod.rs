//! Fakes: what a test says that a dependency answers, and what that was asked.

mod answering;
mod script;

use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use kokoro_host::dynamic::{FunctionType, wave};
use kokoro_host::types::{Function, Interface, Type};
use kokoro_host::{InterfaceName, Service, Val};

use self::script::{Asked, Closure, Expected, Reply, Script, Wanted};
use crate::forwarder::Fate;
use crate::running::Fixture;
use crate::text;
use crate::value::{Answer, Arguments, FromArguments, IntoValue};

/// A stand-in for what a Planet (plugin) imports: another Planet, a function of the application, or a Satellite (a native process).
///
/// It is given to a test by [`Harness::dependency`](crate::Harness::dependency), [`application`](crate::Harness::application) or
/// [`satellite`](crate::Harness::satellite). Clones are the same fake, and what it answers can be changed while the test runs. As a
/// dependency or Satellite it is a real Planet with a component that is made for it, so it can go, come back and crash.
///
/// What it is asked without having an answer fails the test, as does what is not as [expected](Fake::expects): the call in
/// the Planet under test ends in an error, and the next method of [`Running`](crate::Running) panics and says why.
#[derive(Clone)]
pub struct Fake {
    shared: Arc<Shared>,
}

struct Shared {
    /// As it was asked for; perhaps without a version.
    wanted: InterfaceName,
    service: Option<Service>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    name: Option<String>,
    wit: Option<PathBuf>,
    functions: BTreeMap<String, Script>,
    fate: Fate,
    misuses: Vec<String>,
    live: Option<Live>,
}

/// What is known once the test has started.
#[derive(Clone)]
pub(crate) struct Live {
    /// The name of the Planet; none if the application serves it.
    pub(crate) planet: Option<String>,
    /// What messages call it.
    pub(crate) shown: String,
    pub(crate) interface: Arc<Interface>,
    pub(crate) component: Arc<[u8]>,
    pub(crate) fixture: Weak<Fixture>,
}

impl Live {
    /// Why neither [`crashes`](Fake::crashes) nor [`hangs`](Fake::hangs) is for what the application serves.
    fn does_not_end(&self) -> String {
        format!(
            "`{}` is served by the application, which does not end like a planet (plugin)\n  \
             help: make it a `.dependency(..)`",
            self.shown
        )
    }
}

impl Fake {
    /// A fake of an interface that the Planet under test imports: `site:content/glossary@0.1.0`. Without a version it is the one
    /// that the Planet imports. Its types are those that the Planet was built with, unless [`from_wit`](Fake::from_wit) says otherwise.
    ///
    /// # Panics
    ///
    /// If that is no name of an interface.
    #[track_caller]
    pub fn of(interface: &str) -> Self {
        match interface.parse() {
            Ok(wanted) => Self::new(wanted, None),
            Err(error) => panic!("{error}"),
        }
    }

    /// A fake that answers by the trait that [`bindings!`](crate::bindings) makes of an interface under `serves`:
    /// `Fake::serving(glossary::serve(MyGlossary))`. For interfaces with many functions; it records what it is asked no more than
    /// `MyGlossary` does.
    pub fn serving(service: Service) -> Self {
        let wanted = kokoro_host::rt::served(&service).0.clone();
        Self::new(wanted, Some(service))
    }

    fn new(wanted: InterfaceName, service: Option<Service>) -> Self {
        Self { shared: Arc::new(Shared { wanted, service, state: Mutex::default() }) }
    }

    /// Gives the fake's Planet another name than that of its interface. Before the test starts.
    pub fn named(self, name: impl Into<String>) -> Self {
        self.state().name = Some(name.into());
        self
    }

    /// Takes the interface's types from a folder with WIT files, relative to the package: for a provider that was built against
    /// another version than the Planet under test. Before the test starts.
    pub fn from_wit(self, folder: impl Into<PathBuf>) -> Self {
        self.state().wit = Some(folder.into());
        self
    }

    /// Answers a function by a closure, from here on. Its parameters and its result have to be of the function's types; their types in
    /// Rust are those of [`Typed`](crate::Typed). It may block.
    ///
    /// ```
    /// # use kokoro_test::Fake;
    /// let glossary = Fake::of("site:content/glossary@0.1.0")
    ///     .answers("lookup", |word: String| Ok::<_, String>(word.to_uppercase()))
    ///     .answers("size", || 1_u32);
    /// ```
    ///
    /// # Panics
    ///
    /// If the test has started, and the types do not fit. (Before that, the start fails.)
    #[track_caller]
    pub fn answers<M, A: Answer<M>>(&self, function: &str, mut answer: A) -> Self {
        let closure = move |_: &FunctionType, arguments: &[Val]| {
            answer.answer(arguments).ok_or_else(|| "the arguments are of other types than the closure's".to_owned())
        };
        self.reply(function, Arc::new(Mutex::new(closure)), A::fits, A::wit())
    }

    /// Answers a function that returns a `result` by this `err`, from here on.
    ///
    /// # Panics
    ///
    /// As [`answers`](Fake::answers).
    #[track_caller]
    pub fn answers_err<E: IntoValue + Clone + Send + 'static>(&self, function: &str, error: E) -> Self {
        let closure =
            move |_: &FunctionType, _: &[Val]| Ok(Some(Val::Result(Err(error.clone().into_payload().map(Box::new)))));
        let fits =
            |function: &Function| matches!(&function.result, Some(Type::Result { err, .. }) if E::fits(err.as_deref()));
        self.reply(function, Arc::new(Mutex::new(closure)), fits, format!("func(..) -> result<.., {}>", E::wit()))
    }

    /// Answers a function by this value in WAVE, from here on; by nothing if that is empty.
    ///
    /// ```
    /// # use kokoro_test::Fake;
    /// let outline = Fake::of("site:content/outline@0.1.0")
    ///     .answers_with("outline", r#"ok([{depth: 0, id: "a", text: "A"}])"#);
    /// ```
    #[track_caller]
    pub fn answers_with(&self, function: &str, value: &str) -> Self {
        let value = value.to_owned();
        self.answers_wave(function, move |_| value.clone())
    }

    /// Answers a function by a closure over WAVE text, whatever the types are: it gets the arguments, separated by `, `, and
    /// returns a value, or nothing for a function without a result.
    #[track_caller]
    pub fn answers_wave(&self, function: &str, mut answer: impl FnMut(&str) -> String + Send + 'static) -> Self {
        let closure = move |ty: &FunctionType, arguments: &[Val]| {
            let answer = answer(&text::values(arguments));
            match ty.results().next() {
                None if answer.trim().is_empty() => Ok(None),
                None => Err(format!("it answers {answer}, and the function has no result")),
                Some(ty) => match wave::from_str::<Val>(&ty, &answer) {
                    Ok(value) => Ok(Some(value)),
                    Err(error) => Err(format!("its answer is no value of the result's type: {answer}\n  {error}")),
                },
            }
        };
        self.reply(function, Arc::new(Mutex::new(closure)), |_| true, String::new())
    }

    #[track_caller]
    fn reply(&self, function: &str, closure: Closure, fits: fn(&Function) -> bool, wit: String) -> Self {
        let reply = Reply { closure, fits, wit, place: Location::caller() };
        let mut state = self.state();
        let wrong = state.live.as_ref().and_then(|live| reply.wrong(function, live));
        state.functions.entry(function.to_owned()).or_default().reply = Some(reply);
        drop(state);
        if let Some(wrong) = wrong {
            panic!("{wrong}");
        }
        self.clone()
    }

    /// Expects a call of a function with these arguments: a tuple, or an array if all are of one type. Expected calls come in this
    /// order, and from now on no others of that function. What was expected and did not come fails the test at its end.
    ///
    /// What is answered is said by [`answers`](Fake::answers) and its like.
    #[track_caller]
    pub fn expects<A: Arguments>(&self, function: &str, arguments: A) -> Self {
        let wanted = Wanted::Values { wit: A::wit(), fits: A::fit, values: arguments.into_vals() };
        self.expect(function, wanted)
    }

    /// As [`expects`](Fake::expects), with the arguments as WAVE text, separated by `, `.
    #[track_caller]
    pub fn expects_wave(&self, function: &str, arguments: &str) -> Self {
        self.expect(function, Wanted::Wave(arguments.to_owned()))
    }

    #[track_caller]
    fn expect(&self, function: &str, arguments: Wanted) -> Self {
        let expected = Expected { arguments, place: Location::caller() };
        let mut state = self.state();
        let wrong = state.live.as_ref().and_then(|live| expected.wrong(function, live));
        let script = state.functions.entry(function.to_owned()).or_default();
        script.expected.push_back(expected);
        script.is_strict = true;
        drop(state);
        if let Some(wrong) = wrong {
            panic!("{wrong}");
        }
        self.clone()
    }

    /// What a function was asked so far, in order: the arguments of each call as WAVE text, separated by `, `.
    pub fn calls(&self, function: &str) -> Vec<String> {
        self.asked(function).iter().map(|asked| text::values(&asked.arguments)).collect()
    }

    /// The same as values, a tuple for each call: `fake.calls_as::<(String, u32)>("lookup")`.
    ///
    /// # Panics
    ///
    /// If the arguments are of other types.
    #[track_caller]
    pub fn calls_as<A: FromArguments>(&self, function: &str) -> Vec<A> {
        let calls: Option<Vec<A>> = self.asked(function).iter().map(|asked| A::from_vals(&asked.arguments)).collect();
        match calls {
            Some(calls) => calls,
            None => panic!("`{function}` of the fake `{}` takes other arguments than ({})", self.shown(), A::wit()),
        }
    }

    fn asked(&self, function: &str) -> Vec<Asked> {
        self.state().functions.get(function).map(|script| script.asked.clone()).unwrap_or_default()
    }

    /// Forgets what it was asked so far.
    pub fn forget_calls(&self) {
        self.state().functions.values_mut().for_each(|script| script.asked.clear());
    }

    /// Lets the next call end in a trap. The fake is started anew then, as the test's [`restarts`](crate::Harness::restarts) say.
    ///
    /// # Panics
    ///
    /// If the test has started, and the application serves it: that is in the same process. (Before that, the start fails.)
    #[track_caller]
    pub fn crashes(&self) -> Self {
        self.meets(Fate::Crashes)
    }

    /// Lets the next call go on for ever: until its deadline, that is ([`Harness::limits`](crate::Harness::limits), `within`).
    ///
    /// # Panics
    ///
    /// As [`crashes`](Fake::crashes).
    #[track_caller]
    pub fn hangs(&self) -> Self {
        self.meets(Fate::Hangs)
    }

    #[track_caller]
    fn meets(&self, fate: Fate) -> Self {
        let mut state = self.state();
        if let Some(live) = state.live.as_ref().filter(|live| live.planet.is_none()) {
            panic!("{}", live.does_not_end());
        }
        state.fate = fate;
        drop(state);
        self.clone()
    }

    /// Is gone: unloaded, as if the user had removed it.
    ///
    /// # Panics
    ///
    /// If it is in no test that runs, or if the application serves it.
    #[track_caller]
    pub fn goes(&self) -> Self {
        let (live, fixture, planet) = self.live();
        if let Err(error) = fixture.wait(fixture.primary.unload(&planet)) {
            panic!("the fake `{}` cannot go: {error}", live.shown);
        }
        self.clone()
    }

    /// Is there (again): loaded, or started anew at once if it has crashed.
    ///
    /// # Panics
    ///
    /// As [`goes`](Fake::goes).
    #[track_caller]
    pub fn comes(&self) -> Self {
        let (live, fixture, planet) = self.live();
        let state = fixture.primary.graph().planet(&planet).map(|node| node.state);
        let outcome = match state {
            Some(kokoro_host::State::Running) => return self.clone(),
            None | Some(kokoro_host::State::Gone) => {
                fixture.wait(fixture.primary.load_bytes(&planet, live.component.to_vec()))
            }
            Some(_) => fixture.wait(fixture.primary.restart(&planet)),
        };
        if let Err(error) = outcome {
            panic!("the fake `{}` cannot come: {error}", live.shown);
        }
        self.clone()
    }

    #[track_caller]
    fn live(&self) -> (Live, Arc<Fixture>, String) {
        let live = self.state().live.clone();
        let (Some(live), Some(fixture)) = (live, self.fixture()) else {
            panic!("the fake `{}` is in no test that runs: it comes and goes after `start`", self.shown());
        };
        let Some(planet) = live.planet.clone() else {
            panic!(
                "`{}` is served by the application, which does not come and go\n  help: make it a `.dependency(..)`",
                live.shown
            );
        };
        (live, fixture, planet)
    }

    /// That of the test that it is in, as long as that runs.
    fn fixture(&self) -> Option<Arc<Fixture>> {
        self.state().live.as_ref().and_then(|live| live.fixture.upgrade())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shown(&self) -> String {
        let state = self.state();
        match (&state.live, &state.name) {
            (Some(live), _) => live.shown.clone(),
            (None, Some(name)) => name.clone(),
            (None, None) => self.shared.wanted.interface().to_owned(),
        }
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fake").field("interface", &self.shared.wanted.to_string()).finish_non_exhaustive()
    }
}
