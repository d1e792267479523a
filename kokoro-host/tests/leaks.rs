//! What is left of Planets that have gone: nothing.
#![cfg(target_os = "linux")]
#![expect(clippy::print_stderr, reason = "the figures are worth knowing")]

mod support;

use std::fs;

use kokoro_host::{Primary, State};
use support::{extra::Extra, node};

/// What this process has: KiB of memory, threads, open files.
#[derive(Debug, Clone, Copy)]
struct Usage {
    memory: u64,
    threads: usize,
    files: usize,
}

impl Usage {
    fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let field = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a field of every process");
            line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().expect("a number")
        };
        Self {
            memory: field("RssAnon"),
            threads: field("Threads") as usize,
            files: fs::read_dir("/proc/self/fd").unwrap().count(),
        }
    }
}

/// How much more memory, in KiB, may be in use: what the allocator keeps differs from round to round.
const NOISE: u64 = 4 * 1024;

/// Loads two Planets, of which one requires the other, reloads and restarts one, and unloads both.
async fn round(primary: &Primary, component: &[u8]) {
    primary.load_bytes("extra", component).await.unwrap();
    primary.load_bytes("user", support::wat(include_str!("wat/user.wat"))).await.unwrap();
    let extra = primary.get::<Extra>().unwrap();
    assert_eq!(extra.double(21).await.unwrap(), 42);
    primary.reload("extra").bytes(component).await.unwrap();
    assert_eq!(extra.double(21).await.unwrap(), 42);
    primary.restart("extra").await.unwrap();
    assert_eq!(node(primary, "user").state, State::Running);
    primary.unload("extra").await.unwrap();
    primary.unload("user").await.unwrap();
    assert!(primary.graph().planets.is_empty());
}

#[test]
fn nothing_is_left_after_many_rounds() {
    // Threads for blocking work come and go with the load; one is always there.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(rounds());
}

async fn rounds() {
    let primary = Primary::builder().build().unwrap();
    let component = support::wat(include_str!("wat/extra.wat"));
    for _ in 0..50 {
        round(&primary, &component).await;
    }
    let early = Usage::now();
    for _ in 50..500 {
        round(&primary, &component).await;
    }
    let late = Usage::now();
    eprintln!("after 50 rounds {early:?}, after 500 {late:?}");
    assert!(late.memory <= early.memory + NOISE, "memory grows: {early:?}, {late:?}");
    assert!(late.threads <= early.threads, "threads are left: {early:?}, {late:?}");
    assert!(late.files <= early.files, "files are left open: {early:?}, {late:?}");
}
