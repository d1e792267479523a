//! The native programs (Satellites) of Planets (plugins), which run only for those that the command line names.

use kokoro_host::{Candidate, Grants, Manifest, SatelliteGrant};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

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
        path.and_then(|path| sha256_of(&path).ok()).unwrap_or_else(|| sha256(b""))
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

/// What is known of files by their paths: length, time and SHA-256.
static KNOWN: Mutex<BTreeMap<PathBuf, (u64, SystemTime, String)>> = Mutex::new(BTreeMap::new());

/// The SHA-256 of a file, which is read again only if its length or its time is another. If somebody has hidden that it changed, then it
/// does not start: the permission is for the content that is known here.
fn sha256_of(path: &Path) -> io::Result<String> {
    let metadata = fs::metadata(path)?;
    let (length, modified) = (metadata.len(), metadata.modified()?);
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, _, sha256)) = known().get(path).filter(|known| (known.0, known.1) == (length, modified)) {
        return Ok(sha256.clone());
    }
    let sha256 = sha256(&fs::read(path)?);
    known().insert(path.to_owned(), (length, modified, sha256.clone()));
    Ok(sha256)
}

/// The SHA-256 of these bytes, as 64 hexadecimal digits in lower case.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_read_again_only_when_it_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        fs::write(&program, "first").unwrap();
        assert_eq!(sha256_of(&program).unwrap(), sha256(b"first"));
        let file = fs::File::options().write(true).open(&program).unwrap();
        let time = file.metadata().unwrap().modified().unwrap();
        fs::write(&program, "other").unwrap();
        file.set_modified(time).unwrap();
        assert_eq!(sha256_of(&program).unwrap(), sha256(b"first"), "it was not read");
        file.set_modified(time + std::time::Duration::from_secs(1)).unwrap();
        assert_eq!(sha256_of(&program).unwrap(), sha256(b"other"));
        fs::remove_file(&program).unwrap();
        assert!(sha256_of(&program).is_err());
    }
}
