//! Projects of authors: small cargo workspaces with Planets (plugins), built by the real cargo.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::{Run, program};

/// The target that Planets are built for.
const TARGET: &str = "wasm32-wasip2";

/// A cargo workspace whose members are the folders in `planets`.
pub struct Project {
    place: TempDir,
}

impl Project {
    /// A workspace without members. None if this machine cannot compile Planets, which is said.
    #[expect(clippy::print_stderr, reason = "whoever reads what tests say is to know that they did not run")]
    pub fn new() -> Option<Self> {
        let ask = Command::new(tool("rustc")).args(["--print", "target-libdir", "--target", TARGET]).output();
        let libraries = PathBuf::from(String::from_utf8_lossy(&ask.expect("rustc runs").stdout).trim_end());
        if !libraries.is_dir() {
            eprintln!("skipped: this Rust has no standard library for {TARGET} (`rustup target add {TARGET}`)");
            return None;
        }
        Some(Self::anywhere())
    }

    /// The same, where nothing is compiled.
    pub fn anywhere() -> Self {
        let project = Self { place: tempfile::tempdir().expect("a temporary folder") };
        // As the templates have it, so that what they compile need not be compiled again.
        let manifest = "[workspace]\nresolver = \"3\"\nmembers = [\"planets/*\"]\n\n[profile.release]\nopt-level = \"s\"\nlto = true\n\
                        codegen-units = 1\nstrip = \"debuginfo\"\n";
        project.write("Cargo.toml", manifest);
        let lock = repository().join("Cargo.lock");
        fs::copy(lock, project.path("Cargo.lock")).expect("the versions that this repository has");
        project
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.place.path().canonicalize().expect("it is there").join(file)
    }

    pub fn write(&self, file: &str, content: &str) {
        let file = self.path(file);
        fs::create_dir_all(file.parent().expect("it is in a folder")).expect("a folder");
        fs::write(file, content).expect("a file");
    }

    pub fn replace(&self, file: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.path(file)).expect("a file");
        assert!(text.contains(old), "{text}");
        self.write(file, &text.replace(old, new));
    }

    /// A Planet that answers `greet` with a word and the name.
    pub fn planet(&self, name: &str, word: &str) {
        let guest = repository().join("kokoro-guest");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[lib]\ncrate-type = [\"cdylib\"]\n\n\
             [dependencies]\nkokoro-guest = {{ path = '{}' }}\n",
            guest.display()
        );
        let source = format!(
            "kokoro_guest::planet! {{ state: Greeter, exports: [\"test:{name}/greeting@0.1.0\"] }}\n\n\
             #[derive(Default)]\nstruct Greeter;\n\nimpl greeting::Guest for Greeter {{\n    \
             fn greet(&mut self, name: String) -> String {{\n        format!(\"{word} {{name}}!\")\n    }}\n}}\n"
        );
        let wit = format!(
            "package test:{name}@0.1.0;\n\ninterface greeting {{\n    greet: func(name: string) -> string;\n}}\n\n\
             world plugin {{\n    export greeting;\n}}\n"
        );
        self.write(&format!("planets/{name}/Cargo.toml"), &manifest);
        self.write(&format!("planets/{name}/src/lib.rs"), &source);
        self.write(&format!("planets/{name}/wit/{name}.wit"), &wit);
    }

    /// A package that makes a program and nothing else.
    pub fn satellite(&self, name: &str, of: &str) {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
             [package.metadata.kokoro]\nsatellite-of = \"{of}\"\n"
        );
        self.write(&format!("planets/{name}/Cargo.toml"), &manifest);
        self.write(&format!("planets/{name}/src/main.rs"), "fn main() {}\n");
    }

    /// `kokoro` in the workspace's folder.
    pub fn program(&self) -> Command {
        let mut command = program();
        command.current_dir(self.path("")).env_remove("RUST_LOG");
        // One folder for all, which is kept: what is compiled once need not be again.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("templates-build").join("rustup");
        command.env("CARGO_TARGET_DIR", target).env("CARGO_NET_OFFLINE", "true").env("CARGO_TERM_QUIET", "true");
        // What cargo has for this repository's own tests.
        command.env("CARGO_ENCODED_RUSTFLAGS", "-Dwarnings").env_remove("RUSTC").env("CARGO", tool("cargo"));
        command.env_remove("CARGO_INCREMENTAL").env_remove("CARGO_PROFILE_DEV_DEBUG").env_remove("KOKORO_PLANETS");
        command
    }

    pub fn kokoro(&self, arguments: &[&str]) -> Run {
        Run::of(self.program().args(arguments))
    }

    /// A text in which the workspace's folder is `DIR`.
    pub fn without_place(&self, text: &str) -> String {
        text.replace(self.path("").to_string_lossy().trim_end_matches('/'), "DIR")
    }
}

pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it is in the workspace").to_owned()
}

/// The cargo that runs the tests, or what is beside it.
pub fn tool(name: &str) -> PathBuf {
    match std::env::var_os("CARGO") {
        Some(cargo) => Path::new(&cargo).with_file_name(name),
        None => PathBuf::from(name),
    }
}
