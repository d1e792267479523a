//! What several test programs need.
#![allow(dead_code, unreachable_pub, reason = "each test program uses a part")]

use std::path::{Path, PathBuf};

use kokoro_test::Harness;

/// The interfaces of the guests.
pub mod wit {
    kokoro_test::bindings!({
        path: "../kokoro-host/tests/guests/wit",
        interfaces: [
            "test:guests/extra@0.1.0",
            "test:guests/relay@0.1.0",
            "test:guests/shapes@0.1.0",
        ],
        serves: ["test:guests/gate@0.1.0"],
    });
}

/// A guest program of kokoro-host's tests.
pub fn guest(name: &str) -> Harness {
    Harness::file(file(name))
}

/// Where `cargo xtask planets` puts it.
pub fn file(name: &str) -> PathBuf {
    let folder = match std::env::var_os("KOKORO_PLANETS") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/planets"),
    };
    folder.join("tests").join(format!("{name}.wasm"))
}

/// A component with `json` as its first manifest, which is the one that counts.
pub fn with_manifest(component: Vec<u8>, json: &str) -> Vec<u8> {
    const NAME: &str = "kokoro:planet";
    let length = u8::try_from(1 + NAME.len() + json.len()).expect("a short one");
    assert!(length < 0x80, "a length of one byte");
    let (header, rest) = component.split_at(8);
    [header, &[0, length, 13], NAME.as_bytes(), json.as_bytes(), rest].concat()
}
