//! Which Satellites a Planet gets, of those that it asks for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Primary;
use super::load::{Admission, off_the_async_threads};
use crate::admission::{Grants, SatelliteGrant};
use crate::inspect::{Inspection, Interface};
use crate::interface::InterfaceName;
use crate::link::Bindings;
use crate::manifest::{Manifest, SatelliteReload};
use crate::registry::Registry;
use crate::resolve::{Pair, Provider};
use crate::satellite::{Satellite, Terms, check_program};

/// The programs that a Planet asks for, each by its name; or why it does not get it.
pub(super) type Programs = BTreeMap<String, Result<Program, String>>;

/// A program that was looked at.
#[derive(Debug, Clone)]
pub(super) struct Program {
    file: PathBuf,
    /// What it had then.
    sha256: String,
}

/// Where a program lies that comes with the component in `file`, for the target of this build.
pub(crate) fn program_beside(file: &Path, program: &str) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!("{stem}.satellites")).join(SatelliteGrant::TARGET).join(program)
}

impl Primary {
    /// Looks for the programs that a Planet asks for, and at them.
    pub(super) async fn look_for_programs(
        &self,
        file: Option<&Path>,
        manifest: &Manifest,
        grants: &Grants,
    ) -> Programs {
        let mut programs = Programs::new();
        for program in manifest.satellites.iter().map(|satellite| &satellite.program) {
            let found = match self.granted(file, program, grants) {
                Ok((file, grant)) => {
                    let looked_at = off_the_async_threads(move || {
                        check_program(&file, &grant).map(|sha256| Program { file, sha256 })
                    });
                    looked_at.await
                }
                Err(reason) => Err(reason),
            };
            programs.insert(program.clone(), found);
        }
        for granted in grants.satellites.keys().filter(|granted| !programs.contains_key(*granted)) {
            tracing::warn!(
                target: "kokoro", planet = manifest.name,
                "it is granted the satellite `{granted}`, and does not ask for it"
            );
        }
        programs
    }

    /// The file and the grant of a program; or the reason why it cannot be had, which says whose decision that is.
    fn granted(
        &self,
        file: Option<&Path>,
        program: &str,
        grants: &Grants,
    ) -> Result<(PathBuf, SatelliteGrant), String> {
        if !self.shared.has_satellites {
            return Err("the application has no satellites\n  help: an application turns them on with \
                        `Builder::allow_satellites`, and grants each in its admission"
                .to_owned());
        }
        let Some(grant) = grants.satellites.get(program) else {
            return Err("the application does not grant it\n  help: an application grants it in its admission, with \
                        `Grants::satellite`"
                .to_owned());
        };
        match (&grant.file, file) {
            (Some(file), _) => Ok((file.clone(), grant.clone())),
            (None, Some(component)) => Ok((program_beside(component, program), grant.clone())),
            (None, None) => {
                Err("the component was loaded from memory, so that there is no program beside it\n  help: say where \
                                 it is, with `SatelliteGrant::file`"
                    .to_owned())
            }
        }
    }

    /// Puts into `bindings` what Satellites serve to a newcomer, and gives what they cannot, with the reason.
    pub(super) fn bind_satellites(
        &self,
        registry: &Registry,
        name: &str,
        newcomer: &Inspection,
        admission: &Admission,
        bindings: &mut Bindings,
    ) -> Vec<(Pair, String)> {
        let mut unfit = Vec::new();
        let mut by_program: BTreeMap<&str, BTreeMap<InterfaceName, Interface>> = BTreeMap::new();
        for request in &newcomer.manifest.satellites {
            let import = &request.interface;
            if bindings.served.contains_key(import) {
                continue;
            }
            let interface = newcomer.imports.get(import).cloned().unwrap_or_default();
            let available = match admission.programs.get(&request.program) {
                Some(Ok(_)) => no_resources(&interface),
                Some(Err(reason)) => Err(reason.clone()),
                None => Err("nobody has looked for it".to_owned()),
            };
            match available {
                Ok(()) => {
                    by_program.entry(&request.program).or_default().insert(import.clone(), interface);
                }
                Err(reason) => {
                    if newcomer.manifest.optional.contains(import) {
                        let sentence = reason.lines().next().unwrap_or_default();
                        tracing::warn!(
                            target: "kokoro", planet = name,
                            "it does without its satellite `{}`: {sentence}", request.program
                        );
                    }
                    let pair = (name.to_owned(), import.clone(), Provider::Satellite(request.program.clone()));
                    unfit.push((pair, reason));
                }
            }
        }
        for (program, interfaces) in by_program {
            let Some(Ok(Program { file, sha256 })) = admission.programs.get(program) else { continue };
            let Some(grant) = admission.grants.satellites.get(program) else { continue };
            let imports: Vec<InterfaceName> = interfaces.keys().cloned().collect();
            let satellite = self.satellite(
                registry,
                newcomer,
                Terms {
                    planet: name.into(),
                    program: program.into(),
                    file: file.clone(),
                    sha256: sha256.clone(),
                    grant: grant.clone(),
                    interfaces,
                    limits: self.shared.limits.clone(),
                    restarts: self.shared.restarts.clone(),
                    runtime: self.shared.runtime.clone(),
                    census: self.shared.census.clone(),
                },
            );
            bindings.satellites.extend(imports.into_iter().map(|import| (import, Arc::clone(&satellite))));
        }
        unfit
    }

    /// The Satellite of the release that the newcomer follows, if it is to be kept; else one that is new.
    fn satellite(&self, registry: &Registry, newcomer: &Inspection, terms: Terms) -> Arc<Satellite> {
        let requests = newcomer.manifest.satellites.iter().filter(|request| *request.program == *terms.program);
        let keeps =
            requests.clone().count() > 0 && requests.into_iter().all(|request| request.reload == SatelliteReload::Keep);
        let before = registry.entries.get(&*terms.planet).filter(|entry| keeps && entry.lives());
        let kept = before.and_then(|entry| entry.bindings.satellites().find(|old| old.is_like(&terms)).cloned());
        kept.unwrap_or_else(|| Satellite::new(terms))
    }
}

/// Handles mean nothing in another process.
fn no_resources(interface: &Interface) -> Result<(), String> {
    match interface.passes_handles() {
        Some(name) => Err(format!(
            "`{name}` is of a resource, and resources do not cross to another process\n  help: pass plain values, or an id that the \
             satellite gives out"
        )),
        None => Ok(()),
    }
}
