//! Several Primaries in one process.

mod support;

use std::sync::Arc;

use kokoro_host::{Engine, Limits, Primary, State};
use support::{faults::Faults, guest, node, primary_with, renamed};

fn limited(total_memory: usize) -> Limits {
    let mut limits = Limits::default();
    limits.total_memory = Some(total_memory);
    limits
}

#[tokio::test]
async fn the_planets_of_a_primary_share_its_memory() {
    let primary = primary_with(Primary::builder().limits(limited(64 << 20)), &["faulty"]).await;
    primary.load_bytes("second", renamed(guest("faulty"), "faulty", "second")).await.unwrap();
    let all = primary.all::<Faults>();
    let [one, other] = &all[..] else { panic!("{all:?}") };
    one.allocate(40).await.unwrap();
    let error = other.allocate(40).await.unwrap_err().to_string();
    assert!(error.starts_with("planet `second` ran out of memory"), "{error}");
    assert!(error.contains("(the planets together had reached their memory limit of 64 MiB)"), "{error}");
    // The other one keeps what it has, and gives it back when it ends.
    assert_eq!(one.allocate(1).await.unwrap(), 41);
    one.panic("on purpose").await.unwrap_err();
    primary.load_bytes("third", renamed(guest("faulty"), "faulty", "third1")).await.unwrap();
    let third = primary.all::<Faults>().pop().unwrap();
    assert_eq!((third.planet().as_deref(), third.allocate(40).await.unwrap()), (Some("third1"), 40));
}

#[tokio::test]
async fn a_planet_that_does_not_fit_in_does_not_start() {
    let primary = primary_with(Primary::builder().limits(limited(1 << 20)), &["faulty"]).await;
    let faulty = node(&primary, "faulty");
    assert_eq!(faulty.state, State::Failed);
    let reason = faulty.reason.unwrap();
    assert!(reason.contains("(the planets together had reached their memory limit of 1 MiB)"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_of_one_engine_do_not_see_each_other() {
    let engine = Engine::new().unwrap();
    let builder =
        || support::without_restarts().engine(&engine).serve(support::serve(&Arc::new(support::Host::default())));
    let first = primary_with_engine(builder(), limited(64 << 20)).await;
    let second = primary_with_engine(builder(), limited(64 << 20)).await;
    let (one, other) = (first.get::<Faults>().unwrap(), second.get::<Faults>().unwrap());
    // Each has memory of its own, and a limit of its own.
    assert_eq!((one.allocate(40).await.unwrap(), other.allocate(20).await.unwrap()), (40, 20));
    assert!(one.allocate(40).await.is_err());
    assert_eq!(other.allocate(20).await.unwrap(), 40);
    assert_eq!((node(&first, "faulty").state, node(&second, "faulty").state), (State::Failed, State::Running));
    first.shutdown().await;
    drop(first);
    assert_eq!(other.well().await.unwrap(), "well");
    drop(second);
    assert!(other.well().await.unwrap_err().is_unavailable());
}

async fn primary_with_engine(builder: kokoro_host::Builder, limits: Limits) -> Primary {
    let primary = builder.limits(limits).build().unwrap();
    primary.load_bytes("faulty", guest("faulty")).await.unwrap();
    primary
}
