//! How a folder is loaded: what its Planets (plugins) are granted, and where their compiled code is kept.

use std::path::Path;

use clap::Args;
use kokoro_host::{Admission, Engine, Primary, Report};

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
        let builder = Primary::builder().engine(&engine.build().map_err(Failure::failed)?).admit(move |planet| {
            hints.admitted(planet.name(), &planet.manifest().permissions, grants.summary());
            Admission::granted(grants.clone())
        });
        builder.build().map_err(Failure::failed)
    }

    /// The same with the Planets of a folder.
    pub(crate) async fn load(&self, dir: &Path, hints: &Hints) -> Result<(Primary, Report), Failure> {
        let primary = self.primary(hints)?;
        let report = primary.load_dir(dir).await.map_err(Failure::input)?;
        Ok((primary, report))
    }
}
