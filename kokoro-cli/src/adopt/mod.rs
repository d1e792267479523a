//! `kokoro adopt`

mod listed;
mod manifest;
mod section;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use kokoro_host::{InspectError, Inspection};
use serde_json::{Map, Value};
use tempfile::NamedTempFile;

pub(crate) use self::listed::Listed;
use self::manifest::{Permission, Satellite};
use self::section::Bare;
use crate::failure::Failure;
use crate::output;

/// The options of `kokoro adopt`.
#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// The component
    file: PathBuf,
    /// Where the component goes that has the manifest; without it, FILE is replaced
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Prints the manifest that it would have as JSON, and writes nothing
    #[arg(long, conflicts_with = "output")]
    show: bool,
    /// Forgets the manifest that it has, and begins with none
    #[arg(long)]
    clear: bool,
    /// Begins with this manifest, a JSON file, instead of the one that it has
    #[arg(long, value_name = "JSON_FILE", conflicts_with = "clear")]
    manifest: Option<PathBuf>,
    #[command(flatten)]
    said: Said,
}

/// What the manifest is to say. What is not named stays as it is.
#[derive(Debug, Args)]
pub(crate) struct Said {
    /// Its name: letters, digits, dashes, dots and underscores; without one it goes by its file's
    #[arg(long)]
    pub(super) name: Option<String>,
    /// Its version, as in 1.0.0
    #[arg(long)]
    pub(super) version: Option<String>,
    /// An interface without which it does not start, as in acme:log/sink@1.2.0; what it imports and lists nowhere is required anyway
    #[arg(long, value_name = "INTERFACE")]
    pub(super) requires: Vec<String>,
    /// An interface that it uses if somebody provides it
    #[arg(long, value_name = "INTERFACE")]
    pub(super) optional: Vec<String>,
    /// What it asks to be allowed: read=DIR, write=DIR, env=NAME, http=HOST or net; asking grants nothing
    #[arg(long, value_name = "PERMISSION", value_parser = Permission::parse)]
    pub(super) permission: Vec<Permission>,
    /// A native program that is to serve an interface to it: INTERFACE=PROGRAM, and after a colon what differs from the usual,
    /// as in acme:images/codec@1.0.0=image-codec:optional,start=planet,reload=keep
    #[arg(long, value_name = "INTERFACE=PROGRAM", value_parser = Satellite::parse)]
    pub(super) satellite: Vec<Satellite>,
    /// What the application is to read: JSON of its own, which Kokoro does not look into; null takes it away
    #[arg(long, value_name = "JSON", value_parser = json)]
    pub(super) app: Option<Value>,
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("this is not JSON: {error}; write text as '\"text\"'"))
}

impl Adopt {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let Self { file, output, show, clear, manifest, said } = self;
        if said.is_empty() && !show && !clear && manifest.is_none() {
            return Err(Failure::input(
                "nothing is said about the planet (plugin)\n  help: `--name`, `--optional` and others say something, `--show` prints \
                 what is there; `kokoro adopt --help` lists them",
            ));
        }
        let bytes = fs::read(&file)
            .map_err(|error| Failure::input(format!("the file `{}` cannot be read: {error}", file.display())))?;
        let no_planet =
            |error: InspectError| Failure::input(format!("`{}` cannot be adopted: {error}", file.display()));
        let bare = match Bare::of(&bytes) {
            Ok(bare) => bare,
            // What reads whole components says better what is wrong.
            Err(error) => {
                let inspected = kokoro_host::inspect("planet", &bytes);
                return Err(no_planet(inspected.err().unwrap_or(InspectError::Undecodable(error.to_string()))));
            }
        };
        let component = kokoro_host::inspect("planet", &bare.bytes).map_err(no_planet)?;
        let begin = match (&manifest, clear) {
            (Some(path), _) => from_file(path)?,
            (None, true) => Map::new(),
            (None, false) => match &bare.manifest {
                Some(manifest) => own(manifest).map_err(|problem| {
                    Failure::input(format!(
                        "`{}` has a manifest that is not understood: {problem}\n  help: `--clear` begins without it",
                        file.display()
                    ))
                })?,
                None => Map::new(),
            },
        };
        let manifest = manifest::change(begin, &said, &component).map_err(Failure::Input)?;
        let target = output.as_deref().unwrap_or(&file);
        let adopted = match manifest.is_empty() {
            true => bare.bytes.clone(),
            false => bare.with(Value::Object(manifest.clone()).to_string().as_bytes()),
        };
        // What the host would not take is not written.
        let stem = target.file_stem().unwrap_or_default().to_string_lossy();
        let inspection = kokoro_host::inspect(&stem, &adopted)
            .map_err(|error| Failure::input(format!("the manifest would not be understood: {error}")))?;
        let listed = Listed::of(&manifest);
        if let Some(problem) = listed.problem(&inspection) {
            return Err(Failure::Input(problem));
        }
        let answer = match show {
            true => serde_json::to_string_pretty(&manifest).map_err(Failure::failed)? + "\n",
            false => {
                write(target, &adopted, &file)?;
                summary(target, &inspection)
            }
        };
        output::print(&answer)?;
        for note in listed.notes(&inspection).iter().chain(&inspection.notes) {
            // Where nobody reads the notes, what was asked for is done all the same.
            let _ = writeln!(io::stderr().lock(), "note: {note}");
        }
        Ok(())
    }
}

fn summary(target: &Path, inspection: &Inspection) -> String {
    let manifest = &inspection.manifest;
    let version = manifest.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let target = target.display();
    format!(
        "wrote {target}: the planet (plugin) `{}`{version}; `kokoro inspect {target}` shows all of it\n",
        manifest.name
    )
}

/// The manifest in a file, as it stands there.
fn from_file(path: &Path) -> Result<Map<String, Value>, Failure> {
    let problem = |problem: &dyn std::fmt::Display| {
        Failure::input(format!("the manifest `{}` cannot be used: {problem}", path.display()))
    };
    let text = fs::read(path).map_err(|error| problem(&error))?;
    own(&text).map_err(|error| problem(&error))
}

/// A manifest without what is null, which is the same as not there.
fn own(text: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
    let map: Map<String, Value> = serde_json::from_slice(text)?;
    Ok(map.into_iter().filter(|(_, value)| !value.is_null()).collect())
}

/// Writes all of a file or nothing: whoever loads it meanwhile gets the old one or the new one. It may be used by whom `like` may be.
fn write(target: &Path, bytes: &[u8], like: &Path) -> Result<(), Failure> {
    let problem = |error: io::Error| Failure::failed(format!("`{}` cannot be written: {error}", target.display()));
    // What a link leads to is replaced, not the link.
    let target = match fs::canonicalize(target) {
        Ok(place) if place.is_file() => place,
        Ok(_) => return Err(problem(io::Error::other("it is not a regular file"))),
        Err(_) => target.to_owned(),
    };
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(problem(io::Error::other(format!("there is no folder `{}`", folder.display()))));
    }
    let mut file = NamedTempFile::new_in(folder).map_err(problem)?;
    file.write_all(bytes).map_err(problem)?;
    let permissions = fs::metadata(like).map_err(problem)?.permissions();
    file.as_file().set_permissions(permissions).map_err(problem)?;
    file.persist(&target).map_err(|error| problem(error.error))?;
    Ok(())
}
