//! What is foreseen of Planets without running them is what comes of them.

mod support;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use kokoro_host::types::{Worlds, worlds_of_package};
use kokoro_host::{Admission, InterfaceName, Primary, inspect};
use support::{Gate, Host, Served, guest};
use wit_parser::Resolve;

/// Some of the interfaces in the guests' WIT, as a world imports and exports them.
fn types(imports: &[&str], exports: &[&str]) -> Worlds {
    let mut resolve = Resolve::default();
    resolve.push_source("kokoro:core", kokoro_wit::PACKAGE).unwrap();
    resolve.push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests/wit")).unwrap();
    let mut world = "package test:worlds; world all {".to_owned();
    for (word, names) in [("import", imports), ("export", exports)] {
        for name in names {
            write!(world, " {word} {name};").unwrap();
        }
    }
    let package = resolve.push_source("worlds.wit", &(world + "}")).unwrap();
    worlds_of_package(&wit_component::encode(&resolve, package).unwrap()).unwrap()
}

#[tokio::test]
async fn what_the_application_serves_counts_by_its_types() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["relay", "step", "extra", "cancel", "holder", "keeper"] {
        std::fs::write(folder.path().join(format!("{name}.wasm")), guest(name)).unwrap();
    }
    let served = ["test:guests/gate@0.1.0", "test:guests/host@0.1.0"];
    let worlds = types(&served, &[]);
    let check = served.iter().fold(Primary::builder().check(), |check, name| {
        let name: InterfaceName = name.parse().unwrap();
        let types = worlds.imports[&name].clone();
        check.serve_types(name, types)
    });
    let foreseen = check.dir(folder.path()).await.unwrap();
    let primary = Primary::builder()
        .serve(support::gate::serve(Arc::new(Gate::default())))
        .serve(support::host::serve(Served(Arc::new(Host::default()))))
        .build()
        .unwrap();
    primary.load_dir(folder.path()).await.unwrap();
    assert_eq!(foreseen.graph, primary.graph());
    assert!(!foreseen.all_would_start(), "nobody serves what `keeper` needs");
    assert_eq!(foreseen.inspections.len(), 6);
    assert!(foreseen.dependencies["keeper"].iter().any(|dependency| dependency.contenders.is_empty()));
    primary.shutdown().await;
}

#[tokio::test]
async fn admission_is_asked_as_if_they_were_loaded() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("extra.wasm"), guest("extra")).unwrap();
    let decide = |_| async { Admission::refused("it is not known") };
    let foreseen = Primary::builder().admit(decide).check().dir(folder.path()).await.unwrap();
    let primary = Primary::builder().admit(decide).build().unwrap();
    primary.load_dir(folder.path()).await.unwrap();
    assert_eq!(foreseen.graph, primary.graph());
}

#[test]
fn the_types_of_a_world_are_those_of_its_components() {
    let names = ["test:guests/shapes@0.1.0", "test:guests/shelf@0.1.0", "test:guests/faults@0.1.0"];
    let worlds = types(&names, &names);
    for (name, guest_name) in names.iter().zip(["shapes", "shelf", "faulty"]) {
        let name: InterfaceName = name.parse().unwrap();
        let inspection = inspect(guest_name, &guest(guest_name)).unwrap();
        let (wanted, offered) = (&worlds.imports[&name], &inspection.exports[&name]);
        assert_eq!(wanted.fits_planet(offered), Ok(()), "{name}");
        assert_eq!(wanted.fits_planet(&worlds.exports[&name]), Ok(()), "{name}");
        assert_eq!(worlds.exports[&name], *offered, "{name}");
    }
}

#[test]
fn what_is_no_package_is_refused() {
    assert!(worlds_of_package(b"text").is_err());
    assert_eq!(worlds_of_package(&guest("extra")).unwrap(), Worlds::default(), "a component has no worlds in it");
}
