//! `kokoro new`: projects to start from.

mod interfaces;
mod name;
mod place;
mod questions;
mod rust;
mod stubs;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser as _};
use kokoro_templates::{Files, Kind, Project};
use serde_json::json;
use wit_parser::InterfaceId;

use self::interfaces::Interfaces;
use self::stubs::Surroundings;
use crate::failure::Failure;
use crate::output;

/// What `kokoro new` is told.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// What is to be made
    #[arg(value_parser = kinds().try_map(|name| name.parse::<Kind>()))]
    kind: Option<Kind>,
    /// Its name: lower-case letters, digits and dashes
    name: Option<String>,
    /// The folder with the application's WIT, for a planet that is to fit it: the files are copied, and every function of the exported
    /// interfaces is there to be written
    #[arg(long = "for", value_name = "WIT_DIR")]
    wit: Option<PathBuf>,
    /// An interface of WIT_DIR that the planet exports, in full or by its own name; may be given several times. Without it, what the
    /// world exports, or all interfaces of the package if it has none
    #[arg(long = "export", value_name = "INTERFACE", requires = "wit")]
    exports: Vec<String>,
    /// Takes Kokoro from this checkout of its repository, and not the released versions
    #[arg(long, value_name = "DIR")]
    kokoro: Option<PathBuf>,
    /// The folder of the project, instead of one that is called like it
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    /// Says in JSON what was made
    #[arg(long)]
    json: bool,
}

fn kinds() -> PossibleValuesParser {
    PossibleValuesParser::new(Kind::ALL.map(|kind| PossibleValue::new(kind.name()).help(kind.about())))
}

/// What was made.
#[derive(Debug)]
struct Made<'a> {
    kind: Kind,
    name: &'a str,
    folder: &'a Path,
    files: &'a Files,
    /// The interfaces that somebody has chosen, and that are now to be written.
    exports: Vec<&'a str>,
    note: Option<String>,
}

impl New {
    pub(crate) fn run(self) -> Result<(), Failure> {
        if questions::can_ask() {
            questions::mind_ctrl_c();
        }
        let kind = match self.kind {
            Some(kind) => kind,
            None if questions::can_ask() => questions::kind()?,
            None => {
                let kinds = Kind::ALL.map(|kind| format!("    {:<22} {}", kind.name(), kind.about()));
                let kinds = kinds.join("\n");
                return Err(Failure::input(format!(
                    "what is to be made?\n  help: `kokoro new KIND NAME`, where KIND is\n{kinds}"
                )));
            }
        };
        let is_planet = matches!(kind, Kind::Planet | Kind::PlanetWithSatellite);
        if self.wit.is_some() && !is_planet {
            return Err(Failure::input(format!(
                "--for is for planets: a `{kind}` has interfaces of its own\n  help: leave --for out, and put your WIT into its `wit`"
            )));
        }
        let mut wit = self.wit.clone();
        let name = match &self.name {
            Some(name) => name.clone(),
            None if questions::can_ask() => {
                let name = questions::name()?;
                if is_planet && wit.is_none() {
                    wit = questions::wit()?;
                }
                name
            }
            None => return Err(Failure::input(format!("what is it called?\n  help: `kokoro new {kind} NAME`"))),
        };
        name::check(&name)?;
        let folder = self.into.clone().unwrap_or_else(|| PathBuf::from(&name));
        place::check(&folder)?;
        let kokoro = self.kokoro.as_ref().map(|kokoro| place::checkout(kokoro, &folder)).transpose()?;
        let project = Project { name: &name, kokoro: kokoro.as_deref() };
        let mut files = project.files(kind).map_err(Failure::failed)?;
        let interfaces = wit.as_deref().map(Interfaces::read).transpose()?;
        let mut exports = Vec::new();
        if let Some(interfaces) = &interfaces {
            let chosen = self.choose(interfaces)?;
            fit(&mut files, kind, &name, interfaces, &chosen)?;
            exports.extend(chosen.into_iter().map(|id| interfaces.name(id)));
        }
        place::write(&folder, &files)?;
        let note = place::surrounding_workspace(&folder).and_then(|workspace| {
            let file = workspace.file.display();
            // From its packages, cargo looks up to the workspace that they have of their own, and no further.
            match (kind, workspace.is_member) {
                (Kind::PlanetWithSatellite, true) => Some(format!(
                    "`{file}` is a workspace with this folder among its `members`, and the project is one of its own, which \
                     cargo does not take: add the project to its `exclude`"
                )),
                (Kind::PlanetWithSatellite, false) | (_, true) => None,
                (_, false) => Some(format!(
                    "`{file}` is a workspace, and cargo takes what lies in its folder for a part of it: add the project to \
                     its `members`, or to `exclude`"
                )),
            }
        });
        let made = Made { kind, name: &name, folder: &folder, files: &files, exports, note };
        output::print(&if self.json { made.as_json()? } else { made.as_text() })
    }

    /// The interfaces to be exported: as told, as chosen at a terminal, or as suggested.
    fn choose(&self, interfaces: &Interfaces) -> Result<Vec<InterfaceId>, Failure> {
        let mut chosen: Vec<InterfaceId> =
            self.exports.iter().map(|name| interfaces.find(name)).collect::<Result<_, _>>()?;
        if !self.exports.is_empty() {
            let mut before = Vec::new();
            chosen.retain(|id| {
                !before.contains(id) && {
                    before.push(*id);
                    true
                }
            });
            return Ok(chosen);
        }
        let all: Vec<InterfaceId> = interfaces.all().collect();
        if !interfaces.has_world() && all.len() > 1 && questions::can_ask() {
            let names: Vec<_> = all.iter().map(|id| interfaces.name(*id)).collect();
            let suggested: Vec<_> = all.iter().map(|id| interfaces.suggested().contains(id)).collect();
            let places = questions::exports(&names, &suggested)?;
            if places.is_empty() {
                return Err(Failure::failed("no interface was selected: the space bar does that, before enter"));
            }
            return Ok(places.into_iter().map(|place| all[place]).collect());
        }
        match interfaces.suggested() {
            [] => {
                let names: Vec<_> = all.iter().map(|id| format!("`{}`", interfaces.name(*id))).collect();
                Err(Failure::input(format!(
                    "which interfaces does the planet export? The WIT does not say\n  help: --export one or more of {}",
                    names.join(", ")
                )))
            }
            suggested => Ok(suggested.to_owned()),
        }
    }
}

/// Puts the application's interfaces in the place of the template's.
fn fit(
    files: &mut Files,
    kind: Kind,
    name: &str,
    interfaces: &Interfaces,
    exports: &[InterfaceId],
) -> Result<(), Failure> {
    let (member, lines): (&str, &[&str]) = match kind {
        Kind::PlanetWithSatellite => (
            "planet/",
            &[
                "// Without permission to run it, `sieve::if_bound()` gives none.",
                "satellites: [\"example:native/sieve@0.1.0\" in \"sieve\" { optional }],",
                "wit: \"../wit\",",
            ],
        ),
        _ => ("", &[]),
    };
    files.remove(Path::new("wit/app.wit"));
    for (path, text) in &interfaces.files {
        if files.insert(Path::new("wit").join(path), text.clone()).is_some() {
            return Err(Failure::input(format!(
                "the WIT has a file `{}`, and so has the template\n  help: rename one of them",
                path.display()
            )));
        }
    }
    let source = stubs::source(interfaces, exports, Surroundings { name, lines })?;
    files.insert(format!("{member}src/lib.rs").into(), source.into_bytes());
    files.insert(format!("{member}tests/planet.rs").into(), TEST.as_bytes().to_owned());
    // What is said there of the example is not true any more.
    if let Some(readme) = files.get_mut(Path::new("README.md"))
        && let Some(end) = readme.windows(EXAMPLE.len()).position(|window| window == EXAMPLE.as_bytes())
    {
        readme.truncate(end);
    }
    Ok(())
}

/// What begins a README's section about the example that a template has.
const EXAMPLE: &str = "\n## The example\n";

/// The test of a planet of which nothing else is known.
const TEST: &str = "\
//! The Planet (plugin) as an application has it: the component, loaded and called.

use kokoro_test::Harness;

#[test]
fn it_starts() {
    // What it requires needs a provider: `.dependency(&Fake::of(\"..\"))`.
    Harness::built().start();
}
";

impl Made<'_> {
    fn as_json(&self) -> Result<String, Failure> {
        let made = json!({
            "kind": self.kind.name(),
            "name": self.name,
            "folder": self.folder,
            "files": self.files.keys().collect::<Vec<_>>(),
            "exports": self.exports,
            "note": self.note,
        });
        Ok(serde_json::to_string_pretty(&made).map_err(Failure::failed)? + "\n")
    }

    fn as_text(&self) -> String {
        let mut text = format!("made `{}`, {}, in {}\n", self.name, self.kind.about(), self.folder.display());
        if !self.exports.is_empty() {
            text += "it exports, with every function to be written:\n";
            for interface in &self.exports {
                let _ = writeln!(text, "  {interface}");
            }
        }
        if let Some(note) = &self.note {
            let _ = writeln!(text, "note: {note}");
        }
        let _ = writeln!(text, "\nnext:\n  cd {}", self.folder.display());
        for line in self.next() {
            let _ = writeln!(text, "  {line}");
        }
        text
    }

    /// What its author would type.
    fn next(&self) -> Vec<String> {
        let name = self.name;
        let build = "kokoro build".to_owned();
        match self.kind {
            Kind::Planet | Kind::PlanetWithSatellite if !self.exports.is_empty() => {
                vec![build, format!("kokoro inspect target/planets/{name}.wasm")]
            }
            Kind::Planet => {
                vec![build, "kokoro call target/planets 'example:app/greeting.greet(\"Ada\")'".to_owned()]
            }
            Kind::PlanetWithSatellite => vec![
                build,
                format!("kokoro call target/planets 'example:numbers/primes.count(1000)' --allow-satellite {name}"),
            ],
            Kind::Interface => {
                vec![build, "kokoro call target/planets 'example:app/people.find(\"Ada Lovelace\")'".to_owned()]
            }
            Kind::Primary => vec!["cargo run".to_owned()],
        }
    }
}
