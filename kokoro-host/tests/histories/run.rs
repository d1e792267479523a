//! Does what a history says to a real Primary, and has the model judge each step.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use kokoro_host::{EdgeKind, EdgeProvider, Error, Event, Events, Graph, Primary, Restarts, State, Val};

use crate::Pool;
use crate::counts::Counts;
use crate::history::{History, Operation, Release};
use crate::journal::{Journal, Mood, Told};
use crate::life::{Change, Failure, HELD, Planet, Step, World};
use crate::shape::{RELATIVES, Shape};

mod bindings {
    kokoro_host::bindings!({ path: "tests/histories/wit", interfaces: ["t:a/i@1.0.0"] });
}

/// A history that goes on.
struct Run<'a> {
    pool: &'a Pool,
    primary: Primary,
    events: Events,
    /// The states as events have told them.
    states: BTreeMap<String, State>,
    /// Who serves whom since the last step, as events have told it.
    rebound: BTreeMap<(String, String), Option<String>>,
    journal: Journal,
    world: World,
    /// A handle of the application's, as soon as there is somebody whom it can be of.
    handle: Option<bindings::i::I>,
    /// What has been done and seen, for people.
    log: String,
    counts: &'a mut Counts,
}

/// What came of an operation.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    Done,
    Answer(u64),
    Failure(Failure),
    /// A reload was refused.
    NotReloaded,
    /// Another error.
    Error,
}

/// Runs a history; the error says what went wrong and what had been done.
pub async fn run(pool: &Pool, history: &History, counts: &mut Counts) -> Result<(), String> {
    let journal = Journal::default();
    let mut restarts = Restarts::default();
    (restarts.limit, restarts.pause, restarts.healthy) = (history.limit, Duration::ZERO, Duration::MAX);
    let builder = Primary::builder().engine(&pool.engine).serve(journal.service()).restarts(restarts);
    let primary = builder.build().expect("a primary");
    let world = World { limit: history.limit, ..World::default() };
    let events = primary.events();
    let (states, rebound, log) = (BTreeMap::new(), BTreeMap::new(), String::new());
    let mut run = Run { pool, primary, events, states, rebound, journal, world, handle: None, log, counts };
    for operation in &history.operations {
        let _ = write!(run.log, "{operation}");
        let sure = run.step(operation, history.handle).await.map_err(|why| format!("{}\n{why}", run.log))?;
        if !sure {
            run.counts.histories += 1;
            run.counts.cut_short += 1;
            run.primary.shutdown().await;
            return Ok(());
        }
    }
    run.counts.histories += 1;
    run.shut_down().await.map_err(|why| format!("{}shut down\n\n{why}", run.log))
}

impl Run<'_> {
    /// Does one thing, and has the model judge what comes of it. Says whether the model knows how things are now.
    async fn step(&mut self, operation: &Operation, with_handle: bool) -> Result<bool, String> {
        let mut after = self.world.clone();
        let mut change = Change::default();
        let outcome = self.perform(operation, &mut after, &mut change).await;
        let _ = writeln!(self.log, ": {outcome:?}");
        self.rebound.clear();
        let graph = self.rest().await?;
        self.listen().await?;
        let told = self.journal.take();
        let name = change.planet.clone();
        // What a release has told that was refused is not of the Planet that goes on.
        let refused = name.as_ref().filter(|_| outcome == Outcome::NotReloaded);
        let expected = self.expect(operation, outcome, &told, &mut after, &mut change);
        self.observe(&mut after, graph, &told, refused)?;
        if with_handle && self.handle.is_none() {
            self.handle = self.primary.get().ok();
        }
        after.held = self.handle.as_ref().map(bindings::i::I::planet);
        self.count(operation, &after, &told, &change);
        self.counts.refused += usize::from(outcome == Outcome::NotReloaded);
        let _ = write!(self.log, "{}", shown(&after, &told));
        expected?;
        if change.unsure {
            return Ok(false);
        }
        self.check_events(&after)?;
        Step { before: &self.world, after: &after, change: &change, told: &told }.check()?;
        for (name, planet) in after.planets.clone() {
            if planet.state == State::Running {
                let (answer, expected) = (self.ask(&name, 1, false).await, quiet_answer(&after, &name, 1));
                ensure(answer == expected, || format!("`{name}` answers {answer:?}, and not {expected:?}"))?;
            }
        }
        self.ask_handles(&after, with_handle).await?;
        self.world = after;
        Ok(true)
    }

    /// Calls by handles, of the one provider that is held and of all.
    async fn ask_handles(&self, after: &World, with_handle: bool) -> Result<(), String> {
        let all: Vec<_> = if with_handle { self.primary.all() } else { Vec::new() };
        let names: Vec<_> = all.iter().filter_map(bindings::i::I::planet).collect();
        let mut expected: Vec<_> = after.rivals("", &HELD).into_iter().cloned().collect();
        expected.sort();
        ensure(names == expected || !with_handle, || format!("handles are of {names:?}, and not of {expected:?}"))?;
        for handle in self.handle.iter().chain(&all) {
            let answer = match handle.ask(0, false).await {
                Ok(answer) => answer.map_or(Outcome::Error, Outcome::Answer),
                Err(error) => failed(&error),
            };
            let Some(name) = handle.planet().filter(|name| names.contains(name)) else {
                let none = matches!(answer, Outcome::Error | Outcome::Failure(Failure::Absent));
                ensure(none, || format!("the handle {handle:?} gives {answer:?}, and nobody is there"))?;
                continue;
            };
            let expected = quiet_answer(after, &name, 0);
            ensure(answer == expected, || format!("the handle {handle:?} gives {answer:?}, and not {expected:?}"))?;
        }
        Ok(())
    }

    /// Stops all, dependents before those who serve them.
    async fn shut_down(&mut self) -> Result<(), String> {
        self.primary.shutdown().await;
        let mut after = self.world.clone();
        after.planets.values_mut().for_each(|planet| planet.state = State::Gone);
        let told = self.journal.take();
        Step { before: &self.world, after: &after, change: &Change::default(), told: &told }.check_stops()
    }

    /// Does it, and notes what is meant to change.
    async fn perform(&mut self, operation: &Operation, after: &mut World, change: &mut Change) -> Outcome {
        match operation {
            Operation::LoadAll { planets } => {
                let folder = tempfile::tempdir().expect("a folder for temporary files");
                for (name, shape, mood) in planets {
                    let (name, shape) = (name.to_string(), &self.pool.shapes[*shape]);
                    self.pool.put(shape, &folder.path().join(format!("{name}.wasm")));
                    self.set_mood(&name, *mood, after);
                    after.planets.insert(name, waiting(shape));
                    change.shapes.push(shape);
                }
                done(self.primary.load_dir(folder.path()).await)
            }
            Operation::Load { name, shape, mood } => {
                let name = name.to_string();
                if !after.planets.contains_key(&name) {
                    self.set_mood(&name, *mood, after);
                    let shape = &self.pool.shapes[*shape];
                    after.planets.insert(name.clone(), waiting(shape));
                    *change =
                        Change { planet: Some(name.clone()), anew: true, shapes: vec![shape], ..Change::default() };
                }
                done(self.primary.load_bytes(&name, self.pool.component(*shape)).await)
            }
            Operation::Unload { name } => {
                let name = name.to_string();
                let shapes = after.planets.remove(&name).map(|planet| planet.shape).into_iter().collect();
                *change = Change { planet: Some(name.clone()), shapes, ..Change::default() };
                done(self.primary.unload(&name).await)
            }
            Operation::ReloadBroken { name } => {
                let name = name.to_string();
                change.planet = Some(name.clone());
                done(self.primary.reload(&name).bytes(*b"\0asm and nothing more").await)
            }
            Operation::Reload { name, with, mood, cascading } => {
                let name = name.to_string();
                let old = after.planets.get(&name).map(|planet| planet.shape);
                let shape = match (*with, old) {
                    (Release::Any(shape), _) => shape,
                    (Release::Relative(variant), Some(old)) => old.number / RELATIVES * RELATIVES + variant,
                    (Release::Relative(variant), None) => variant,
                };
                let _ = write!(self.log, " (#{shape})");
                if old.is_some() {
                    self.set_mood(&name, *mood, after);
                }
                let shapes = old.into_iter().chain([&self.pool.shapes[shape]]).collect();
                *change =
                    Change { planet: Some(name.clone()), anew: true, chosen_anew: true, shapes, ..Change::default() };
                let reload = self.primary.reload(&name).bytes(self.pool.component(shape));
                done(if *cascading { reload.cascading().await } else { reload.await })
            }
            Operation::Restart { name, mood } => {
                let name = name.to_string();
                if after.planets.contains_key(&name) {
                    self.set_mood(&name, *mood, after);
                }
                *change = Change { planet: Some(name.clone()), anew: true, ..Change::default() };
                done(self.primary.restart(&name).await)
            }
            Operation::Crash { name, depth, mood } => {
                let name = name.to_string();
                // Whoever it is that crashes, a few steps on.
                let mut lost = Vec::new();
                if after.runs(&name) {
                    let _ = after.clone().answer(&name, (*depth, true), &[], &mut lost, &mut BTreeMap::new());
                }
                if let Some(first) = lost.first() {
                    self.set_mood(&first.planet, *mood, after);
                }
                self.ask(&name, *depth, true).await
            }
            Operation::Call { name, depth } => self.ask(&name.to_string(), *depth, false).await,
            Operation::CallBest { interface } => self.ask(&format!("t:{interface}/i"), 0, false).await,
            Operation::Prefer { interface, planet } => {
                let planet = planet.map(|planet| planet.to_string());
                let path = format!("t:{interface}/i");
                change.preferred = planet.as_ref().map(|_| *interface);
                match &planet {
                    Some(planet) => after.preferred.insert(*interface, planet.clone()),
                    None => after.preferred.remove(interface),
                };
                done(self.primary.prefer(&path, planet.as_deref()).await)
            }
        }
    }

    fn set_mood(&self, name: &str, mood: Mood, after: &mut World) {
        self.journal.set_mood(name, mood);
        after.moods.insert(name.to_owned(), mood);
    }

    /// Compares what came of an operation with what should have, and notes what it does to its Planet.
    fn expect(
        &self,
        operation: &Operation,
        outcome: Outcome,
        told: &[Told],
        after: &mut World,
        change: &mut Change,
    ) -> Result<(), String> {
        let has_to_be = |expected: Outcome| ensure(outcome == expected, || format!("it should have been {expected:?}"));
        let name = change.planet.clone().unwrap_or_default();
        let known = self.world.planets.contains_key(&name);
        match operation {
            Operation::Load { .. } if change.planet.is_none() => has_to_be(Outcome::Error),
            Operation::Unload { .. }
            | Operation::ReloadBroken { .. }
            | Operation::Reload { .. }
            | Operation::Restart { .. }
                if !known =>
            {
                *change = Change::default();
                has_to_be(Outcome::Failure(Failure::Absent))
            }
            Operation::LoadAll { .. }
            | Operation::Load { .. }
            | Operation::Unload { .. }
            | Operation::Prefer { .. } => has_to_be(Outcome::Done),
            Operation::ReloadBroken { .. } => has_to_be(Outcome::NotReloaded),
            Operation::Reload { cascading, .. } => {
                let shape = change.shapes[1];
                let may = match self.world.runs(&name) {
                    true => after.may_reload(&name, shape, *cascading),
                    false => Some(true),
                };
                match (outcome, may) {
                    (Outcome::NotReloaded, Some(false) | None) => {
                        let refused = cascading.then_some((name, shape));
                        *change = Change { refused, ..Change::default() };
                        Ok(())
                    }
                    (Outcome::Done, Some(true) | None) => {
                        let planet = after.planets.get_mut(&name).expect("it is known");
                        let carried = planet.shape.state.and(shape.state).and(Some(planet.origin));
                        let carried = carried.filter(|_| self.world.runs(&name));
                        *planet = Planet { origin: carried.unwrap_or(0), ..waiting(shape) };
                        Ok(())
                    }
                    _ => Err(format!("it may be reloaded: {may:?}")),
                }
            }
            Operation::Restart { .. } => {
                after.planets.get_mut(&name).expect("it is known").restarts = 0;
                has_to_be(Outcome::Done)
            }
            Operation::Crash { name, depth, .. } | Operation::Call { name, depth } => {
                let crash = matches!(operation, Operation::Crash { .. });
                if !after.runs(&name.to_string()) {
                    return has_to_be(Outcome::Failure(Failure::Absent));
                }
                let mut begun: BTreeMap<String, Vec<u32>> = BTreeMap::new();
                for (planet, instance, mood) in told.iter().filter_map(Told::start) {
                    if mood == Mood::Well {
                        begun.entry(planet.to_owned()).or_default().push(instance);
                    }
                }
                let mut scratch = after.clone();
                let expected = scratch.answer(&name.to_string(), (*depth, crash), &[], &mut change.lost, &mut begun);
                for loss in &change.lost {
                    let planet = after.planets.get_mut(&loss.planet).expect("it ran");
                    // Without restarts there is none, whosever fault it was.
                    planet.restarts += u32::from(loss.own_fault || after.limit == 0);
                }
                // Whoever is lost half-way may not be there again when it is called the next time.
                let comes_back = |name: &str| after.limit > 0 && after.mood(name) == Mood::Well;
                let sure = crash || change.lost.iter().all(|loss| comes_back(&loss.planet));
                change.unsure = !sure;
                match sure {
                    true => has_to_be(expected.map_or_else(Outcome::Failure, Outcome::Answer)),
                    false => Ok(()),
                }
            }
            Operation::CallBest { interface } => {
                let exports = after.planets.iter().filter(|(_, planet)| planet.state == State::Running);
                let exports = exports.flat_map(|(name, planet)| {
                    let of_name = planet.shape.planet.provides.iter().filter(|export| export.name == *interface);
                    of_name.map(move |export| (name, (export.major, export.minor)))
                });
                let best = exports.min_by_key(|(name, version)| {
                    let preferred = after.preferred.get(interface) == Some(name);
                    (!preferred, Reverse(*version), (*name).clone())
                });
                has_to_be(match best {
                    Some((best, _)) => quiet_answer(after, best, 0),
                    None => Outcome::Failure(Failure::Absent),
                })
            }
        }
    }

    /// Waits until nobody starts or stops, and nothing is about to.
    async fn rest(&mut self) -> Result<Graph, String> {
        loop {
            // If somebody has failed, a task looks after its dependents as soon as nothing else changes. It is in the queue once
            // it has been polled, and this comes after it.
            tokio::task::yield_now().await;
            assert!(self.primary.unload("nobody").await.is_err());
            let graph = self.primary.graph();
            if !graph.planets.iter().any(|node| matches!(node.state, State::Starting | State::Stopping)) {
                return Ok(graph);
            }
            match tokio::time::timeout(PATIENCE, self.events.next()).await {
                Ok(event) => self.note(event)?,
                Err(_) => return Err(format!("it does not come to rest:\n{graph}")),
            }
        }
    }

    /// Notes all events up to now.
    async fn listen(&mut self) -> Result<(), String> {
        loop {
            tokio::select! {
                biased;
                event = self.events.next() => self.note(event)?,
                () = std::future::ready(()) => return Ok(()),
            }
        }
    }

    fn note(&mut self, event: Option<Event>) -> Result<(), String> {
        match event {
            Some(Event::State { planet, from, to, .. }) => {
                let before = match to {
                    State::Gone => self.states.remove(&planet),
                    to => self.states.insert(planet.clone(), to),
                };
                // One that did not run and was reloaded is new.
                ensure(before == from || from.is_none(), || {
                    format!("`{planet}` goes from {from:?} to {to}, and was {before:?}")
                })
            }
            Some(Event::Bound { planet, interface, provider }) => {
                self.rebound.insert((planet, interface.to_string()), provider);
                Ok(())
            }
            Some(Event::Missed { .. }) | None => Err("events were missed".to_owned()),
            Some(_) => Ok(()),
        }
    }

    /// Compares what events have told with what the graph has.
    fn check_events(&self, after: &World) -> Result<(), String> {
        let states: BTreeMap<_, _> = after.planets.iter().map(|(name, planet)| (name.clone(), planet.state)).collect();
        ensure(self.states == states, || format!("events tell {:?}, and the graph {states:?}", self.states))?;
        for (name, planet) in &self.world.planets {
            let stays = after.planets.get(name).is_some_and(|now| now.instance == planet.instance);
            for (import, _) in planet.shape.imports().filter(|_| stays && after.runs(name)) {
                let edge = (name.clone(), import.full());
                let (before, now) = (self.world.bound.get(&edge), after.bound.get(&edge));
                let told = self.rebound.get(&edge).map_or(before, Option::as_ref);
                ensure(told == now, || format!("events tell that {told:?} serves {edge:?}, and it is {now:?}"))?;
            }
        }
        Ok(())
    }

    /// Writes down who is in what state and who serves whom.
    fn observe(&self, after: &mut World, graph: Graph, told: &[Told], refused: Option<&String>) -> Result<(), String> {
        let seen: Vec<&String> = graph.planets.iter().map(|node| &node.name).collect();
        let expected: Vec<&String> = after.planets.keys().collect();
        ensure(seen == expected, || format!("there are {seen:?}, and there should be {expected:?}"))?;
        let mut bound = BTreeMap::new();
        for node in &graph.planets {
            let name = &node.name;
            ensure(node.reason.is_some() != (node.state == State::Running), || {
                format!("`{name}` is {} for the reason {:?}", node.state, node.reason)
            })?;
            let planet = after.planets.get_mut(name).expect("it is expected");
            planet.state = node.state;
            if self.world.planets.get(name).is_some_and(|before| before.state == State::Failed) {
                planet.restarts = 0;
            }
            if node.state != State::Running {
                continue;
            }
            for edge in &node.imports {
                if let (EdgeKind::Required | EdgeKind::Optional, Some(EdgeProvider::Planet(by))) =
                    (edge.kind, &edge.provider)
                {
                    bound.insert((name.clone(), edge.interface.to_string()), by.clone());
                }
            }
            let started = told.iter().filter_map(Told::start).rfind(|(planet, ..)| planet == name);
            if let Some((_, instance, Mood::Well)) = started.filter(|_| refused != Some(name)) {
                let carried = self.world.runs(name) && planet.instance == 0 && planet.origin > 0;
                planet.origin = if carried { planet.origin } else { instance };
                planet.instance = instance;
            }
        }
        after.bound = bound;
        after.order = graph.order;
        Ok(())
    }

    fn count(&mut self, operation: &Operation, after: &World, told: &[Told], change: &Change) {
        let counts = &mut *self.counts;
        let word = match operation {
            Operation::LoadAll { .. } => "folders",
            Operation::Load { .. } => "loads",
            Operation::Unload { .. } => "unloads",
            Operation::ReloadBroken { .. } | Operation::Reload { .. } => "reloads",
            Operation::Restart { .. } => "restarts",
            Operation::Crash { .. } => "crashes",
            Operation::Prefer { .. } => "preferences",
            Operation::Call { .. } | Operation::CallBest { .. } => "calls",
        };
        *counts.operations.entry(word).or_default() += 1;
        counts.steps += 1;
        let starts = || told.iter().filter_map(Told::start);
        counts.starts += starts().count();
        counts.failed_starts += starts().filter(|(.., mood)| *mood != Mood::Well).count();
        counts.stops += told.iter().filter_map(Told::stop).count();
        counts.lost += change.lost.len();
        for planet in after.planets.values() {
            *match planet.state {
                State::Running => &mut counts.running,
                State::Waiting => &mut counts.waiting,
                _ => &mut counts.failed,
            } += 1;
        }
    }

    /// Calls a Planet by its name, or the best provider by an interface's.
    async fn ask(&self, path: &str, depth: u32, crash: bool) -> Outcome {
        let function = match self.primary.function(path, "ask") {
            Ok(function) => function,
            Err(error) => return failed(&error),
        };
        self.journal.set_quietly(true);
        let answer = function.call(&[Val::U32(depth), Val::Bool(crash)]).await;
        self.journal.set_quietly(false);
        match answer.as_deref() {
            Ok([Val::U64(answer)]) => Outcome::Answer(*answer),
            Ok([Val::Result(Ok(Some(answer)))]) => match **answer {
                Val::U64(answer) => Outcome::Answer(answer),
                _ => Outcome::Error,
            },
            Ok(_) => Outcome::Error,
            Err(error) => failed(error),
        }
    }
}

fn waiting(shape: &'static Shape) -> Planet {
    Planet { shape, state: State::Waiting, instance: 0, origin: 0, restarts: 0 }
}

fn done<T>(result: Result<T, Error>) -> Outcome {
    result.map_or_else(|error| failed(&error), |_| Outcome::Done)
}

fn failed(error: &Error) -> Outcome {
    match error {
        error if error.is_not_reloaded() => Outcome::NotReloaded,
        error if error.is_reentry() => Outcome::Failure(Failure::Reentered),
        error if error.is_crash() => Outcome::Failure(Failure::Crashed),
        error if error.is_unavailable() => Outcome::Failure(Failure::Absent),
        _ => Outcome::Error,
    }
}

/// What a Planet answers if nobody crashes, and none of those whom it asks is asked twice.
fn quiet_answer(world: &World, name: &str, depth: u32) -> Outcome {
    let answer = world.clone().answer(name, (depth, false), &[], &mut Vec::new(), &mut BTreeMap::new());
    answer.map_or_else(Outcome::Failure, Outcome::Answer)
}

fn ensure(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}

/// How long a Primary may take to come to rest before that counts as never.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much of what instances tell is shown of one step.
const TOLD: usize = 30;

/// What came of a step, for people.
fn shown(after: &World, told: &[Told]) -> String {
    let mut text = String::new();
    for told in told.iter().take(TOLD) {
        let _ = match told {
            Told::Start { planet, instance, mood } => writeln!(text, "    {planet} begins, instance {instance}{mood}"),
            Told::Stop { planet, instance, unserved } => match unserved {
                Some(unserved) => writeln!(text, "    {planet} stops, instance {instance}, {unserved} unserved"),
                None => writeln!(text, "    {planet} is lost as it stops, instance {instance}"),
            },
        };
    }
    if told.len() > TOLD {
        let _ = writeln!(text, "    .. and {} more", told.len() - TOLD);
    }
    for (name, Planet { shape, state, .. }) in &after.planets {
        let _ = write!(text, "    {name} {state}, {shape}");
        for ((consumer, import), by) in &after.bound {
            if consumer == name {
                let _ = write!(text, ", {} <- {by}", import.trim_start_matches("t:"));
            }
        }
        text.push('\n');
    }
    text
}
