//! Why a Planet has the providers that it has, or does not run.

use std::fmt;

use semver::Version;
use serde::Serialize;

use super::Primary;
use super::settle::Anew;
use crate::error::{Error, Kind, nearest};
use crate::registry::State;
use crate::resolve::{Dependency, explain, resolve};

/// Why a Planet (plugin) has the providers that it has, or does not run: for each of its imports who serves it, who else could, and
/// why not.
///
/// Its JSON form (by `serde`) is stable: fields are only ever added. Shown, it has several lines for people.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The Planet's name.
    pub planet: String,
    /// Its version, if it gives one.
    pub version: Option<Version>,
    /// Where it is in its life.
    pub state: State,
    /// Why it does not run, as one sentence; none if it does.
    pub reason: Option<String>,
    /// The reason with everything that helps, on several lines.
    #[serde(skip)]
    pub details: Option<String>,
    /// Its imports, except for those that every Planet is served (WASI, `kokoro:core`).
    pub imports: Vec<Dependency>,
}

impl Primary {
    /// Explains why a Planet has the providers that it has, or does not run.
    ///
    /// ```no_run
    /// # fn example(primary: kokoro_host::Primary) -> Result<(), kokoro_host::Error> {
    /// println!("{}", primary.explain("chat")?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no Planet of this name; the message names similar ones.
    pub fn explain(&self, planet: &str) -> Result<Explanation, Error> {
        let registry = self.registry();
        let Some(entry) = registry.entries.get(planet) else {
            let nearest = nearest(planet, registry.entries.keys().map(String::as_str));
            return Err(Kind::NoPlanet { name: planet.to_owned(), nearest }.into());
        };
        let manifest = entry.inspection.as_ref().map(|inspection| &inspection.manifest);
        let imports = manifest.map(|manifest| {
            let problem = self.problem(&registry, &Anew::default());
            explain(&problem, &resolve(&problem), planet, manifest)
        });
        let (state, reason) = entry.state();
        Ok(Explanation {
            planet: planet.to_owned(),
            version: manifest.and_then(|manifest| manifest.version.clone()),
            state,
            details: reason.as_ref().map(|reason| reason.details.clone()),
            reason: reason.map(|reason| reason.sentence),
            imports: imports.unwrap_or_default(),
        })
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.planet)?;
        if let Some(version) = &self.version {
            write!(f, " {version}")?;
        }
        write!(f, "  {}", self.state)?;
        if let Some(details) = &self.details {
            write!(f, ": {}", details.replace('\n', "\n    "))?;
        }
        for import in &self.imports {
            write!(f, "\n  {}", import.to_string().replace('\n', "\n  "))?;
        }
        if self.imports.is_empty() {
            f.write_str("\n  it imports nothing that another planet could provide")?;
        }
        Ok(())
    }
}
