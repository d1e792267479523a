//! Brings all Planets to where the plan wants them: who can run starts, who cannot has a reason to wait.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::Primary;
use super::load::off_the_async_threads;
use crate::interface::InterfaceName;
use crate::link::{Target, link};
use crate::planet::{Planet, Start};
use crate::registry::{Entry, Reason, Registry, State};
use crate::resolve::{Member, Outsider, Plan, Problem, Provider, resolve};

impl Primary {
    /// Plans and starts until there is nothing left to start. A Planet that fails to start makes the plan anew, without it.
    pub(super) async fn settle(&self) {
        loop {
            let plan = {
                let mut registry = self.registry();
                let plan = self.plan(&registry);
                apply(&mut registry, &plan);
                plan
            };
            self.compile(&plan).await;
            let mut failed = false;
            for name in &plan.order {
                failed = !self.start(name).await;
                if failed {
                    break;
                }
            }
            if !failed {
                break;
            }
        }
    }

    fn plan(&self, registry: &Registry) -> Plan {
        let mut problem = Problem {
            host: self.shared.services.iter().map(|service| service.name.clone()).collect(),
            unfit: &registry.unfit,
            preferred: &self.shared.preferred,
            members: BTreeMap::new(),
            outsiders: BTreeMap::new(),
        };
        for (name, entry) in &registry.entries {
            let Some(inspection) = &entry.inspection else { continue };
            let manifest = &inspection.manifest;
            let (state, _) = entry.state();
            if matches!(state, State::Waiting | State::Running) {
                let bound = (state == State::Running).then(|| bound(entry));
                problem
                    .members
                    .insert(name, Member { manifest, provides: &manifest.provides, withheld: &entry.withheld, bound });
            } else {
                let reason = format!("it is {}", entry.summary());
                problem.outsiders.insert(name, Outsider { provides: &manifest.provides, reason });
            }
        }
        resolve(&problem)
    }

    /// Compiles what is about to start and is not compiled yet, all at once and off the async threads.
    async fn compile(&self, plan: &Plan) {
        let at_once = std::thread::available_parallelism().map_or(1, usize::from);
        let places = Arc::new(Semaphore::new(at_once));
        let mut jobs = Vec::new();
        for name in &plan.order {
            let entry = &self.registry().entries[name];
            if let (Some(bytes), Some(inspection)) = (entry.bytes.clone(), entry.inspection.clone()) {
                let (engine, places) = (self.shared.engine.clone(), Arc::clone(&places));
                let job = async move {
                    let _place = places.acquire_owned().await;
                    off_the_async_threads(move || engine.compile(&inspection.sha256, &bytes)).await
                };
                jobs.push((name.clone(), tokio::spawn(job)));
            }
        }
        for (name, job) in jobs {
            let compiled = match job.await {
                Ok(compiled) => compiled.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            let mut registry = self.registry();
            let entry = registry.entries.get_mut(&name).expect("entries stay while a load goes on");
            match compiled {
                Ok(component) => {
                    entry.component = Some(component);
                    entry.bytes = None;
                }
                Err(error) => entry.become_(State::Failed, Some(format!("it cannot be compiled: {error}").into())),
            }
        }
    }

    /// Starts one Planet whose providers run; says whether it runs now.
    async fn start(&self, name: &str) -> bool {
        let (component, inspection, bindings, grants) = {
            let mut registry = self.registry();
            bind(&registry, name);
            if !is_served(&registry, name) {
                return false;
            }
            let entry = registry.entries.get_mut(name).expect("the plan knows only entries");
            let (Some(component), Some(inspection)) = (entry.component.clone(), entry.inspection.clone()) else {
                return false;
            };
            entry.become_(State::Starting, Some("it is starting".into()));
            (component, inspection, Arc::clone(&entry.bindings), entry.grants.clone())
        };
        let mut unfinished = Unfinished { primary: self, name, over: false };
        let shared = &self.shared;
        let linked = link(&shared.linker, &component, &inspection, &bindings, &shared.services);
        let started = match linked {
            Ok(linked) => {
                let start = Start {
                    engine: &shared.engine,
                    name: name.into(),
                    linked: &linked,
                    inspection: &inspection,
                    grants: &grants,
                    limits: &shared.limits,
                    budget: &shared.budget,
                };
                Planet::start(start).await.map_err(|error| error.to_string())
            }
            Err(error) => Err(format!("it cannot be linked: {error:#}")),
        };
        unfinished.over = true;
        let mut registry = self.registry();
        let entry = registry.entries.get_mut(name).expect("entries stay while a load goes on");
        match started {
            Ok(planet) => {
                entry.become_(State::Running, None);
                entry.planet = Some(planet);
                registry.order.push(name.to_owned());
                serve_earlier(&registry, name);
                drop(registry);
                tracing::debug!(target: "kokoro", planet = name, "running");
                true
            }
            Err(reason) => {
                entry.become_(State::Failed, Some(reason.as_str().into()));
                drop(registry);
                tracing::warn!(target: "kokoro", planet = name, "failed: {reason}");
                false
            }
        }
    }
}

/// A start that goes on. If a panic (of a function that the application serves) ends it, the Planet has failed.
struct Unfinished<'a> {
    primary: &'a Primary,
    name: &'a str,
    over: bool,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.over
            && let Some(entry) = self.primary.registry().entries.get_mut(self.name)
        {
            entry.become_(State::Failed, Some("a panic of the application ended its start".into()));
        }
    }
}

/// What is bound and shall stay so. An import whose provider has ended may get another.
fn bound(entry: &Entry) -> BTreeMap<InterfaceName, Provider> {
    let stays = |import: &InterfaceName| match entry.bindings.planets.get(import) {
        Some(binding) => binding.target().is_some_and(|target| target.planet.ended().is_none()),
        None => true,
    };
    let providers = entry.providers.iter().filter(|(import, _)| stays(import));
    providers.map(|(import, provider)| (import.clone(), provider.clone())).collect()
}

/// Whether all that a Planet requires still runs: a provider may have ended since the plan was made.
fn is_served(registry: &Registry, name: &str) -> bool {
    let entry = &registry.entries[name];
    let requires = entry.inspection.iter().flat_map(|inspection| &inspection.manifest.requires);
    requires.into_iter().all(|import| entry.bindings.is_bound(import))
}

/// Writes down who serves whom, and who waits for what.
fn apply(registry: &mut Registry, plan: &Plan) {
    for (name, waiting) in &plan.waiting {
        let entry = registry.entries.get_mut(name).expect("the plan knows only entries");
        entry.become_(State::Waiting, Some(Reason { sentence: waiting.to_string(), details: format!("{waiting:#}") }));
    }
    for (name, providers) in &plan.bindings {
        let entry = registry.entries.get_mut(name).expect("the plan knows only entries");
        entry.providers = providers.clone();
        if entry.is_running() {
            bind(registry, name);
        }
    }
}

/// Points the imports of one Planet at their providers, as far as those run.
fn bind(registry: &Registry, name: &str) {
    let entry = &registry.entries[name];
    for (import, binding) in &entry.bindings.planets {
        match entry.providers.get(import).and_then(|provider| target(registry, provider)) {
            Some(target) => binding.point_at(Some(target)),
            // A required provider that has ended stays, and says why it cannot answer.
            None if entry.is_running() && is_required(entry, import) => {}
            None => binding.point_at(None),
        }
    }
}

fn is_required(entry: &Entry, import: &InterfaceName) -> bool {
    entry.inspection.as_ref().is_some_and(|inspection| inspection.manifest.requires.contains(import))
}

fn target(registry: &Registry, provider: &Provider) -> Option<Target> {
    match provider {
        Provider::Host => None,
        Provider::Planet { name, export } => {
            let planet = registry.entries.get(name)?.planet.clone()?;
            Some(Target { planet, export: export.to_string().into() })
        }
    }
}

/// Points optional imports at a Planet that has started after those who want it (which a circle can make necessary).
fn serve_earlier(registry: &Registry, started: &str) {
    for entry in registry.entries.values().filter(|entry| entry.planet.is_some()) {
        for (import, provider) in &entry.providers {
            if matches!(provider, Provider::Planet { name, .. } if name == started)
                && let Some(binding) = entry.bindings.planets.get(import)
            {
                binding.point_at(target(registry, provider));
            }
        }
    }
}
