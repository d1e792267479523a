//! What becomes of a Planet whose instance ended in an error: it is started anew, or has failed.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::change::first_line;
use super::settle::{Anew, Recipe, StartError, Started, Unfinished, apply, is_served, waiting_reason};
use super::{Life, Primary, Shared};
use crate::planet::{Cause, End, Loss, Outlook, Planet, Watcher};
use crate::registry::{Reason, Registry, State};
use crate::resolve::Plan;
use crate::restarts::Verdict;

impl Primary {
    /// Watches over a Planet for as long as this Primary is there.
    pub(super) fn watcher(&self) -> Watcher {
        let primary = Arc::downgrade(&self.shared);
        Watcher(Arc::new(move |planet, loss| match primary.upgrade() {
            Some(shared) => Primary { shared }.instance_lost(planet, loss),
            None => Outlook::Over,
        }))
    }

    fn instance_lost(&self, planet: &Arc<Planet>, loss: &Loss) -> Outlook {
        let name: &str = planet.name();
        let restarts = &self.shared.restarts;
        let mut registry = self.registry();
        // One that is being stopped is not started anew.
        if !is_this(&registry, planet) {
            return Outlook::Over;
        }
        let entry = registry.entries.get_mut(name).expect("it is there");
        match entry.history.ended(restarts, &loss.reason, Some(loss.began), Instant::now(), loss.pays) {
            Verdict::Restart(_) if !is_served(&registry, name) => {
                let plan = self.plan(&registry, &Anew::default());
                self.halt(&mut registry, &plan, name);
                self.settle_soon();
                Outlook::Over
            }
            Verdict::Restart(pause) => {
                registry.change(name, State::Starting, Some(anew(&loss.reason)));
                self.shared.runtime.spawn(revive(Arc::downgrade(&self.shared), Arc::clone(planet), pause));
                Outlook::Restart { calls_wait: restarts.calls_wait }
            }
            Verdict::GiveUp => {
                self.give_up(&mut registry, name, &loss.reason);
                Outlook::Over
            }
        }
    }

    /// The Planet has failed. Those whom it has served are bound elsewhere at once, as far as that is possible; those who
    /// require it and have nobody else are stopped, in a while. Whoever calls this closes the Planet afterwards.
    pub(super) fn give_up(&self, registry: &mut Registry, name: &str, reason: &str) {
        let now = Instant::now();
        let entry = registry.entries.get_mut(name).expect("only what is in the registry fails");
        let mut told: Vec<String> = entry.history.told(now).collect();
        entry.planet = None;
        let mut details = reason.to_owned();
        if told.len() > 1 {
            told.reverse();
            details += &format!("\n  it ended {} times, and is not started anew:", told.len());
            for end in told {
                details += &format!("\n    {}", first_line(&end));
            }
        }
        let among = registry.surroundings(name);
        registry.change(name, State::Failed, Some(details.into()));
        if let Some(entry) = registry.entries.get_mut(name) {
            entry.failed_among = Some(among);
            entry.providers.clear();
        }
        let plan = self.plan(registry, &Anew::default());
        apply(registry, &plan);
        self.rebind(registry, &Anew::default());
        for stopped in &plan.stops {
            let planet = registry.entries.get(stopped).and_then(|entry| entry.planet.clone());
            if planet.is_some_and(|planet| planet.is_restarting()) {
                self.halt(registry, &plan, stopped);
            }
        }
        self.settle_soon();
    }

    /// Settles in a task of its own, when no change is under way.
    fn settle_soon(&self) {
        let primary = self.clone();
        self.shared.runtime.spawn(async move {
            let life = primary.shared.changing.lock().await;
            if *life == Life::Open {
                primary.settle(&Anew::default()).await;
            }
        });
    }
}

impl Primary {
    /// Has a Planet wait that has no instance, and lacks what it requires: it need not be started anew before it is stopped.
    fn halt(&self, registry: &mut Registry, plan: &Plan, name: &str) {
        let reason = match plan.waiting.get(name) {
            Some(waiting) => waiting_reason(waiting),
            None => "what it requires has ended".into(),
        };
        registry.change(name, State::Stopping, Some("it has ended, and so has what it requires".into()));
        registry.change(name, State::Waiting, Some(reason));
        let entry = registry.entries.get_mut(name).expect("it has just been changed");
        entry.providers.clear();
        if let Some(planet) = entry.planet.take() {
            planet.close(End { reason: "it has ended, and so has what it requires".into(), stopped: false });
        }
    }
}

fn anew(reason: &str) -> Reason {
    format!("it is started anew: {reason}").into()
}

/// Whether it is this Planet that is known by its name, and it lives.
pub(super) fn is_this(registry: &Registry, planet: &Arc<Planet>) -> bool {
    let entry = registry.entries.get(&**planet.name()).filter(|entry| entry.lives());
    entry.and_then(|entry| entry.planet.as_ref()).is_some_and(|known| Arc::ptr_eq(known, planet))
}

/// Starts a Planet anew, after a pause, until it runs or has used up its restarts.
async fn revive(primary: Weak<Shared>, planet: Arc<Planet>, mut pause: Duration) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = planet.restarted() => return,
        }
        let Some(shared) = primary.upgrade() else { return };
        let primary = Primary { shared };
        let _change = planet.change().await;
        // Somebody else may have started it anew, or stopped it.
        if !planet.is_restarting() {
            return;
        }
        match primary.start_anew(&planet).await {
            Some(next) => pause = next,
            None => return,
        }
    }
}

impl Primary {
    /// Starts a Planet anew that has no instance. If that fails and is to be tried again: after which pause.
    async fn start_anew(&self, planet: &Arc<Planet>) -> Option<Duration> {
        let name: &str = planet.name();
        let recipe = {
            let registry = self.registry();
            match is_this(&registry, planet) {
                true => Recipe::of(&registry, name)?,
                false => return None,
            }
        };
        let call = self.life_cycle_call(self.shared.limits.start);
        planet.note_turn_of(Some(&call));
        let unfinished = Unfinished::new(self, name, Some(planet));
        // If it is stopped meanwhile, the start goes on where nobody waits for it: others may be executing calls of it.
        let (primary, begun) = (self.clone(), call.clone());
        let start = self.to_the_end(async move { primary.instantiate(recipe, &begun).await });
        let started = tokio::select! {
            started = start => started,
            () = planet.closed() => {
                unfinished.over();
                planet.note_turn_of(None);
                return None;
            }
        };
        planet.note_turn_of(None);
        unfinished.over();
        let error = match started {
            Ok(Started { instance, .. }) => {
                let mut again = false;
                {
                    let mut registry = self.registry();
                    if !is_this(&registry, planet) {
                        return None;
                    }
                    registry.change(name, State::Running, None);
                    // Who could not start because of it may try again: once, since it may be the one to blame after all.
                    for entry in registry.entries.values_mut() {
                        if entry.failed_through.take_if(|through| **through == *name).is_some() && !entry.tried_again {
                            (entry.try_again, entry.tried_again) = (true, true);
                            again = true;
                        }
                    }
                }
                // If it has been stopped meanwhile, this instance goes with it.
                let _ = planet.seat(instance).await;
                if again {
                    self.settle_soon();
                }
                return None;
            }
            Err(error) => error,
        };
        let (pays, final_) = match &error {
            StartError::Link(_) => (true, true),
            StartError::Satellite(_) => (true, false),
            // It has said itself that it cannot start.
            StartError::Call(error) => (error.cause.is_own_doing(), matches!(error.cause, Cause::Refused(_))),
        };
        let reason = error.to_string();
        let sentence = first_line(&reason);
        let mut registry = self.registry();
        if !is_this(&registry, planet) {
            return None;
        }
        let entry = registry.entries.get_mut(name).expect("it is there");
        match entry.history.ended(&self.shared.restarts, sentence, None, Instant::now(), pays) {
            Verdict::Restart(pause) if !final_ => {
                registry.change(name, State::Starting, Some(anew(sentence)));
                Some(pause)
            }
            _ => {
                self.give_up(&mut registry, name, &reason);
                drop(registry);
                planet.close(End { reason: sentence.into(), stopped: false });
                None
            }
        }
    }
}
