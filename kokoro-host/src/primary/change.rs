//! Changes of Planets that are there already: unload, restart, prefer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::settle::{Anew, Recipe, Started, Unfinished};
use super::supervise::is_this;
use super::{Life, Primary, Report, path_of};
use crate::error::{Error, Kind, name_list, nearest};
use crate::planet::{Busy, Call, End, Planet};
use crate::registry::{Registry, State};

impl Primary {
    /// Takes a Planet out for good. Calls in flight, and who holds it as an option, are waited for, as long as
    /// [`Limits::drain`](crate::Limits::drain).
    ///
    /// Whom it has served goes to another provider, if there is one that fits, without being started anew. Those who require it
    /// and have nobody else stop before it, dependents first, and wait from then on; who had it as an option goes on without.
    /// No call meets a gap: it is answered by the old provider or by the new one.
    ///
    /// The report has those Planets whose state has changed with it.
    ///
    /// # Errors
    ///
    /// If there is no such Planet; if the call that this is a part of has come through it or through one that would have to stop
    /// with it; or if the Primary has been shut down.
    pub async fn unload(&self, planet: &str) -> Result<Report, Error> {
        let (primary, name) = (self.clone(), planet.to_owned());
        let around = Call::around();
        self.to_the_end(async move {
            let _life = primary.open(around.as_ref()).await?;
            let before = {
                let mut registry = primary.registry();
                let before = primary.states(&registry);
                let pending = primary.plan(&registry, &Anew::default()).stops;
                let entry = entry_mut(&mut registry, &name)?;
                entry.leaves = true;
                // Those that stop on another's account are not among those that this one takes along.
                let mut stops = primary.plan(&registry, &Anew::default()).stops;
                stops.retain(|stopped| !pending.contains(stopped));
                stops.push(name.clone());
                if let Err(error) = not_in_chain(&registry, around.as_ref(), "unloaded", &stops) {
                    entry_mut(&mut registry, &name)?.leaves = false;
                    return Err(error);
                }
                before
            };
            primary.settle(&Anew::default()).await;
            Ok(primary.changed_since(&before, None))
        })
        .await
    }

    /// Ends the instance of a Planet, which is told by `stop`, and starts another one of the same code. Calls wait meanwhile, and
    /// dependents stay. One that has failed is tried again.
    ///
    /// The report has that Planet, and those whose state has changed with it.
    ///
    /// # Errors
    ///
    /// If there is no such Planet, if it was refused or could not be loaded; if calls in flight, or who holds it as an option, keep
    /// it for longer than [`Limits::drain`](crate::Limits::drain); if the call that this is a part of has come through it; or if
    /// the Primary has been shut down. That it does not start again is no error: it is in the report.
    pub async fn restart(&self, planet: &str) -> Result<Report, Error> {
        let (primary, name) = (self.clone(), planet.to_owned());
        let around = Call::around();
        self.to_the_end(async move {
            let _life = primary.open(around.as_ref()).await?;
            let (before, planet) = {
                let mut registry = primary.registry();
                let before = primary.states(&registry);
                not_in_chain(&registry, around.as_ref(), "restarted", std::slice::from_ref(&name))?;
                let entry = entry_mut(&mut registry, &name)?;
                let lives = entry.lives();
                if !entry.is_planet() {
                    let state = entry.summary();
                    return Err(Kind::NotRunning { name, state }.into());
                }
                entry.bindings.satellites().for_each(|satellite| satellite.renew());
                let planet = entry.planet.clone().filter(|_| lives);
                if entry.state().0 == State::Failed {
                    registry.wait_again(&name);
                }
                (before, planet)
            };
            if let Some(planet) = planet {
                primary.start_over(&name, &planet).await?;
            }
            primary.settle(&Anew::default()).await;
            Ok(primary.changed_since(&before, Some(&name)))
        })
        .await
    }

    /// Ends the instance of a Planet that lives, and starts another one.
    async fn start_over(&self, name: &str, planet: &Arc<Planet>) -> Result<(), Error> {
        let _change = planet.change().await;
        let change = planet.hold_calls();
        let held = HeldUp(planet);
        let mut seat = match planet.drain(change, Instant::now() + self.shared.limits.drain).await {
            Ok(seat) => seat,
            Err(Busy::Ended) => {
                let mut registry = self.registry();
                if registry.entries.get(name).is_some_and(|entry| entry.state().0 == State::Failed) {
                    registry.wait_again(name);
                }
                return Ok(());
            }
            Err(busy) => {
                let (planet, why) = (name.to_owned(), why_busy(&busy));
                return Err(Kind::Busy { change: "restarted", planet, why }.into());
            }
        };
        let recipe = {
            let mut registry = self.registry();
            let Some(recipe) = Recipe::of(&registry, name) else { return Ok(()) };
            registry.change(name, State::Starting, Some("it is being restarted".into()));
            recipe
        };
        let unfinished = Unfinished::new(self, name, Some(planet));
        let stop = self.life_cycle_call(self.shared.limits.stop);
        planet.note_turn_of(Some(&stop));
        if let Some(mut old) = seat.take() {
            self.tell_to_stop(name, async move { old.stop(&stop).await }).await;
        }
        let start = self.life_cycle_call(self.shared.limits.start);
        planet.note_turn_of(Some(&start));
        let started = self.instantiate(recipe, &start).await;
        planet.note_turn_of(None);
        unfinished.over();
        let mut registry = self.registry();
        // What it requires may have failed meanwhile, and taken it along.
        if !is_this(&registry, planet) {
            return Ok(());
        }
        match started {
            Ok(Started { instance, .. }) => {
                if let Some(entry) = registry.entries.get_mut(name) {
                    entry.history = Default::default();
                }
                registry.change(name, State::Running, None);
                drop(registry);
                *seat = Some(instance);
                drop(held);
                planet.open();
            }
            Err(error) => {
                let reason = error.to_string();
                self.give_up(&mut registry, name, &reason);
                drop(registry);
                planet.close(End { reason: first_line(&reason).into(), stopped: false });
            }
        }
        Ok(())
    }

    /// Prefers one Planet, by name, where several provide an interface (`acme:log/sink`, in whatever version); or nobody any more.
    ///
    /// From now on, and for what is bound already: each import and each handle of the interface goes to the best provider,
    /// without a restart of anybody. What is held as an option stays until the call has ended in which it was asked for. The
    /// name of a Planet that is yet to come will do. A preference that is taken away (`None`) moves nobody: what is bound goes on
    /// to serve.
    ///
    /// # Errors
    ///
    /// If `interface` is no name of an interface, if this is a part of a start or a stop, or if the Primary has been shut down.
    pub async fn prefer(&self, interface: &str, planet: Option<&str>) -> Result<(), Error> {
        let (primary, path) = (self.clone(), path_of(interface)?);
        let planet = planet.map(str::to_owned);
        let around = Call::around();
        self.to_the_end(async move {
            let _life = primary.open(around.as_ref()).await?;
            let anew = {
                let mut registry = primary.registry();
                match planet {
                    Some(planet) => {
                        registry.preferred.insert(path.clone(), planet);
                        Anew { path: Some(path) }
                    }
                    None => {
                        registry.preferred.remove(&path);
                        Anew::default()
                    }
                }
            };
            primary.settle(&anew).await;
            Ok(())
        })
        .await
    }

    /// The right to change something, unless the Primary has been shut down, or `around`, the call in which this is done, is part
    /// of a change.
    pub(super) async fn open(&self, around: Option<&Call>) -> Result<tokio::sync::MutexGuard<'_, Life>, Error> {
        if around.is_some_and(|call| call.changes(&self.shared.change)) {
            return Err(Kind::WithinChange.into());
        }
        let life = self.shared.changing.lock().await;
        match *life {
            Life::Open => Ok(life),
            Life::ShutDown => Err(Kind::ShutDown.into()),
        }
    }

    pub(super) fn states(&self, registry: &Registry) -> BTreeMap<String, State> {
        registry.entries.iter().map(|(name, entry)| (name.clone(), entry.state().0)).collect()
    }

    /// The Planets whose state is another one than before, and the one of that name.
    pub(super) fn changed_since(&self, before: &BTreeMap<String, State>, name: Option<&str>) -> Report {
        let mut planets = self.graph().planets;
        planets.retain(|node| before.get(&node.name) != Some(&node.state) || Some(node.name.as_str()) == name);
        Report { planets }
    }
}

/// Calls that are held up, until this is dropped.
pub(super) struct HeldUp<'a>(pub(super) &'a Arc<Planet>);

impl Drop for HeldUp<'_> {
    fn drop(&mut self) {
        self.0.let_calls_in();
    }
}

/// Why a Planet does not come to be changed.
pub(super) fn why_busy(busy: &Busy) -> String {
    match busy {
        Busy::Calls => "calls that were being answered did not end in time".to_owned(),
        Busy::Held(holders) => {
            let holders = name_list(holders.iter().map(|holder| &**holder));
            format!("{holders} went on using it in a call that did not end in time")
        }
        Busy::Ended => "it has ended meanwhile".to_owned(),
    }
}

pub(super) fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The entry of this name, or an error that names similar ones.
pub(super) fn entry_mut<'a>(registry: &'a mut Registry, name: &str) -> Result<&'a mut crate::registry::Entry, Error> {
    if !registry.entries.contains_key(name) {
        let nearest = nearest(name, registry.entries.keys().map(String::as_str));
        return Err(Kind::NoPlanet { name: name.to_owned(), nearest }.into());
    }
    Ok(registry.entries.get_mut(name).expect("it is there"))
}

/// An error if the call that a change is a part of has come through one of the Planets that it concerns; the last of `names` is the
/// one that is asked for.
pub(super) fn not_in_chain(
    registry: &Registry,
    around: Option<&Call>,
    change: &'static str,
    names: &[String],
) -> Result<(), Error> {
    let Some(call) = around else { return Ok(()) };
    let asked = || names.last().cloned().unwrap_or_default();
    let held = names.iter().find(|name| registry.entries.get(*name).is_some_and(|entry| call.holds(&entry.id)));
    if let Some(held) = held {
        return Err(Kind::HeldByOwnCall { change, planet: asked(), held: held.clone() }.into());
    }
    let concerned =
        names.iter().find(|name| registry.entries.get(*name).is_some_and(|entry| call.came_through(&entry.id)));
    match concerned {
        Some(through) => {
            let chain = call.chain().iter().map(|name| name.to_string()).collect();
            Err(Kind::InOwnChain { change, planet: asked(), through: through.clone(), chain }.into())
        }
        None => Ok(()),
    }
}
