//! The crate that a macro is called in.

use std::path::PathBuf;

use crate::wit::WitError;

/// What a macro knows of the crate that calls it.
#[derive(Debug)]
pub(crate) struct Surroundings {
    /// The folder of the crate's `Cargo.toml`.
    pub(crate) manifest_dir: PathBuf,
    /// The folder of the file with the call, if the compiler tells.
    pub(crate) source_dir: Option<PathBuf>,
    /// The crate's name.
    pub(crate) name: String,
    /// The crate's version.
    pub(crate) version: String,
}

impl Surroundings {
    /// Those of the macro call that is being expanded.
    pub(crate) fn of_call() -> Self {
        let variable = |name| std::env::var(name).unwrap_or_default();
        let file = proc_macro::Span::call_site().local_file();
        Self {
            manifest_dir: variable("CARGO_MANIFEST_DIR").into(),
            source_dir: file.and_then(|file| Some(std::path::absolute(file).ok()?.parent()?.to_owned())),
            name: variable("CARGO_PKG_NAME"),
            version: variable("CARGO_PKG_VERSION"),
        }
    }

    /// Where `path` is: next to Cargo.toml, or else next to the file with the call.
    pub(crate) fn find(&self, path: &str) -> Result<PathBuf, WitError> {
        let places = [
            (Some(&self.manifest_dir), "next to Cargo.toml"),
            (self.source_dir.as_ref(), "next to the file of this call"),
        ];
        let mut tried = Vec::new();
        for (dir, place) in places {
            let Some(dir) = dir else { continue };
            let candidate = dir.join(path);
            if candidate.exists() {
                return Ok(candidate);
            }
            tried.push(place);
        }
        Err(WitError::Missing { path: path.to_owned(), places: tried })
    }
}
