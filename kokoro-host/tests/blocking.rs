//! The front for applications without an async runtime.

mod support;

use std::time::Duration;

use kokoro_host::Primary;
use support::{extra::Extra, faults::Faults, guest};

#[test]
fn without_a_runtime_everything_waits() {
    let primary = Primary::builder().build_blocking().unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("extra.wasm"), guest("extra")).unwrap();
    assert_eq!(primary.load_dir(folder.path()).unwrap().running().count(), 1);
    assert_eq!(primary.load_bytes("faulty", guest("faulty")).unwrap().to_string(), "faulty: running");
    let extra = primary.get::<Extra>().unwrap();
    assert_eq!(primary.wait(extra.double(21)).unwrap(), 42);
    assert_eq!(primary.all::<Extra>().len(), 1);
    let double = primary.function("test:guests/extra", "double").unwrap();
    let answer = primary.wait(double.call(&[kokoro_host::Val::U32(4)])).unwrap();
    assert_eq!(answer, [kokoro_host::Val::U32(8)]);
    // A call that is late is cut off here as well, and one from another thread does not disturb it.
    let faults = primary.get::<Faults>().unwrap().within(Duration::from_millis(50));
    std::thread::scope(|scope| {
        let other = scope.spawn(|| primary.wait(extra.name()));
        assert!(primary.wait(faults.spin()).unwrap_err().is_timeout());
        assert_eq!(other.join().unwrap().unwrap(), "extra, in Rust");
    });
    assert_eq!(primary.graph().planets.len(), 2);
    let mut events = primary.events();
    primary.wait(primary.reload("extra").bytes(guest("extra"))).unwrap();
    let event = primary.wait(async { Ok(support::next(&mut events).await) }).unwrap();
    assert_eq!(event.to_string(), "extra: reloaded, now 0.1.0");
    primary.prefer("test:guests/extra", Some("extra")).unwrap();
    assert_eq!(primary.restart("extra").unwrap().to_string(), "extra: running");
    assert_eq!(primary.unload("faulty").unwrap().planets, []);
    primary.shutdown().unwrap();
    assert!(primary.load_bytes("extra", guest("extra")).unwrap_err().to_string().contains("has been shut down"));
}

#[test]
fn inside_a_runtime_an_error_says_what_to_use_instead() {
    let blocking = Primary::builder().build_blocking().unwrap();
    blocking.load_bytes("extra", guest("extra")).unwrap();
    let extra = blocking.get::<Extra>().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let error = Primary::builder().build_blocking().unwrap_err().to_string();
        expect_test::expect![[r#"
            this waits, and must not do so inside an async runtime
              help: use `kokoro_host::Primary`, from `build` (or `primary()`), and `.await` what it returns; or wait on a thread outside of the runtime"#]]
        .assert_eq(&error);
        assert_eq!(blocking.load_dir("nowhere").unwrap_err().to_string(), error);
        assert_eq!(blocking.wait(extra.name()).unwrap_err().to_string(), error);
        assert_eq!(blocking.shutdown().unwrap_err().to_string(), error);
        // What does not wait works, and so does the Primary itself.
        assert_eq!(blocking.primary().get::<Extra>().unwrap().name().await.unwrap(), "extra, in Rust");
        // Nor does it panic to drop it here.
        drop(blocking);
    });
}
