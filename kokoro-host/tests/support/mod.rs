//! What several test programs need. Each uses a part of it.
#![allow(dead_code, unreachable_pub, reason = "each test program uses a part")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use kokoro_host::{Caller, Event, Events, Node, Primary};
use tokio::sync::Semaphore;

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
        "test:guests/holder@0.1.0",
        "test:guests/first@0.1.0",
        "test:guests/middle@0.1.0",
    ],
    serves: ["test:guests/host@0.1.0", "test:guests/gate@0.1.0"],
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

/// A component whose life cycle is this, in text. All of it has the memory `$m`, which `$memory` exports with a `realloc`.
#[derive(Debug, Clone, Copy)]
pub struct LifeCycle<'a> {
    /// What the component imports and exports besides. An instance `$in` has what the code imports.
    pub around: &'a str,
    /// What the code imports from `in`.
    pub imports: &'a str,
    /// Leaves a number: 0 is `ok`.
    pub start: &'a str,
    pub stop: &'a str,
}

impl Default for LifeCycle<'_> {
    fn default() -> Self {
        Self { around: "(core instance $in)", imports: "", start: "i32.const 0", stop: "" }
    }
}

impl LifeCycle<'_> {
    pub fn component(self) -> Vec<u8> {
        let Self { around, imports, start, stop } = self;
        wat(&format!(
            r#"(component
            (core module $memory
              (memory (export "memory") 1)
              (global $next (mut i32) (i32.const 1024))
              (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                global.get $next
                (global.set $next (i32.add (global.get $next) (local.get 3)))))
            (core instance $memory (instantiate $memory))
            (alias core export $memory "memory" (core memory $m))
            {around}
            (core module $code
              {imports}
              (import "memory" "memory" (memory 1))
              (func (export "start") (result i32) {start})
              (func (export "stop") {stop}))
            (core instance $code (instantiate $code (with "in" (instance $in)) (with "memory" (instance $memory))))
            (func $start (result (result (error string))) (canon lift (core func $code "start") (memory $m)))
            (func $stop (canon lift (core func $code "stop")))
            (instance $lifecycle (export "start" (func $start)) (export "stop" (func $stop)))
            (export "kokoro:core/lifecycle@0.1.0" (instance $lifecycle)))"#
        ))
    }
}

/// What an application answers to guests that ask `host`. Most tests want one thing of it.
pub trait Application: Send + Sync + 'static {
    fn attached(&self, _: &Caller) -> impl Future<Output = Option<String>> + Send {
        async { None }
    }

    fn chain(&self, _: &Caller) -> impl Future<Output = Vec<String>> + Send {
        async { Vec::new() }
    }

    fn back(&self, _: &Caller) -> impl Future<Output = Result<String, String>> + Send {
        async { Err("nobody asks".to_owned()) }
    }

    fn dawdle(&self, _: &Caller) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// An [`Application`] in the form that is served.
#[derive(Debug)]
pub struct Served<A>(pub Arc<A>);

impl<A: Application> host::Host for Served<A> {
    async fn attached(&self, caller: &Caller) -> Option<String> {
        self.0.attached(caller).await
    }

    async fn chain(&self, caller: &Caller) -> Vec<String> {
        self.0.chain(caller).await
    }

    async fn back(&self, caller: &Caller) -> Result<String, String> {
        self.0.back(caller).await
    }

    async fn dawdle(&self, caller: &Caller) {
        self.0.dawdle(caller).await;
    }
}

/// Serves `host` by an application.
pub fn serve<A: Application>(application: &Arc<A>) -> kokoro_host::Service {
    host::serve(Served(Arc::clone(application)))
}

/// What the application serves to guests.
#[derive(Debug, Default)]
pub struct Host {
    /// Set when the Primary is there, for calls that come back to it.
    pub primary: OnceLock<Primary>,
}

/// What tests attach to calls.
#[derive(Debug)]
pub struct Request(pub String);

impl Application for Host {
    async fn attached(&self, caller: &Caller) -> Option<String> {
        // Calls that go on at the same time have a chance to mix.
        tokio::task::yield_now().await;
        caller.attached::<Request>().map(|request| request.0.clone())
    }

    async fn chain(&self, caller: &Caller) -> Vec<String> {
        caller.chain().iter().map(|name| name.to_string()).collect()
    }

    async fn back(&self, caller: &Caller) -> Result<String, String> {
        assert_eq!(caller.planet(), "relay");
        let primary = self.primary.get().expect("a primary was given");
        let relay = primary.get::<relay::Relay>().expect("the caller runs");
        relay.plain("back").await.map_err(|error| error.to_string())
    }

    async fn dawdle(&self, _: &Caller) {
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
}

/// A gate that lets through as many as it was told. Whoever stands before it is in the middle of a call.
#[derive(Debug)]
pub struct Gate {
    arrived: Semaphore,
    open: Semaphore,
}

impl Default for Gate {
    fn default() -> Self {
        Self { arrived: Semaphore::new(0), open: Semaphore::new(0) }
    }
}

impl Gate {
    /// Waits until somebody stands before it.
    pub async fn arrived(&self) {
        in_time(self.arrived.acquire()).await.unwrap().forget();
    }

    pub fn open(&self) {
        self.open.add_permits(1);
    }
}

impl gate::Host for Arc<Gate> {
    async fn pass(&self, _: &Caller) {
        self.arrived.add_permits(1);
        self.open.acquire().await.unwrap().forget();
    }
}

/// What comes of `work`, which may take far longer than it ever does: whoever waits for what never comes fails instead of hanging.
pub async fn in_time<T>(work: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(120), work).await.expect("it never came")
}

/// The next event.
pub async fn next(events: &mut Events) -> Event {
    in_time(events.next()).await.expect("the primary is there")
}

/// A Primary that serves [`Host`], with these guests.
pub async fn primary(guests: &[&str]) -> Primary {
    primary_with(Primary::builder(), guests).await
}

pub async fn primary_with(builder: kokoro_host::Builder, guests: &[&str]) -> Primary {
    let served = Arc::new(Host::default());
    let primary = builder.serve(serve(&served)).build().expect("a primary");
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
pub struct Kept(Arc<Mutex<Vec<u8>>>);

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
