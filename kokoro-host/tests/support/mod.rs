//! What several test programs need. Each uses a part of it.
#![allow(dead_code, unreachable_pub, reason = "each test program uses a part")]

use std::path::{Path, PathBuf};

use kokoro_host::{Node, Primary};

kokoro_host::bindings!({
    path: "tests/guests/wit",
    interfaces: [
        "test:guests/faults@0.1.0",
        "test:guests/relay@0.1.0",
        "test:guests/extra@0.1.0",
        "test:guests/shapes@0.1.0",
        "test:guests/step@0.1.0",
        "test:guests/counter@0.1.0",
        "test:guests/cancel@0.1.0",
        "test:guests/stubborn@0.1.0",
    ],
    serves: ["test:guests/host@0.1.0"],
});

/// The component of a guest program under `tests/guests`.
pub fn guest(name: &str) -> Vec<u8> {
    let file = planets().join("tests").join(format!("{name}.wasm"));
    std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask planets`", file.display()))
}

/// Where `cargo xtask planets` puts the Planets (plugins).
pub fn planets() -> PathBuf {
    match std::env::var_os("KOKORO_PLANETS") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/planets"),
    }
}

/// A component from WebAssembly's text form.
pub fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("well-formed text")
}

/// The same component with a section `kokoro:planet`.
pub fn with_manifest(mut component: Vec<u8>, json: &str) -> Vec<u8> {
    use wasm_encoder::{CustomSection, Encode as _, Section as _};
    let section = CustomSection { name: "kokoro:planet".into(), data: json.as_bytes().into() };
    component.push(section.id());
    section.encode(&mut component);
    component
}

/// The component with `json` as its first manifest, which is the one that counts.
pub fn first_manifest(component: Vec<u8>, json: &str) -> Vec<u8> {
    let header = with_manifest(component[..8].to_vec(), json);
    [header, component[8..].to_vec()].concat()
}

/// The same component under another name of the same length in its manifest.
pub fn renamed(mut component: Vec<u8>, old: &str, new: &str) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let (old, new) = (format!("{{\"name\":\"{old}\""), format!("{{\"name\":\"{new}\""));
    let mut from = 0;
    while let Some(place) = component[from..].windows(old.len()).position(|bytes| bytes == old.as_bytes()) {
        component[from + place..][..new.len()].copy_from_slice(new.as_bytes());
        from += place + 1;
    }
    component
}

/// What the application serves to guests.
#[derive(Debug, Default)]
pub struct Host {
    /// Set when the Primary is there, for calls that come back to it.
    pub primary: std::sync::OnceLock<Primary>,
}

/// What tests attach to calls.
#[derive(Debug)]
pub struct Request(pub String);

impl host::Host for std::sync::Arc<Host> {
    async fn attached(&self, caller: &kokoro_host::Caller) -> Option<String> {
        // Calls that go on at the same time have a chance to mix.
        tokio::task::yield_now().await;
        caller.attached::<Request>().map(|request| request.0.clone())
    }

    async fn chain(&self, caller: &kokoro_host::Caller) -> Vec<String> {
        caller.chain().iter().map(|name| name.to_string()).collect()
    }

    async fn back(&self, caller: &kokoro_host::Caller) -> Result<String, String> {
        assert_eq!(caller.planet(), "relay");
        let primary = self.primary.get().expect("a primary was given");
        let relay = primary.get::<relay::Relay>().expect("the caller runs");
        relay.plain("back").await.map_err(|error| error.to_string())
    }

    async fn dawdle(&self, _: &kokoro_host::Caller) {
        tokio::time::sleep(std::time::Duration::from_secs(600)).await;
    }
}

/// A Primary that serves [`Host`], with these guests.
pub async fn primary(guests: &[&str]) -> Primary {
    primary_with(Primary::builder(), guests).await
}

pub async fn primary_with(builder: kokoro_host::Builder, guests: &[&str]) -> Primary {
    let served = std::sync::Arc::new(Host::default());
    let primary = builder.serve(host::serve(std::sync::Arc::clone(&served))).build().expect("a primary");
    served.primary.set(primary.clone()).expect("it is new");
    for name in guests {
        primary.load_bytes(name, guest(name)).await.expect("a guest that loads");
    }
    primary
}

/// A Primary in which who ends in an error has failed.
pub fn without_restarts() -> kokoro_host::Builder {
    Primary::builder().restarts(kokoro_host::Restarts::none())
}

/// What has become of a Planet.
pub fn node(primary: &Primary, name: &str) -> Node {
    primary.graph().planet(name).unwrap_or_else(|| panic!("no planet `{name}`")).clone()
}

/// Why a Planet does not run.
pub fn reason(primary: &Primary, name: &str) -> String {
    node(primary, name).reason.unwrap_or_else(|| panic!("`{name}` runs"))
}

/// Keeps what a subscriber of `tracing` writes.
#[derive(Clone, Default)]
pub struct Kept(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl Kept {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).expect("text")
    }
}

impl std::io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
