use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_call_starts_it_and_the_next_one_finds_it() {
    let case = Case::of("");
    assert_eq!(case.add(2, 3).await.unwrap(), 5);
    let pid = case.pid().await;
    assert_eq!((case.add(20, 30).await.unwrap(), case.pid().await), (50, pid));
    case.end().await;
    assert!(!lives(pid));
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_all_sizes_come_back() {
    let case = Case::of("");
    for size in [0, 1, 900, 40_000, 100_000, 5 << 20, 64 << 20, 3] {
        let bytes: Vec<u8> = (0..size).map(|place: u32| place as u8).collect();
        let echo = case.call("echo", &to_bytes(&bytes)).await.unwrap();
        assert!(from_bytes::<Vec<u8>>(&echo).unwrap() == bytes, "{size}");
    }
    case.end().await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn it_has_what_it_is_granted_and_nothing_else() {
    let limits_granted = |grant: SatelliteGrant| {
        let grant = grant.env(peer::PEER, "").env("LANG", "C").directory("/tmp").open_files(32);
        grant.address_space(8 << 30).cpu_time(Duration::from_millis(99_500))
    };
    // One that was opened without care, and is not to be found there.
    let careless = rustix::io::fcntl_dupfd_cloexec(std::io::stderr(), 40).unwrap();
    rustix::io::fcntl_setfd(&careless, rustix::io::FdFlags::empty()).unwrap();
    let case = Case::with(limits_granted, limits(), restarts());
    assert_eq!(case.ask("environment").await, "LANG=C");
    assert_eq!(case.ask("directory").await, "/tmp");
    // 7 is the script, and 8 the folder that is being read.
    let files = case.ask("files").await;
    assert!(files.starts_with("[0, 1, 2, 3, 4, 5, 6, 7") && files.matches(',').count() < 12, "{files}");
    assert_eq!(case.ask("group").await.parse::<u32>().unwrap(), parent_of_peer(&case).await);
    let told = case.ask("limits").await;
    let limit = |name: &str| {
        let line = told.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<u64>>()
    };
    assert_eq!(limit("Max open files"), [32, 32]);
    assert_eq!(limit("Max cpu time"), [100, 101]);
    assert_eq!(limit("Max address space"), [8 << 30, 8 << 30]);
    case.end().await;
}

/// What the application does with its signals is its own affair.
#[cfg(target_os = "linux")]
#[test]
#[expect(unsafe_code, reason = "there is no other way to block a signal")]
fn signals_are_neither_ignored_nor_blocked() {
    // Nobody sends these here. The runtime that starts the process has this one thread.
    let (ignored, blocked) = (libc::SIGRTMIN() + 6, libc::SIGRTMIN() + 7);
    // SAFETY: the set is written before it is read, and nothing executes when these signals come.
    unsafe {
        let mut set = std::mem::MaybeUninit::uninit();
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), blocked);
        libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut());
        libc::signal(ignored, libc::SIG_IGN);
    }
    let own = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let case = Case::of("");
        let told = case.ask("signals").await;
        let set = |of: &str, name: &str| {
            let line = of.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            u64::from_str_radix(line.trim(), 16).unwrap()
        };
        let bit = |signal: i32| 1_u64 << (signal - 1);
        assert_eq!((set(&own, "SigBlk:") & bit(blocked), set(&told, "SigBlk:")), (bit(blocked), 0));
        assert_eq!((set(&own, "SigIgn:") & bit(ignored), set(&told, "SigIgn:") & bit(ignored)), (bit(ignored), 0));
        case.end().await;
    });
}

/// The shell has become the peer.
async fn parent_of_peer(case: &Case) -> u32 {
    case.pid().await
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_take_turns() {
    let case = Arc::new(Case::of(""));
    let calls: Vec<_> = (0..20)
        .map(|number| {
            let case = Arc::clone(&case);
            tokio::spawn(async move { case.add(number, 1).await.unwrap() })
        })
        .collect();
    for (number, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap(), number as u32 + 1);
    }
    Arc::into_inner(case).unwrap().end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_with_its_last_lease() {
    let mut case = Case::of("");
    let pid = case.pid().await;
    let second = case.satellite.lease();
    case.lease = None;
    assert_eq!(case.pid().await, pid);
    drop(second);
    case.satellite.ended().await;
    assert!(!lives(pid));
    let failure = case.add(1, 2).await.unwrap_err();
    assert_eq!(failure.to_string(), "satellite `worker` of planet `native` is not started: its planet has ended");
    case.lease = Some(case.satellite.lease());
    assert_ne!(case.pid().await, pid);
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_end_when_it_is_asked_is_ended_with_its_group() {
    let case = Case::of("stays");
    let (pid, child) = (case.pid().await, case.ask("child").await.parse().unwrap());
    case.end().await;
    assert!(!lives(pid));
    gone(child).await;
}

#[test]
fn it_ends_with_its_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (case, pid) = runtime.block_on(async {
        let case = Case::of("stays");
        let pid = case.pid().await;
        (case, pid)
    });
    drop(runtime);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(gone(pid));
    let failure = runtime.block_on(case.add(1, 2)).unwrap_err();
    assert_eq!(failure.kind(), "absent");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_with_whoever_has_it() {
    let case = Case::of("");
    let pid = case.pid().await;
    drop(case);
    gone(pid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_given_up_is_told_and_leaves_it_running() {
    let case = Case::of("never");
    let pid = case.pid().await;
    for _ in 0..3 {
        assert!(tokio::time::timeout(Duration::from_millis(30), case.add(1, 2)).await.is_err());
    }
    assert_eq!(case.pid().await, pid);
    case.end().await;
}
