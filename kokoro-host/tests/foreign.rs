//! Components without anything of Kokoro's, as providers for Planets (plugins) in Rust and as consumers of them.

mod support;

use kokoro_host::State;
use kokoro_host::dynamic::Val;
use support::{guest, node, primary, relay::Relay, wat};

#[tokio::test]
async fn a_component_in_wat_provides_for_a_planet_in_rust() {
    let primary = primary(&["faulty", "relay"]).await;
    primary.load_bytes("in-wat", wat(include_str!("wat/extra.wat"))).await.unwrap();
    let relay = primary.get::<Relay>().unwrap();
    assert_eq!(relay.extra().await.unwrap().as_deref(), Some("extra, in WAT"));
    assert_eq!(relay.double(4).await.unwrap(), Some(8));
}

#[tokio::test]
async fn a_component_in_wat_consumes_what_a_planet_in_rust_provides() {
    let primary = primary(&[]).await;
    primary.load_bytes("user", wat(include_str!("wat/user.wat"))).await.unwrap();
    assert_eq!(node(&primary, "user").state, State::Waiting);
    primary.load_bytes("extra", guest("extra")).await.unwrap();
    let quadruple = primary.function("user", "quadruple").unwrap();
    assert_eq!(quadruple.call(&[Val::U32(10)]).await.unwrap(), [Val::U32(40)]);
}

#[tokio::test]
async fn a_component_of_two_planets_in_wat_alone() {
    let primary = primary(&[]).await;
    primary.load_bytes("extra", wat(include_str!("wat/extra.wat"))).await.unwrap();
    primary.load_bytes("user", wat(include_str!("wat/user.wat"))).await.unwrap();
    let quadruple = primary.function("user", "quadruple").unwrap();
    assert_eq!(quadruple.call(&[Val::U32(3)]).await.unwrap(), [Val::U32(12)]);
}
