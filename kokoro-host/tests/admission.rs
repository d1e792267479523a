//! The application decides who is let in, as what, and with what.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use expect_test::expect;
use kokoro_host::{Admission, Candidate, EdgeProvider, Grants, Limits, Primary, State};
use support::{extra::Extra, faults::Faults, guest, node, primary_with, reason, relay::Relay, wat, with_manifest};

async fn with_admission<V>(decide: impl Fn(Candidate) -> V + Send + Sync + 'static, guests: &[&str]) -> Primary
where
    V: IntoFuture<Output: Into<Admission>, IntoFuture: Send + 'static>,
{
    primary_with(Primary::builder().admit(decide), guests).await
}

/// What the application decides when only `refused` is not let in.
fn all_but(refused: &'static str) -> impl Fn(Candidate) -> Admission + Send + Sync {
    move |candidate| match candidate.name() == refused {
        true => Admission::refused("it is not wanted"),
        false => Admission::admitted(),
    }
}

#[tokio::test]
async fn a_candidate_shows_all_that_can_be_known() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let primary = Primary::builder()
        .admit({
            let seen = Arc::clone(&seen);
            move |candidate| {
                seen.lock().unwrap().push(candidate);
                Admission::admitted()
            }
        })
        .build()
        .unwrap();
    let manifest = r#"{"name":"asks","version":"1.2.3","optional":["a:b/c@1.0.0"],
        "permissions":{"read":["content"],"http":["example.com"],"net":true,"bluetooth":["all"]},"app":{"title":"Asks"}}"#;
    let bytes = with_manifest(wat("(component)"), manifest);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.wasm");
    std::fs::write(&file, &bytes).unwrap();
    primary.load(&file).await.unwrap();
    primary.load_bytes("extra", guest("extra")).await.unwrap();
    primary.load_bytes("empty", wat("(component)")).await.unwrap();

    let seen = seen.lock().unwrap();
    let [asks, extra, empty] = &seen[..] else { panic!("{seen:?}") };
    // As `printf '\0asm\x0d\0\x01\0' | sha256sum` has it.
    assert_eq!(empty.sha256(), "24eaf3439a60c96764c4f2c92a0a81b52bd4fe5d5b91f090184a0f6486b1bf29");
    assert_eq!((asks.file(), asks.name(), asks.bytes()), (Some(&*file), "asks", &*bytes));
    let manifest = asks.manifest();
    assert_eq!(manifest.version.as_ref().unwrap().to_string(), "1.2.3");
    assert_eq!((&manifest.permissions.read[..], manifest.permissions.net), (&["content".to_owned()][..], true));
    assert_eq!(manifest.permissions.other["bluetooth"][0], "all");
    assert_eq!(manifest.app["title"], "Asks");
    assert_eq!((extra.file(), extra.name()), (None, "extra"));
    let exports: Vec<String> = extra.exports().iter().map(ToString::to_string).collect();
    assert_eq!(exports, ["kokoro:core/lifecycle@0.1.0", "test:guests/extra@0.1.0"]);
    assert!(extra.imports().iter().any(|import| import.path() == "wasi:cli/environment"), "{:?}", extra.imports());
    assert_eq!(node(&primary, "asks").sha256.as_deref(), Some(asks.sha256()));
}

#[tokio::test]
async fn the_default_lets_everyone_in_and_grants_nothing() {
    let primary = primary_with(Primary::builder(), &["faulty"]).await;
    let faulty = node(&primary, "faulty");
    assert_eq!(faulty.state, State::Running);
    assert!(faulty.granted.is_empty());
    assert_eq!(primary.get::<Faults>().unwrap().surroundings().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn who_is_refused_is_in_the_graph_and_in_the_reasons_of_those_who_need_it() {
    let primary = with_admission(all_but("faulty"), &["faulty", "relay"]).await;
    expect![[r#"
        faulty 0.1.0  refused: it is not wanted
          exports   test:guests/faults@0.1.0

        relay 0.1.0  waiting: needs `test:guests/faults@0.1.0`, which `faulty` provides, but it is refused: it is not wanted
          exports   test:guests/relay@0.1.0
          exports   test:guests/step@0.1.0
          requires  test:guests/faults@0.1.0
          imports   test:guests/host@0.1.0 <- the application
          optional  test:guests/extra@0.1.0
    "#]]
    .assert_eq(&primary.graph().to_string());
    let error = primary.get::<Faults>().unwrap_err().to_string();
    assert!(error.contains("planet `faulty` is refused: it is not wanted"), "{error}");
    let error = primary.function("faulty", "well").unwrap_err().to_string();
    assert!(error.contains("planet `faulty` is refused"), "{error}");
}

#[tokio::test]
async fn who_is_refused_holds_no_name() {
    let decide = |candidate: Candidate| match candidate.manifest().version {
        None => Admission::refused("it is a stranger"),
        Some(_) => Admission::admitted(),
    };
    let primary = with_admission(decide, &[]).await;
    let stranger = with_manifest(wat("(component)"), r#"{"name":"extra"}"#);
    for _ in 0..2 {
        let report = primary.load_bytes("it", stranger.clone()).await.unwrap();
        assert_eq!(report.to_string(), "extra: refused: it is a stranger");
    }
    primary.load_bytes("extra", guest("extra")).await.unwrap();
    assert_eq!(node(&primary, "extra").state, State::Running);
    assert_eq!(node(&primary, "extra (2)").state, State::Refused);
    // It is remembered once, however often it comes.
    assert_eq!(primary.graph().planets.len(), 2);
    primary.get::<Extra>().unwrap().name().await.unwrap();
}

#[tokio::test]
async fn the_application_names_a_planet() {
    let primary = with_admission(|_| Admission::admitted().named("other"), &["extra"]).await;
    assert_eq!(primary.get::<Extra>().unwrap().planet().as_deref(), Some("other"));
    assert!(primary.graph().planet("extra").is_none());
    let taken = primary.load_bytes("faulty", guest("faulty")).await.unwrap_err().to_string();
    assert!(taken.starts_with("another planet is called `other` already, from memory"), "{taken}");
}

#[tokio::test]
async fn of_two_files_with_one_name_the_second_fails() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["extra", "faulty"] {
        std::fs::write(folder.path().join(format!("{name}.wasm")), guest(name)).unwrap();
    }
    let primary = Primary::builder().admit(|_| Admission::admitted().named("one")).build().unwrap();
    let report =
        primary.load_dir(folder.path()).await.unwrap().to_string().replace(folder.path().to_str().unwrap(), "..");
    expect![[r#"
        one: running
        one (2): failed: another planet is called `one` already, from `../extra.wasm`
            help: load only one of them, or give one another name (by `Admission::named`, or as it calls itself: `name: ".."` in `planet!`, `name` in its manifest)"#]]
    .assert_eq(&report);
}

#[tokio::test]
async fn only_exports_that_count_serve_anybody() {
    let providers = |admission: fn() -> Admission| async move {
        let decide = move |candidate: Candidate| match candidate.name() {
            "extra" => admission(),
            _ => Admission::admitted(),
        };
        let primary = with_admission(decide, &["faulty", "extra", "relay"]).await;
        let relay = node(&primary, "relay");
        let provider = relay.imports.iter().find(|edge| edge.interface.path() == "test:guests/extra").unwrap();
        let bound = provider.provider == Some(EdgeProvider::Planet("extra".to_owned()));
        assert_eq!(primary.get::<Relay>().unwrap().extra().await.unwrap().is_some(), bound);
        assert_eq!(primary.all::<Extra>().len(), usize::from(bound));
        let error = primary.get::<Extra>().map(drop).map_err(|error| error.to_string());
        (bound, node(&primary, "extra").withheld.len(), error)
    };
    assert_eq!(providers(Admission::admitted).await, (true, 0, Ok(())));
    assert_eq!(providers(|| Admission::admitted().only_exports(["test:guests/extra"])).await, (true, 0, Ok(())));
    assert_eq!(providers(|| Admission::admitted().only_exports(["test:guests/extra@0.1.0"])).await, (true, 0, Ok(())));
    let none = "no running planet provides `test:guests/extra@0.1.0`\n  \
                planet `extra` exports it, but the application does not let that count";
    for admission in [
        (|| Admission::admitted().no_exports()) as fn() -> Admission,
        || Admission::admitted().only_exports(["test:guests/extra@0.2.0"]),
        || Admission::admitted().only_exports(["test:guests/other"]),
    ] {
        assert_eq!(providers(admission).await, (false, 1, Err(none.to_owned())));
    }
}

#[tokio::test]
async fn functions_in_no_interface_count_only_with_all_exports() {
    let bare = || {
        wat(r#"(component
            (core module $code (func (export "answer") (result i32) i32.const 42))
            (core instance $code (instantiate $code))
            (func (export "answer") (result u32) (canon lift (core func $code "answer"))))"#)
    };
    for (admission, there) in [
        (Admission::admitted as fn() -> Admission, true),
        (|| Admission::admitted().no_exports(), false),
        (|| Admission::admitted().only_exports(["test:guests/extra"]), false),
    ] {
        let primary = Primary::builder().admit(move |_| admission()).build().unwrap();
        primary.load_bytes("bare", bare()).await.unwrap();
        assert_eq!(node(&primary, "bare").state, State::Running);
        assert_eq!(primary.function("bare", "answer").is_ok(), there);
    }
}

#[tokio::test]
async fn who_requires_an_export_that_does_not_count_says_so() {
    let decide = |candidate: Candidate| match candidate.name() {
        "faulty" => Admission::admitted().no_exports(),
        _ => Admission::admitted(),
    };
    let primary = with_admission(decide, &["faulty", "relay"]).await;
    assert_eq!(node(&primary, "faulty").state, State::Running);
    expect!["needs `test:guests/faults@0.1.0`, which `faulty` provides, but the application does not let that export of it count"]
        .assert_eq(&reason(&primary, "relay"));
}

#[tokio::test]
async fn whatever_goes_wrong_over_a_decision_refuses() {
    let refused = |primary: Primary| async move {
        let node = primary.load_bytes("extra", guest("extra")).await.unwrap().planets.remove(0);
        assert_eq!(node.state, State::Refused);
        node.reason.unwrap()
    };
    let builder = Primary::builder;
    let panics = builder().admit(|candidate: Candidate| -> Admission { panic!("no idea about {}", candidate.name()) });
    expect!["the application panicked when it was asked about it: no idea about extra"]
        .assert_eq(&refused(panics.build().unwrap()).await);
    let panics_later = builder().admit(|_| async {
        tokio::task::yield_now().await;
        if true {
            panic!("later");
        }
        Admission::admitted()
    });
    expect!["the application panicked when it was asked about it: later"]
        .assert_eq(&refused(panics_later.build().unwrap()).await);
    let errs = builder().admit(|_| async { std::fs::read("/nowhere/at/all").map(|_| Admission::admitted()) });
    expect!["the application could not decide about it: No such file or directory (os error 2)"]
        .assert_eq(&refused(errs.build().unwrap()).await);
    let hasty = || {
        let mut limits = Limits::default();
        limits.admission = Duration::from_millis(50);
        builder().limits(limits)
    };
    let silent = hasty().admit(|_| std::future::pending::<Admission>());
    expect!["the application did not decide about it within 50 ms"].assert_eq(&refused(silent.build().unwrap()).await);
    // Nor is one waited for that keeps its thread.
    let (release, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = Mutex::new(blocked);
    let blocking = hasty().admit(move |_| {
        let _ = blocked.lock().unwrap().recv();
        Admission::admitted()
    });
    expect!["the application did not decide about it within 50 ms"]
        .assert_eq(&refused(blocking.build().unwrap()).await);
    drop(release);
    let bad_name = builder().admit(|_| Admission::admitted().named("a b"));
    expect![[r#"what the application decided about it cannot be done: the planet's name, "a b", cannot be used: a name has 1 to 64 letters, digits, dashes, dots and underscores, and does not begin with a dot"#]]
        .assert_eq(&refused(bad_name.build().unwrap()).await);
    let bad_export = builder().admit(|_| Admission::admitted().only_exports(["test:guests"]));
    expect!["what the application decided about it cannot be done: of the exports that shall count, `test:guests` is not the name of an interface: it names a package and no interface in it; write it like `acme:log/sink@1.2.0`"]
        .assert_eq(&refused(bad_export.build().unwrap()).await);
    let bad_grants = builder().admit(|_| Admission::granted(Grants::none().http("https://example.com/")));
    expect!["what the application decided about it cannot be done: for HTTP, `https://example.com/` names no host: write `example.com`, `example.com:8080`, `*.example.com` or `*`, without `https://`, without a path, and in ASCII (`xn--..`)"]
        .assert_eq(&refused(bad_grants.build().unwrap()).await);
}

#[tokio::test]
async fn what_was_judged_is_what_runs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("it.wasm");
    std::fs::write(&file, guest("extra")).unwrap();
    // Replaces the file as soon as it is asked about it.
    let decide = {
        let file = file.clone();
        move |candidate: Candidate| {
            std::fs::write(&file, wat("(component)")).unwrap();
            assert_eq!(candidate.bytes(), guest("extra"));
            Admission::admitted()
        }
    };
    let primary = Primary::builder().admit(decide).build().unwrap();
    primary.load_dir(folder.path()).await.unwrap();
    assert_eq!(primary.get::<Extra>().unwrap().name().await.unwrap(), "extra, in Rust");
}

#[tokio::test]
async fn while_a_person_is_asked_others_load_and_a_load_that_is_given_up_changes_nothing() {
    let asked = Arc::new(tokio::sync::Notify::new());
    let decide = {
        let asked = Arc::clone(&asked);
        move |candidate: Candidate| {
            let asked = Arc::clone(&asked);
            async move {
                if candidate.name() == "faulty" {
                    asked.notify_one();
                    std::future::pending::<()>().await;
                }
                Admission::admitted()
            }
        }
    };
    let primary = with_admission(decide, &[]).await;
    tokio::select! {
        _ = primary.load_bytes("faulty", guest("faulty")) => panic!("nobody has decided"),
        () = async {
            asked.notified().await;
            primary.load_bytes("extra", guest("extra")).await.unwrap();
        } => {}
    }
    assert_eq!(node(&primary, "extra").state, State::Running);
    assert!(primary.graph().planet("faulty").is_none());
    primary.shutdown().await;
}

#[tokio::test]
async fn candidates_are_asked_about_in_the_order_of_their_files() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["c", "a", "b"] {
        std::fs::write(folder.path().join(format!("{name}.wasm")), wat("(component)")).unwrap();
    }
    std::fs::write(folder.path().join("aa.wasm"), "no component").unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let decide = {
        let asked = Arc::clone(&asked);
        move |candidate: Candidate| {
            asked.lock().unwrap().push(candidate.name().to_owned());
            Admission::admitted()
        }
    };
    let primary = Primary::builder().admit(decide).build().unwrap();
    let report = primary.load_dir(folder.path()).await.unwrap();
    assert_eq!(*asked.lock().unwrap(), ["a", "b", "c"]);
    assert_eq!((report.running().count(), report.planets.len()), (3, 4));
}

#[tokio::test]
async fn a_planet_does_not_take_the_place_of_the_application() {
    // Exports the very interface that the application serves to `relay`.
    let usurper = wat(r#"(component
        (core module $code (func (export "dawdle") unreachable))
        (core instance $code (instantiate $code))
        (func $dawdle (canon lift (core func $code "dawdle")))
        (instance $host (export "dawdle" (func $dawdle)))
        (export "test:guests/host@0.1.0" (instance $host)))"#);
    let primary = primary_with(Primary::builder().prefer("test:guests/host", "usurper"), &["faulty"]).await;
    primary.load_bytes("usurper", usurper).await.unwrap();
    primary.load_bytes("relay", guest("relay")).await.unwrap();
    assert_eq!(node(&primary, "usurper").state, State::Running);
    let edges = node(&primary, "relay").imports;
    let host = edges.iter().find(|edge| edge.interface.path() == "test:guests/host").unwrap();
    assert_eq!(host.provider, Some(EdgeProvider::Host(true)));
    assert_eq!(primary.get::<Relay>().unwrap().ask().await.unwrap(), ["relay"]);
}

#[tokio::test]
async fn grants_are_in_the_graph_without_their_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_path_buf();
    let decide = move |_| {
        let grants = Grants::none().read(&path, "/data").env("TOKEN", "secret").http("*.example.com:443");
        let grants = grants.tcp_connect("127.0.0.1:80".parse::<kokoro_host::Addresses>().unwrap()).name_lookup();
        let grants = grants.args(["program", "--token=secret"]);
        Admission::granted(grants.config("key", "secret"))
    };
    let primary = with_admission(decide, &["extra"]).await;
    let text = primary.graph().to_string().replace(folder.path().to_str().unwrap(), "..");
    expect![[r#"
        extra 0.1.0  running
          exports   test:guests/extra@0.1.0
          granted   read .. as /data, env TOKEN, 2 arguments, tcp 127.0.0.1:80, http *.example.com:443, config key, name lookup

        started in this order: extra
    "#]]
    .assert_eq(&text);
}
