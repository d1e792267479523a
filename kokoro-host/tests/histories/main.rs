//! Random histories of Planets (plugins) that come, go, fail and change, against a model of their life.
#![allow(unreachable_pub, reason = "it is a program")]
#![expect(clippy::print_stderr, reason = "how much was tried is worth knowing")]

#[path = "../model/mod.rs"]
mod model;
#[path = "../support/mod.rs"]
mod support;

mod counts;
mod history;
mod journal;
mod life;
mod run;
mod shape;

use std::path::Path;
use std::sync::Mutex;

use kokoro_host::{Engine, Primary};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use self::counts::Counts;
use self::journal::Journal;
use self::shape::Shape;

/// How many histories are tried.
const HISTORIES: u32 = 10_000;
/// On how many threads at the most.
const MOST_THREADS: usize = 8;
/// How many shapes there are, in families.
const FAMILIES: usize = 30;

/// The shapes that histories choose from, each with its component, which is compiled once.
#[derive(Debug)]
pub struct Pool {
    engine: Engine,
    shapes: &'static [Shape],
    components: Vec<Vec<u8>>,
    /// The components as files.
    folder: tempfile::TempDir,
}

impl Pool {
    fn component(&self, shape: usize) -> Vec<u8> {
        self.components[shape].clone()
    }

    /// Has a component be there under a path.
    fn put(&self, shape: &Shape, path: &Path) {
        let file = self.folder.path().join(shape.number.to_string());
        std::fs::hard_link(file, path).expect("a link within one file system");
    }

    /// The pool, and who keeps its compiled code.
    async fn new() -> (Self, Primary) {
        let shapes: &'static [Shape] = Vec::leak(shape::pool(FAMILIES));
        let components: Vec<Vec<u8>> = shapes.iter().map(Shape::component).collect();
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        for (number, component) in components.iter().enumerate() {
            std::fs::write(folder.path().join(number.to_string()), component).expect("a file that can be written");
        }
        let engine = Engine::new().expect("an engine");
        let journal = Journal::default();
        let keeper = Primary::builder().engine(&engine).serve(journal.service()).build().expect("a primary");
        let everything = shape::everything(shapes.len()).component();
        keeper.load_bytes("everything", everything).await.expect("a component");
        for (shape, component) in shapes.iter().zip(&components) {
            let report = keeper.load_bytes(&format!("p{}", shape.number), component.clone()).await;
            assert_eq!(report.expect("a component").running().count(), 1, "{shape}");
        }
        (Self { engine, shapes, components, folder }, keeper)
    }
}

#[test]
fn random_histories_satisfy_the_model() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let keeping = runtime();
    let (pool, _keeper) = keeping.block_on(Pool::new());
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get().min(MOST_THREADS)) as u32;
    let counts = Mutex::new(Counts::default());
    std::thread::scope(|scope| {
        let thread = || {
            let runtime = runtime();
            let cases = HISTORIES.div_ceil(threads);
            let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
            let done = TestRunner::new(config).run(&history::histories(pool.shapes.len()), |history| {
                let mut new = Counts::default();
                let done = runtime.block_on(run::run(&pool, &history, &mut new));
                counts.lock().unwrap().add(&new);
                done.map_err(TestCaseError::fail)
            });
            done.unwrap_or_else(|error| panic!("{error}"));
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(thread)).collect();
        let failed = threads.into_iter().filter_map(|thread| thread.join().err()).next();
        if let Some(panic) = failed {
            std::panic::resume_unwind(panic);
        }
    });
    eprintln!("{}", counts.lock().unwrap());
}
