//! The native programs (Satellites) of Planets (plugins), which run only for those that the command line names.

use kokoro_host::{Candidate, Grants, Manifest, SatelliteGrant};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The programs that a Planet may run: the SHA-256 of each, by its name.
pub(crate) type Programs = BTreeMap<String, String>;

/// The programs that `planet` asks for, if it is `allowed` to run them, as they are now.
pub(crate) fn allowed(planet: &Candidate, allowed: &[String]) -> Programs {
    match allowed.iter().any(|name| name == planet.name()) {
        true => asked(planet.manifest(), planet.file()),
        false => Programs::new(),
    }
}

/// The programs that the Planet in `file` asks for, as they are now.
pub(crate) fn asked(manifest: &Manifest, file: Option<&Path>) -> Programs {
    let folder = file.map(|file| file.with_extension("satellites").join(SatelliteGrant::TARGET));
    let hash = |program: &str| {
        // What is not there has the hash of nothing. That it is not there is said by who would start it.
        let path = folder.as_deref().map(|folder| folder.join(Path::new(program).file_name().unwrap_or_default()));
        sha256(&path.and_then(|path| fs::read(path).ok()).unwrap_or_default())
    };
    let programs = manifest.satellites.iter().map(|satellite| &satellite.program);
    programs.map(|program| (program.clone(), hash(program))).collect()
}

/// Permission to run these programs, as they are now and not otherwise. They lie beside the Planet.
pub(crate) fn grants(programs: &Programs) -> Grants {
    programs.iter().fold(Grants::none(), |grants, (program, sha256)| {
        grants.satellite(SatelliteGrant::program(program).sha256(SatelliteGrant::TARGET, sha256))
    })
}

/// The SHA-256 of these bytes, as 64 hexadecimal digits in lower case.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
