//! A project, made of a template.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use include_dir::{Dir, DirEntry, File};

use crate::kind::Kind;

/// Files by their paths, which are relative to the project's folder.
pub type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Tells `cargo generate` about a template, and is not copied.
const CONFIGURATION: &str = "cargo-generate.toml";

/// What a template is filled with.
#[derive(Debug, Clone, Copy)]
pub struct Project<'a> {
    /// The project's name, in kebab-case, as `cargo generate` has it: `my-planet`.
    pub name: &'a str,
    /// The folder of a checkout of Kokoro to take the dependencies from, as it shall be in Cargo.toml: absolute, or relative to the
    /// project. `None` for the released ones.
    pub kokoro: Option<&'a str>,
}

impl Project<'_> {
    /// The project's files.
    ///
    /// # Errors
    ///
    /// If a file of the template is no text, or cannot be expanded: a mistake of the template, with the file's name.
    pub fn files(&self, kind: Kind) -> Result<Files, TemplateError> {
        let mut texts = Vec::new();
        collect(kind.template(), &mut texts);
        self.expand(texts.into_iter().map(|file| (file.path(), file.contents())))
    }

    fn expand<'a>(&self, template: impl Iterator<Item = (&'a Path, &'a [u8])>) -> Result<Files, TemplateError> {
        let wrong = |path: &Path, reason: &dyn fmt::Display| TemplateError {
            path: path.to_owned(),
            reason: reason.to_string(),
        };
        let parser = liquid::ParserBuilder::with_stdlib().build().map_err(|error| wrong(Path::new(""), &error))?;
        let values = liquid::object!({
            "project-name": self.name,
            "crate_name": self.name.replace('-', "_"),
            "kokoro": self.kokoro.unwrap_or_default(),
        });
        let mut files = Files::new();
        for (path, text) in template.filter(|(path, _)| *path != Path::new(CONFIGURATION)) {
            let text = std::str::from_utf8(text).map_err(|error| wrong(path, &error))?;
            let template = parser.parse(text).map_err(|error| wrong(path, &error))?;
            let text = template.render(&values).map_err(|error| wrong(path, &error))?;
            files.insert(without_liquid(path), text.into_bytes());
        }
        Ok(files)
    }
}

/// All files of a folder and of those in it.
fn collect<'a>(folder: &'a Dir<'a>, files: &mut Vec<&'a File<'a>>) {
    for entry in folder.entries() {
        match entry {
            DirEntry::Dir(folder) => collect(folder, files),
            DirEntry::File(file) => files.push(file),
        }
    }
}

/// `path` without the ending `liquid`: a Cargo.toml has it, or it would make the template's folder a package of its own, and
/// cargo would leave that out of this one.
fn without_liquid(path: &Path) -> PathBuf {
    match path.extension().is_some_and(|extension| extension == "liquid") {
        true => path.with_extension(""),
        false => path.to_owned(),
    }
}

/// A mistake in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    path: PathBuf,
    reason: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the template's `{}` cannot be expanded: {}", self.path.display(), self.reason.trim_end())
    }
}

impl Error for TemplateError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(name: &str, kokoro: Option<&str>, template: &[(&str, &str)]) -> Result<Files, TemplateError> {
        Project { name, kokoro }.expand(template.iter().map(|(path, text)| (Path::new(path), text.as_bytes())))
    }

    fn files(files: &[(&str, &str)]) -> Files {
        files.iter().map(|(path, text)| (path.into(), text.as_bytes().to_owned())).collect()
    }

    #[test]
    fn a_project_has_placeholders_filled_and_no_configuration() {
        let template = [
            (CONFIGURATION, "[placeholders]"),
            ("Cargo.toml.liquid", "name = \"{{project-name}}\" # {{crate_name}}"),
            ("src/lib.rs", "{% if kokoro == \"\" %}released{% else %}{{kokoro}}/kokoro-guest{% endif %}"),
        ];
        let expected = [("Cargo.toml", "name = \"my-planet\" # my_planet"), ("src/lib.rs", "../kokoro/kokoro-guest")];
        assert_eq!(expand("my-planet", Some("../kokoro"), &template).unwrap(), files(&expected));
        assert_eq!(expand("a", None, &template).unwrap()[Path::new("src/lib.rs")], b"released");
    }

    #[test]
    fn a_file_that_cannot_be_expanded_is_named() {
        let error = expand("a", None, &[("src/lib.rs", "{% if %}")]).unwrap_err();
        assert!(error.to_string().contains("`src/lib.rs`"), "{error}");
    }

    #[test]
    fn every_template_makes_a_project_that_says_what_it_is() {
        for kind in Kind::ALL {
            let files = Project { name: "my-project", kokoro: None }.files(kind).unwrap();
            let text = |path: &str| String::from_utf8(files[Path::new(path)].clone()).unwrap();
            assert!(text("README.md").starts_with("# my-project\n"), "{kind}");
            assert!(text("README.md").contains("Planet (plugin)") || kind == Kind::Primary, "{kind}");
            assert!(text("Cargo.toml").contains("\"0.1\""), "{kind}");
            for path in [".gitignore", ".github/workflows/ci.yml"] {
                assert!(files.contains_key(Path::new(path)), "{kind} has no {path}");
            }
            let left = |(path, text): (&PathBuf, &Vec<u8>)| {
                let text = String::from_utf8_lossy(text);
                text.contains("{{") || text.contains("{%") || path.to_string_lossy().contains("liquid")
            };
            assert_eq!(files.iter().find(|file| left(*file)), None, "{kind}");
        }
    }

    #[test]
    fn a_checkout_takes_the_place_of_every_released_version() {
        for kind in Kind::ALL {
            let files = Project { name: "my-project", kokoro: Some("/checkout") }.files(kind).unwrap();
            for (path, text) in files.iter().filter(|(path, _)| path.ends_with("Cargo.toml")) {
                let text = String::from_utf8_lossy(text);
                let released = text.lines().find(|line| line.starts_with("kokoro-") && line.contains("\"0.1\""));
                assert_eq!(released, None, "{kind}: {}", path.display());
            }
        }
    }

    #[test]
    fn the_application_and_its_planet_have_the_same_interfaces() {
        let wit = |kind| Project { name: "a", kokoro: None }.files(kind).unwrap().remove(Path::new("wit/app.wit"));
        assert!(wit(Kind::Planet).is_some());
        assert_eq!(wit(Kind::Planet), wit(Kind::Primary));
    }
}
