//! Resources that one Planet (plugin) exports and another holds.

mod support;

use std::time::Duration;

use kokoro_host::{Primary, Restarts, State};
use support::{guest, node, reason, wat};

kokoro_host::bindings!({ path: "tests/guests/wit", interfaces: ["test:guests/reader@0.1.0"] });

use reader::Reader;

async fn library() -> (Primary, Reader) {
    let mut restarts = Restarts::default();
    restarts.pause = Duration::ZERO;
    let primary = Primary::builder().restarts(restarts).build().unwrap();
    primary.load_bytes("shelf", guest("shelf")).await.unwrap();
    primary.load_bytes("reader", guest("reader")).await.unwrap();
    let reader = primary.get::<Reader>().unwrap();
    (primary, reader)
}

#[tokio::test]
async fn constructors_methods_and_statics_reach_the_owner() {
    let (_primary, reader) = library().await;
    reader.make("Emma").await.unwrap();
    reader.make("Ulysses").await.unwrap();
    assert_eq!(reader.titles().await.unwrap(), ["Emma", "Ulysses"]);
    assert_eq!(reader.turn().await.unwrap(), [Ok(1), Ok(1)]);
    assert_eq!(reader.turn().await.unwrap(), [Ok(2), Ok(2)]);
    assert_eq!(reader.count().await.unwrap(), 2);
    assert_eq!(reader.same().await.unwrap(), Ok(false));
    reader.make("Emma").await.unwrap();
    assert_eq!(reader.same().await.unwrap(), Ok(true));
}

#[tokio::test]
async fn handles_cross_in_records_variants_and_lists() {
    let (_primary, reader) = library().await;
    assert_eq!(reader.lend("").await.unwrap(), Err("it has no title".to_owned()));
    assert_eq!(reader.lend("Emma").await.unwrap(), Ok(1));
    assert_eq!(reader.offer(&[]).await.unwrap(), 1);
    assert_eq!(reader.offer(&["Dune".to_owned()]).await.unwrap(), 2);
    let many: Vec<String> = (0..100).map(|number| format!("volume {number}")).collect();
    assert_eq!(reader.offer(&many).await.unwrap(), 102);
    let titles = reader.titles().await.unwrap();
    assert_eq!((titles.len(), &titles[0], &titles[1], &titles[101]), (102, &"Emma".into(), &"Dune".into(), &many[99]));
    reader.turn().await.unwrap();
    assert_eq!(reader.pages().await.unwrap(), Ok(vec![1; 102]));
    // Of another interface, that takes the resource of the first.
    assert_eq!(reader.copy().await.unwrap(), Ok(103));
    assert_eq!(reader.titles().await.unwrap()[102], many[99]);
    assert_eq!(reader.count().await.unwrap(), 103);
}

#[tokio::test]
async fn what_is_dropped_or_given_back_is_released_at_the_owner() {
    let (_primary, reader) = library().await;
    for title in ["Emma", "Dune", "Ulysses"] {
        reader.make(title).await.unwrap();
    }
    assert_eq!(reader.count().await.unwrap(), 3);
    reader.drop().await.unwrap();
    assert_eq!(reader.count().await.unwrap(), 2);
    reader.turn().await.unwrap();
    assert_eq!(reader.give().await.unwrap(), Ok(1));
    assert_eq!(reader.count().await.unwrap(), 1);
    assert_eq!(reader.titles().await.unwrap(), ["Emma"]);
}

#[tokio::test]
async fn all_that_a_planet_holds_is_released_when_it_goes() {
    let (primary, reader) = library().await;
    reader.offer(&["Emma".to_owned(), "Dune".to_owned()]).await.unwrap();
    assert_eq!(reader.count().await.unwrap(), 2);
    // It crashes.
    assert!(reader.crash().await.unwrap_err().is_crash());
    assert_eq!(reader.count().await.unwrap(), 0);
    // It is restarted.
    reader.offer(&["Emma".to_owned(), "Dune".to_owned()]).await.unwrap();
    primary.restart("reader").await.unwrap();
    assert_eq!(reader.count().await.unwrap(), 0);
    // It is reloaded.
    reader.offer(&["Emma".to_owned(), "Dune".to_owned()]).await.unwrap();
    primary.reload("reader").bytes(guest("reader")).await.unwrap();
    assert_eq!(reader.count().await.unwrap(), 0);
    // It is unloaded, and another one comes.
    reader.offer(&["Emma".to_owned(), "Dune".to_owned()]).await.unwrap();
    primary.unload("reader").await.unwrap();
    primary.load_bytes("reader", guest("reader")).await.unwrap();
    assert_eq!(reader.count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_handle_of_an_instance_that_has_ended_is_an_error_and_never_another_object() {
    let (primary, reader) = library().await;
    let stale = "`[method]book.turn` was not called: it is passed a handle of an instance of planet `shelf` that has ended; \
                 get another one";
    let stale = stale.replace("`[method]", "`test:guests/shelf@0.1.0.[method]");
    for change in ["restart", "reload"] {
        reader.make("Emma").await.unwrap();
        match change {
            "restart" => primary.restart("shelf").await.unwrap(),
            _ => primary.reload("shelf").bytes(guest("shelf")).await.unwrap(),
        };
        // In the new instance, it has the place that the old one had in the old instance.
        reader.make("Dune").await.unwrap();
        assert_eq!(reader.turn().await.unwrap(), [Err(stale.clone()), Ok(1)], "{change}");
        // Of a list, too; and of what is given back.
        assert!(reader.pages().await.unwrap().unwrap_err().contains("that has ended"));
        assert_eq!(reader.give().await.unwrap(), Ok(1));
        assert!(reader.give().await.unwrap().unwrap_err().contains("that has ended"));
        assert_eq!(reader.turn().await.unwrap(), []);
        assert_eq!(reader.count().await.unwrap(), 0);
    }
    // Where there is no place for a failure, who called is lost, and only that.
    reader.make("Emma").await.unwrap();
    primary.restart("shelf").await.unwrap();
    let error = reader.titles().await.unwrap_err();
    assert!(error.to_string().contains("planet `reader` was lost in `test:guests/reader@0.1.0.titles`"), "{error}");
    assert_eq!(reader.titles().await.unwrap(), [""; 0]);
    assert_eq!(node(&primary, "shelf").state, State::Running);
}

#[tokio::test]
async fn a_destructor_that_panics_ends_its_own_instance_and_nobody_elses() {
    let (primary, reader) = library().await;
    reader.make("cursed").await.unwrap();
    reader.make("Emma").await.unwrap();
    reader.drop().await.unwrap();
    reader.drop().await.unwrap();
    // The next call meets the next instance.
    assert_eq!(reader.count().await.unwrap(), 0);
    assert_eq!(reader.offer(&["Dune".to_owned()]).await.unwrap(), 1);
    assert_eq!(reader.count().await.unwrap(), 1);
    assert_eq!(node(&primary, "reader").state, State::Running);
}

#[tokio::test]
async fn what_is_dropped_while_nobody_calls_the_owner_is_released_all_the_same() {
    let (primary, reader) = library().await;
    reader.make("cursed").await.unwrap();
    let mut events = primary.events();
    reader.drop().await.unwrap();
    // That its destructor has run is seen by what becomes of it.
    let crashed = async {
        while let Some(event) = events.next().await {
            let told = format!("{event:?}");
            if told.contains("(destructor)") {
                return told;
            }
        }
        panic!("no events come any more")
    };
    let told = tokio::time::timeout(Duration::from_secs(60), crashed).await.expect("it is dropped by itself");
    assert!(told.contains("shelf"), "{told}");
}

#[tokio::test]
async fn a_method_goes_to_the_owner_of_the_handle_and_the_rest_to_todays_provider() {
    let (primary, reader) = library().await;
    reader.make("Emma").await.unwrap();
    let other = support::renamed(guest("shelf"), "shelf", "other");
    primary.load_bytes("other", other).await.unwrap();
    primary.prefer("test:guests/shelf@0.1.0", Some("other")).await.unwrap();
    reader.make("Dune").await.unwrap();
    // Each at its owner, and counted there.
    assert_eq!(reader.titles().await.unwrap(), ["Emma", "Dune"]);
    assert_eq!(reader.count().await.unwrap(), 1);
    let mixed = "`test:guests/shelf@0.1.0.pages` was not called: it is passed a handle of planet `shelf`, and planet `other` \
                 is called";
    assert_eq!(reader.pages().await.unwrap(), Err(mixed.to_owned()));
    let mixed = mixed.replace("shelf@0.1.0.pages", "copies@0.1.0.copy").replace("`other`", "`shelf`");
    assert_eq!(reader.copy().await.unwrap(), Err(mixed.replacen("`shelf`", "`other`", 1)));
    assert!(
        reader.same().await.unwrap().unwrap_err().contains("a handle of planet `other`, and planet `shelf` is called")
    );
    assert_eq!(reader.give().await.unwrap(), Ok(0));
    assert_eq!(reader.count().await.unwrap(), 0);
}

/// A Planet that passes on what it imports itself.
fn passes_on(interface: &str) -> Vec<u8> {
    wat(&format!(
        r#"(component
            (import "test:it/things@1.0.0" (instance $things (export "thing" (type (sub resource)))))
            (alias export $things "thing" (type $thing))
            (core module $m (func (export "f") (param i32)))
            (core instance $m (instantiate $m))
            (func $f (param "of" (borrow $thing)) (canon lift (core func $m "f")))
            (component $wrap
              (import "thing" (type $thing (sub resource)))
              (import "f" (func $f (param "of" (borrow $thing))))
              (export "f" (func $f)))
            (instance $wrapped (instantiate $wrap (with "thing" (type $thing)) (with "f" (func $f))))
            (export "{interface}" (instance $wrapped)))"#
    ))
}

/// A Planet that calls it.
const CALLS: &str = r#"(component
    (import "test:it/things@1.0.0" (instance $things (export "thing" (type (sub resource)))))
    (alias export $things "thing" (type $thing))
    (import "test:it/passes@1.0.0" (instance (export "f" (func (param "of" (borrow $thing)))))))"#;

/// A Planet whose things they are.
const THINGS: &str = r#"(component
    (type $thing' (resource (rep i32)))
    (component $wrap (import "thing" (type $thing (sub resource))) (export "thing" (type $thing)))
    (instance $things (instantiate $wrap (with "thing" (type $thing'))))
    (export "test:it/things@1.0.0" (instance $things)))"#;

#[tokio::test]
async fn passing_a_handle_on_to_a_third_planet_is_refused_with_a_sentence() {
    let primary = Primary::builder().build().unwrap();
    primary.load_bytes("things", wat(THINGS)).await.unwrap();
    primary.load_bytes("passes", passes_on("test:it/passes@1.0.0")).await.unwrap();
    primary.load_bytes("calls", wat(CALLS)).await.unwrap();
    assert_eq!(node(&primary, "passes").state, State::Running);
    expect_test::expect!["needs `test:it/passes@1.0.0`, which `passes` provides, but `f` passes handles of `test:it/things/thing`, which the provider imports itself, and handles do not go on to a third planet yet"].assert_eq(&reason(&primary, "calls"));
}
