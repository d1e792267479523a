//! The layers of the design: each file uses only those above it, and the resolver is pure.

use std::path::{Path, PathBuf};

/// From the top of the list downwards; each may use what comes before it. `rt` is what generated code calls.
const LAYERS: &[&str] = &[
    "interface",
    "manifest",
    "resolve",
    "admission",
    "limits",
    "restarts",
    "engine",
    "inspect",
    "value",
    "satellite",
    "planet",
    "link",
    "registry",
    "graph",
    "error",
    "primary",
    "blocking",
    "rt",
    "lib",
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(sources(&path)),
            false => files.push(path),
        }
    }
    files
}

/// The first part of a path below `src`, without extension: its layer.
fn layer(file: &Path, src: &Path) -> String {
    let first = file.strip_prefix(src).unwrap().components().next().unwrap();
    Path::new(&first).file_stem().unwrap().to_string_lossy().into_owned()
}

/// Code without comments and without the test modules at the end of files.
fn code(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[test]
fn no_file_uses_a_layer_below_its_own() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut checked = 0;
    for file in sources(&src).iter().filter(|file| !file.ends_with("tests.rs") && !file.ends_with("lib.rs")) {
        let own = layer(file, &src);
        let place = |name: &str| {
            let place = LAYERS.iter().position(|layer| *layer == name);
            // Among these would be groups (`crate::{..}`) and what `lib.rs` re-exports, whose layer cannot be told.
            place.unwrap_or_else(|| panic!("{} uses `crate::{name}`, which is no layer", file.display()))
        };
        let code = code(file);
        for used in code.split("crate::").skip(1) {
            let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            assert!(place(&used) <= place(&own), "{} uses `{used}`, which is below `{own}`", file.display());
            checked += 1;
        }
    }
    assert!(checked > 40, "only {checked} uses were found: does this test still see them?");
}

#[test]
fn the_resolver_uses_no_wasmtime_no_io_and_no_clock() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/resolve");
    for file in sources(&src).iter().filter(|file| !file.ends_with("tests.rs")) {
        for forbidden in ["wasmtime", "tokio", "std::fs", "std::io", "std::time", "std::net", "std::env", "tracing"] {
            assert!(!code(file).contains(forbidden), "{} uses `{forbidden}`", file.display());
        }
    }
}
