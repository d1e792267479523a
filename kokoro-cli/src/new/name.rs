//! The project's name, which is also that of its crate and of its Planet (plugin).

use heck::ToKebabCase as _;

use super::rust;
use crate::failure::Failure;

/// What a crate cannot be called: crates that are always there, and folders that cargo makes.
const TAKEN: [&str; 9] = ["alloc", "build", "core", "deps", "examples", "incremental", "proc-macro", "std", "test"];
/// What the templates depend on.
const DEPENDENCIES: [&str; 3] = ["tokio", "tracing", "tracing-subscriber"];

/// An error if a project cannot be called so.
pub(super) fn check(name: &str) -> Result<(), Failure> {
    let Some(problem) = problem(name) else { return Ok(()) };
    let instead = suggestion(name).map(|name| format!("\n  help: write `{name}`")).unwrap_or_default();
    Err(Failure::input(format!("`{}` cannot be a project's name: {problem}{instead}", name.escape_debug())))
}

fn problem(name: &str) -> Option<&'static str> {
    if !is_kebab(name) {
        Some("it has lower-case letters, digits and single dashes, and begins with a letter")
    } else if name.len() > 64 {
        Some("it has 64 letters at most")
    } else if rust::is_keyword(name) {
        Some("that is a word of the language Rust")
    } else if TAKEN.contains(&name) {
        Some("cargo or Rust has that for something else")
    } else if DEPENDENCIES.contains(&name) || name.starts_with("kokoro-") {
        Some("that is, or may become, the name of one of its dependencies")
    } else {
        None
    }
}

fn is_kebab(name: &str) -> bool {
    let plain = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.split('-').all(plain)
}

/// A name like the one that cannot be used, in the form that `cargo generate` would give it.
fn suggestion(name: &str) -> Option<String> {
    let name = name.to_kebab_case();
    let name = name.trim_start_matches(|c: char| !c.is_ascii_lowercase());
    problem(name).is_none().then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_can_be_called_so() {
        for name in ["hello", "my-planet", "a1", "x-2"] {
            assert!(check(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_used_has_a_reason_and_often_another_name() {
        let message = |name: &str| check(name).unwrap_err().to_string();
        assert!(message("MyPlanet").ends_with("help: write `my-planet`"));
        assert!(message("my_planet").ends_with("help: write `my-planet`"));
        assert!(message("2fast").ends_with("help: write `fast`"));
        assert!(message("match").contains("a word of the language Rust"));
        assert!(message("test").contains("for something else"));
        assert!(message("kokoro-guest").contains("one of its dependencies"));
        assert!(message("../x y").starts_with("`../x y` cannot be a project's name: it has lower-case"));
        assert!(message(&"a".repeat(65)).contains("64 letters at most"));
        assert!(!message("").contains("help"));
    }
}
