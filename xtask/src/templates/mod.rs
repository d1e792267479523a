//! `cargo xtask templates`: what authors start from, made into projects as `cargo generate` does it, and put to use.
//!
//! The Planet (plugin) becomes a project of its own. The Primary would, too, but as a workspace of its own it would have other
//! features of Wasmtime's dependencies, and compile all of it again. So it becomes one more member of a copy of this workspace,
//! which shares the target folder: of the copy, only what is in this repository is compiled anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::planets;
use crate::process::{self, announce};
use crate::toolchain::{TARGET, Toolchain};
use crate::workspace::Workspace;

/// What the READMEs of the templates call the projects.
const PLANET: &str = "my-planet";
const PRIMARY: &str = "my-app";
/// The copy of this workspace, which has the Primary's project in it.
const COPY: &str = "checkout";
/// Tells `cargo generate` about a template, and is not copied.
const CONFIGURATION: &str = "cargo-generate.toml";
/// Where the README of the Primary's template has a hash that depends on the compiler.
const HASH: &str = "<SHA-256>";

/// Files by their paths.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The projects that were made of the templates.
#[derive(Debug)]
struct Projects<'a> {
    workspace: &'a Workspace,
    planet: PathBuf,
    primary: PathBuf,
}

/// Makes a project of each template, builds and tests them, and runs the Primary with the Planet (plugin).
pub(crate) fn run(workspace: &Workspace, toolchain: &Toolchain) -> Result<()> {
    let projects = Projects::make(workspace)?;
    let planet = projects.build_planet(toolchain)?;
    let primary = projects.build_primary()?;
    projects.try_together(&planet, &primary)
}

/// Checks the formatting of both projects, which is rustfmt's own, and what clippy says to them.
pub(crate) fn lint(workspace: &Workspace) -> Result<()> {
    let projects = Projects::make(workspace)?;
    for (project, file) in [(&projects.planet, "src/lib.rs"), (&projects.primary, "src/main.rs")] {
        process::run(Command::new("rustfmt").current_dir(project).args([
            "--check",
            "--edition=2024",
            // Else this repository's own would be found, which authors do not have.
            "--config=max_width=100,use_small_heuristics=Default",
            file,
        ]))?;
    }
    let deny = ["--", "--deny=warnings"];
    process::run(projects.cargo_planet(workspace.cargo()).args(["clippy", "--all-targets"]).args(deny))?;
    process::run(projects.cargo_primary("clippy").arg("--examples").args(deny))?;
    process::run(projects.cargo_primary("clippy").arg("--profile=test").args(deny))
}

impl<'a> Projects<'a> {
    fn make(workspace: &'a Workspace) -> Result<Self> {
        let templates = workspace.root.join("templates");
        let mut files = copy(workspace)?;
        let mut primary = scaffold(&read(&templates.join("primary"))?, PRIMARY, "..")?;
        // Only a workspace has profiles, and the copy has those of this one.
        primary.entry("Cargo.toml".into()).and_modify(|manifest| cut(manifest, "\n[profile."));
        for (path, content) in primary {
            files.insert(Path::new(COPY).join(PRIMARY).join(path), content);
        }
        for (path, content) in scaffold(&read(&templates.join("planet"))?, PLANET, "../../..")? {
            files.insert(Path::new(PLANET).join(path), content);
        }
        // The versions that this workspace has, so that nothing else has to be downloaded.
        files.insert(Path::new(PLANET).join("Cargo.lock"), fs::read(workspace.root.join("Cargo.lock"))?);
        let folder = workspace.target().join("templates");
        write_just(&folder, &files)?;
        Ok(Self { workspace, planet: folder.join(PLANET), primary: folder.join(COPY).join(PRIMARY) })
    }

    /// Tests the Planet (plugin) natively, builds the component and returns its file.
    fn build_planet(&self, toolchain: &Toolchain) -> Result<PathBuf> {
        announce(format_args!("templates: testing and building {}", self.workspace.relative(&self.planet).display()));
        process::run(self.cargo_planet(self.workspace.cargo()).arg("test"))?;

        let key = toolchain.key()?;
        planets::remove_old_builds(&self.planet_target(), &key)?;
        let folder = self.planet_target().join(key);
        process::run(
            self.cargo_planet(toolchain.cargo(self.workspace)?)
                .args(["build", "--release", "--target", TARGET])
                .env("CARGO_TARGET_DIR", &folder),
        )?;
        Ok(folder.join(TARGET).join("release").join(PLANET.replace('-', "_")).with_extension("wasm"))
    }

    /// Tests and builds the Primary, and returns the program.
    fn build_primary(&self) -> Result<PathBuf> {
        announce(format_args!("templates: testing and building {}", self.workspace.relative(&self.primary).display()));
        process::run(&mut self.cargo_primary("test"))?;

        // `--examples` (there are none) brings in the tests' features, as in `cargo xtask demo`.
        let messages = process::output(
            self.cargo_primary("build").args(["--examples", "--message-format=json-render-diagnostics"]),
        )?;
        let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut programs = messages.filter(|message| message["target"]["name"] == PRIMARY);
        let path = programs.find_map(|message| message["executable"].as_str().map(PathBuf::from));
        path.with_context(|| format!("cargo has built no program `{PRIMARY}`"))
    }

    /// Runs the Primary with a Planet (plugin) that it does not know, and then with one that it knows.
    fn try_together(&self, planet: &Path, primary: &Path) -> Result<()> {
        let file = self.primary.join("plugins").join(planet.file_name().unwrap_or_default());
        fs::copy(planet, &file).with_context(|| format!("{} cannot be copied", planet.display()))?;
        let readme = self.primary.join("README.md");
        let readme = fs::read_to_string(&readme).with_context(|| format!("{} cannot be read", readme.display()))?;

        let (succeeded, stranger) = self.run_primary(primary)?;
        let hash = hash(&stranger).with_context(|| format!("`{PRIMARY}` has not named the hash:\n{stranger}"))?;
        check(&readme, &stranger.replace(hash, HASH))?;
        ensure!(!succeeded, "`{PRIMARY}` has not failed with a plugin that it does not know");

        let list = self.primary.join("plugins.sha256");
        let known = fs::read_to_string(&list).with_context(|| format!("{} cannot be read", list.display()))?;
        fs::write(&list, format!("{known}{hash}  {PLANET}\n"))?;
        let (succeeded, acquaintance) = self.run_primary(primary)?;
        check(&readme, &acquaintance)?;
        ensure!(succeeded, "`{PRIMARY}` has failed with a plugin that it knows");
        announce(format_args!(
            "templates: {PRIMARY} with {PLANET} prints what its README says:\n{}",
            acquaintance.trim_end()
        ));
        Ok(())
    }

    /// Whether it succeeded, and what it wrote: to standard output first, and then to standard error.
    fn run_primary(&self, program: &Path) -> Result<(bool, String)> {
        let output = Command::new(program).current_dir(&self.primary).output();
        let output = output.with_context(|| format!("{} could not be started", program.display()))?;
        let text = [output.stdout, output.stderr].concat();
        Ok((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
    }

    fn planet_target(&self) -> PathBuf {
        self.workspace.cargo_target.join("templates-build")
    }

    fn cargo_planet(&self, mut cargo: Command) -> Command {
        cargo.current_dir(&self.planet).env("CARGO_TARGET_DIR", self.planet_target());
        cargo
    }

    /// A cargo that does something to the Primary alone, and takes features into account as if it did it to the whole
    /// workspace.
    fn cargo_primary(&self, command: &str) -> Command {
        let mut cargo = self.workspace.cargo();
        cargo
            .current_dir(self.primary.parent().unwrap_or(&self.primary))
            .env("CARGO_TARGET_DIR", &self.workspace.cargo_target)
            .args([command, "--workspace", &format!("--bin={PRIMARY}")]);
        cargo
    }
}

/// Makes a project named `name` of a template, with the Kokoro of the folder `kokoro`.
fn scaffold(template: &Files, name: &str, kokoro: &str) -> Result<Files> {
    let parser = liquid::ParserBuilder::with_stdlib().build()?;
    let values = liquid::object!({
        "project-name": name,
        "crate_name": name.replace('-', "_"),
        "kokoro": kokoro,
    });
    let expand = |path: &Path, text: &[u8]| -> Result<Vec<u8>> {
        let text = std::str::from_utf8(text)?;
        let template = parser.parse(text).with_context(|| format!("{} cannot be expanded", path.display()))?;
        Ok(template.render(&values).with_context(|| format!("{} cannot be expanded", path.display()))?.into_bytes())
    };
    let files = template.iter().filter(|(path, _)| **path != Path::new(CONFIGURATION));
    files.map(|(path, text)| Ok((without_liquid(path), expand(path, text)?))).collect()
}

/// `path` without the ending `liquid`: a Cargo.toml has it that cargo would not understand, in case it finds it here.
fn without_liquid(path: &Path) -> PathBuf {
    match path.extension().is_some_and(|extension| extension == "liquid") {
        true => path.with_extension(""),
        false => path.to_owned(),
    }
}

/// Ends `text` where `end` begins.
fn cut(text: &mut Vec<u8>, end: &str) {
    let at = text.windows(end.len()).position(|window| window == end.as_bytes());
    text.truncate(at.map_or(text.len(), |at| at + 1));
}

/// The packages of this workspace, with one member more.
fn copy(workspace: &Workspace) -> Result<Files> {
    let mut files = Files::new();
    for package in &workspace.packages {
        let manifest = Path::new(package["manifest_path"].as_str().context("a package without a manifest")?);
        let folder = manifest.parent().context("a manifest outside every folder")?;
        let place = Path::new(COPY).join(workspace.relative(folder));
        files.extend(read(folder)?.into_iter().map(|(path, content)| (place.join(path), content)));
    }
    let manifest = fs::read_to_string(workspace.root.join("Cargo.toml"))?;
    let manifest = of_another_version(&add_member(&manifest, PRIMARY)?)?;
    files.insert(Path::new(COPY).join("Cargo.toml"), manifest.into_bytes());
    files.insert(Path::new(COPY).join("Cargo.lock"), fs::read(workspace.root.join("Cargo.lock"))?);
    Ok(files)
}

/// The text of a workspace's Cargo.toml, with one member more.
fn add_member(manifest: &str, member: &str) -> Result<String> {
    let (before, after) = manifest.split_once("\nmembers = [").context("Cargo.toml has no list of members")?;
    Ok(format!("{before}\nmembers = [\n    \"{member}\",{after}"))
}

/// The text of a workspace's Cargo.toml, with another version of its packages. In one target folder, cargo would take those of
/// the copy for those of this workspace otherwise: it knows them by name, version and place in their workspace.
fn of_another_version(manifest: &str) -> Result<String> {
    let place = manifest.find("[workspace.package]\nversion = \"").context("Cargo.toml has no version")?;
    let (before, version) = manifest.split_at(place);
    Ok(format!("{before}{}", version.replacen("\"\n", "+copy\"\n", 1)))
}

/// The files below `folder`, by their paths in it, without what cargo has put there.
fn read(folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        for entry in current.read_dir().with_context(|| format!("{} cannot be read", current.display()))? {
            let path = entry?.path();
            if !path.is_dir() {
                let content = fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
                files.insert(path.strip_prefix(folder)?.to_owned(), content);
            } else if !path.ends_with("target") {
                folders.push(path);
            }
        }
    }
    Ok(files)
}

/// Makes `folder` have these files and no others. Those that are right already stay as they are, or cargo would compile
/// them again.
fn write_just(folder: &Path, files: &Files) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be created", folder.display()))?;
    for (path, content) in &read(folder)? {
        if files.get(path) != Some(content) {
            fs::remove_file(folder.join(path)).with_context(|| format!("{} cannot be removed", path.display()))?;
        }
    }
    for (path, content) in files {
        let file = folder.join(path);
        if !file.exists() {
            fs::create_dir_all(file.parent().unwrap_or(folder))?;
            fs::write(&file, content).with_context(|| format!("{} cannot be written", file.display()))?;
        }
    }
    Ok(())
}

/// The first SHA-256 in `text`.
fn hash(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_hexdigit()).find(|word| word.len() == 64)
}

/// Fails if the README does not show these very lines.
fn check(readme: &str, printed: &str) -> Result<()> {
    if !readme.contains(&format!("$ cargo run\n{printed}")) {
        bail!("the README of templates/primary does not show what `{PRIMARY}` prints:\n{printed}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> Files {
        files.iter().map(|(path, text)| (path.into(), text.as_bytes().to_owned())).collect()
    }

    #[test]
    fn a_project_has_placeholders_filled_and_no_configuration() {
        let template = files(&[
            (CONFIGURATION, "[placeholders]"),
            ("Cargo.toml.liquid", "name = \"{{project-name}}\" # {{crate_name}}"),
            ("src/lib.rs", "{% if kokoro == \"\" %}released{% else %}{{kokoro}}/kokoro-guest{% endif %}"),
        ]);
        let project = scaffold(&template, "my-planet", "../kokoro").unwrap();
        let expected = [("Cargo.toml", "name = \"my-planet\" # my_planet"), ("src/lib.rs", "../kokoro/kokoro-guest")];
        assert_eq!(project, files(&expected));
        assert_eq!(scaffold(&template, "a", "").unwrap()[Path::new("src/lib.rs")], b"released");
    }

    #[test]
    fn a_template_that_cannot_be_expanded_is_named() {
        let error = scaffold(&files(&[("src/lib.rs", "{% if %}")]), "a", "").unwrap_err();
        assert!(error.to_string().contains("src/lib.rs"), "{error}");
    }

    #[test]
    fn what_is_cut_leaves_whole_lines() {
        let mut text = b"a\n\n[profile.dev]\nb\n".to_vec();
        cut(&mut text, "\n[profile.");
        assert_eq!(text, b"a\n\n");
        cut(&mut text, "c");
        assert_eq!(text, b"a\n\n");
    }

    #[test]
    fn a_member_is_added_to_the_others() {
        let manifest = add_member("[workspace]\nmembers = [\n    \"a\",\n]\n", "b").unwrap();
        assert_eq!(manifest, "[workspace]\nmembers = [\n    \"b\",\n    \"a\",\n]\n");
        assert!(add_member("[package]\n", "b").is_err());
    }

    #[test]
    fn the_packages_of_the_copy_are_of_another_version() {
        let manifest = of_another_version("[workspace.package]\nversion = \"0.1.0\"\nedition = \"2024\"\n").unwrap();
        assert_eq!(manifest, "[workspace.package]\nversion = \"0.1.0+copy\"\nedition = \"2024\"\n");
        assert!(of_another_version("[package]\n").is_err());
    }

    #[test]
    fn a_hash_is_found_in_a_sentence() {
        let digits = "0123456789abcdef".repeat(4);
        assert_eq!(hash(&format!("add 77, or {digits}: to the list")), Some(&*digits));
        assert_eq!(hash("nothing to be added"), None);
    }

    #[test]
    fn both_templates_have_the_same_interfaces() {
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates");
        let [planet, primary] =
            ["planet", "primary"].map(|template| read(&templates.join(template).join("wit")).unwrap());
        assert_eq!(planet, primary);
    }

    #[test]
    fn a_folder_has_just_the_files_that_it_shall_have() {
        let folder = std::env::temp_dir().join(format!("kokoro-xtask-{}", std::process::id()));
        write_just(&folder, &files(&[("a/b", "1"), ("c", "2"), ("d", "3")])).unwrap();
        let untouched = fs::metadata(folder.join("d")).unwrap().modified().unwrap();
        let expected = files(&[("c", "new"), ("d", "3"), ("e/f", "4")]);
        write_just(&folder, &expected).unwrap();
        assert_eq!(read(&folder).unwrap(), expected);
        assert_eq!(fs::metadata(folder.join("d")).unwrap().modified().unwrap(), untouched);
        fs::remove_dir_all(&folder).unwrap();
    }
}
