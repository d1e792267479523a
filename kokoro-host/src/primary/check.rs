//! What would become of Planets: found out by the same steps as when they are loaded, up to where they would be compiled.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use super::settle::{Anew, apply};
use super::{Builder, Primary};
use crate::error::Error;
use crate::graph::Graph;
use crate::inspect::{Inspection, Interface};
use crate::interface::InterfaceName;
use crate::link::Service;
use crate::registry::State;
use crate::resolve::{Dependency, explain, resolve};

/// Finds out what would become of Planets (plugins) in a Primary like this one, without compiling or running anything of them: made by
/// [`Builder::check`].
#[must_use = "nothing is checked until `dir`"]
pub struct Check {
    builder: Builder,
    cannot_start: Vec<Reason>,
}

/// Why a component cannot be started.
type Reason = Box<dyn Fn(&Inspection) -> Option<String> + Send + Sync>;

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("builder", &self.builder).finish_non_exhaustive()
    }
}

/// What would become of Planets (plugins).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Checked {
    /// The Planets as they would be: who is `running` would be started, with these providers and in this order; who is not has the
    /// reason. Whether a start would come to a good end is not known: nothing runs.
    pub graph: Graph,
    /// What each component is, by the name that its Planet has in the graph. Those of which no Planet can be made are missing.
    pub inspections: BTreeMap<String, Inspection>,
    /// By the name of the Planet: for each of its imports, who would serve it, who else could, and why not.
    pub dependencies: BTreeMap<String, Vec<Dependency>>,
}

impl Builder {
    /// Instead of a Primary, makes what finds out what would become of Planets in it.
    ///
    /// ```
    /// # async fn example() -> Result<(), kokoro_host::Error> {
    /// let checked = kokoro_host::Primary::builder().check().dir("plugins").await?;
    /// assert!(checked.all_would_start(), "{}", checked.graph);
    /// # Ok(())
    /// # }
    /// ```
    pub fn check(self) -> Check {
        Check { builder: self, cannot_start: Vec::new() }
    }
}

impl Check {
    /// Acts as if the application served an interface of these types, as [`Builder::serve`] has it do.
    pub fn serve_types(mut self, name: InterfaceName, types: Interface) -> Self {
        self.builder = self.builder.serve(Service::of_types(name, types));
        self
    }

    /// Acts as if those Planets failed to start for which there is a `reason`, as a sentence. That is for what else only linking or running
    /// them would tell. Nobody is bound to them.
    pub fn cannot_start(mut self, reason: impl Fn(&Inspection) -> Option<String> + Send + Sync + 'static) -> Self {
        self.cannot_start.push(Box::new(reason));
        self
    }

    /// Reads all files `*.wasm` of a directory, has the application decide about them if it wants to, and plans. The programs of Satellites
    /// (native child processes) that would be granted are looked at, and not started.
    ///
    /// # Errors
    ///
    /// If the directory cannot be read, or as for [`Builder::build`]: it needs a tokio runtime as well.
    pub async fn dir(self, path: impl AsRef<Path>) -> Result<Checked, Error> {
        let primary = self.builder.build()?;
        let set = primary.look_at_directory(path.as_ref().to_owned()).await?;
        primary.register_set(set);
        primary.fail_those_who(|inspection| self.cannot_start.iter().find_map(|reason| reason(inspection)));
        Ok(primary.foresee())
    }
}

impl Checked {
    /// Whether there is none that would not be started.
    pub fn all_would_start(&self) -> bool {
        self.graph.planets.iter().all(|node| node.state == State::Running)
    }
}

impl Primary {
    /// Puts down as failed who waits to be started and cannot be, for the reason that is given.
    fn fail_those_who(&self, cannot_start: impl Fn(&Inspection) -> Option<String>) {
        let mut registry = self.registry();
        let waiting = registry.entries.iter().filter(|(_, entry)| entry.state().0 == State::Waiting);
        let failing =
            waiting.filter_map(|(name, entry)| Some((name.clone(), cannot_start(entry.inspection.as_deref()?)?)));
        for (name, reason) in failing.collect::<Vec<_>>() {
            registry.change(&name, State::Failed, Some(reason.into()));
        }
    }

    /// What would become of those who wait if all that the plan starts came to run.
    fn foresee(&self) -> Checked {
        let mut registry = self.registry();
        let problem = self.problem(&registry, &Anew::default());
        let plan = resolve(&problem);
        let mut inspections = BTreeMap::new();
        let mut dependencies = BTreeMap::new();
        for (name, entry) in &registry.entries {
            let Some(inspection) = entry.inspection.as_deref() else { continue };
            inspections.insert(name.clone(), inspection.clone());
            dependencies.insert(name.clone(), explain(&problem, &plan, name, &inspection.manifest));
        }
        apply(&mut registry, &plan);
        for name in &plan.order {
            registry.change(name, State::Starting, Some("it would be starting".into()));
            registry.change(name, State::Running, None);
            registry.has_started(name);
        }
        Checked { graph: Graph::of(&registry), inspections, dependencies }
    }
}
