//! A new release of a Planet takes the place of the old one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use tracing::Instrument as _;
use tracing::field::Empty;

use super::change::{HeldUp, entry_mut, first_line, not_in_chain, why_busy};
use super::load::{Admission, Judged, Report, Source, Unreadable};
use super::settle::{Anew, Recipe, StartError, Started, apply, waiting_reason};
use super::{Primary, lock};
use crate::error::{Error, Kind};
use crate::inspect::{Inspection, Interface};
use crate::interface::InterfaceName;
use crate::link::{Bindings, fits_somewhere};
use crate::planet::{Busy, Call, CallError, Instance, Loss, Planet, Saved};
use crate::registry::{Event, Registry, State};
use crate::resolve::{Outsider, Pair, Plan, Provider, resolve};

/// A reload that is about to begin: `.await` it, or say more about it first. Made by [`Primary::reload`].
#[derive(Debug)]
#[must_use = "nothing is reloaded until this is awaited"]
pub struct Reload {
    primary: Primary,
    planet: String,
    source: Option<Source>,
    cascades: bool,
}

impl Reload {
    /// Takes the new release from memory.
    pub fn bytes(self, bytes: impl Into<Vec<u8>>) -> Self {
        let name = self.planet.clone();
        Self { source: Some(Source::Bytes { name, bytes: bytes.into().into() }), ..self }
    }

    /// Takes the new release from this file, instead of the one that the Planet was loaded from.
    pub fn file(self, path: impl AsRef<Path>) -> Self {
        Self { source: Some(Source::File(path.as_ref().to_owned())), ..self }
    }

    /// If the new release no longer fits those who use the old one: they go to another provider that runs or else stop and wait,
    /// instead of standing in its way. They stop while the old one still answers, before it hands over its state; if that fails,
    /// they are started again. Handles of the application that no longer fit give errors.
    pub fn cascading(self) -> Self {
        Self { cascades: true, ..self }
    }
}

impl IntoFuture for Reload {
    type Output = Result<Report, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl Primary {
    /// Has a new release of a Planet take the place of the old one, from the same file unless something else is said.
    ///
    /// The new release is compiled, checked and started beside the old one. Then new calls are held up, those in flight are waited
    /// for, what the old one has saved (`kokoro:core/saved-state`) is given to the new one, which answers from then on; the old
    /// one is stopped. Nobody who uses the Planet is started anew, and no call is lost: each is answered by the old release or by
    /// the new one.
    ///
    /// Whatever fails, the old one goes on, and nothing of the new one is left (what its `start` has done to others is not
    /// undone). Only if the old one itself ends in an error, in its `save`, it is started anew, without its state. The
    /// application is asked about the new release as about every other ([`Builder::admit`](crate::Builder::admit)).
    /// The new one chooses its own providers anew.
    ///
    /// Handles of resources are not carried over. Those that others have of the old release's resources, Planets or the application, are
    /// errors from then on, and never lead to a resource of the new one; those that the old one had of others' are released.
    /// The same holds for a restart.
    ///
    /// A Planet that does not run is replaced by the new release, which starts if it can.
    ///
    /// ```
    /// # async fn example(primary: kokoro_host::Primary) -> Result<(), kokoro_host::Error> {
    /// primary.reload("counter").await?; // its file has changed
    /// # let component = Vec::new();
    /// primary.reload("counter").bytes(component).cascading().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The report has the Planet, and those whose state has changed with it.
    ///
    /// # Errors
    ///
    /// If there is no such Planet, or it was loaded from memory and no new component is given; if the new release cannot be read, is
    /// refused, has another name, does not fit those who use the old one ([`Reload::cascading`] lets it), or cannot be started;
    /// if the old one is busy for longer than [`Limits::drain`](crate::Limits::drain); if saving or restoring fails; if the call
    /// that this is a part of has come through the Planet; or if the Primary has been shut down.
    pub fn reload(&self, planet: &str) -> Reload {
        Reload { primary: self.clone(), planet: planet.to_owned(), source: None, cascades: false }
    }
}

/// A new release that is about to take a place.
struct Newcomer {
    file: Option<PathBuf>,
    inspection: Arc<Inspection>,
    admission: Admission,
    bindings: Arc<Bindings>,
    /// What does not fit if it comes.
    unfit: Vec<(Pair, String)>,
}

const AT_REST: &str = "while the old one was to come to rest";

/// What has gone wrong, while what was done.
#[derive(Debug)]
struct Failed {
    step: &'static str,
    why: String,
    /// Whether that was because the old one has ended for good.
    has_ended: bool,
    is_busy: bool,
    call: Option<Box<CallError>>,
}

impl Failed {
    fn new(step: &'static str, why: impl ToString) -> Self {
        Self { step, why: why.to_string(), has_ended: false, is_busy: false, call: None }
    }

    fn of_call(step: &'static str, error: CallError) -> Self {
        Self { call: Some(Box::new(error.clone())), ..Self::new(step, error) }
    }
}

impl Reload {
    async fn run(self) -> Result<Report, Error> {
        let Self { primary, planet: name, source, cascades } = self;
        let around = Call::around();
        let source = {
            let mut registry = primary.registry();
            let entry = entry_mut(&mut registry, &name)?;
            let again = || entry.file.clone().map(Source::File);
            source.or_else(again).ok_or_else(|| Kind::NoFile { planet: name.clone() })?
        };
        let judged = match primary.read_and_judge(&name, source).await {
            Ok(judged) => judged,
            Err(failed) => return Err(primary.not_reloaded(&name, failed)),
        };
        let change = primary.clone();
        primary
            .to_the_end(async move {
                let _life = change.open(around.as_ref()).await?;
                let before = {
                    let mut registry = change.registry();
                    let before = change.states(&registry);
                    entry_mut(&mut registry, &name)?;
                    not_in_chain(&registry, around.as_ref(), "reloaded", std::slice::from_ref(&name))?;
                    before
                };
                let living = {
                    let registry = change.registry();
                    let entry = &registry.entries[&name];
                    entry.planet.clone().filter(|_| entry.lives())
                };
                let spare = judged.clone();
                let replaced = match living {
                    Some(planet) => {
                        let span =
                            tracing::info_span!(target: "kokoro::life", "reload", planet = name, outcome = Empty);
                        let work = change.replace(&name, &planet, judged, cascades, around.as_ref());
                        let outcome = work.instrument(span.clone()).await;
                        span.record("outcome", outcome.as_ref().map_or_else(|failed| failed.step, |()| "running"));
                        match outcome {
                            Ok(()) => true,
                            Err(failed) if failed.has_ended => false,
                            Err(failed) => {
                                // Whom it has cost their providers has them back.
                                change.settle(&Anew::default()).await;
                                return Err(change.not_reloaded(&name, failed));
                            }
                        }
                    }
                    None => false,
                };
                // One that does not run, or does not any more, has nothing to hand over.
                if !replaced {
                    change.registry().remove(&name);
                    change.register(spare);
                }
                change.settle(&Anew::default()).await;
                Ok(change.changed_since(&before, Some(&name)))
            })
            .await
    }
}

impl Primary {
    fn not_reloaded(&self, name: &str, failed: Failed) -> Error {
        let Failed { step, why, is_busy, call, .. } = failed;
        let reason = format!("{step}: {}", first_line(&why));
        tracing::warn!(target: "kokoro::life", planet = name, "not reloaded, {step}: {why}");
        let registry = self.registry();
        registry.tell(|| Event::NotReloaded { planet: name.to_owned(), reason });
        let now = match registry.entries.get(name).map(|entry| (entry.state().0, entry.summary())) {
            Some((State::Running, _)) => "the old one goes on".to_owned(),
            Some((_, summary)) => format!("the old one is {summary}"),
            None => "it is not there any more".to_owned(),
        };
        Kind::NotReloaded { planet: name.to_owned(), step, why, now, call: call.map(|call| *call), is_busy }.into()
    }

    async fn read_and_judge(&self, name: &str, source: Source) -> Result<Judged, Failed> {
        let read = source.read_off_the_async_threads().await;
        let (file, read) = (read.file, read.read);
        let (bytes, inspection) = read.map_err(|error| match error {
            Unreadable::Io(error) => Failed::new("while its file was read", error),
            Unreadable::Component(error) => Failed::new("while the new component was looked at", error),
        })?;
        let judged = self.decide(file, bytes, inspection).await;
        if let Err(reason) = &judged.admitted {
            return Err(Failed::new("when the application was asked", reason));
        }
        let called = &judged.inspection.manifest.name;
        if called != name {
            let why = format!(
                "it is called `{called}`\n  help: unload `{name}` and load the new one, or have it called `{name}` as well"
            );
            return Err(Failed::new("while the new component was looked at", why));
        }
        Ok(judged)
    }

    /// Puts a new release into the place of one that lives.
    async fn replace(
        &self,
        name: &str,
        planet: &Arc<Planet>,
        judged: Judged,
        cascades: bool,
        around: Option<&Call>,
    ) -> Result<(), Failed> {
        let Judged { file, inspection, admitted } = judged;
        let admission = admitted.map_err(|reason| Failed::new("when the application was asked", reason))?;
        let inspection = Arc::new(inspection);
        let _change = planet.change().await;
        let (newcomer, plan, stops, release) = {
            let mut registry = self.registry();
            if !registry.entries[name].lives() {
                return Err(Failed { has_ended: true, ..Failed::new(AT_REST, "it has ended") });
            }
            let (bindings, unfit) = self.compare_types(&registry, name, &inspection, &admission);
            let newcomer = Newcomer { file, inspection, admission, bindings, unfit };
            let (plan, stops) = self.plan_and_stops(&registry, name, planet, &newcomer, cascades)?;
            not_in_chain(&registry, around, "stopped", &stops)
                .map_err(|error| Failed::new("while the plan was made", error))?;
            (newcomer, plan, stops, registry.next_release())
        };
        point_bindings(&self.registry(), &newcomer.bindings, plan.bindings.get(name));
        let started = self.start_beside(name, &newcomer, release).await?;
        let led_away = self.lead_away(name, planet, &stops, &newcomer, cascades)?;
        for stopped in &stops {
            let reason = format!("the new release of `{name}` does not fit it").into();
            self.stop(stopped, self.shared.limits.drain, Some(reason)).await;
        }
        let swapped = self.swap(name, planet, newcomer, started, cascades, release).await;
        if swapped.is_err() {
            self.lead_back(led_away);
        }
        swapped
    }

    /// Compiles a new release and starts it, while the old one answers calls.
    async fn start_beside(&self, name: &str, newcomer: &Newcomer, release: u64) -> Result<Started, Failed> {
        let Newcomer { inspection, admission, bindings, .. } = newcomer;
        let (engine, sha256, bytes) =
            (self.shared.engine.clone(), inspection.sha256.clone(), Arc::clone(&admission.bytes));
        let compiled = super::load::off_the_async_threads(move || engine.compile(&sha256, &bytes)).await;
        let component = compiled.map_err(|error| Failed::new("while it was compiled", error))?;
        let recipe = Recipe {
            name: Arc::clone(&self.registry().entries[name].id),
            component,
            linked: None,
            inspection: Arc::clone(inspection),
            bindings: Arc::clone(bindings),
            grants: admission.grants.clone(),
            release,
        };
        let call = self.life_cycle_call(self.shared.limits.start);
        self.instantiate(recipe, &call).await.map_err(|error| match error {
            StartError::Link(problem) => Failed::new("while it was linked", problem),
            StartError::Satellite(failure) => Failed::new("while its satellite was started", format!("{failure:#}")),
            StartError::Call(error) => Failed::of_call("while it was started", error),
        })
    }

    /// Has the old release come to rest, hands its state over, and lets the new one answer.
    async fn swap(
        &self,
        name: &str,
        planet: &Arc<Planet>,
        newcomer: Newcomer,
        started: Started,
        cascades: bool,
        release: u64,
    ) -> Result<(), Failed> {
        let limits = &self.shared.limits;
        let Started { instance: mut new, component, linked } = started;
        let change = planet.hold_calls();
        let held = HeldUp(planet);
        let drained = planet.drain(change, Instant::now() + limits.drain).await;
        let mut seat = drained.map_err(|busy| Failed {
            has_ended: matches!(busy, Busy::Ended),
            is_busy: !matches!(busy, Busy::Ended),
            ..Failed::new(AT_REST, why_busy(&busy))
        })?;
        // One that has ended in an error meanwhile has no state, and is to be started anew with none.
        let saves = seat.as_ref().is_some_and(|old| old.saves_state());
        let state_lost = saves && !new.saves_state();
        if state_lost {
            tracing::warn!(target: "kokoro", planet = name, "the new release takes no state, so that the old one's is lost");
        } else if saves {
            let saved = self.save(planet, &mut seat).await?;
            new = self.restore(planet, new, saved).await?;
        }
        let version = newcomer.inspection.manifest.version.clone();
        let (old, left) = {
            let mut registry = self.registry();
            let (plan, _) = self.plan_and_stops(&registry, name, planet, &newcomer, cascades)?;
            let old = seat.replace(new);
            registry.replace_types(name, &newcomer.inspection, newcomer.unfit);
            let entry = registry.entries.get_mut(name).expect("entries stay while a change goes on");
            let left = std::mem::replace(&mut entry.bindings, newcomer.bindings);
            let before = std::mem::take(&mut entry.providers);
            entry.file = newcomer.file;
            entry.grants = newcomer.admission.grants;
            entry.withheld = newcomer.admission.withheld;
            entry.component = Some(component);
            entry.linked = Some(linked);
            entry.bytes = None;
            entry.release = release;
            entry.history = Default::default();
            apply(&mut registry, &plan);
            if registry.entries[name].state().0 == State::Starting {
                registry.change(name, State::Running, None);
            }
            self.rebind(&registry, &Anew::default());
            tell_of_new_providers(&registry, name, &before);
            registry.tell(|| Event::Reloaded { planet: name.to_owned(), version, state_lost });
            (old, left)
        };
        drop(held);
        planet.open();
        drop(seat);
        if let Some(mut old) = old {
            let call = self.life_cycle_call(limits.stop);
            self.tell_to_stop(name, async move { old.stop(&call).await }).await;
        }
        left.planets.values().for_each(|binding| _ = binding.point_at(None));
        Ok(())
    }

    /// The state of the old release. It is asked in a task of its own: a panic of what the application serves ends only that.
    async fn save(&self, planet: &Arc<Planet>, seat: &mut Option<Box<Instance>>) -> Result<Saved, Failed> {
        const STEP: &str = "while the old one saved its state";
        let Some(mut old) = seat.take() else { return Err(Failed::new(STEP, "it has ended")) };
        let call = self.life_cycle_call(self.shared.limits.stop);
        planet.note_turn_of(Some(&call));
        let began = old.began();
        let work = async move {
            let saved = old.save(&call).await;
            (old, saved)
        };
        let saved = tokio::spawn(work).await;
        planet.note_turn_of(None);
        match saved {
            Ok((old, Ok(saved))) => {
                *seat = Some(old);
                saved.map_err(|why| Failed::new(STEP, why))
            }
            Ok((old, Err(error))) => {
                *seat = Some(old);
                planet.lost(seat, &error);
                Err(Failed::of_call(STEP, error))
            }
            Err(_) => {
                let reason = "a panic of the application ended it while it saved its state";
                planet.has_lost(Loss { reason: reason.into(), pays: false, began });
                Err(Failed::new(STEP, reason))
            }
        }
    }

    /// Gives the new release the state of the old one, in a task of its own as well.
    async fn restore(
        &self,
        planet: &Arc<Planet>,
        mut new: Box<Instance>,
        saved: Saved,
    ) -> Result<Box<Instance>, Failed> {
        const STEP: &str = "while it was given the old one's state";
        let call = self.life_cycle_call(self.shared.limits.start);
        planet.note_turn_of(Some(&call));
        let work = async move {
            let restored = new.restore(&call, saved).await;
            (new, restored)
        };
        let restored = tokio::spawn(work).await;
        planet.note_turn_of(None);
        match restored {
            Ok((new, Ok(Ok(())))) => Ok(new),
            Ok((_, Ok(Err(why)))) => Err(Failed::new(STEP, why)),
            Ok((_, Err(error))) => Err(Failed::of_call(STEP, error)),
            Err(_) => Err(Failed::new(STEP, "a panic of the application ended it")),
        }
    }

    /// Binds those elsewhere, as the plan has it, whom the new release of `name` does not fit, or whom those serve who have to stop,
    /// as long as they do: nobody is to find a gap, or to take as an option what is about to go.
    fn lead_away(
        &self,
        name: &str,
        planet: &Arc<Planet>,
        stops: &[String],
        newcomer: &Newcomer,
        cascades: bool,
    ) -> Result<Vec<(String, InterfaceName, Provider)>, Failed> {
        let mut led_away = Vec::new();
        let mut registry = self.registry();
        // Others may have come to use it, or have failed, while the new release was started.
        let (plan, _) = self.plan_and_stops(&registry, name, planet, newcomer, cascades)?;
        let is_it = |provider: &Provider| match provider {
            Provider::Host | Provider::Satellite(_) => false,
            Provider::Planet { name: other, .. } => other == name || stops.contains(other),
        };
        for (consumer, providers) in plan.bindings.iter().filter(|(consumer, _)| *consumer != name) {
            let Some(entry) = registry.entries.get_mut(consumer).filter(|entry| entry.lives()) else { continue };
            let leaves = |(import, today): (&InterfaceName, &Provider)| {
                (is_it(today) && !providers.get(import).is_some_and(is_it)).then(|| import.clone())
            };
            let leaving: Vec<InterfaceName> = entry.providers.iter().filter_map(leaves).collect();
            for import in leaving {
                let old = match providers.get(&import) {
                    Some(other) => entry.providers.insert(import.clone(), other.clone()),
                    None => entry.providers.remove(&import),
                };
                led_away.extend(old.map(|old| (consumer.clone(), import, old)));
            }
        }
        self.rebind(&registry, &Anew::default());
        Ok(led_away)
    }

    /// Binds those again to the old release, which goes on, that were led away from it.
    fn lead_back(&self, led_away: Vec<(String, InterfaceName, Provider)>) {
        let mut registry = self.registry();
        for (consumer, import, old) in led_away {
            if registry.target(&old).is_some()
                && let Some(entry) = registry.entries.get_mut(&consumer).filter(|entry| entry.lives())
            {
                entry.providers.insert(import, old);
            }
        }
        self.rebind(&registry, &Anew::default());
    }

    /// The plan with a new release, and who has to stop for it; an error if it cannot come like that.
    fn plan_and_stops(
        &self,
        registry: &Registry,
        name: &str,
        planet: &Arc<Planet>,
        newcomer: &Newcomer,
        cascades: bool,
    ) -> Result<(Plan, Vec<String>), Failed> {
        if !cascades {
            self.no_misfits(registry, name, planet, newcomer)?;
        }
        let plan = self.plan_with(registry, name, newcomer);
        if let Some(waiting) = plan.waiting.get(name) {
            return Err(Failed::new("while its dependencies were looked for", waiting_reason(waiting).details));
        }
        // Those that stop on another's account are not among those that this one takes along.
        let pending = self.plan(registry, &Anew::default()).stops;
        let mut stops = plan.stops.clone();
        stops.retain(|stopped| stopped != name && !pending.contains(stopped));
        match stops.first() {
            Some(stopped) if !cascades => {
                let why = format!("`{stopped}` could not run any more: {}", plan.waiting[stopped]);
                Err(Failed::new("while the plan was made", why))
            }
            _ => Ok((plan, stops)),
        }
    }

    /// The plan as it would be with a new release, which chooses its providers anew.
    fn plan_with(&self, registry: &Registry, name: &str, newcomer: &Newcomer) -> Plan {
        let unfit = registry.unfit_with(name, &newcomer.unfit);
        let mut problem = self.problem(registry, &Anew::default());
        problem.unfit = &unfit;
        // It starts, and who uses it goes elsewhere, before anybody else can start.
        let is_yet_to_start = |other: &&str| problem.members[other].bound.is_none();
        let yet_to_start: Vec<&str> = problem.members.keys().copied().filter(is_yet_to_start).collect();
        for other in yet_to_start {
            let member = problem.members.remove(other).expect("it was there");
            let reason = "it waits itself".to_owned();
            problem.outsiders.insert(other, Outsider { manifest: member.manifest, provides: member.provides, reason });
        }
        let manifest = &newcomer.inspection.manifest;
        if let Some(member) = problem.members.get_mut(name) {
            member.manifest = manifest;
            member.provides = &manifest.provides;
            member.withheld = &newcomer.admission.withheld;
            member.bound = Some(Default::default());
        }
        resolve(&problem)
    }

    /// An error if those who use the old release could not use the new one.
    fn no_misfits(
        &self,
        registry: &Registry,
        name: &str,
        planet: &Arc<Planet>,
        newcomer: &Newcomer,
    ) -> Result<(), Failed> {
        let mut problems = Vec::new();
        for (consumer, entry) in registry.entries.iter().filter(|(consumer, entry)| entry.lives() && *consumer != name)
        {
            for import in entry.providers.iter().filter(|(_, provider)| provider.is(name)).map(|(import, _)| import) {
                // What is listed and not imported fits whatever exports it.
                let none = Interface::default();
                let wanted = entry.inspection.as_ref().and_then(|inspection| inspection.imports.get(import));
                if let Err(problem) = fits_somewhere(import, wanted.unwrap_or(&none), &newcomer.inspection) {
                    problems.push(format!("`{consumer}` uses `{import}`: {problem}"));
                }
            }
        }
        problems.extend(lock(&self.shared.handles).misfits(planet, &newcomer.inspection));
        match problems.is_empty() {
            true => Ok(()),
            false => {
                problems.push("help: have those who use it go elsewhere or wait, by `Reload::cascading`".to_owned());
                Err(Failed::new("since it does not fit those who use the old one", problems.join("\n  ")))
            }
        }
    }
}

/// Tells of the imports that a Planet has from others than before.
fn tell_of_new_providers(registry: &Registry, name: &str, before: &BTreeMap<InterfaceName, Provider>) {
    let planet = |provider: &Provider| match provider {
        Provider::Host | Provider::Satellite(_) => None,
        Provider::Planet { name, .. } => Some(name.clone()),
    };
    let entry = &registry.entries[name];
    for (interface, before) in before.iter().filter(|(interface, _)| entry.bindings.planets.contains_key(interface)) {
        let provider = entry.providers.get(interface).and_then(planet);
        if planet(before) != provider {
            let (planet, interface) = (name.to_owned(), interface.clone());
            registry.tell(|| Event::Bound { planet, interface, provider });
        }
    }
}

/// Points the imports of a new release at their providers.
fn point_bindings(registry: &Registry, bindings: &Bindings, providers: Option<&BTreeMap<InterfaceName, Provider>>) {
    for (import, binding) in &bindings.planets {
        let provider = providers.and_then(|providers| providers.get(import));
        binding.point_at(provider.and_then(|provider| registry.target(provider)));
    }
}
