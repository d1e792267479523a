//! The kinds of projects that there are.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use include_dir::{Dir, include_dir};

/// What is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A Planet (plugin).
    Planet,
    /// A Planet, and a native program that belongs to it, in one workspace.
    PlanetWithSatellite,
    /// An application that has plugins.
    Primary,
    /// What an application publishes for those who write its plugins.
    Interface,
}

static PLANET: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/planet");
static PLANET_WITH_SATELLITE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/planet-with-satellite");
static PRIMARY: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/primary");
static INTERFACE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/interface");

impl Kind {
    /// All kinds, in the order in which people should be asked.
    pub const ALL: [Self; 4] = [Self::Planet, Self::PlanetWithSatellite, Self::Primary, Self::Interface];

    /// What it is called on the command line; also its template's folder.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Planet => "planet",
            Self::PlanetWithSatellite => "planet-with-satellite",
            Self::Primary => "primary",
            Self::Interface => "interface",
        }
    }

    /// What it is, in a few words.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Planet => "a Planet (plugin)",
            Self::PlanetWithSatellite => "a Planet (plugin) with a native program of its own, a Satellite",
            Self::Primary => "an application with plugins",
            Self::Interface => "the interfaces of an application, for the authors of its plugins",
        }
    }

    /// The files of its template.
    pub(crate) fn template(self) -> &'static Dir<'static> {
        match self {
            Self::Planet => &PLANET,
            Self::PlanetWithSatellite => &PLANET_WITH_SATELLITE,
            Self::Primary => &PRIMARY,
            Self::Interface => &INTERFACE,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

/// There is no such kind of project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKind(String);

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Kind::ALL.map(|kind| format!("`{kind}`"));
        write!(f, "there is no template `{}`\n  help: there are {}", self.0.escape_debug(), names.join(", "))
    }
}

impl Error for UnknownKind {}
