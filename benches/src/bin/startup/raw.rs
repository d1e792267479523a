//! The same start with Wasmtime alone: read and hash the components, read their code and check it, deserialise, instantiate.
#![expect(unsafe_code, reason = "this is what is compared with: it deserialises what it has just compiled itself")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use wasmtime::component::{Component, Linker};
use wasmtime::error::{Context as _, ensure};
use wasmtime::{Config, Engine, Result, Store};
use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

/// Components, their code in files, and what the code must hash to.
pub(crate) struct Raw {
    planets: Arc<Vec<Planet>>,
    components: usize,
    code: usize,
    _folder: TempDir,
}

struct Planet {
    component: PathBuf,
    code: PathBuf,
    checksum: blake3::Hash,
}

struct Host {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

const KEY: [u8; 32] = [7; 32];

/// With what decides about code as Kokoro has it.
fn engine() -> Result<Engine> {
    let mut config = Config::new();
    config.wasm_memory64(false);
    config.wasm_component_model(true).epoch_interruption(true).concurrency_support(false);
    Engine::new(&config)
}

impl Raw {
    /// Compiles all components of a folder.
    pub(crate) fn new(components: &Path) -> Result<Self> {
        let (engine, folder) = (engine()?, tempfile::tempdir()?);
        let mut raw = Self { planets: Arc::default(), components: 0, code: 0, _folder: folder };
        let mut planets = Vec::new();
        for file in fs::read_dir(components)? {
            let component = file?.path();
            let bytes = fs::read(&component)?;
            let serialized = Component::from_binary(&engine, &bytes)?.serialize()?;
            let code = raw._folder.path().join(component.file_stem().context("a name")?);
            fs::write(&code, &serialized)?;
            (raw.components, raw.code) = (raw.components + bytes.len(), raw.code + serialized.len());
            planets.push(Planet { component, code, checksum: blake3::keyed_hash(&KEY, &serialized) });
        }
        raw.planets = Arc::new(planets);
        Ok(raw)
    }

    /// The size of all components, in bytes.
    pub(crate) fn components(&self) -> usize {
        self.components
    }

    /// The size of all their code, in bytes.
    pub(crate) fn code(&self) -> usize {
        self.code
    }

    /// Until all are instantiated, by so many threads.
    pub(crate) async fn start(&self, threads: usize) -> Result<Duration> {
        let engine = engine()?;
        let began = Instant::now();
        let mut linker = Linker::<Host>::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        let (linker, next) = (Arc::new(linker), Arc::new(AtomicUsize::new(0)));
        let share = || {
            let (engine, linker) = (engine.clone(), Arc::clone(&linker));
            let (planets, next) = (Arc::clone(&self.planets), Arc::clone(&next));
            tokio::spawn(async move {
                let mut running = Vec::new();
                while let Some(planet) = planets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    running.push(planet.start(&engine, &linker).await?);
                }
                Ok::<_, wasmtime::Error>(running)
            })
        };
        let mut running = Vec::new();
        for share in (0..threads).map(|_| share()).collect::<Vec<_>>() {
            running.extend(share.await??);
        }
        let took = began.elapsed();
        ensure!(running.len() == self.planets.len(), "some were left out");
        Ok(took)
    }
}

impl Planet {
    async fn start(&self, engine: &Engine, linker: &Linker<Host>) -> Result<Store<Host>> {
        std::hint::black_box(Sha256::digest(fs::read(&self.component)?));
        let code = fs::read(&self.code)?;
        ensure!(blake3::keyed_hash(&KEY, &code) == self.checksum, "the code has changed");
        // SAFETY: `Raw::new` has written this file, with the same settings, and it has not changed since.
        let component = unsafe { Component::deserialize(engine, &code)? };
        let mut linker = linker.clone();
        linker.define_unknown_imports_as_traps(&component)?;
        let mut store = Store::new(engine, Host { wasi: WasiCtxBuilder::new().build(), table: ResourceTable::new() });
        store.set_epoch_deadline(1_000_000);
        linker.instantiate_async(&mut store, &component).await?;
        Ok(store)
    }
}
