//! Components that lie about values: who lies has ended, everybody else goes on, and nothing is allocated for what is not there.
#![allow(dead_code, unreachable_pub, reason = "it is a program, and uses a part of the generator")]

mod handles;
mod liars;
#[path = "../values/random.rs"]
mod random;
mod realloc;
mod table;
#[path = "../values/types.rs"]
mod types;

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use expect_test::expect_file;
use kokoro_host::{Engine, Error, Limits, Primary, Restarts, State, Val};
use wasmtime::Store;
use wasmtime::component::{Component, Linker};

use self::liars::Cast;
use self::table::{Lie, Verdict};

/// The system's allocator, and the largest piece of memory that it was asked for.
struct Watching(AtomicUsize);

#[global_allocator]
static ALLOCATOR: Watching = Watching(AtomicUsize::new(0));

#[expect(unsafe_code, reason = "all is handed on as it came")]
// SAFETY: as `System`, which does all the work.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.0.fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Held by the test that runs: what others allocate must not count.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// How large values may be.
const MOST: usize = 1 << 20;

/// A Primary in which who ends is started anew at once.
fn primary(engine: &Engine) -> Primary {
    primary_with(engine, MOST)
}

fn primary_with(engine: &Engine, most: usize) -> Primary {
    let mut limits = Limits::default();
    limits.value = most;
    let mut restarts = Restarts::default();
    (restarts.pause, restarts.longest_pause, restarts.limit) = (Duration::ZERO, Duration::ZERO, 1_000);
    Primary::builder().engine(engine).limits(limits).restarts(restarts).build().expect("a primary")
}

async fn call(primary: &Primary, planet: &str, function: &str) -> Result<Vec<Val>, Error> {
    primary.function(planet, function).expect("a function of a planet that is there").call(&[]).await
}

/// A Planet that counts how often it is asked: whether it is the same instance as the last time.
#[derive(Debug)]
struct Watched<'p> {
    primary: &'p Primary,
    name: &'static str,
    asked: u32,
}

impl<'p> Watched<'p> {
    async fn new(primary: &'p Primary, name: &'static str) -> Self {
        Self { primary, name, asked: count(primary, name).await }
    }

    async fn goes_on(&mut self) -> bool {
        let (before, now) = (self.asked, count(self.primary, self.name).await);
        self.asked = now;
        now == before + 1
    }
}

async fn count(primary: &Primary, planet: &str) -> u32 {
    match call(primary, planet, "count").await.expect("it runs, perhaps again")[..] {
        [Val::U32(count)] => count,
        ref other => panic!("it counts: {other:?}"),
    }
}

/// What Wasmtime says to a lie where values are dynamic: whether it is taken. The same components, without Kokoro.
fn dynamic_verdict(component: &Component, function: &str) -> Verdict {
    let engine = component.engine();
    let mut linker = Linker::new(engine);
    linker.define_unknown_imports_as_traps(component).expect("imports that can be defined");
    if let Ok(mut instance) = linker.allow_shadowing(true).instance("t:values/asked@1.0.0") {
        for name in ["f0", "f1"] {
            instance.func_new(name, |_, _, _, _| Ok(())).expect("a function that can be defined");
        }
    }
    let mut store = Store::new(engine, ());
    // Dynamic values are 40 bytes or more for each part.
    store.set_hostcall_fuel(MOST * 4);
    let instance = linker.instantiate(&mut store, component).expect("an instance");
    let function = match function {
        "f2" | "f3" => {
            let interface = instance.get_export_index(&mut store, None, "t:values/told@1.0.0").expect("it has that");
            instance.get_export_index(&mut store, Some(&interface), function)
        }
        _ => instance.get_export_index(&mut store, None, function),
    };
    let function = function.and_then(|index| instance.get_func(&mut store, index)).expect("a function");
    let mut results = vec![Val::Bool(false); function.ty(&store).results().len()];
    match function.call(&mut store, &[], &mut results) {
        Ok(()) => Verdict::Taken,
        Err(error) if format!("{error:?}").contains("fuel") => Verdict::TooLarge,
        Err(_) => Verdict::Refused,
    }
}

/// How a lie gets to somebody: the Planet that is called and its function, who lies, who is lied to, and the liar's function as
/// Wasmtime is asked.
const WAYS: [(&str, [&str; 2], [&str; 2]); 4] = [
    ("as an argument", ["asks", "flat"], ["asks", "takes"]),
    ("as an argument in memory", ["asks", "pointed"], ["asks", "takes"]),
    ("as a result", ["wants", "plain"], ["answers", "wants"]),
    ("as a result with room for a failure", ["wants", "room"], ["answers", "wants"]),
];

impl Lie {
    /// Whether it can be told in this way.
    fn can_go(&self, way: usize) -> bool {
        match way {
            0 => !self.is_of_area(),
            1 | 3 => self.memory.is_some(),
            _ => self.memory.is_some() || self.ty.flat().len() == 1,
        }
    }
}

/// Tells a lie in one way, and says what came of it. What should not have come of it is a `problem`.
async fn tell(
    primary: &Primary,
    lie: &Lie,
    way: usize,
    [asks, answers]: &[Component; 2],
    problems: &mut Vec<String>,
) -> String {
    let (how, [planet, function], [liar, other]) = WAYS[way];
    let (mut liar, mut other) = (Watched::new(primary, liar).await, Watched::new(primary, other).await);
    ALLOCATOR.0.store(0, Ordering::Relaxed);
    let outcome = call(primary, planet, function).await;
    let largest = ALLOCATOR.0.load(Ordering::Relaxed);
    let mut check = |holds: bool, what: &str| {
        if !holds {
            problems.push(format!("{}, {how}: {what}: {outcome:?}", lie.name));
        }
    };
    let (verdict, has_room, is_asked) = (lie.verdict, function == "room", liar.name == "asks");
    check(largest <= MOST, &format!("{largest} bytes were allocated at once"));
    // Nobody is lost with an answer that is too large, but who has no room for being told so.
    let liar_goes_on = verdict == Verdict::Taken || verdict == Verdict::TooLarge && !is_asked;
    check(liar.goes_on().await == liar_goes_on, "the liar goes on, or does not");
    let other_goes_on = verdict == Verdict::Taken || is_asked || has_room;
    check(other.goes_on().await == other_goes_on, "the other one goes on, or does not");
    match &outcome {
        Ok(results) if has_room => {
            check(results[0] == Val::U32(u32::from(verdict != Verdict::Taken)), "there is an `err`, or none");
        }
        Ok(_) => check(verdict == Verdict::Taken, "it is taken"),
        Err(error) => {
            check(verdict != Verdict::Taken, "it is not taken");
            check(error.is_limit() == (verdict == Verdict::TooLarge), "it is a limit, or none");
            check(verdict == Verdict::TooLarge || error.is_crash(), "who lies crashes");
        }
    }
    let (component, asked) = match way {
        0 | 1 => (asks, function),
        2 => (answers, "f2"),
        _ => (answers, "f3"),
    };
    let dynamic = dynamic_verdict(component, asked);
    check(dynamic == verdict, &format!("Wasmtime says {dynamic:?}"));
    match outcome {
        Ok(_) => format!("{verdict:?}").to_lowercase(),
        Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
    }
}

/// What of a message is about the value, and not about who is called.
fn said(message: &str) -> &str {
    let about = message.find("` is passed ").or_else(|| message.find("` answered ")).map(|place| place + 2);
    let place = about.or_else(|| message.find("` failed in ").and_then(|at| Some(at + message[at..].find("`: ")? + 3)));
    &message[place.unwrap_or(0)..]
}

/// What is said of a lie, each thing once and without what differs between the ways in which it was told.
fn summary(told: &[String]) -> String {
    // Where there is room for a failure, nothing is said but that it is one.
    let told = told.iter().filter(|text| !["refused", "toolarge"].contains(&text.as_str()));
    let mut reasons: Vec<&str> = told.map(|text| said(text)).collect();
    reasons.dedup();
    reasons.join(", or ")
}

#[tokio::test]
async fn who_lies_has_ended_and_everybody_else_goes_on() {
    let _alone = ALONE.lock().await;
    let engine = Engine::new().expect("an engine");
    let mut config = wasmtime::Config::new();
    config.concurrency_support(false);
    let dynamic = wasmtime::Engine::new(&config).expect("an engine");
    let (mut text, mut problems) = (String::new(), Vec::new());
    for lie in table::lies() {
        let cast = Cast::of(&lie);
        let liars = [&cast.asks, &cast.answers].map(|bytes| Component::new(&dynamic, bytes).expect("a component"));
        let primary = primary(&engine);
        cast.load(&primary).await;
        let mut told = Vec::new();
        for way in (0..WAYS.len()).filter(|way| lie.can_go(*way)) {
            told.push(tell(&primary, &lie, way, &liars, &mut problems).await);
        }
        // In full the first time, then what differs.
        if text.is_empty() {
            text =
                told.iter().fold(format!("{}, in each of the ways:\n", lie.name), |text, one| text + "  " + one + "\n");
        }
        let _ = writeln!(text, "{}: {}", lie.name, summary(&told));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    expect_file!["../golden/lies.txt"].assert_eq(&text);
}

#[tokio::test]
async fn a_value_may_be_as_large_as_the_limit_and_no_larger() {
    let _alone = ALONE.lock().await;
    let engine = Engine::new().expect("an engine");
    let lie = table::lies().into_iter().find(|lie| lie.name == "a string that ends at the end").expect("it is there");
    let cast = Cast::of(&lie);
    // It has ten bytes, and four say so.
    for most in [0, 1, 3, 13, 14, 15] {
        let primary = primary_with(&engine, most);
        cast.load(&primary).await;
        let outcome = call(&primary, "asks", "flat").await;
        assert_eq!(outcome.is_ok(), most >= 14, "{most}: {outcome:?}");
        assert!(outcome.err().is_none_or(|error| error.is_limit()));
        let outcome = call(&primary, "wants", "plain").await;
        assert_eq!(outcome.is_ok(), most >= 14, "{most}: {outcome:?}");
        // There it is one byte more, which says that it is `ok`.
        let room = call(&primary, "wants", "room").await.expect("it is told");
        assert_eq!(room, [Val::U32(u32::from(most < 15))], "{most}");
    }
}

#[tokio::test]
async fn who_goes_on_sending_too_much_has_failed_in_the_end() {
    let _alone = ALONE.lock().await;
    let mut limits = Limits::default();
    limits.value = 10;
    let mut restarts = Restarts::default();
    (restarts.pause, restarts.longest_pause, restarts.limit) = (Duration::ZERO, Duration::ZERO, 2);
    let primary = Primary::builder().limits(limits).restarts(restarts).build().expect("a primary");
    let lies = table::lies();
    let lie = lies.iter().find(|lie| lie.name == "a string that ends at the end").expect("it is there");
    Cast::of(lie).load(&primary).await;
    let ask = primary.function("asks", "flat").expect("it runs");
    for _ in 0..3 {
        let error = ask.call(&[]).await.expect_err("it is too much");
        assert!(error.is_limit(), "{error}");
    }
    let node = |name: &str| primary.graph().planet(name).expect("it is there").clone();
    assert_eq!(node("asks").state, State::Failed, "{:?}", node("asks").reason);
    assert_eq!(node("takes").state, State::Running);
}
