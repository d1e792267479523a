//! The same calls by wasm-link, from plugin to plugin. `wasm-link CALLER PROVIDER RESULTS`

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::{env, fs};

use anyhow::{Error, Result, anyhow, bail};
use kokoro_bench_measure::{CASES, Case, Measure, Work, check};
use wasm_link::cardinality::ExactlyOne;
use wasm_link::{
    Binding, Component, Engine, Function, FunctionKind, Interface, Linker, Plugin, PluginContext, PluginInstanceSync,
    ResourceTable, ReturnKind, Val,
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

const PACKAGE: &str = "bench:calls";
const ECHO: &str = "echo@0.1.0";
const CALLER: &str = "caller@0.1.0";

#[derive(Default)]
struct Context {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl PluginContext for Context {
    fn resource_table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
}

impl WasiView for Context {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

type One = Binding<u32, Context, ExactlyOne<u32, PluginInstanceSync<Context>>>;

fn main() -> Result<()> {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [caller, provider, results] = &arguments[..] else { bail!("usage: wasm-link CALLER PROVIDER RESULTS") };
    let (caller, provider) = (fs::read(caller)?, fs::read(provider)?);
    let results = Path::new(results);
    let folder = results.with_extension("criterion");
    let engine = Engine::default();
    let mut graph = link(&engine, &caller, &provider)?;
    let mut measure = Measure::new(&folder);
    for case in &CASES {
        let mut broken = false;
        measure.routine(case, "wasm-link", |rounds| {
            let outcome = run(&graph, case, rounds);
            broken |= outcome.is_err();
            outcome
        })?;
        // A plugin that has trapped answers nobody any more.
        if broken {
            graph = link(&engine, &caller, &provider)?;
        }
    }
    measure.results().write(results)
}

/// Its quick start, with two plugins.
fn link(engine: &Engine, caller: &[u8], provider: &[u8]) -> Result<One> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    let component = Component::new(engine, provider)?;
    let provider = Plugin::new(component, Context::default()).instantiate(engine, &linker)?;
    let names = ["add", "text", "bytes", "floats", "numbers", "points", "places"];
    let function = |kind| Function::new(FunctionKind::Freestanding, kind);
    let functions = names.map(|name| (name.to_owned(), function(ReturnKind::AssumeNoResources)));
    let functions = functions.into_iter().chain([("nop".to_owned(), function(ReturnKind::Void))]).collect();
    let echo: One = Binding::new(
        PACKAGE,
        HashMap::from([(ECHO.to_owned(), Interface::new(functions, HashSet::new()))]),
        ExactlyOne(0, provider),
    );
    let component = Component::new(engine, caller)?;
    let caller = Plugin::new(component, Context::default()).link(engine, linker, vec![echo])?;
    let run = HashMap::from([("run".to_owned(), function(ReturnKind::AssumeNoResources))]);
    Ok(Binding::new(
        PACKAGE,
        HashMap::from([(CALLER.to_owned(), Interface::new(run, HashSet::new()))]),
        ExactlyOne(1, caller),
    ))
}

fn run(graph: &One, case: &Case, rounds: u32) -> Result<()> {
    let work = match case.work {
        Work::Nop => "nop",
        Work::Add => "add",
        Work::Text => "text",
        Work::Bytes => "bytes",
        Work::Floats => "floats",
        Work::Numbers => "numbers",
        Work::Points => "points",
        Work::Places => "places",
    };
    let arguments = [Val::Enum(work.to_owned()), Val::U32(case.length), Val::U32(rounds)];
    let ExactlyOne(_, answer) = graph.dispatch(CALLER, "run", &arguments).map_err(|e| anyhow!("{e}"))?;
    match answer.map_err(|e| cause(&format!("{e:?}")))? {
        Val::U64(elements) => check(case, rounds, elements),
        other => bail!("the caller answered {other:?}"),
    }
}

/// What Wasmtime says at the end of an error that wasm-link wraps.
fn cause(error: &str) -> Error {
    let lines = error.lines().map(str::trim).filter(|line| !matches!(*line, "" | ")"));
    anyhow!("{}", lines.last().unwrap_or(error))
}
