//! Satellites: the native programs of Planets (plugins), compiled for this machine and put beside them.
//!
//! A package is one if its Cargo.toml says which Planet's package it belongs to. The file is called like the program that cargo
//! makes of it, or as `program` says:
//!
//! ```toml
//! [package.metadata.kokoro]
//! satellite-of = "images"
//! program = "image-codec"
//! ```
//!
//! Scripts need no compiler; the Planet's own package lists them:
//!
//! ```toml
//! [package.metadata.kokoro]
//! planets = "tests"
//! satellite-scripts = { "worker.py" = "../../worker.py" }
//! ```

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::planets::{self, Planet, TESTS};
use crate::process::{self, announce};
use crate::toolchain;
use crate::workspace::Workspace;

/// A program that belongs to a Planet (plugin).
#[derive(Debug)]
pub(crate) struct Satellite {
    /// The Planet's package.
    planet: String,
    /// The folder that the Planet belongs to.
    folder: String,
    /// What the file is called.
    pub(crate) program: String,
    source: Source,
}

/// What the file is made of.
#[derive(Debug)]
enum Source {
    /// A package, and the name of the program in it.
    Package { package: String, binary: String },
    /// A file that is copied.
    Script(PathBuf),
}

impl Satellite {
    /// Whether it exists for tests only.
    pub(crate) fn is_for_tests(&self) -> bool {
        self.folder == TESTS
    }
}

/// The Satellites of these Planets (plugins) among the workspace's packages, by Planet and name.
pub(crate) fn discover(packages: &[Value], planets: &[Planet], all: &[Planet]) -> Result<Vec<Satellite>> {
    let mut satellites = Vec::new();
    for package in packages {
        let name = package["name"].as_str().context("a package without a name")?;
        let metadata = &package["metadata"]["kokoro"];
        if let Some(planet) = metadata.get("satellite-of") {
            let of = planet.as_str().unwrap_or_default();
            if !all.iter().any(|planet| planet.package == of) {
                bail!(
                    "package `{name}`: `satellite-of` under [package.metadata.kokoro] must name the package of a Planet \
                     (plugin), and {planet} is none"
                );
            }
            if let Some(planet) = planets.iter().find(|planet| planet.package == of) {
                satellites.push(compiled(package, name, planet)?);
            }
        }
        if let Some(scripts) = metadata.get("satellite-scripts") {
            let Some(planet) = planets.iter().find(|planet| planet.package == name) else { continue };
            satellites.extend(self::scripts(scripts, package, planet)?);
        }
    }
    satellites.sort_by(|a, b| (&a.planet, &a.program).cmp(&(&b.planet, &b.program)));
    if let Some([one, _]) = satellites.windows(2).find(|two| {
        let [one, other] = two else { return false };
        (&one.planet, &one.program) == (&other.planet, &other.program)
    }) {
        bail!("there are two Satellites `{}` of `{}`; rename one with `program`", one.program, one.planet);
    }
    Ok(satellites)
}

fn compiled(package: &Value, name: &str, planet: &Planet) -> Result<Satellite> {
    let targets = package["targets"].as_array().into_iter().flatten();
    let is_program =
        |target: &&Value| target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "bin"));
    let binaries: Vec<_> = targets.filter(is_program).filter_map(|target| target["name"].as_str()).collect();
    let [binary] = binaries[..] else {
        bail!(
            "package `{name}` is a Satellite (native program of a Planet) and has to make one program (it has src/main.rs alone); \
             it makes {}",
            binaries.len()
        );
    };
    let program = match package["metadata"]["kokoro"].get("program") {
        Some(program) => program.as_str().unwrap_or_default(),
        None => binary,
    };
    check_program(program).with_context(|| format!("package `{name}`: `program` under [package.metadata.kokoro]"))?;
    Ok(Satellite {
        planet: planet.package.clone(),
        folder: planet.folder.clone(),
        program: program.to_owned(),
        source: Source::Package { package: name.to_owned(), binary: binary.to_owned() },
    })
}

fn scripts(scripts: &Value, package: &Value, planet: &Planet) -> Result<Vec<Satellite>> {
    let at = || format!("package `{}`: `satellite-scripts` under [package.metadata.kokoro]", planet.package);
    let scripts = scripts.as_object().with_context(|| format!("{} must be a table of files", at()))?;
    let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
    let folder = manifest.parent().unwrap_or(manifest);
    let script = |(program, path): (&String, &Value)| {
        check_program(program).with_context(at)?;
        let path = path.as_str().with_context(|| format!("{}: `{program}` must name a file", at()))?;
        Ok(Satellite {
            planet: planet.package.clone(),
            folder: planet.folder.clone(),
            program: program.clone(),
            source: Source::Script(folder.join(path)),
        })
    };
    scripts.iter().map(script).collect()
}

/// The rule that the host and `planet!` have.
fn check_program(name: &str) -> Result<()> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if (1..=64).contains(&name.len()) && name.chars().all(is_plain) && !name.starts_with('.') {
        return Ok(());
    }
    bail!("`{name}` has to be a file's name: 1 to 64 ASCII letters, digits, `-`, `_` and `.`, not beginning with `.`")
}

/// Compiles and places them, and removes what none of them claims any more.
pub(crate) fn build(workspace: &Workspace, planets: &[Planet], satellites: &[Satellite]) -> Result<()> {
    let root = planets::folder(workspace);
    if !cfg!(unix) {
        if !satellites.is_empty() {
            announce("satellites: left out, they are not supported on this system yet");
        }
        return Ok(());
    }
    let target = host()?;
    let built = compile(workspace, satellites, &target)?;
    for satellite in satellites {
        let source = match &satellite.source {
            Source::Package { binary, .. } => built.join(binary),
            Source::Script(path) => path.clone(),
        };
        let content = fs::read(&source).with_context(|| format!("{} cannot be read", source.display()))?;
        let component = root.join(&satellite.folder).join(format!("{}.wasm", satellite.planet));
        check_asked_for(satellite, &component)?;
        let file = component.with_extension("satellites").join(&target).join(&satellite.program);
        planets::write_if_changed(&file, &content, planets::Kind::Program)
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    for planet in planets {
        let of_planet = satellites.iter().filter(|satellite| satellite.planet == planet.package);
        let programs: Vec<_> = of_planet.map(|satellite| satellite.program.as_str()).collect();
        let folder = root.join(&planet.folder).join(format!("{}.satellites", planet.package)).join(&target);
        remove_others(&folder, &programs)?;
        if !programs.is_empty() {
            announce(format_args!("satellites: {} has {}", workspace.relative(&folder).display(), programs.join(", ")));
        }
    }
    Ok(())
}

/// Compiles all that are packages, optimised as Planets are, and returns where they are.
fn compile(workspace: &Workspace, satellites: &[Satellite], target: &str) -> Result<PathBuf> {
    let build = workspace.cargo_target.join("satellites-build");
    let mut cargo = workspace.cargo();
    // With `--target` the flags are for the programs alone, and not for what runs in the compiler.
    cargo.args(["build", "--release", "--target", target, "--target-dir"]).arg(&build);
    cargo.env(toolchain::FLAGS, toolchain::flags_for(workspace));
    let mut packages = 0;
    for satellite in satellites {
        if let Source::Package { package, binary } = &satellite.source {
            cargo.args(["--package", package, "--bin", binary]);
            packages += 1;
        }
    }
    if packages > 0 {
        announce(format_args!("satellites: compiling {packages} for {target}"));
        process::run(&mut cargo)?;
    }
    Ok(build.join(target).join("release"))
}

/// Fails if a Planet (plugin) does not ask for a program that belongs to it. Those of tests may be there to be wrong.
fn check_asked_for(satellite: &Satellite, component: &Path) -> Result<()> {
    if satellite.is_for_tests() {
        return Ok(());
    }
    let Satellite { planet, program, .. } = satellite;
    let content = fs::read(component).with_context(|| format!("{} cannot be read", component.display()))?;
    // As `planet!` writes it into the manifest.
    let asked = format!("\"program\":\"{program}\"");
    if !content.windows(asked.len()).any(|bytes| bytes == asked.as_bytes()) {
        bail!(
            "`{planet}` does not ask for its Satellite `{program}`\n  help: list an interface with `in \"{program}\"` under \
             `satellites` in its `planet!`, or remove `satellite-of`"
        );
    }
    Ok(())
}

/// What the compiler calls this machine.
fn host() -> Result<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let text = process::output(Command::new(rustc).arg("-vV"))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say what machine this is")
}

/// Removes programs from a folder that no package claims any more.
fn remove_others(folder: &Path, programs: &[&str]) -> Result<()> {
    for entry in folder.read_dir().into_iter().flatten() {
        let entry = entry?;
        if !programs.iter().any(|program| entry.file_name() == OsStr::new(program)) {
            fs::remove_file(entry.path()).with_context(|| format!("{} cannot be removed", entry.path().display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn planet(package: &str, folder: &str) -> Planet {
        Planet { package: package.to_owned(), folder: folder.to_owned(), library: package.to_owned() }
    }

    fn program(name: &str, metadata: Value) -> Value {
        json!({
            "name": name,
            "metadata": {"kokoro": metadata},
            "manifest_path": "/work/native/Cargo.toml",
            "targets": [{"name": name, "kind": ["bin"]}, {"name": "its", "kind": ["test"]}],
        })
    }

    fn names(packages: &[Value]) -> Result<Vec<String>> {
        let planets = [planet("images", "site"), planet("native", "tests")];
        let found = discover(packages, &planets, &planets)?;
        Ok(found.iter().map(|satellite| format!("{}/{}", satellite.planet, satellite.program)).collect())
    }

    #[test]
    fn programs_and_scripts_of_planets_are_found() {
        let packages = [
            program("worker", json!({"satellite-of": "native"})),
            program("codec", json!({"satellite-of": "images", "program": "image-codec"})),
            program("native", json!({"planets": "tests", "satellite-scripts": {"worker.py": "../worker.py"}})),
            program("other", json!(null)),
        ];
        assert_eq!(names(&packages).unwrap(), ["images/image-codec", "native/worker", "native/worker.py"]);
        let planets = [planet("native", "tests")];
        let found = discover(&packages[2..3], &planets, &planets).unwrap();
        let Source::Script(path) = &found[0].source else { panic!("{found:?}") };
        assert_eq!(path, Path::new("/work/native/../worker.py"));
    }

    #[test]
    fn what_does_not_fit_together_is_said() {
        let error = |packages: &[Value]| format!("{:#}", names(packages).unwrap_err());
        let message = error(&[program("worker", json!({"satellite-of": "nobody"}))]);
        assert!(message.contains("must name the package of a Planet (plugin), and \"nobody\" is none"), "{message}");
        let message = error(&[program("worker", json!({"satellite-of": "native", "program": "../worker"}))]);
        assert!(message.contains("`../worker` has to be a file's name"), "{message}");
        let twice = program("two", json!({"satellite-of": "native", "program": "worker"}));
        let message = error(&[program("worker", json!({"satellite-of": "native"})), twice]);
        assert_eq!(message, "there are two Satellites `worker` of `native`; rename one with `program`");
        let library = json!({"name": "worker", "metadata": {"kokoro": {"satellite-of": "native"}}, "targets": []});
        assert!(error(&[library]).contains("has to make one program"));
    }
}
