//! What may become of Planets (plugins) from one step of a history to the next, told slowly and obviously, with nothing of
//! Kokoro's own code. Where several outcomes are legal this checks instead of predicting.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use kokoro_host::State;

use crate::journal::{Mood, Told};
use crate::model::Interface;
use crate::shape::{ABSENT, FAILED, FAILED_TEXT, Room, Shape, mix, room};

/// All Planets at rest: nobody starts, stops or is called.
#[derive(Debug, Clone, Default)]
pub struct World {
    pub planets: BTreeMap<String, Planet>,
    /// For a running Planet and an import: the Planet that serves it.
    pub bound: BTreeMap<(String, String), String>,
    /// Those that run, in the order in which they started.
    pub order: Vec<String>,
    /// The preferred Planet, for all interfaces of a name.
    pub preferred: BTreeMap<char, String>,
    /// Who answers a handle of [`HELD`], if the application has one.
    pub held: Option<Option<String>>,
    pub moods: BTreeMap<String, Mood>,
    /// How often an instance that ended in an error is started anew.
    pub limit: u32,
}

/// The interface of which the application may have a handle.
pub const HELD: Interface = Interface { name: 'a', major: 1, minor: 0, ty: 0 };

#[derive(Debug, Clone)]
pub struct Planet {
    pub shape: &'static Shape,
    pub state: State,
    /// The number of the instance that runs.
    pub instance: u32,
    /// The number of the instance whose saved state it has: its own, unless it was reloaded.
    pub origin: u32,
    /// How often an instance of it was started anew since one ended by its own fault.
    pub restarts: u32,
}

/// Why there is no answer; the numbers are those of `failure-kind` in `kokoro:core/types`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Failure {
    Absent = 0,
    Crashed = 1,
    Reentered = 3,
}

/// An instance that ended in an error.
#[derive(Debug, Clone, PartialEq)]
pub struct Loss {
    pub planet: String,
    /// Whether the fault is its own, which counts.
    pub own_fault: bool,
}

impl World {
    pub fn runs(&self, name: &str) -> bool {
        self.is(name, State::Running)
    }

    fn is(&self, name: &str, state: State) -> bool {
        self.planets.get(name).is_some_and(|planet| planet.state == state)
    }

    fn running(&self) -> impl Iterator<Item = (&String, &Planet)> {
        self.planets.iter().filter(|(_, planet)| planet.state == State::Running)
    }

    pub fn mood(&self, name: &str) -> Mood {
        self.moods.get(name).copied().unwrap_or_default()
    }

    fn provider(&self, name: &str, import: &Interface) -> Option<&String> {
        self.bound.get(&(name.to_owned(), import.full()))
    }

    /// The running Planets that could serve an import, the best first: the preferred, else the newest, else the first by
    /// name.
    pub fn rivals(&self, name: &str, import: &Interface) -> Vec<&String> {
        let others = self.running().filter(|(other, _)| *other != name);
        let mut rivals: Vec<_> = others
            .filter_map(|(other, planet)| {
                let preferred = self.preferred.get(&import.name) == Some(other);
                Some((Reverse(preferred), Reverse(planet.shape.serves(import)?), other))
            })
            .collect();
        rivals.sort();
        rivals.into_iter().map(|(.., name)| name).collect()
    }

    /// Whether bound imports (only the required ones, or all) lead from one Planet to another, in one step or more.
    pub fn leads(&self, from: &str, to: &str, only_required: bool) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![from.to_owned()];
        while let Some(name) = open.pop() {
            let imports = self.planets.get(&name).into_iter().flat_map(|planet| planet.shape.imports());
            let imports = imports.filter(|(_, required)| *required || !only_required);
            for provider in imports.filter_map(|(import, _)| self.provider(&name, import)) {
                if provider == to {
                    return true;
                }
                if seen.insert(provider.clone()) {
                    open.push(provider.clone());
                }
            }
        }
        false
    }

    fn requires(&self, from: &str, to: &str) -> bool {
        self.leads(from, to, true)
    }

    /// Whether a Planet that does not run could: each required import has a provider that runs or could, on a way that never
    /// comes back. Those that run keep whom they have.
    fn can_run(&self, name: &str, path: &[&str]) -> bool {
        let path = [path, &[name]].concat();
        self.planets[name].shape.planet.requires.iter().all(|import| {
            self.planets.iter().any(|(other, planet)| {
                let fits = !path.contains(&other.as_str()) && planet.shape.serves(import).is_some();
                let waits = planet.state == State::Waiting && self.mood(other) == Mood::Well;
                fits && (planet.state == State::Running || waits && self.can_run(other, &path))
            })
        })
    }

    /// Whether a running Planet may be reloaded as `shape`; none if that is left open.
    pub fn may_reload(&self, name: &str, shape: &Shape, cascading: bool) -> Option<bool> {
        let old = self.planets[name].shape;
        let starts = self.mood(name) == Mood::Well;
        let restores = match (old.state, shape.state) {
            (Some(saved), Some(known)) => saved <= known,
            _ => true,
        };
        let serves = |by: Option<&String>| by.is_some_and(|by| by == name);
        let misfits = self.running().any(|(other, planet)| {
            let mut imports = planet.shape.imports().map(|(import, _)| import);
            imports.any(|import| serves(self.provider(other, import)) && shape.serves(import).is_none())
        });
        let misfits = misfits || serves(self.held.iter().flatten().next()) && shape.serves(&HELD).is_none();
        let may = starts && restores && (cascading || !misfits);
        let rivals = |import| self.rivals(name, import);
        let served = shape.planet.requires.iter().all(|import| !rivals(import).is_empty());
        match may && served {
            true if self.needs_a_circle(name, shape) => None,
            may => Some(may),
        }
    }

    /// Whether everybody who could serve some import of a Planet that runs, once it is `shape`, requires that Planet. (Unless
    /// those who require it can be bound elsewhere, or stop.)
    pub fn needs_a_circle(&self, name: &str, shape: &Shape) -> bool {
        let mut requires = shape.planet.requires.iter();
        requires.any(|import| self.rivals(name, import).into_iter().all(|rival| self.requires(rival, name)))
    }

    /// What a Planet answers, asked to this depth in a call that came through `chain`; and who is lost with it. `begun` are the
    /// instances that are started meanwhile.
    pub fn answer(
        &mut self,
        name: &str,
        (depth, crash): (u32, bool),
        chain: &[&str],
        lost: &mut Vec<Loss>,
        begun: &mut BTreeMap<String, Vec<u32>>,
    ) -> Result<u64, Failure> {
        if chain.contains(&name) {
            return Err(Failure::Reentered);
        }
        if crash && depth == 0 {
            self.lose(name, true, lost, begun);
            return Err(Failure::Crashed);
        }
        let Planet { shape, instance, origin, .. } = self.planets[name];
        let mut answer = mix(mix(shape.number as u64, instance.into()), origin.into());
        let asked = match (crash, depth) {
            (true, _) => 1,
            (false, 0) => 0,
            (false, _) => usize::MAX,
        };
        for (import, _) in shape.imports().take(asked) {
            let given = match self.provider(name, import).cloned() {
                // Without room for a failure it asks whether there is somebody.
                None if room(import) == Room::None => Ok(ABSENT),
                None => Err(Failure::Absent),
                Some(by) => self.answer(&by, (depth - 1, crash), &[chain, &[name]].concat(), lost, begun),
            };
            let given = match (given, room(import)) {
                (Ok(given), _) => given,
                (Err(_), Room::Text) => FAILED_TEXT,
                (Err(failure), Room::Failure) => FAILED + failure as u64,
                (Err(failure), Room::None) => {
                    self.lose(name, false, lost, begun);
                    return Err(failure);
                }
            };
            answer = mix(answer, given);
        }
        Ok(answer)
    }

    fn lose(&mut self, name: &str, own_fault: bool, lost: &mut Vec<Loss>, begun: &mut BTreeMap<String, Vec<u32>>) {
        lost.push(Loss { planet: name.to_owned(), own_fault });
        let planet = self.planets.get_mut(name).expect("it has just been called");
        let begun = begun.entry(name.to_owned()).or_default();
        planet.instance = if begun.is_empty() { 0 } else { begun.remove(0) };
        planet.origin = planet.instance;
    }
}

/// From one rest to the next.
#[derive(Debug)]
pub struct Step<'a> {
    pub before: &'a World,
    pub after: &'a World,
    pub change: &'a Change,
    /// What instances told meanwhile.
    pub told: &'a [Told],
}

/// What was meant to change, or was lost.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// The Planet that it is about.
    pub planet: Option<String>,
    /// Whether that one gets another instance.
    pub anew: bool,
    /// Whether its imports are chosen anew.
    pub chosen_anew: bool,
    /// The Planet as it was and as it is, if it is loaded, unloaded or reloaded: those that failed and import something of
    /// these try again.
    pub shapes: Vec<&'static Shape>,
    /// The name of interfaces whose providers are all chosen anew.
    pub preferred: Option<char>,
    /// The instances that ended in an error.
    pub lost: Vec<Loss>,
    /// What it was to be reloaded with, cascading, and was not: those who would not have fitted may have been stopped and
    /// started again.
    pub refused: Option<(String, &'static Shape)>,
    /// Whether the model cannot tell what comes of it: one whose loss has failed for good, or cannot start again, is called once more in
    /// the same call, by who has been bound to another one meanwhile.
    pub unsure: bool,
}

macro_rules! ensure {
    ($holds:expr, $($why:tt)+) => { if !$holds { return Err(format!($($why)+)); } };
}

impl Step<'_> {
    /// Checks every property; the error says which one does not hold.
    pub fn check(&self) -> Result<(), String> {
        for (name, planet) in &self.after.planets {
            match planet.state {
                State::Running => self.check_running(name, planet)?,
                State::Waiting => self.check_waiting(name)?,
                State::Failed => self.check_failed(name, planet)?,
                state => return Err(format!("`{name}` stays {state}")),
            }
        }
        self.check_handle()?;
        self.check_order()?;
        self.check_stops()
    }

    fn check_running(&self, name: &str, planet: &Planet) -> Result<(), String> {
        let after = self.after;
        ensure!(!after.requires(name, name), "`{name}` requires itself in the end");
        ensure!(planet.instance > 0, "`{name}` runs, and no instance of it has started");
        let has_to_be_anew = self.before.runs(name) && (self.is_meant(name) || self.is_lost(name));
        ensure!(!has_to_be_anew || self.is_anew(name), "`{name}` still has the instance that it had");
        let over = self.is_lost(name) && planet.restarts > after.limit;
        ensure!(!over, "`{name}` runs, and has used up its restarts");
        ensure!(!self.rests(name), "`{name}` runs, though it had failed and nothing has changed for it");
        if self.before.runs(name) && self.is_anew(name) && !self.is_meant(name) && !self.is_lost(name) {
            ensure!(self.had_to_stop(name), "`{name}` was stopped and started again, for nothing");
        }
        for (import, required) in planet.shape.imports() {
            let full = import.full();
            let bound = after.provider(name, import);
            let rivals = after.rivals(name, import);
            ensure!(bound.is_some() || !required, "`{name}` runs without {full}");
            ensure!(
                bound.is_none_or(|bound| rivals.contains(&bound)),
                "`{name}` has {full} from {bound:?}, which does not run or fit"
            );
            if let Some(old) = self.kept(name, import) {
                // Others may have to make way, so that somebody can go on.
                let closes_a_circle = required && after.requires(old, name);
                ensure!(
                    bound == Some(old) || closes_a_circle,
                    "`{name}` had {full} from `{old}`, and has it from {bound:?} for no reason"
                );
                if bound == Some(old) {
                    continue;
                }
            }
            for better in rivals.into_iter().take_while(|rival| Some(*rival) != bound) {
                let closes_a_circle = required && after.requires(better, name);
                let reloaded = self.is_meant(name) && self.before.runs(name);
                let stayed = !self.is_anew(name);
                // What is empty is filled with the best of the plan; but a new release serves before the others of it start.
                let chose_early =
                    reloaded || stayed && (self.before.provider(name, import).is_some() || self.change.chosen_anew);
                let came_later = self.is_anew(better) && (chose_early || self.has_failed_start());
                ensure!(
                    closes_a_circle || came_later,
                    "`{name}` has {full} from {bound:?}, and nothing speaks against `{better}`"
                );
            }
        }
        Ok(())
    }

    fn check_waiting(&self, name: &str) -> Result<(), String> {
        ensure!(!self.after.can_run(name, &[]), "`{name}` waits and could run");
        ensure!(!self.rests(name), "`{name}` waits, though it had failed and nothing has changed for it");
        ensure!(self.starts(name).next().is_none() || self.is_lost(name), "`{name}` was started and waits again");
        if self.before.runs(name) && !self.is_meant(name) {
            ensure!(self.had_to_stop(name), "`{name}` was stopped for nothing");
        }
        Ok(())
    }

    fn check_failed(&self, name: &str, planet: &Planet) -> Result<(), String> {
        let mut starts = self.starts(name);
        let rests = self.before.is(name, State::Failed) && !self.has_to_try_again(name);
        match starts.next() {
            None if rests => {}
            None => {
                let over = self.is_lost(name) && planet.restarts > self.after.limit;
                ensure!(over, "`{name}` has failed, and nothing was wrong with it");
            }
            Some(_) => {
                ensure!(!self.rests(name), "`{name}` was started, though nothing has changed for it");
                ensure!(self.after.mood(name) != Mood::Well, "`{name}` has failed, and has started well");
            }
        }
        Ok(())
    }

    /// A handle follows its provider, and goes to the best if that does not serve any more.
    fn check_handle(&self) -> Result<(), String> {
        let rivals = self.after.rivals("", &HELD);
        let Some(now) = self.after.held.as_ref().map(Option::as_ref) else { return Ok(()) };
        let before = self.before.held.iter().flatten().next().filter(|old| self.before.rivals("", &HELD).contains(old));
        let serves = |old: &&String| !self.is_broken(old, &HELD) && self.change.preferred != Some(HELD.name);
        match before.filter(serves) {
            Some(old) => ensure!(now == Some(old), "the handle of `{old}` has gone to {now:?} for no reason"),
            None => {
                let came_later = |rival: &&String| self.before.held.is_some() && self.is_anew(rival);
                let best = rivals.into_iter().find(|rival| !came_later(rival) || Some(*rival) == now);
                ensure!(now == best, "the handle has gone from {before:?} to {now:?}, and not to {best:?}");
            }
        }
        Ok(())
    }

    fn check_order(&self) -> Result<(), String> {
        let order = &self.after.order;
        let running: BTreeSet<&String> = self.after.running().map(|(name, _)| name).collect();
        let ordered: BTreeSet<&String> = order.iter().collect();
        ensure!(ordered == running && ordered.len() == order.len(), "{running:?} run, and the order is of {order:?}");
        let place = |name: &str| order.iter().position(|other| other == name);
        // Who was started anew, restarted or reloaded has kept its place, who was stopped has not.
        let came =
            |name: &str| self.is_anew(name) && !(self.before.runs(name) && (self.is_lost(name) || self.is_meant(name)));
        let stayed: Vec<&String> = self.before.order.iter().filter(|name| !came(name)).collect();
        let stayed: Vec<&&String> = stayed.iter().filter(|name| running.contains(*name)).collect();
        ensure!(stayed.is_sorted_by_key(|name| place(name)), "{stayed:?} stayed, and the order is {order:?}");
        for name in order.iter().filter(|name| came(name)) {
            let last = stayed.iter().filter_map(|name| place(name)).max();
            ensure!(place(name) > last, "`{name}` came last, and the order is {order:?}");
            for (import, required) in self.after.planets[name].shape.imports() {
                let Some(by) = self.after.provider(name, import).filter(|by| came(by)) else { continue };
                let in_a_circle = !required && (self.after.leads(by, name, false) || self.has_failed_start());
                ensure!(
                    in_a_circle || place(by) < place(name),
                    "`{by}` started after `{name}`, whom it serves {}",
                    import.full()
                );
            }
        }
        Ok(())
    }

    /// Those that stop are told, dependents before those who serve them, who still answer.
    pub fn check_stops(&self) -> Result<(), String> {
        // A release that was refused after its start may be told to stop again.
        let known = |name: &str, instance| self.before.planets.get(name).is_some_and(|p| p.instance == instance);
        let told = self.told.iter().filter_map(Told::stop).filter(|(name, instance, _)| known(name, *instance));
        let told: Vec<(&str, u32, Option<u32>)> = told.collect();
        let place = |name: &str| told.iter().position(|(planet, ..)| *planet == name);
        for (name, planet) in self.before.running() {
            let stopped =
                self.before.runs(name) && !self.is_lost(name) && (!self.after.runs(name) || self.is_anew(name));
            let told: Vec<_> = told.iter().filter(|(planet, ..)| planet == name).collect();
            match &told[..] {
                [] => ensure!(!stopped, "`{name}` was stopped, and not told so"),
                [(_, instance, unserved)] => {
                    ensure!(stopped && *instance == planet.instance, "`{name}` was told to stop for nothing");
                    let requires = planet.shape.planet.requires.iter();
                    let providers = requires.clone().filter_map(|import| self.before.provider(name, import));
                    // It may have been given another provider meanwhile, which was lost in the same step.
                    let mut rivals = requires.flat_map(|import| self.before.rivals(name, import));
                    let lost = rivals.any(|by| self.is_lost(by) || self.after.is(by, State::Failed));
                    ensure!(*unserved == Some(0) || lost, "`{name}` lost what it requires before it was stopped");
                    // Who is restarted stops in any case, and those who require it only if it does not start again.
                    let restarts = |by: &str| self.is_meant(by) && !self.change.chosen_anew;
                    for by in providers.filter(|by| !restarts(by)) {
                        ensure!(
                            place(by).is_none() || place(name) < place(by),
                            "`{by}` was stopped before `{name}`, which requires it"
                        );
                    }
                }
                _ => return Err(format!("`{name}` was told to stop {} times", told.len())),
            }
        }
        Ok(())
    }

    /// Whether it is what the change is about, and gets another instance with it.
    fn is_meant(&self, name: &str) -> bool {
        self.change.anew && self.change.planet.as_deref() == Some(name)
    }

    fn is_lost(&self, name: &str) -> bool {
        self.change.lost.iter().any(|loss| loss.planet == name)
    }

    /// Whether it has another instance than before, or a first one.
    fn is_anew(&self, name: &str) -> bool {
        let instance = |world: &World| world.planets.get(name).map(|planet| planet.instance);
        !self.before.runs(name) || instance(self.before) != instance(self.after)
    }

    fn starts(&self, name: &str) -> impl Iterator<Item = Mood> {
        self.told.iter().filter_map(Told::start).filter(move |(planet, ..)| *planet == name).map(|(.., mood)| mood)
    }

    fn has_failed_start(&self) -> bool {
        self.told.iter().filter_map(Told::start).any(|(.., mood)| mood != Mood::Well)
    }

    /// Whether it has failed before, and has no reason to try again: none of those who export what it imports (whatever the
    /// types are) has changed.
    fn rests(&self, name: &str) -> bool {
        let failed = self.before.is(name, State::Failed);
        let names_one = |shape: &Shape| self.imports(name).any(|import| shape.names(import));
        let changed =
            self.change.shapes.iter().any(|shape| names_one(shape))
                || self.after.planets.iter().any(|(other, planet)| {
                    names_one(planet.shape) && self.before.runs(other) != self.after.runs(other)
                });
        failed && !self.is_meant(name) && !changed
    }

    /// Whether a Planet that could serve it was loaded, unloaded or reloaded.
    fn has_to_try_again(&self, name: &str) -> bool {
        let serves_one = |shape: &Shape| self.imports(name).any(|import| shape.serves(import).is_some());
        self.is_meant(name) || self.change.shapes.iter().any(|shape| serves_one(shape))
    }

    fn imports(&self, name: &str) -> impl Iterator<Item = &Interface> {
        self.after.planets[name].shape.imports().map(|(import, _)| import)
    }

    /// The provider that a Planet had for an import, if it has to keep it.
    fn kept(&self, name: &str, import: &Interface) -> Option<&String> {
        let stayed = self.before.runs(name) && (!self.is_anew(name) || self.is_lost(name) || self.is_meant(name));
        let chosen_anew = self.change.chosen_anew && self.is_meant(name) || self.change.preferred == Some(import.name);
        let old = self.before.provider(name, import)?;
        (stayed && !chosen_anew && !self.is_broken(old, import)).then_some(old)
    }

    /// Whether a provider could not go on serving an import: it went, or what it has become does not fit.
    fn is_broken(&self, provider: &str, import: &Interface) -> bool {
        let stopped = self.is_anew(provider) && !self.is_meant(provider) && !self.is_lost(provider);
        !self.after.runs(provider) || stopped || self.after.planets[provider].shape.serves(import).is_none()
    }

    /// Whether a Planet that ran lost something that it requires, and nobody who ran all the time could take over without
    /// closing a circle.
    fn had_to_stop(&self, name: &str) -> bool {
        let refused = |other: &str| self.change.refused.as_ref().is_some_and(|(name, _)| name == other);
        let stayed =
            |other: &str| self.after.runs(other) && (!self.is_anew(other) || self.is_lost(other)) && !refused(other);
        self.before.planets[name].shape.planet.requires.iter().any(|import| {
            let refused = |old: &String| {
                self.change.refused.as_ref().is_some_and(|(name, new)| name == old && new.serves(import).is_none())
            };
            let old = self.before.provider(name, import);
            let broken = old.is_some_and(|old| self.is_broken(old, import) || refused(old));
            let circle = |other: &str| self.before.requires(other, name) || self.after.requires(other, name);
            broken && self.after.rivals(name, import).into_iter().all(|other| !stayed(other) || circle(other))
        })
    }
}
