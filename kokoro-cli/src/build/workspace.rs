//! The Planets (plugins) of a cargo workspace, and the Satellites that belong to them.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand, Package, PackageId, Target, TargetKind};
use serde_json::Value;

use super::toolchain::{Toolchain, command_output};
use crate::failure::Failure;

/// What every Planet that is written in Rust with Kokoro depends on.
const GUEST: &str = "kokoro-guest";
/// What every Satellite that is written in Rust with Kokoro depends on.
const SATELLITE: &str = "kokoro-satellite";

/// A cargo workspace, as far as its Planets go.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// By name; at least one.
    pub(crate) planets: Vec<Planet>,
    pub(crate) satellites: Vec<Satellite>,
    /// The folders of all its packages.
    pub(crate) packages: Vec<PathBuf>,
    /// What is odd about it and does no harm.
    pub(crate) remarks: Vec<String>,
}

/// A package of which a component is made.
#[derive(Debug, Clone)]
pub(crate) struct Planet {
    pub(crate) id: PackageId,
    /// The package's name, which is also its file's.
    pub(crate) package: String,
    /// The folder of Planets that it belongs to, if the workspace has several.
    pub(crate) set: Option<String>,
    /// Where its sources are.
    pub(crate) folder: PathBuf,
}

impl Planet {
    /// Its file's path in the folder where all are put.
    pub(crate) fn file(&self) -> PathBuf {
        let file = format!("{}.wasm", self.package);
        self.set.as_ref().map_or_else(|| PathBuf::from(&file), |set| Path::new(set).join(&file))
    }
}

/// A native program that belongs to a Planet.
#[derive(Debug, Clone)]
pub(crate) struct Satellite {
    /// The Planet's package.
    pub(crate) planet: String,
    /// What the file is called.
    pub(crate) program: String,
    pub(crate) source: Source,
}

/// What the file is made of.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// A package, and the name of the program in it.
    Package { id: PackageId, package: String, binary: String, folder: PathBuf },
    /// A file that is copied.
    Script(PathBuf),
}

impl Workspace {
    /// Asks cargo, which needs no network for that. `only` are the packages that are wanted, or none for all.
    pub(crate) fn read(toolchain: &Toolchain, manifest: Option<&Path>, only: &[String]) -> Result<Self, Failure> {
        let mut cargo = toolchain.cargo();
        cargo.args(["metadata", "--no-deps", "--format-version", "1"]);
        if let Some(manifest) = manifest {
            cargo.arg("--manifest-path").arg(manifest);
        }
        let output = command_output(&mut cargo)?;
        if !output.status.success() {
            return Err(no_workspace(&String::from_utf8_lossy(&output.stderr), toolchain.folder()));
        }
        let metadata = String::from_utf8_lossy(&output.stdout);
        let metadata = MetadataCommand::parse(&metadata)
            .map_err(|error| Failure::input(format!("what cargo says about the workspace cannot be read: {error}")))?;
        Self::of(&metadata, only)
    }

    /// The folders of the packages that are built.
    pub(crate) fn sources(&self) -> BTreeSet<PathBuf> {
        let programs = self.satellites.iter().filter_map(|satellite| match &satellite.source {
            Source::Package { folder, .. } => Some(folder),
            Source::Script(_) => None,
        });
        self.planets.iter().map(|planet| &planet.folder).chain(programs).cloned().collect()
    }

    /// The files that are Satellites as they are.
    pub(crate) fn scripts(&self) -> impl Iterator<Item = PathBuf> {
        self.satellites.iter().filter_map(|satellite| match &satellite.source {
            Source::Package { .. } => None,
            Source::Script(file) => Some(file.clone()),
        })
    }

    fn of(metadata: &Metadata, only: &[String]) -> Result<Self, Failure> {
        let packages = metadata.workspace_packages();
        let mut planets = Vec::new();
        for package in packages.iter().filter(|package| is_planet(package)) {
            planets.push(Planet {
                id: package.id.clone(),
                package: package.name.to_string(),
                set: set(package)?,
                folder: folder(package),
            });
        }
        planets.sort_by(|one, other| one.package.cmp(&other.package));
        if planets.is_empty() {
            return Err(no_planets(&packages, metadata.workspace_root.as_std_path()));
        }
        let mut satellites = Vec::new();
        let mut remarks = Vec::new();
        for package in &packages {
            satellites.extend(of_package(package, &planets)?);
            satellites.extend(scripts(package)?);
            if is_forgotten(package) {
                remarks.push(format!(
                    "package `{}` depends on `{SATELLITE}` and belongs to no planet, so that it is left out\n  \
                     help: name the planet's package in its Cargo.toml: [package.metadata.kokoro] satellite-of = \"..\"",
                    package.name
                ));
            }
        }
        satellites.sort_by(|one, other| (&one.planet, &one.program).cmp(&(&other.planet, &other.program)));
        let is_twice = |two: &&[Satellite]| (&two[0].planet, &two[0].program) == (&two[1].planet, &two[1].program);
        if let Some(two) = satellites.windows(2).find(is_twice) {
            return Err(Failure::Input(format!(
                "there are two satellites `{}` of `{}`\n  \
                 help: rename one of them: [package.metadata.kokoro] program = \"..\"",
                two[0].program, two[0].planet
            )));
        }
        if let Some(unknown) = only.iter().find(|name| planets.iter().all(|planet| planet.package != **name)) {
            return Err(Failure::Input(format!(
                "--package {unknown}: no planet (plugin) of the workspace is called so\n  help: it has {}",
                list(planets.iter().map(|planet| planet.package.as_str()))
            )));
        }
        if !only.is_empty() {
            planets.retain(|planet| only.contains(&planet.package));
            satellites.retain(|satellite| only.contains(&satellite.planet));
        }
        Ok(Self {
            root: metadata.workspace_root.clone().into(),
            planets,
            satellites,
            packages: packages.iter().map(|package| folder(package)).collect(),
            remarks,
        })
    }
}

/// `a`, `b` and `c`.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter().peekable();
    let mut text = String::new();
    while let Some(name) = names.next() {
        let between = match (text.is_empty(), names.peek()) {
            (true, _) => "",
            (false, Some(_)) => ", ",
            (false, None) => " and ",
        };
        let _ = write!(text, "{between}`{name}`");
    }
    text
}

fn folder(package: &Package) -> PathBuf {
    package.manifest_path.parent().map(|folder| folder.as_std_path().to_owned()).unwrap_or_default()
}

fn kokoro(package: &Package) -> &Value {
    &package.metadata["kokoro"]
}

fn depends_on(package: &Package, name: &str) -> bool {
    use cargo_metadata::DependencyKind::Normal;

    package.dependencies.iter().any(|dependency| dependency.kind == Normal && dependency.name == name)
}

fn is_planet(package: &Package) -> bool {
    let says_so = kokoro(package).is_object() && kokoro(package).get("satellite-of").is_none();
    package.targets.iter().any(Target::is_cdylib) && (says_so || depends_on(package, GUEST))
}

/// Whether it is a Satellite that nobody has told so.
fn is_forgotten(package: &Package) -> bool {
    depends_on(package, SATELLITE)
        && package.targets.iter().any(Target::is_bin)
        && kokoro(package).is_null()
        && package.publish.is_none()
}

fn set(package: &Package) -> Result<Option<String>, Failure> {
    let Some(set) = kokoro(package).get("planets") else { return Ok(None) };
    match set.as_str().filter(|set| !set.is_empty() && !set.contains(['/', '\\', '.'])) {
        Some(set) => Ok(Some(set.to_owned())),
        None => Err(Failure::Input(format!(
            "package `{}`: `planets` under [package.metadata.kokoro] has to be the name of a folder",
            package.name
        ))),
    }
}

/// The Satellite that a package is made into.
fn of_package(package: &Package, planets: &[Planet]) -> Result<Option<Satellite>, Failure> {
    let Some(of) = kokoro(package).get("satellite-of") else { return Ok(None) };
    let name = &package.name;
    let Some(planet) = planets.iter().find(|planet| of.as_str() == Some(planet.package.as_str())) else {
        return Err(Failure::Input(format!(
            "package `{name}`: `satellite-of` under [package.metadata.kokoro] has to name the package of a planet (plugin), \
             and {of} is none\n  help: the workspace has {}",
            list(planets.iter().map(|planet| planet.package.as_str()))
        )));
    };
    let programs: Vec<&str> =
        package.targets.iter().filter(|target| target.is_bin()).map(|it| it.name.as_str()).collect();
    let [binary] = programs[..] else {
        return Err(Failure::Input(format!(
            "package `{name}` is a satellite of `{}`, and has to make one program (src/main.rs alone); it makes {}",
            planet.package,
            programs.len()
        )));
    };
    let program = match kokoro(package).get("program") {
        Some(program) => program.as_str().unwrap_or_default(),
        None => binary,
    };
    check_program(package, program)?;
    Ok(Some(Satellite {
        planet: planet.package.clone(),
        program: program.to_owned(),
        source: Source::Package {
            id: package.id.clone(),
            package: name.to_string(),
            binary: binary.to_owned(),
            folder: folder(package),
        },
    }))
}

/// The scripts that a Planet's own package lists: `satellite-scripts = { "worker.py" = "../worker.py" }`.
fn scripts(package: &Package) -> Result<Vec<Satellite>, Failure> {
    let Some(scripts) = kokoro(package).get("satellite-scripts") else { return Ok(Vec::new()) };
    let script = |(program, path): (&String, &Value)| {
        check_program(package, program)?;
        let path = path.as_str().unwrap_or_default();
        Ok(Satellite {
            planet: package.name.to_string(),
            program: program.clone(),
            source: Source::Script(folder(package).join(path)),
        })
    };
    let problem = || {
        Failure::Input(format!(
            "package `{}`: `satellite-scripts` under [package.metadata.kokoro] has to be a table of files",
            package.name
        ))
    };
    scripts.as_object().ok_or_else(problem)?.iter().map(script).collect()
}

/// The rule that the host and `planet!` have.
fn check_program(package: &Package, name: &str) -> Result<(), Failure> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if (1..=64).contains(&name.len()) && name.chars().all(is_plain) && !name.starts_with('.') {
        return Ok(());
    }
    Err(Failure::Input(format!(
        "package `{}`: the satellite's name `{name}` has to be a file's name: 1 to 64 ASCII letters, digits, `-`, `_` and `.`, \
         not beginning with `.`",
        package.name
    )))
}

fn no_workspace(stderr: &str, folder: &Path) -> Failure {
    if stderr.contains("could not find `Cargo.toml`") {
        return Failure::Input(format!(
            "there is no cargo project in `{}`, and none above it\n  \
             help: `kokoro new planet NAME` makes one; `--manifest-path DIR/Cargo.toml` says where one is",
            folder.display()
        ));
    }
    let problem = stderr.trim_end();
    Failure::Input(problem.strip_prefix("error: ").unwrap_or(problem).to_owned())
}

fn no_planets(packages: &[&Package], root: &Path) -> Failure {
    let mut text = format!("no package of `{}` is a planet (plugin)", root.display());
    let is_library =
        |target: &Target| target.kind.iter().any(|kind| matches!(kind, TargetKind::Lib | TargetKind::RLib));
    let almost =
        packages.iter().find(|package| depends_on(package, GUEST) && !package.targets.iter().any(Target::is_cdylib));
    let hint = match almost {
        Some(package) if package.targets.iter().any(is_library) => {
            format!("`{}` is one with `crate-type = [\"cdylib\"]` below [lib] in its Cargo.toml", package.name)
        }
        Some(package) => format!(
            "`{}` is one with a library (src/lib.rs), and `crate-type = [\"cdylib\"]` below [lib] in its Cargo.toml",
            package.name
        ),
        None => format!(
            "a planet is a library with `crate-type = [\"cdylib\"]` that depends on `{GUEST}`; `kokoro new planet NAME` makes one"
        ),
    };
    text += &match packages.len() {
        0 => String::new(),
        _ => format!("\n  it has {}", list(packages.iter().map(|package| package.name.as_str()))),
    };
    Failure::Input(format!("{text}\n  help: {hint}"))
}

/// Whether a folder is that of a cargo project.
pub(crate) fn is_project(folder: &Path) -> bool {
    folder.join(OsStr::new("Cargo.toml")).is_file()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn package(name: &str, kinds: &[&str], dependencies: &[&str], kokoro: Value) -> Value {
        let targets: Vec<Value> = kinds
            .iter()
            .map(|kind| {
                let types = if *kind == "cdylib" { json!(["cdylib", "rlib"]) } else { json!([kind]) };
                json!({ "name": name, "kind": types, "crate_types": types, "src_path": format!("/w/{name}/src/{kind}.rs") })
            })
            .collect();
        let dependencies: Vec<Value> = dependencies
            .iter()
            .map(|name| {
                json!({ "name": name, "req": "*", "kind": null, "optional": false, "uses_default_features": true,
                        "features": [] })
            })
            .collect();
        json!({
            "name": name, "version": "0.1.0", "id": format!("path+file:///w/{name}#0.1.0"), "source": null,
            "dependencies": dependencies, "targets": targets, "features": {}, "publish": null,
            "manifest_path": format!("/w/{name}/Cargo.toml"), "metadata": { "kokoro": kokoro },
        })
    }

    fn read(packages: &[Value], only: &[&str]) -> Result<Workspace, Failure> {
        let members: Vec<&Value> = packages.iter().map(|package| &package["id"]).collect();
        let metadata = json!({
            "packages": packages, "workspace_members": members, "workspace_default_members": members, "resolve": null,
            "workspace_root": "/w", "target_directory": "/w/target", "version": 1, "metadata": null,
        });
        let metadata = MetadataCommand::parse(metadata.to_string()).expect("what cargo would say");
        Workspace::of(&metadata, &only.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    fn problem(packages: &[Value], only: &[&str]) -> String {
        read(packages, only).expect_err("it is wrong").to_string()
    }

    #[test]
    fn planets_and_their_satellites_are_found() {
        let packages = [
            package("app", &["bin"], &["kokoro-host"], Value::Null),
            package("page", &["cdylib"], &["kokoro-guest"], Value::Null),
            package("images", &["cdylib"], &["kokoro-guest"], json!({ "planets": "site" })),
            package(
                "other",
                &["cdylib"],
                &["wit-bindgen"],
                json!({ "satellite-scripts": { "work.py": "../work.py" } }),
            ),
            package("library", &["cdylib"], &[], Value::Null),
            package(
                "codec",
                &["bin"],
                &["kokoro-satellite"],
                json!({ "satellite-of": "images", "program": "image-codec" }),
            ),
            package("forgotten", &["bin"], &["kokoro-satellite"], Value::Null),
        ];
        let workspace = read(&packages, &[]).expect("a workspace");
        let files: Vec<PathBuf> = workspace.planets.iter().map(Planet::file).collect();
        assert_eq!(files, [Path::new("site/images.wasm"), Path::new("other.wasm"), Path::new("page.wasm")]);
        let programs =
            workspace.satellites.iter().map(|satellite| format!("{}/{}", satellite.planet, satellite.program));
        assert_eq!(programs.collect::<Vec<_>>(), ["images/image-codec", "other/work.py"]);
        assert!(workspace.remarks[0].starts_with("package `forgotten` depends on `kokoro-satellite`"));
        let workspace = read(&packages, &["page"]).expect("a workspace");
        assert_eq!((workspace.planets.len(), workspace.satellites.len()), (1, 0));
    }

    #[test]
    fn what_does_not_fit_together_is_said() {
        let page = package("page", &["cdylib"], &["kokoro-guest"], Value::Null);
        let of = |of: &str| json!({ "satellite-of": of, "program": "codec" });
        let nobodys = package("codec", &["bin"], &[], of("pages"));
        let message = problem(&[page.clone(), nobodys], &[]);
        assert!(message.contains("\"pages\" is none\n  help: the workspace has `page`"), "{message}");
        let two = [page.clone(), package("a", &["bin"], &[], of("page")), package("b", &["bin"], &[], of("page"))];
        assert!(problem(&two, &[]).starts_with("there are two satellites `codec` of `page`"));
        let library = package("codec", &["lib"], &[], of("page"));
        assert!(problem(&[page.clone(), library], &[]).ends_with("it makes 0"));
        let outside = package("codec", &["bin"], &[], json!({ "satellite-of": "page", "program": "../codec" }));
        assert!(problem(&[page.clone(), outside], &[]).contains("`../codec` has to be a file's name"));
        let up = package("up", &["cdylib"], &[], json!({ "planets": "../up" }));
        assert!(problem(&[up], &[]).contains("has to be the name of a folder"));
        assert!(problem(&[page], &["pages"]).ends_with("help: it has `page`"));
    }

    #[test]
    fn a_library_that_is_almost_a_planet_is_told_what_is_missing() {
        let almost = package("page", &["lib"], &["kokoro-guest"], Value::Null);
        let message = problem(&[almost], &[]);
        assert!(message.contains("`page` is one with `crate-type = [\"cdylib\"]`"), "{message}");
    }
}
