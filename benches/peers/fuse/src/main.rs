//! Makes one component of two: the caller's import is the provider's export. `fuse CALLER PROVIDER OUT`

use std::path::Path;
use std::{env, fs};

use anyhow::{Context as _, Result, bail};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions};

const ECHO: &str = "bench:calls/echo@0.1.0";
const CALLER: &str = "bench:calls/caller@0.1.0";

fn main() -> Result<()> {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [caller, provider, out] = &arguments[..] else { bail!("usage: fuse CALLER PROVIDER OUT") };
    let mut graph = CompositionGraph::new();
    let provider = register(&mut graph, "bench:provider", Path::new(provider))?;
    let caller = register(&mut graph, "bench:caller", Path::new(caller))?;
    let provider = graph.instantiate(provider);
    let caller = graph.instantiate(caller);
    let echo = graph.alias_instance_export(provider, ECHO)?;
    graph.set_instantiation_argument(caller, ECHO, echo)?;
    let exported = graph.alias_instance_export(caller, CALLER)?;
    graph.export(exported, CALLER)?;
    fs::write(out, graph.encode(EncodeOptions::default())?).context("the component cannot be written")
}

fn register(graph: &mut CompositionGraph, name: &str, file: &Path) -> Result<wac_graph::PackageId> {
    let bytes = fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let package = Package::from_bytes(name, None, bytes, graph.types_mut())?;
    Ok(graph.register_package(package)?)
}
