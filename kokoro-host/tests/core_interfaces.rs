//! What guests use of `kokoro:core`.

mod support;

use std::collections::BTreeMap;

use kokoro_host::types::Interface;
use kokoro_host::{InterfaceName, Primary, inspect};
use support::cancel::Cancel;
use support::counter::Counter;
use support::stubborn::{Mode, Stubborn};
use support::{guest, node, primary};

/// The interfaces of `kokoro:core` among these.
fn of_core(interfaces: &BTreeMap<InterfaceName, Interface>) -> Vec<String> {
    let names = interfaces.keys().map(ToString::to_string);
    names.filter_map(|name| name.strip_prefix("kokoro:core/").map(ToOwned::to_owned)).collect()
}

#[test]
fn a_component_imports_and_exports_what_it_uses_and_no_more() {
    let (log, lifecycle, saved_state) = ("log@0.1.0", "lifecycle@0.1.0", "saved-state@0.1.0");
    let cases: [(&str, &[&str], &[&str]); 6] = [
        ("extra", &[log], &[lifecycle]),
        ("relay", &["dependencies@0.1.0", log, "types@0.1.0"], &[lifecycle]),
        ("cancel", &["current-call@0.1.0", log], &[lifecycle]),
        ("counter", &[log], &[lifecycle, saved_state]),
        ("counter-next", &[log], &[lifecycle, saved_state]),
        ("stubborn", &[log], &[lifecycle, saved_state]),
    ];
    for (name, imports, exports) in cases {
        let inspection = inspect(name, &guest(name)).unwrap();
        assert_eq!(of_core(&inspection.imports), imports, "imports of {name}");
        assert_eq!(of_core(&inspection.exports), exports, "exports of {name}");
    }
}

#[tokio::test]
async fn a_new_release_goes_by_the_name_of_the_old_one() {
    for (guest, version) in [("counter", env!("CARGO_PKG_VERSION")), ("counter-next", "2.0.0")] {
        let primary = primary(&[guest]).await;
        let found = node(&primary, "counter").version.map(|version| version.to_string());
        assert_eq!(found.as_deref(), Some(version));
        let counter = primary.get::<Counter>().unwrap();
        assert_eq!(counter.next().await.unwrap(), 1);
        assert_eq!(counter.next().await.unwrap(), 2);
        assert_eq!(counter.value().await.unwrap(), 2);
    }
}

#[tokio::test]
async fn who_fails_only_when_replaced_answers_until_then() {
    let primary = primary(&["stubborn"]).await;
    let stubborn = primary.get::<Stubborn>().unwrap();
    for (mode, pings) in [(Mode::SaveTrap, 1), (Mode::RestoreForever, 2)] {
        stubborn.set(mode).await.unwrap();
        assert_eq!(stubborn.ping().await.unwrap(), pings);
    }
}

#[tokio::test]
async fn a_call_that_nobody_cancels_is_not_cancelled() {
    let gate = support::gate::serve(std::sync::Arc::new(support::Gate::default()));
    let primary = support::primary_with(Primary::builder().serve(gate), &["cancel"]).await;
    assert!(!primary.get::<Cancel>().unwrap().flagged().await.unwrap());
}
