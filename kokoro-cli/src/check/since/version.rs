//! Which version a change asks for.

use semver::{Prerelease, Version};

/// The next version of another semver track, which is not taken for the old one.
pub(super) fn next_track(version: &Version) -> Version {
    match version {
        Version { pre, .. } if !pre.is_empty() => with_next_pre(version),
        Version { major: 0, minor: 0, patch, .. } => Version::new(0, 0, patch + 1),
        Version { major: 0, minor, .. } => Version::new(0, minor + 1, 0),
        Version { major, .. } => Version::new(major + 1, 0, 0),
    }
}

/// The next version of the same semver track; none if the track has only one.
pub(super) fn next_on_track(version: &Version) -> Option<Version> {
    match version {
        Version { pre, .. } if !pre.is_empty() => None,
        Version { major: 0, minor: 0, .. } => None,
        Version { major: 0, minor, patch, .. } => Some(Version::new(0, *minor, patch + 1)),
        Version { major, minor, .. } => Some(Version::new(*major, minor + 1, 0)),
    }
}

/// Each pre-release is a track of its own; the last of its numbers is counted up, or one is added.
fn with_next_pre(version: &Version) -> Version {
    let pre = version.pre.as_str();
    let (before, last) = pre.rsplit_once('.').unwrap_or((pre, ""));
    let next = match last.parse::<u64>() {
        Ok(number) => format!("{before}.{}", number.saturating_add(1)),
        Err(_) => format!("{pre}.1"),
    };
    let mut version = version.clone();
    version.pre = Prerelease::new(&next).unwrap_or(Prerelease::EMPTY);
    version
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_track_serves_no_longer_and_the_next_of_one_does() {
        for (version, track, next) in [
            ("1.2.3", "2.0.0", Some("1.3.0")),
            ("0.2.3", "0.3.0", Some("0.2.4")),
            ("0.0.3", "0.0.4", None),
            ("1.0.0-rc.1", "1.0.0-rc.2", None),
            ("1.0.0-beta", "1.0.0-beta.1", None),
        ] {
            let version: Version = version.parse().unwrap();
            let interface =
                |version: &Version| format!("a:b/c@{version}").parse::<kokoro_host::InterfaceName>().unwrap();
            let (off, on) = (next_track(&version), next_on_track(&version));
            assert_eq!((off.to_string().as_str(), on.as_ref().map(Version::to_string).as_deref()), (track, next));
            assert!(!interface(&off).can_serve(&interface(&version)));
            assert!(on.is_none_or(|on| interface(&on).can_serve(&interface(&version))));
        }
    }
}
