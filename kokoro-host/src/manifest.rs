//! What a Planet (plugin) says of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::interface::{InterfaceName, InterfaceNameError, in_one_line};

/// What a Planet (plugin) is, needs and offers: its `kokoro:planet` section together with the component's own imports and
/// exports. Known without running or compiling anything.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Manifest {
    /// The Planet's name: the section's, else the stem of its file.
    pub name: String,
    /// The Planet's version, if the section gives one.
    pub version: Option<Version>,
    /// The interfaces without which the Planet does not start: what the section lists, and every import that is neither
    /// optional nor WASI's. Those that the application or a Satellite serves are among them.
    pub requires: BTreeSet<InterfaceName>,
    /// The interfaces that the Planet uses when somebody provides them.
    pub optional: BTreeSet<InterfaceName>,
    /// The interfaces that the Planet exports.
    pub provides: BTreeSet<InterfaceName>,
    /// The native programs that the Planet would like to own.
    pub satellites: Vec<SatelliteRequest>,
    /// What the Planet asks to be allowed. Asking grants nothing.
    pub permissions: Permissions,
    /// The application's own business: never interpreted by Kokoro.
    pub app: serde_json::Value,
}

/// A Satellite (a native child process) that a Planet asks for. An interface that it serves is, for the Planet, a dependency like any
/// other: it stands in `requires` or in `optional` as well. No other Planet serves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SatelliteRequest {
    /// The interface that the program serves.
    pub interface: InterfaceName,
    /// The file name of the program, the same on all systems. Several interfaces may have one program, and then have one process.
    pub program: String,
    /// When it is started.
    pub start: SatelliteStart,
    /// What becomes of it when the Planet is reloaded, if this is the manifest of the new release.
    pub reload: SatelliteReload,
}

/// When a Satellite is started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SatelliteStart {
    /// Before the Planet.
    Planet,
    /// When it is called for the first time. This is the default.
    #[default]
    FirstCall,
}

/// What becomes of a Satellite when its Planet is reloaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SatelliteReload {
    /// The old release's ends with it, and the new release gets another. This is the default.
    #[default]
    Renew,
    /// It goes on and belongs to the new release, if the program, its interfaces with their types and what is granted are the same.
    Keep,
}

/// As it stands in the section.
#[derive(Debug, Clone, Deserialize)]
struct Wanted {
    interface: String,
    program: String,
    #[serde(default)]
    start: SatelliteStart,
    #[serde(default)]
    reload: SatelliteReload,
}

/// What a Planet asks to be allowed; each list is empty and `net` false unless its manifest says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Permissions {
    /// Directories to read.
    pub read: Vec<String>,
    /// Directories to write.
    pub write: Vec<String>,
    /// Names of environment variables.
    pub env: Vec<String>,
    /// Hosts to reach by HTTP.
    pub http: Vec<String>,
    /// Whether it wants sockets.
    pub net: bool,
    /// What it asks for that this version of Kokoro does not know, and therefore cannot grant.
    #[serde(flatten)]
    pub other: BTreeMap<String, serde_json::Value>,
}

impl Manifest {
    /// The Satellite that is asked for to serve this import, if one is.
    pub fn satellite(&self, import: &InterfaceName) -> Option<&SatelliteRequest> {
        self.satellites.iter().find(|satellite| satellite.interface == *import)
    }
}

impl Permissions {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The custom section `kokoro:planet`, as it stands in a file: JSON, of which every field may be missing. Unknown fields
/// are ignored, so that the form can grow.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Section {
    name: Option<String>,
    version: Option<String>,
    requires: Vec<String>,
    optional: Vec<String>,
    satellites: Vec<Wanted>,
    permissions: Permissions,
    app: serde_json::Value,
}

/// A `kokoro:planet` section that cannot be understood.
#[derive(Debug)]
pub(crate) enum SectionError {
    Json(serde_json::Error),
    Version {
        text: String,
        error: semver::Error,
    },
    Interface {
        field: &'static str,
        error: InterfaceNameError,
    },
    Name(String),
    Program(String),
    /// Two programs for one interface.
    TwoPrograms(InterfaceName),
}

const SECTION: &str = "its section `kokoro:planet`";

impl fmt::Display for SectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "{SECTION} is not the JSON of a manifest: {}", in_one_line(error)),
            Self::Version { text, error } => {
                write!(f, "in {SECTION} the `version`, `{}`, is not semver: {error}", in_one_line(text))
            }
            Self::Interface { field, error } => write!(f, "in {SECTION}, field `{field}`: {error}"),
            Self::Program(program) => write!(
                f,
                "in {SECTION}, field `satellites`: `{}` cannot be a program's name: that has 1 to 64 letters, digits, dashes, dots \
                 and underscores, and does not begin with a dot",
                in_one_line(program)
            ),
            Self::TwoPrograms(interface) => {
                write!(
                    f,
                    "in {SECTION}, field `satellites`: `{interface}` is there twice; one program serves an interface"
                )
            }
            Self::Name(problem) => write!(f, "{problem}; it is the manifest's `name`, else the stem of the file"),
        }
    }
}

impl Section {
    pub(crate) fn parse(json: &[u8]) -> Result<Self, SectionError> {
        // A list would be taken for the fields in order.
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(json).map_err(SectionError::Json)?;
        let given = object.into_iter().filter(|(_, value)| !value.is_null()).collect();
        serde_json::from_value(serde_json::Value::Object(given)).map_err(SectionError::Json)
    }

    /// Puts the section together with the component's own imports (those that count as dependencies) and exports.
    pub(crate) fn into_manifest(
        self,
        stem: &str,
        imports: impl IntoIterator<Item = InterfaceName>,
        provides: BTreeSet<InterfaceName>,
    ) -> Result<Manifest, SectionError> {
        let version = match self.version {
            Some(text) => Some(Version::parse(&text).map_err(|error| SectionError::Version { text, error })?),
            None => None,
        };
        let imports: BTreeSet<InterfaceName> = imports.into_iter().collect();
        let optional = as_imported(names("optional", &self.optional)?, &imports);
        let mut satellites: Vec<SatelliteRequest> = Vec::new();
        for Wanted { interface, program, start, reload } in self.satellites {
            if !is_program_name(&program) {
                return Err(SectionError::Program(program));
            }
            let interface = as_imported(names("satellites", &[interface])?, &imports).into_iter().next();
            let interface = interface.expect("one name was put in");
            if satellites.iter().any(|other| other.interface == interface) {
                return Err(SectionError::TwoPrograms(interface));
            }
            satellites.push(SatelliteRequest { interface, program, start, reload });
        }
        let mut requires = as_imported(names("requires", &self.requires)?, &imports);
        requires.extend(imports);
        requires.extend(satellites.iter().map(|satellite| satellite.interface.clone()));
        requires.retain(|interface| !optional.contains(interface));
        let name = self.name.unwrap_or_else(|| stem.to_owned());
        check_name(&name).map_err(SectionError::Name)?;
        Ok(Manifest {
            name,
            version,
            requires,
            optional,
            provides,
            satellites,
            permissions: self.permissions,
            app: self.app,
        })
    }
}

/// Toolchains merge imports of one semver track into the newest. What is listed is meant, whatever its import came to be
/// called.
fn as_imported(listed: BTreeSet<InterfaceName>, imports: &BTreeSet<InterfaceName>) -> BTreeSet<InterfaceName> {
    let own = |name: InterfaceName| match imports.contains(&name) {
        true => name,
        false => imports.iter().rev().find(|import| import.can_serve(&name)).cloned().unwrap_or(name),
    };
    listed.into_iter().map(own).collect()
}

fn names(field: &'static str, texts: &[String]) -> Result<BTreeSet<InterfaceName>, SectionError> {
    texts.iter().map(|text| text.parse().map_err(|error| SectionError::Interface { field, error })).collect()
}

/// Why `name` cannot be a Planet's name, if it cannot.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    if is_name(name) {
        return Ok(());
    }
    Err(format!(
        "the planet's name, {name:?}, cannot be used: a name has 1 to 64 letters, digits, dashes, dots and underscores, and does not \
         begin with a dot"
    ))
}

/// Whether a program that serves a Planet can have this name, which is also a file's.
pub(crate) fn is_program_name(name: &str) -> bool {
    is_name(name)
}

/// Names go into file names, logs, graphs and `planet.function(..)`, so they are kept plain. `..` would be a way out of a folder that an
/// application has for each Planet.
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && !name.starts_with('.')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(json: &str, imports: &[&str]) -> Result<Manifest, SectionError> {
        let imports = imports.iter().map(|i| i.parse().unwrap());
        Section::parse(json.as_bytes())?.into_manifest("stem", imports, BTreeSet::new())
    }

    #[test]
    fn a_name_is_no_way_out_of_a_folder() {
        for name in ["a", "a.b", "a..b", "7", "_"] {
            assert_eq!(check_name(name), Ok(()));
        }
        for name in ["", ".", "..", ".a", "a/b", "a\\b", "a b"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn an_import_that_is_not_listed_is_required() {
        let manifest = manifest(r#"{"optional":["a:b/opt@1.0.0"]}"#, &["a:b/opt@1.0.0", "a:b/req@1.0.0"]).unwrap();
        assert_eq!(manifest.name, "stem");
        assert_eq!(manifest.requires, BTreeSet::from(["a:b/req@1.0.0".parse().unwrap()]));
        assert_eq!(manifest.optional, BTreeSet::from(["a:b/opt@1.0.0".parse().unwrap()]));
    }

    #[test]
    fn an_interface_that_is_listed_and_not_imported_counts() {
        let manifest = manifest(r#"{"requires":["a:b/pruned@1.0.0"],"future-field":1}"#, &[]).unwrap();
        assert_eq!(manifest.requires.len(), 1);
    }

    #[test]
    fn what_is_listed_is_found_under_the_version_that_it_was_merged_into() {
        let manifest = manifest(r#"{"optional":["a:b/opt@1.0.0"]}"#, &["a:b/opt@1.1.0"]).unwrap();
        assert_eq!(manifest.optional, BTreeSet::from(["a:b/opt@1.1.0".parse().unwrap()]));
        assert!(manifest.requires.is_empty());
    }

    #[test]
    fn an_interface_of_a_satellite_is_required_or_optional_as_any_other() {
        let satellites =
            r#""satellites":[{"interface":"a:b/c@1.0.0","program":"p"},{"interface":"a:b/d@1.0.0","program":"p"}]"#;
        let json = format!(r#"{{"optional":["a:b/d@1.0.0"],{satellites}}}"#);
        let manifest = manifest(&json, &["a:b/c@1.0.1", "a:b/d@1.0.0"]).unwrap();
        assert_eq!(manifest.requires, BTreeSet::from(["a:b/c@1.0.1".parse().unwrap()]));
        assert_eq!(manifest.optional, BTreeSet::from(["a:b/d@1.0.0".parse().unwrap()]));
        assert_eq!(manifest.satellites[0].interface, "a:b/c@1.0.1".parse().unwrap());
        assert_eq!(manifest.satellites[0].start, SatelliteStart::FirstCall);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (json, problem) in [
            ("{", "JSON"),
            (r#"{"version":"1"}"#, "`version`, `1`"),
            (r#"{"requires":["log"],"optional":["a:b"]}"#, "field `optional`"),
            (r#"{"name":"a b"}"#, "cannot be used"),
            (r#"{"satellites":[{"interface":"a:b/c","program":"../sh"}]}"#, "`../sh` cannot be a program's name"),
            (r#"{"satellites":[{"interface":"a:b/c","program":"p","start":"never"}]}"#, "`never`"),
            (
                r#"{"satellites":[{"interface":"a:b/c","program":"p"},{"interface":"a:b/c","program":"q"}]}"#,
                "`a:b/c` is there twice",
            ),
        ] {
            let message = manifest(json, &[]).unwrap_err().to_string();
            assert!(message.contains(problem), "{message}");
        }
    }
}
