//! Random sets of real components, made from WIT text alone, against the model of what a settled set satisfies.
#![expect(clippy::print_stderr, reason = "how much was tried is worth knowing")]

mod model;
mod support;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Mutex;

use kokoro_host::{EdgeKind, EdgeProvider, Engine, Primary, State};
use model::{Interface, Outcome, Planet, Set};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

/// How many sets are tried.
const SETS: u32 = 1500;

/// A component with these imports and exports; its functions do nothing.
fn component(name: &str, planet: &Planet) -> Vec<u8> {
    let mut text = "package t:root;\nworld root {\n".to_owned();
    let mut packages = HashMap::new();
    for (word, interfaces) in [("import", &planet.requires), ("import", &planet.optional), ("export", &planet.provides)]
    {
        for interface in interfaces {
            let _ = writeln!(text, "  {word} {};", interface.full());
            packages.insert(interface.full(), interface);
        }
    }
    text.push_str("}\n");
    for interface in packages.values() {
        let full = interface.full();
        let (package, version) = (full.split('/').next().unwrap(), full.split('@').nth(1).unwrap());
        let ty = if interface.ty == 0 { "u8" } else { "string" };
        let _ = writeln!(text, "package {package}@{version} {{ interface i {{ f: func() -> {ty}; }} }}");
    }
    let mut resolve = Resolve::default();
    let package = resolve.push_str("set.wit", &text).unwrap_or_else(|error| panic!("{error:#}\n{text}"));
    let world = resolve.select_world(&[package], Some("root")).unwrap();
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let component = ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap();
    let optional: Vec<String> = planet.optional.iter().map(Interface::full).collect();
    support::with_manifest(component, &serde_json::json!({ "name": name, "optional": optional }).to_string())
}

/// What WIT text cannot say is beside the point: two types under one name, and two imports of one track in one
/// component, which wit-component makes one import of.
fn is_expressible(set: &Set) -> bool {
    set.values().all(|planet| {
        let imports = || planet.requires.iter().chain(&planet.optional);
        let all = || imports().chain(&planet.provides);
        let track = |a: &Interface| (a.name, a.major);
        all().all(|a| all().all(|b| a.full() != b.full() || a.ty == b.ty))
            && imports().all(|a| imports().filter(|b| track(a) == track(b)).count() == 1)
    })
}

/// Loads components from a folder, in which the names of the files give their order; if it is to be `foreseen`, a check of the folder has to
/// say the same without running anything.
async fn settle(engine: &Engine, components: impl Iterator<Item = &Vec<u8>>, foreseen: bool) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    for (i, component) in components.enumerate() {
        std::fs::write(folder.path().join(format!("{i}.wasm")), component).unwrap();
    }
    let primary = Primary::builder().engine(engine).build().unwrap();
    primary.load_dir(folder.path()).await.unwrap();
    let outcome = outcome(&primary);
    if foreseen {
        let checked = Primary::builder().engine(engine).check().dir(folder.path()).await.unwrap();
        assert_eq!(checked.graph, primary.graph(), "a check does not foresee what loading does");
    }
    primary.shutdown().await;
    outcome
}

fn outcome(primary: &Primary) -> Outcome {
    let graph = primary.graph();
    let mut outcome = Outcome { order: graph.order.clone(), ..Outcome::default() };
    for node in &graph.planets {
        if node.state != State::Running {
            assert_eq!(node.state, State::Waiting, "{node:?}");
            assert!(node.reason.is_some(), "`{}` waits without a reason", node.name);
            continue;
        }
        outcome.running.insert(node.name.clone());
        for edge in &node.imports {
            assert_ne!(edge.kind, EdgeKind::Host);
            if let Some(EdgeProvider::Planet(provider)) = &edge.provider {
                outcome.bound.insert((node.name.clone(), edge.interface.to_string()), provider.clone());
            }
        }
    }
    outcome
}

#[test]
fn random_sets_of_real_components_satisfy_the_model() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let engine = Engine::new().unwrap();
    let tried = Mutex::new((0, 0, 0));
    let mut runner = TestRunner::new(ProptestConfig { cases: SETS, ..ProptestConfig::default() });
    let strategy = model::sets(6).prop_filter("one type for each name", is_expressible);
    let done = runner.run(&strategy, |set| {
        let components: Vec<Vec<u8>> = set.iter().map(|(name, planet)| component(name, planet)).collect();
        let outcome = runtime.block_on(settle(&engine, components.iter(), tried.lock().unwrap().0 % 10 == 0));
        let reversed = runtime.block_on(settle(&engine, components.iter().rev(), false));
        prop_assert_eq!(&outcome, &reversed, "the order of files matters");
        let mut tried = tried.lock().unwrap();
        *tried = (tried.0 + 1, tried.1 + set.len(), tried.2 + outcome.running.len());
        model::check(&set, &outcome).map_err(TestCaseError::fail)
    });
    done.unwrap_or_else(|error| panic!("{error}"));
    let (sets, planets, running) = *tried.lock().unwrap();
    eprintln!("{sets} sets of {planets} planets, of which {running} run");
}
