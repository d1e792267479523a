//! Where the component of a Planet (plugin) is found, or how it is made.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cargo_metadata::{Message, Metadata, MetadataCommand, Package};

const TARGET: &str = "wasm32-wasip2";
const VARIABLE: &str = "KOKORO_PLANETS";

/// Which component a test loads.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// That of the package whose tests these are.
    Own,
    /// That of the package of this name.
    Named(String),
    File(PathBuf),
    Bytes(String, Arc<[u8]>),
}

/// A component that was found.
#[derive(Debug, Clone)]
pub(crate) struct Component {
    /// The name of the file without extension.
    pub(crate) stem: String,
    pub(crate) file: Option<PathBuf>,
    pub(crate) bytes: Arc<[u8]>,
}

impl Source {
    pub(crate) fn component(&self) -> Result<Component, String> {
        let file = match self {
            Self::Bytes(name, bytes) => {
                return Ok(Component { stem: name.clone(), file: None, bytes: Arc::clone(bytes) });
            }
            Self::File(file) => file.clone(),
            Self::Named(name) => found(name)?,
            Self::Own => found(&env::var("CARGO_PKG_NAME").map_err(|_| {
                "`Harness::built` needs to know its package, which cargo says\n  \
                     help: run the tests by `cargo test` or `kokoro test`, or say which file: `Harness::file(..)`"
            })?)?,
        };
        let bytes = std::fs::read(&file).map_err(|error| format!("`{}` cannot be read: {error}", file.display()))?;
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Component { stem, file: Some(file), bytes: bytes.into() })
    }
}

/// The file of a Planet. Each is looked for, and built, once in a process.
fn found(name: &str) -> Result<PathBuf, String> {
    type Found = Arc<OnceLock<Result<PathBuf, String>>>;
    static FOUND: Mutex<BTreeMap<String, Found>> = Mutex::new(BTreeMap::new());
    let slot = Arc::clone(FOUND.lock().unwrap_or_else(PoisonError::into_inner).entry(name.to_owned()).or_default());
    let found = slot.get_or_init(|| match env::var_os(VARIABLE).filter(|folder| !folder.is_empty()) {
        Some(folder) => in_folder(Path::new(&folder), name),
        None => build(name),
    });
    found.clone()
}

/// The file `NAME.wasm` in a folder or below it; of several the one that is the least deep, then the first by name.
fn in_folder(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let mut files = Vec::new();
    collect(folder, 0, &mut files);
    files.sort();
    let stem = |file: &Path| file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if let Some((_, file)) = files.iter().find(|(_, file)| stem(file) == name) {
        return Ok(file.clone());
    }
    let there: Vec<String> = files.iter().map(|(_, file)| format!("`{}`", stem(file))).collect();
    let there = if there.is_empty() { "there is none".to_owned() } else { format!("there is {}", there.join(", ")) };
    Err(format!(
        "there is no `{name}.wasm` in `{}`, where the variable {VARIABLE} says that planets (plugins) are; {there}\n  \
         help: build them (`kokoro build`), or unset the variable, and the test builds what it needs itself",
        folder.display()
    ))
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<(usize, PathBuf)>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, depth + 1, files);
        } else if path.extension().is_some_and(|extension| extension == "wasm") {
            files.push((depth, path));
        }
    }
}

/// Builds the Planet of the package `name` of this workspace. Cargo does nothing if nothing has changed, and lets one at a time
/// into the folder.
fn build(name: &str) -> Result<PathBuf, String> {
    let metadata = metadata()?;
    let package = package(&metadata, name)?;
    let folder = metadata.target_directory.join("kokoro-test");
    let mut cargo = Command::new(cargo());
    // As `kokoro build` does it, but for the flags.
    cargo.args([
        "build",
        "--lib",
        "--profile",
        "release",
        "--target",
        TARGET,
        "--message-format=json-render-diagnostics",
    ]);
    cargo.arg("--manifest-path").arg(&package.manifest_path).arg("--target-dir").arg(&folder);
    // Those that the tests are run with are meant for this machine: its processor, its linker, what coverage needs.
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    let output = cargo.output().map_err(|error| format!("cargo cannot be started to build `{name}`: {error}"))?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        return Err(match told.contains("target may not be installed") {
            true => format!(
                "`{name}` cannot be built: this Rust has no standard library for {TARGET}, which planets (plugins) are built for\n  \
                 help: rustup target add {TARGET}"
            ),
            false => format!("`{name}` cannot be built:\n{}", told.trim_end()),
        });
    }
    let artifacts = Message::parse_stream(&output.stdout[..]).filter_map(|message| match message {
        Ok(Message::CompilerArtifact(artifact)) if artifact.package_id == package.id => Some(artifact),
        _ => None,
    });
    let mut files = artifacts.flat_map(|artifact| artifact.filenames);
    let file = files.find(|file| file.extension() == Some("wasm"));
    file.map(PathBuf::from).ok_or_else(|| no_planet(name))
}

fn no_planet(name: &str) -> String {
    format!(
        "the package `{name}` makes no component\n  \
         help: a planet (plugin) is a library with `crate-type = [\"cdylib\"]`; name another package, `Harness::new(..)`, or a file, \
         `Harness::file(..)`"
    )
}

fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn metadata() -> Result<Metadata, String> {
    let Some(folder) = env::var_os("CARGO_MANIFEST_DIR") else {
        return Err("the tests do not know their package, which cargo says\n  \
                    help: run them by `cargo test` or `kokoro test`, or say which file: `Harness::file(..)`"
            .to_owned());
    };
    let mut command = MetadataCommand::new();
    command.cargo_path(cargo()).manifest_path(Path::new(&folder).join("Cargo.toml")).no_deps();
    command.exec().map_err(|error| format!("cargo does not say what the workspace has: {error}"))
}

fn package<'m>(metadata: &'m Metadata, name: &str) -> Result<&'m Package, String> {
    let is_planet = |package: &&Package| {
        package.targets.iter().any(|target| target.crate_types.iter().any(|ty| ty.to_string() == "cdylib"))
    };
    let packages = || metadata.packages.iter();
    match packages().find(|package| *package.name == name) {
        Some(package) if is_planet(&package) => Ok(package),
        Some(_) => Err(no_planet(name)),
        None => {
            let planets: Vec<String> =
                packages().filter(is_planet).map(|package| format!("`{}`", package.name)).collect();
            Err(format!(
                "this workspace has no package `{name}`; its planets (plugins) are: {}\n  \
                 help: put others into a folder, and the folder's path into the variable {VARIABLE}; or say which file: \
                 `Harness::file(..)`",
                planets.join(", ")
            ))
        }
    }
}
