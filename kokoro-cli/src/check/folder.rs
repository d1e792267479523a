//! Whether the Planets (plugins) of a folder would start there, and what is odd about them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use kokoro_host::types::Interface;
use kokoro_host::{
    Admission, Checked, Dependency, EdgeKind, Grants, Inspection, InterfaceName, Node, Primary, SatelliteGrant, State,
};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::core::Core;
use super::paint;
use super::wit::Sides;
use crate::adopt::Listed;
use crate::failure::Failure;

/// What was found in a folder.
#[derive(Debug)]
pub(super) struct Folder {
    dir: PathBuf,
    checked: Checked,
    planets: Vec<Planet>,
    /// What is said of no Planet.
    notes: Vec<String>,
}

/// What was found of one Planet.
#[derive(Debug)]
struct Planet {
    node: Node,
    /// Why the application cannot call it, though it would start.
    misfit: Option<String>,
    notes: Vec<String>,
    satellites: Vec<Program>,
}

/// A program that is to serve a Planet, for one target.
#[derive(Debug, Serialize)]
struct Program {
    program: String,
    target: String,
    sha256: String,
    executable: bool,
}

impl Folder {
    /// Looks at all files `*.wasm`, as if the application served and called these interfaces, and granted the Satellites that are asked
    /// for.
    pub(super) async fn check(dir: &Path, application: Sides) -> Result<Self, Failure> {
        let Sides { provided: served, called, .. } = application;
        let check = Primary::builder().allow_satellites().admit(|planet| async move {
            let programs = planet.manifest().satellites.iter().map(|satellite| satellite.program.clone());
            let programs: BTreeSet<String> = programs.collect();
            Admission::granted(
                programs.into_iter().map(SatelliteGrant::program).fold(Grants::none(), Grants::satellite),
            )
        });
        let names: Vec<InterfaceName> = served.keys().cloned().collect();
        let core = Core::new()?;
        let linking = core.clone();
        let check = check.check().cannot_start(move |inspection| linking.problem(inspection));
        let check = served.into_iter().fold(check, |check, (name, types)| check.serve_types(name, types));
        let checked = check.dir(dir).await.map_err(Failure::input)?;
        let planets = checked.graph.planets.iter().map(|node| {
            let mut planet = Planet { node: node.clone(), misfit: None, notes: Vec::new(), satellites: Vec::new() };
            if let Some(inspection) = checked.inspections.get(&node.name) {
                planet.misfit = misfit(&called, inspection);
                let dependencies = checked.dependencies.get(&node.name).map_or(&[][..], Vec::as_slice);
                planet.look_at(inspection, dependencies, &core, dir, &names);
            }
            planet
        });
        let planets: Vec<Planet> = planets.collect();
        let mut notes = abandoned_satellites(dir);
        if names.is_empty() && checked.dependencies.values().flatten().any(is_missing) {
            notes.push(
                "an application may provide what nobody provides here; `--served-by WIT_DIR` takes that from its WIT"
                    .to_owned(),
            );
        }
        Ok(Self { dir: dir.to_owned(), checked, planets, notes })
    }

    /// How many would not start, and how many would start and do not fit.
    pub(super) fn problem(&self) -> Option<String> {
        let (running, others): (Vec<_>, Vec<_>) =
            self.planets.iter().partition(|planet| planet.node.state == State::Running);
        let misfits = running.iter().filter(|planet| planet.misfit.is_some()).count();
        let others = match others.len() {
            0 => None,
            1 => Some("1 planet would not start".to_owned()),
            count => Some(format!("{count} planets would not start")),
        };
        let misfits = match misfits {
            0 => None,
            1 => Some("1 planet does not fit the application".to_owned()),
            count => Some(format!("{count} planets do not fit the application")),
        };
        match (others, misfits) {
            (Some(others), Some(misfits)) => Some(format!("{others}, and {misfits}")),
            (others, misfits) => others.or(misfits),
        }
    }

    pub(super) fn as_value(&self) -> Value {
        let planets = self.planets.iter().map(|planet| {
            json!({
                "name": planet.node.name,
                "version": planet.node.version,
                "file": planet.node.file,
                "ok": planet.is_ok(),
                "reason": planet.node.details.as_deref().or(planet.misfit.as_deref()),
                "notes": planet.notes,
                "programs": planet.satellites,
            })
        });
        json!({
            "ok": self.planets.iter().all(Planet::is_ok),
            "planets": planets.collect::<Vec<_>>(),
            "notes": self.notes,
            "graph": self.checked.graph,
        })
    }

    pub(super) fn as_text(&self, coloured: bool) -> String {
        let mut text = String::new();
        if self.planets.is_empty() {
            let _ = writeln!(text, "there is no planet (plugin) in {} (no file `*.wasm`)", self.dir.display());
        }
        for planet in &self.planets {
            planet.write(&mut text, coloured);
        }
        for note in &self.notes {
            let _ = writeln!(text, "\nnote: {note}");
        }
        if !self.checked.graph.order.is_empty() && self.planets.iter().all(Planet::is_ok) {
            let _ = writeln!(text, "\nthey would start in this order: {}", self.checked.graph.order.join(", "));
        }
        text
    }
}

impl Planet {
    fn is_ok(&self) -> bool {
        self.node.state == State::Running && self.misfit.is_none()
    }

    fn write(&self, text: &mut String, coloured: bool) {
        let Node { name, version, state, details, .. } = &self.node;
        let version = version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
        let (verdict, reason) = match (details, &self.misfit) {
            (Some(details), _) if *state == State::Waiting => ("would wait", Some(details)),
            (Some(details), _) => ("would fail", Some(details)),
            (None, Some(misfit)) => ("does not fit", Some(misfit)),
            (None, None) => ("ok", None),
        };
        let verdict = paint(verdict, self.is_ok(), coloured);
        let reason = reason.map(|reason| format!(": {}", reason.replace('\n', "\n  "))).unwrap_or_default();
        // The name may be a file's, which can have anything in it.
        let name = name.replace(char::is_control, "?");
        let _ = writeln!(text, "{name}{version}: {verdict}{reason}");
        for Program { program, target, sha256, executable } in &self.satellites {
            let how = if *executable { "" } else { ", not executable" };
            let _ = writeln!(text, "  satellite {program} for {}{how}, sha256 {sha256}", target.escape_debug());
        }
        for note in &self.notes {
            let _ = writeln!(text, "  note: {note}");
        }
    }

    /// What is odd about it, and the programs that come with it.
    fn look_at(
        &mut self,
        inspection: &Inspection,
        dependencies: &[Dependency],
        core: &Core,
        dir: &Path,
        served: &[InterfaceName],
    ) {
        let manifest = &inspection.manifest;
        self.notes.extend(inspection.notes.iter().cloned());
        let file = self.node.file.as_ref().map(|file| dir.join(file));
        if let Some(listed) = file.as_ref().and_then(|file| Listed::in_component(&fs::read(file).ok()?)) {
            self.notes.extend(listed.notes(inspection));
        }
        for export in inspection.exports.keys().filter(|export| served.iter().any(|name| export.can_serve(name))) {
            self.notes.push(format!("it exports `{export}`, which the application serves; no planet is bound to it"));
        }
        self.notes.extend(core.notes(inspection));
        let unbound =
            self.node.imports.iter().filter(|edge| edge.provider.is_none() && edge.kind != EdgeKind::Required);
        for edge in
            unbound.filter(|edge| self.node.state == State::Running && manifest.optional.contains(&edge.interface))
        {
            let why = dependencies.iter().find(|dependency| dependency.interface == edge.interface);
            let why = why.and_then(|dependency| dependency.contenders.first()).map(|contender| {
                let reason = contender.reason.lines().next().unwrap_or_default();
                match (&contender.planet, &contender.satellite) {
                    (Some(planet), _) => format!("`{planet}` provides `{}`, but {reason}", contender.interface),
                    (None, Some(program)) => format!("its satellite `{program}` would not be there: {reason}"),
                    (None, None) => reason.to_owned(),
                }
            });
            let why = why.unwrap_or_else(|| "nobody provides it".to_owned());
            self.notes.push(format!("it would do without `{}`: {why}", edge.interface));
        }
        let programs: BTreeSet<&String> = manifest.satellites.iter().map(|satellite| &satellite.program).collect();
        for program in programs {
            self.notes.push(format!(
                "it asks for the satellite `{program}` (a native child process), which the application has to grant"
            ));
            let found = file.iter().flat_map(|file| programs_beside(file, program));
            self.satellites.extend(found);
        }
    }
}

/// Why the application cannot call an interface that it knows and the Planet exports.
fn misfit(called: &BTreeMap<InterfaceName, Interface>, planet: &Inspection) -> Option<String> {
    called.iter().find_map(|(name, wanted)| {
        let mut reason = None;
        for (export, offered) in planet.exports.iter().filter(|(export, _)| export.can_serve(name)) {
            match wanted.fits_planet(offered) {
                Ok(()) => return None,
                Err(why) => reason = Some(format!("it exports `{export}`, which the application calls, but {why}")),
            }
        }
        reason
    })
}

/// Whether nobody provides what a Planet does not start without.
fn is_missing(dependency: &Dependency) -> bool {
    dependency.required && dependency.contenders.is_empty()
}

/// The programs of this name that lie beside a component, for each target.
fn programs_beside(file: &Path, program: &str) -> Vec<Program> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let targets = file.with_file_name(format!("{stem}.satellites")).read_dir().into_iter().flatten();
    let found = targets.filter_map(|target| {
        let target = target.ok()?;
        let path = target.path().join(program);
        let metadata = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
        let sha256 = Sha256::digest(fs::read(&path).ok()?).iter().map(|byte| format!("{byte:02x}")).collect();
        let target = target.file_name().to_string_lossy().into_owned();
        Some(Program { program: program.to_owned(), target, sha256, executable: is_executable(&metadata) })
    });
    let mut found: Vec<Program> = found.collect();
    found.sort_by(|one, other| one.target.cmp(&other.target));
    found
}

#[cfg(unix)]
fn is_executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    true
}

/// Folders of programs whose component is not there.
fn abandoned_satellites(dir: &Path) -> Vec<String> {
    let entries = dir.read_dir().into_iter().flatten().filter_map(Result::ok);
    let mut notes: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let stem = name.strip_suffix(".satellites")?;
            let is_abandoned = !dir.join(format!("{stem}.wasm")).exists();
            is_abandoned.then(|| format!("`{}` belongs to no planet: there is no `{stem}.wasm`", name.escape_debug()))
        })
        .collect();
    notes.sort();
    notes
}
