//! How a folder is loaded: what its Planets (plugins) are granted, and where their compiled code is kept.

use std::collections::BTreeSet;
use std::path::Path;

use clap::Args;
use kokoro_host::{Admission, Engine, Grants, Primary, Report, SatelliteGrant};

use crate::failure::Failure;
use crate::hints::Hints;
use crate::permissions::Allowed;

/// The options of every command that runs Planets.
#[derive(Debug, Args)]
pub(crate) struct Setup {
    /// Compiles all planets (plugins) anew, and keeps no compiled code in the user's cache directory
    #[arg(long)]
    no_cache: bool,
    #[command(flatten)]
    allowed: Allowed,
}

impl Setup {
    /// A Primary that grants what is allowed to each Planet.
    pub(crate) fn primary(&self, hints: &Hints) -> Result<Primary, Failure> {
        let (grants, hints) = (self.allowed.grants()?, hints.clone());
        let engine = match self.no_cache {
            true => Engine::builder(),
            false => Engine::builder().cache_in_user_dir("kokoro"),
        };
        let owners = self.allowed.satellites().to_vec();
        let builder = Primary::builder().engine(&engine.build().map_err(Failure::failed)?);
        let builder = if owners.is_empty() { builder } else { builder.allow_satellites() };
        let builder = builder.admit(move |planet| {
            let manifest = planet.manifest();
            let programs: BTreeSet<&str> = match owners.contains(&manifest.name) {
                true => manifest.satellites.iter().map(|satellite| satellite.program.as_str()).collect(),
                false => BTreeSet::new(),
            };
            let own = programs.into_iter().map(SatelliteGrant::program);
            let grants = own.fold(grants.clone(), Grants::satellite);
            hints.admitted(manifest, grants.summary());
            Admission::granted(grants)
        });
        builder.build().map_err(Failure::failed)
    }

    /// The same with the Planets of a folder.
    pub(crate) async fn load(&self, dir: &Path, hints: &Hints) -> Result<(Primary, Report), Failure> {
        self.check(dir)?;
        let primary = self.primary(hints)?;
        let report = primary.load_dir(dir).await.map_err(Failure::input)?;
        Ok((primary, report))
    }

    /// An error if the options name a Planet that they do not help; before anything of the folder runs. One whose file cannot be
    /// read may be meant: of that, loading tells.
    pub(crate) fn check(&self, dir: &Path) -> Result<(), Failure> {
        let mut unhelped = self.allowed.satellites().to_vec();
        for entry in dir.read_dir().into_iter().flatten() {
            let Ok(file) = entry.map(|entry| entry.path()) else { continue };
            if file.extension().is_none_or(|extension| extension != "wasm") {
                continue;
            }
            let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let inspection = std::fs::read(&file).ok().and_then(|bytes| kokoro_host::inspect(&stem, &bytes).ok());
            let helped = match inspection {
                Some(inspection) if inspection.manifest.satellites.is_empty() => continue,
                Some(inspection) => inspection.manifest.name,
                None => stem,
            };
            unhelped.retain(|planet| *planet != helped);
        }
        match unhelped.first() {
            Some(planet) => Err(Failure::Input(format!(
                "--allow-satellite {planet}: there is no planet `{planet}` that asks for satellites\n  \
                 help: `kokoro inspect FILE` shows what one asks for"
            ))),
            None => Ok(()),
        }
    }
}
