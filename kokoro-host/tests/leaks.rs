//! What is left of Planets that have gone: nothing.
#![cfg(target_os = "linux")]
#![expect(clippy::print_stderr, reason = "the figures are worth knowing")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use kokoro_host::{Addresses, Admission, Grants, Primary, State};
use support::stubborn::{Mode, Stubborn};
use support::{extra::Extra, guest, node};

/// The system's allocator, and how many bytes it has given out.
struct Counting(AtomicUsize);

#[global_allocator]
static ALLOCATOR: Counting = Counting(AtomicUsize::new(0));

#[expect(unsafe_code, reason = "all is handed on as it came")]
// SAFETY: as `System`, which does all the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.0.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.0.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// What this process has: KiB of memory that is in use, bytes that are allocated, threads, open files, tasks.
#[derive(Debug, Clone, Copy)]
struct Usage {
    memory: u64,
    allocated: usize,
    threads: usize,
    files: usize,
    tasks: usize,
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
            allocated: ALLOCATOR.0.load(Ordering::Relaxed),
            threads: field("Threads") as usize,
            files: fs::read_dir("/proc/self/fd").unwrap().count(),
            tasks: tokio::runtime::Handle::current().metrics().num_alive_tasks(),
        }
    }

    /// Fails if there is more now than there was.
    fn no_more_than(self, early: Self) {
        assert!(self.memory <= early.memory + NOISE, "memory grows: {early:?}, {self:?}");
        assert!(self.allocated <= early.allocated + ALLOCATED_NOISE, "memory grows: {early:?}, {self:?}");
        assert!(self.threads <= early.threads, "threads are left: {early:?}, {self:?}");
        assert!(self.files <= early.files, "files are left open: {early:?}, {self:?}");
        assert!(self.tasks <= early.tasks, "tasks are left: {early:?}, {self:?}");
    }
}

/// How much more memory, in KiB, may be in use: what the allocator keeps differs from round to round.
const NOISE: u64 = 1024;
/// How many more bytes may be allocated: tables that have grown.
const ALLOCATED_NOISE: usize = 8 * 1024;

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

/// One test, since all in a process use one memory.
#[test]
fn nothing_is_left() {
    // Threads for blocking work come and go with the load; one is always there.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(of_those_that_have_gone());
    runtime.block_on(of_new_releases_that_were_refused());
}

async fn of_those_that_have_gone() {
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
    late.no_more_than(early);
}

/// Each has opened a file and a socket and taken memory when it is refused.
async fn of_new_releases_that_were_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("kept"), "kept open").unwrap();
    let grants = Grants::none().read(folder.path(), "/data").udp(Addresses::all());
    let primary = Primary::builder().admit(move |_| Admission::granted(grants.clone())).build().unwrap();
    let component = guest("stubborn");
    primary.load_bytes("stubborn", component.clone()).await.unwrap();
    let stubborn = primary.get::<Stubborn>().unwrap();
    let round = async || {
        for mode in [Mode::RestoreErr, Mode::RestoreTrap] {
            stubborn.set(mode).await.unwrap();
            let refused = primary.reload("stubborn").bytes(component.clone()).await.unwrap_err();
            assert!(refused.to_string().contains("while it was given the old one's state"), "{refused}");
        }
    };
    for _ in 0..10 {
        round().await;
    }
    let early = Usage::now();
    for _ in 10..50 {
        round().await;
    }
    let late = Usage::now();
    eprintln!("after 10 rounds of refusals {early:?}, after 50 {late:?}");
    late.no_more_than(early);
    assert_eq!(stubborn.ping().await.unwrap(), 1, "the old one goes on");
    primary.unload("stubborn").await.unwrap();
    let gone = Usage::now();
    assert!(gone.files + 2 <= late.files, "it had no file and no socket: {late:?}, {gone:?}");
}
