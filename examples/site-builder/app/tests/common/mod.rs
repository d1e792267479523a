//! A small site, and the program that builds it.
#![allow(dead_code, reason = "each test program uses its own part")]

pub(crate) mod driver;
pub(crate) mod server;

use kokoro_host::SatelliteGrant;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const FILES: &[(&str, &str)] = &[
    (
        "README.md",
        r##"# Hello & `<world>`

Read the [guide](guide/), its [second part](guide/second-part.md#what-comes-then), the [code](code) or [this](#a-table).
![A dot](pictures/dot.svg) Elsewhere: [example](https://example.org/README.md). Nowhere: [gone](gone.md).

## Some code

```rust
// A comment.
pub fn answer() -> u32 {
    let text = "forty-two, and so on, until the line is longer than any telephone that was ever built is wide, or two";
    text.len() as u32
}
```

```nonsense
a < b
```

## A table

| one | two | three | four | five | six | seven | eight |
|---|---|---|---|---|---|---|---:|
| `a-long-word-without-any-break-in-it` | `a-long-word-without-any-break-in-it` | `another` | 4 | 5 | 6 | 7 | 8 |

- [x] done
- [ ] not ~~yet~~[^1]

[^1]: A note.

## Some code

Pneumonoultramicroscopicsilicovolcanoconiosis-and-pneumonoultramicroscopicsilicovolcanoconiosis-in-one-word
"##,
    ),
    ("guide/README.md", "# The guide\n\nBack [home](../README.md), [on](second-part.md).\n"),
    (
        "guide/second-part.md",
        "# Second part\n\n## What comes first\n\n### Deeper\n\n## What comes then\n\nThe [guide](README.md#the-guide).\n",
    ),
    ("guide/no_heading.md", "Text <b>without</b> heading, and [a guide](./).\n"),
    ("code/main.rs", "fn main() {}\n"),
    ("code/more/lib.rs", ""),
    (
        "pictures/dot.svg",
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><circle r=\"9\"/></svg>\n",
    ),
    ("target/left-out.md", "# Left out\n"),
];

/// The Planets (plugins) that make a site.
pub(crate) const PLANETS: [&str; 6] = ["backlinks", "highlight", "images", "markdown", "outline", "page"];

/// A folder with a site's Markdown, one for Planets (plugins), and one for the pages.
pub(crate) struct Site {
    folder: TempDir,
}

impl Site {
    /// The site with all Planets but those named.
    pub(crate) fn without(planets: &[&str]) -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap() };
        for (file, text) in FILES {
            site.add(file, text.as_bytes());
        }
        let all = all_planets();
        fs::create_dir_all(site.planets()).unwrap();
        for name in PLANETS {
            let file = format!("{name}.wasm");
            if !planets.contains(&name) {
                let planet = all.join(&file);
                fs::copy(&planet, site.planets().join(file))
                    .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask planets`", planet.display()));
                site.add_programs(name, &all);
            }
        }
        site
    }

    /// Copies the Planet's Satellites (native programs) for this machine.
    fn add_programs(&self, planet: &str, all: &Path) {
        let folder = Path::new(&format!("{planet}.satellites")).join(SatelliteGrant::TARGET);
        for program in all.join(&folder).read_dir().into_iter().flatten() {
            let program = program.unwrap();
            fs::create_dir_all(self.planets().join(&folder)).unwrap();
            fs::copy(program.path(), self.planets().join(&folder).join(program.file_name())).unwrap();
        }
    }

    /// The program that makes small pictures of large ones.
    pub(crate) fn codec(&self) -> PathBuf {
        self.planets().join("images.satellites").join(SatelliteGrant::TARGET).join("image-codec")
    }

    pub(crate) fn add(&self, file: &str, text: &[u8]) {
        let path = self.input().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn planets(&self) -> PathBuf {
        self.folder.path().join("planets")
    }

    /// Where the Markdown is.
    pub(crate) fn input(&self) -> PathBuf {
        self.folder.path().join("input")
    }

    /// Where the pages are.
    pub(crate) fn output(&self) -> PathBuf {
        self.folder.path().join("output")
    }

    pub(crate) fn page(&self, target: &str) -> String {
        let path = self.output().join(target);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Runs the program.
    pub(crate) fn build(&self) -> Outcome {
        self.build_to(&self.output())
    }

    /// Runs the program with another folder for the pages.
    pub(crate) fn build_to(&self, output: &Path) -> Outcome {
        Outcome::of(&mut self.command(output))
    }

    /// The program, ready to be run.
    pub(crate) fn command(&self, output: &Path) -> Command {
        let mut command = program();
        command.arg("build").arg("--planets").arg(self.planets());
        command.arg("--input").arg(self.input()).arg("--output").arg(output);
        command
    }
}

/// What the program said.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    pub(crate) fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = command.output().unwrap();
        Self {
            code: status.code(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }
}

/// The program without arguments.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_site-builder"));
    command.env_remove("RUST_LOG");
    command
}

/// Adds a custom section to a component, which changes the file and nothing that it does.
pub(crate) fn changed(mut component: Vec<u8>, section: &str, content: &str) -> Vec<u8> {
    let section = [&[u8::try_from(section.len()).unwrap()], section.as_bytes(), content.as_bytes()].concat();
    let (low, high) = (section.len() & 0x7f, section.len() >> 7);
    component.extend([0, u8::try_from(low | 0x80).unwrap(), u8::try_from(high).unwrap()]);
    component.extend(section);
    component
}

fn all_planets() -> PathBuf {
    planets("site-builder")
}

/// The folder with Planets (plugins) of this name.
pub(crate) fn planets(folder: &str) -> PathBuf {
    let name = folder;
    let folder = std::env::var_os("KOKORO_PLANETS").map(PathBuf::from).unwrap_or_else(|| {
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap().join("target").join("planets")
    });
    let folder = folder.join(name);
    assert!(folder.is_dir(), "there are no planets in {}; run `cargo xtask planets`", folder.display());
    folder
}
