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
    /// optional nor WASI's. Those that the application serves are among them.
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

/// A Satellite (a native child process) that a Planet asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SatelliteRequest {
    /// The interface that the program serves, as in `images:native/codec@0.1.0`.
    pub interface: String,
    /// The file name of the program.
    pub program: String,
    /// When it is started: `planet` (with the Planet) or `first-call`.
    #[serde(default = "SatelliteRequest::default_start")]
    pub start: String,
}

impl SatelliteRequest {
    fn default_start() -> String {
        "first-call".to_owned()
    }
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
    satellites: Vec<SatelliteRequest>,
    permissions: Permissions,
    app: serde_json::Value,
}

/// A `kokoro:planet` section that cannot be understood.
#[derive(Debug)]
pub(crate) enum SectionError {
    Json(serde_json::Error),
    Version { text: String, error: semver::Error },
    Interface { field: &'static str, error: InterfaceNameError },
    Name(String),
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
        let satellites = self.satellites.iter().map(|satellite| satellite.interface.clone());
        let satellites = as_imported(names("satellites", &satellites.collect::<Vec<_>>())?, &imports);
        let mut requires = as_imported(names("requires", &self.requires)?, &imports);
        requires.extend(imports.into_iter().filter(|import| !satellites.contains(import)));
        requires.retain(|interface| !optional.contains(interface));
        let name = self.name.unwrap_or_else(|| stem.to_owned());
        check_name(&name).map_err(SectionError::Name)?;
        Ok(Manifest {
            name,
            version,
            requires,
            optional,
            provides,
            satellites: self.satellites,
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
        "the planet's name, {name:?}, cannot be used: a name has 1 to 64 letters, digits, dashes, dots and underscores"
    ))
}

/// Names go into file names, logs, graphs and `planet.function(..)`, so they are kept plain.
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(json: &str, imports: &[&str]) -> Result<Manifest, SectionError> {
        let imports = imports.iter().map(|i| i.parse().unwrap());
        Section::parse(json.as_bytes())?.into_manifest("stem", imports, BTreeSet::new())
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
    fn what_is_wrong_is_named() {
        for (json, problem) in [
            ("{", "JSON"),
            (r#"{"version":"1"}"#, "`version`, `1`"),
            (r#"{"requires":["log"],"optional":["a:b"]}"#, "field `optional`"),
            (r#"{"name":"a b"}"#, "cannot be used"),
        ] {
            let message = manifest(json, &[]).unwrap_err().to_string();
            assert!(message.contains(problem), "{message}");
        }
    }
}
