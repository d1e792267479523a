//! Names of WIT interfaces, and which version may serve which.

use std::fmt;
use std::str::FromStr;

use semver::Version;
use serde::{Serialize, Serializer};

/// The name of a WIT interface, as in `acme:log/sink@1.2.0`.
///
/// A component may also import an interface under a plain name (`sink`), without a package; such a name has neither
/// namespace nor version.
///
/// ```
/// use kokoro_host::InterfaceName;
///
/// let wanted: InterfaceName = "acme:log/sink@1.2.0".parse()?;
/// let offered: InterfaceName = "acme:log/sink@1.3.1".parse()?;
/// assert!(offered.can_serve(&wanted));
/// assert_eq!(offered.to_string(), "acme:log/sink@1.3.1");
/// # Ok::<(), kokoro_host::InterfaceNameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceName {
    /// `acme:log/sink`, or a plain name.
    path: String,
    version: Option<Version>,
}

impl InterfaceName {
    /// The name without its version: `acme:log/sink`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The package that the interface belongs to (`acme:log`); none for a plain name.
    pub fn package(&self) -> Option<&str> {
        self.path.split_once('/').map(|(package, _)| package)
    }

    /// The interface's own name: `sink`.
    pub fn interface(&self) -> &str {
        self.path.rsplit_once('/').map_or(&self.path, |(_, interface)| interface)
    }

    /// The version of the package, if it has one.
    pub fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }

    /// Whether an export of this name may serve an import of the name `import`: the same interface, on the same
    /// [semver track](InterfaceName::track). Whether the types fit is another question.
    pub fn can_serve(&self, import: &InterfaceName) -> bool {
        self.path == import.path && self.semver_track() == import.semver_track()
    }

    /// The versions that may stand in for each other, as the component model sees it: all of `1.x`, all of `0.2.x`, and
    /// else (`0.0.x`, pre-releases, no version) only the very same one.
    pub fn track(&self) -> Option<String> {
        self.semver_track().map(|track| track.to_string())
    }

    pub(crate) fn semver_track(&self) -> Option<Track<'_>> {
        let version = self.version.as_ref()?;
        Some(if !version.pre.is_empty() {
            Track::Exactly(version)
        } else if version.major > 0 {
            Track::Major(version.major)
        } else if version.minor > 0 {
            Track::Minor(version.minor)
        } else {
            Track::Patch(version.patch)
        })
    }
}

/// Versions that may stand in for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Track<'a> {
    /// As `1.x`.
    Major(u64),
    /// As `0.2.x`.
    Minor(u64),
    /// As `0.0.3`.
    Patch(u64),
    Exactly(&'a Version),
}

impl fmt::Display for Track<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Major(major) => write!(f, "{major}.x"),
            Self::Minor(minor) => write!(f, "0.{minor}.x"),
            Self::Patch(patch) => write!(f, "0.0.{patch}"),
            Self::Exactly(version) => write!(f, "{version}"),
        }
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        match &self.version {
            Some(version) => write!(f, "@{version}"),
            None => Ok(()),
        }
    }
}

impl Serialize for InterfaceName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A stranger's text as part of a sentence: without what would begin another line or move a terminal's cursor.
pub(crate) fn in_one_line(text: impl fmt::Display) -> String {
    let mut line = String::new();
    for c in text.to_string().chars() {
        match c {
            '\t' => line.push(' '),
            c if c.is_control() => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    line
}

/// Text that is no name of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceNameError {
    text: String,
    problem: String,
}

impl fmt::Display for InterfaceNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not the name of an interface: {}; write it like `acme:log/sink@1.2.0`",
            in_one_line(&self.text),
            self.problem
        )
    }
}

impl std::error::Error for InterfaceNameError {}

impl FromStr for InterfaceName {
    type Err = InterfaceNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |problem: String| InterfaceNameError { text: text.to_owned(), problem };
        let (path, version) = match text.split_once('@') {
            Some((path, version)) => {
                let version = Version::parse(version)
                    .map_err(|_| error("its version is not semver, three numbers as in `1.2.0`".to_owned()))?;
                (path, Some(version))
            }
            None => (text, None),
        };
        let words: Vec<&str> = path.split([':', '/']).collect();
        if words.iter().any(|word| !is_kebab(word)) {
            return Err(error("it has to consist of words in kebab-case".to_owned()));
        }
        let separators: String = path.chars().filter(|c| matches!(c, ':' | '/')).collect();
        match (separators.as_str(), &version) {
            (":/", _) | ("", None) => Ok(Self { path: path.to_owned(), version }),
            ("", Some(_)) => Err(error("a name without a package has no version".to_owned())),
            (":", _) => Err(error("it names a package and no interface in it".to_owned())),
            _ => Err(error("it has to have one namespace, one package and one interface".to_owned())),
        }
    }
}

/// Words of letters and digits with single dashes between them, the form of names in WIT.
fn is_kebab(word: &str) -> bool {
    !word.is_empty() && word.split('-').all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> InterfaceName {
        text.parse().unwrap()
    }

    #[test]
    fn parts_of_a_name() {
        let sink = name("acme:log/sink@1.2.0");
        assert_eq!((sink.package(), sink.interface()), (Some("acme:log"), "sink"));
        assert_eq!(sink.version(), Some(&Version::new(1, 2, 0)));
        let plain = name("sink");
        assert_eq!((plain.package(), plain.interface(), plain.version()), (None, "sink", None));
    }

    #[test]
    fn one_semver_track_serves_itself_only() {
        for (import, export, serves) in [
            ("a:b/c@1.2.0", "a:b/c@1.0.0", true),
            ("a:b/c@1.2.0", "a:b/c@1.9.0", true),
            ("a:b/c@1.2.0", "a:b/c@2.0.0", false),
            ("a:b/c@0.2.0", "a:b/c@0.2.9", true),
            ("a:b/c@0.2.0", "a:b/c@0.3.0", false),
            ("a:b/c@0.0.1", "a:b/c@0.0.1", true),
            ("a:b/c@0.0.1", "a:b/c@0.0.2", false),
            ("a:b/c@1.0.0-rc.1", "a:b/c@1.0.0-rc.1", true),
            ("a:b/c@1.0.0", "a:b/c@1.0.0-rc.1", false),
            ("a:b/c", "a:b/c", true),
            ("a:b/c", "a:b/c@1.0.0", false),
            ("a:b/c@1.0.0", "a:b/d@1.0.0", false),
        ] {
            assert_eq!(name(export).can_serve(&name(import)), serves, "{export} for {import}");
        }
    }

    #[test]
    fn what_is_no_name() {
        for (text, problem) in [
            ("", "kebab-case"),
            ("acme:log", "no interface"),
            ("acme:log/sink@1", "semver"),
            ("acme:log/sink/more", "one interface"),
            ("sink@1.0.0", "without a package"),
            ("acme:lo_g/sink", "kebab-case"),
            ("acme:log/-sink", "kebab-case"),
        ] {
            let message = text.parse::<InterfaceName>().unwrap_err().to_string();
            assert!(message.contains(problem), "{message}");
        }
    }
}
