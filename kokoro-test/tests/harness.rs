//! The harness itself, with guests of kokoro-host's tests.

mod support;

use kokoro_test::{Error, Fake, Limits, State, Val};
use std::time::Duration;
use support::{guest, wit};
use wit::relay::Relay;
use wit::shapes::{Colour, Everything, Point, Rights, Shape, Shapes};

fn faults() -> Fake {
    Fake::of("test:guests/faults@0.1.0").answers("panic-text", |_: String| Ok::<(), String>(()))
}

fn host() -> Fake {
    Fake::of("test:guests/host").answers("chain", Vec::<String>::new)
}

#[test]
fn a_planet_is_called_typed_and_in_wave() {
    let test = guest("extra").start();
    assert_eq!(test.wait(test.get::<wit::extra::Extra>().double(21)), 42);
    assert_eq!(test.call("double(4)"), "8");
    assert_eq!(test.call("extra.double(4)"), "8");
    assert_eq!(test.call("test:guests/extra@0.1.0.double(4)"), "8");
    test.assert_answer("name()", r#""extra, in Rust""#);
}

#[test]
fn closures_answer_and_are_asked_what_they_were_asked() {
    let faults = faults();
    let extra = Fake::of("test:guests/extra").answers("name", || "mine").answers("double", |number: u32| number * 10);
    let test = guest("relay").dependency(&faults).dependency(&extra).application(&host()).start();
    let relay: Relay = test.get();
    assert_eq!(test.wait(relay.text("one")), "Ok(())");
    assert_eq!(test.wait(relay.double(4)), Some(40));
    assert_eq!(test.wait(relay.extra()), Some("mine".to_owned()));
    assert_eq!(faults.calls("panic-text"), [r#""one""#]);
    assert_eq!(extra.calls_as::<(u32,)>("double"), [(4,)]);
    // From here on it is another answer.
    faults.answers_err("panic-text", "no such word");
    assert_eq!(test.wait(relay.text("two")), r#"Err("no such word")"#);
    faults.answers_with("panic-text", r#"err("in WAVE")"#);
    assert_eq!(test.call(r#"text("three")"#), r#""Err(\"in WAVE\")""#);
    faults.answers_wave("panic-text", |word| format!("err({word})"));
    assert_eq!(test.wait(relay.text("four")), r#"Err("four")"#);
    assert_eq!(faults.calls("panic-text").len(), 4);
    faults.forget_calls();
    assert_eq!(faults.calls("panic-text"), [""; 0]);
}

#[test]
fn a_fake_goes_comes_back_and_crashes() {
    let (faults, extra) = (faults(), Fake::of("test:guests/extra").answers("name", || "mine"));
    let test = guest("relay").dependency(&faults).dependency(&extra).application(&host()).start();
    let relay: Relay = test.get();
    extra.goes();
    assert_eq!(test.wait(relay.extra()), None);
    extra.comes();
    assert_eq!(test.wait(relay.extra()), Some("mine".to_owned()));
    faults.crashes();
    let text = test.wait(relay.text("one"));
    assert!(text.contains("planet `faults` failed in `test:guests/faults@0.1.0.panic-text`"), "{text}");
    assert!(text.contains("unreachable"), "{text}");
    faults.comes();
    assert_eq!(test.wait(relay.text("two")), "Ok(())");
    // It is required.
    faults.goes();
    assert_eq!(test.state(), State::Waiting);
    assert!(test.reason().unwrap().contains("test:guests/faults@0.1.0"));
    assert!(test.try_wait(relay.text("three")).unwrap_err().is_unavailable());
    faults.comes();
    assert_eq!(test.wait(relay.text("four")), "Ok(())");
}

#[test]
fn a_fake_hangs_until_the_deadline() {
    let faults = faults().hangs();
    let mut limits = Limits::default();
    limits.call = Duration::from_secs(2);
    let test = guest("relay").dependency(&faults).application(&host()).limits(limits).start();
    let text = test.wait(test.get::<Relay>().text("one"));
    assert!(text.contains("planet `faults` was late"), "{text}");
}

#[test]
fn closures_take_records_variants_enums_and_flags() {
    let everything = || Everything {
        a: true,
        b: 1,
        c: -2,
        d: 3,
        e: 0.5,
        f: 'f',
        g: "g".to_owned(),
        h: vec![1, 2],
        i: (3, "i".to_owned()),
        j: Colour::Green,
        k: Rights::READ | Rights::RUN,
        l: Shape::Polygon(vec![Point { x: 1, y: 2, label: None }]),
        m: Ok(Point { x: 3, y: 4, label: Some("m".to_owned()) }),
        n: Some(4),
    };
    let shapes = Fake::of("test:guests/shapes")
        .from_wit("../kokoro-host/tests/guests/wit")
        .answers("echo", |mut value: Everything| {
            value.b += 1;
            value.l = Shape::Nothing;
            value
        })
        .answers("points", |points: Vec<Point>| points.into_iter().rev().collect::<Vec<_>>())
        .answers("nothing", || ());
    let test = guest("extra").dependency(&shapes).start();
    let handle: Shapes = test.get();
    let answer = test.wait(handle.echo(&everything()));
    assert_eq!(answer, Everything { b: 2, l: Shape::Nothing, ..everything() });
    let points = [1, 2].map(|x| Point { x, y: 0, label: None });
    assert_eq!(test.wait(handle.points(&points)).first().unwrap().x, 2);
    test.wait(handle.nothing());
    assert_eq!(shapes.calls_as::<(Vec<Point>,)>("points"), [(points.to_vec(),)]);
    // A real component gets and gives the very same.
    let test = guest("shapes").start();
    assert_eq!(test.wait(test.get::<Shapes>().echo(&everything())), everything());
}

#[test]
fn what_is_expected_comes_in_order() {
    let faults =
        faults().expects("panic-text", ["one"]).expects("panic-text", ("two",)).expects_wave("panic-text", "\"three\"");
    let test = guest("relay").dependency(&faults).application(&host()).start();
    for word in ["one", "two", "three"] {
        test.wait(test.get::<Relay>().text(word));
    }
    test.finish();
}

#[test]
fn a_trait_of_bindings_stands_behind_a_fake_and_the_application() {
    struct Mine;
    impl wit::gate::Host for Mine {
        async fn pass(&self, _: &kokoro_test::kokoro_host::Caller) {}
    }
    let gate = Fake::serving(wit::gate::serve(Mine));
    let test = guest("extra").dependency(&gate).start();
    assert_eq!(test.graph().planet("gate").unwrap().state, State::Running);
    let test = guest("extra").serve(wit::gate::serve(Mine)).start();
    assert_eq!(test.graph().planets.len(), 1);
}

#[test]
fn a_temporary_directory_is_granted_and_gone_afterwards() {
    let path = {
        let test = guest("probe").directory("/data").with_file("/data/in/a.txt", "A").start();
        assert_eq!(std::fs::read_to_string(test.directory("/data/in/a.txt")).unwrap(), "A");
        assert!(test.graph().planet("probe").unwrap().granted.write.contains_key("/data"));
        test.directory("/data")
    };
    assert!(!path.exists());
}

#[test]
fn the_log_is_that_of_the_test() {
    let tests: Vec<_> = (0..2).map(|_| guest("faulty").start()).collect();
    tests[0].call("speak()");
    let lines: Vec<String> = tests[0].log().iter().map(ToString::to_string).collect();
    expect_test::expect![[r#"
        WARN  faulty: through log
        INFO  faulty: through tracing answer=42
        INFO  faulty: [stdout] to standard output
        WARN  faulty: [stderr] to standard error"#]]
    .assert_eq(&lines.join("\n"));
    assert!(tests[0].logged("log"));
    assert_eq!(tests[1].log(), []);
}

#[test]
fn async_code_is_waited_for() {
    let test = guest("extra").start();
    let extra: wit::extra::Extra = test.get();
    let both = test.wait(async {
        let one = extra.double(1).await?;
        Ok::<_, Error>((one, extra.double(2).await?))
    });
    assert_eq!(both, (2, 4));
}

#[test]
fn what_has_started_can_be_stopped_restarted_and_reloaded() {
    let test = guest("counter").start();
    assert_eq!(test.call("next()"), "1");
    test.reload(std::fs::read(support::file("counter-next")).unwrap()).unwrap();
    assert_eq!(test.call("value()"), "1");
    test.restart();
    assert_eq!(test.call("value()"), "0");
    test.stop();
    assert_eq!(test.state(), State::Gone);
    assert!(test.try_call("value()").is_err());
}

#[test]
fn values_of_other_types_are_none() {
    use kokoro_test::FromValue;
    assert_eq!(u32::from_val(&Val::U8(1)), None);
    assert_eq!(<(u8, String)>::from_val(&Val::Tuple(vec![Val::U8(1), Val::Bool(true)])), None);
    assert_eq!(Option::<u8>::from_val(&Val::Option(Some(Box::new(Val::Char('x'))))), None);
}

#[test]
fn a_satellite_has_a_stand_in_and_no_process() {
    let work = Fake::of("test:guests/work").answers("add", |a: u32, b: u32| a * 100 + b);
    let test = guest("native").satellite(&work).start();
    assert_eq!(test.call("add(1, 2)"), "102");
    work.answers_err("sleep", "it is tired");
    assert_eq!(test.call("sleep(1)"), r#"err("it is tired")"#);
    work.crashes();
    assert!(test.call("sleep(1)").contains("planet `work` failed"));
    // One that it can do without.
    let work = Fake::of("test:guests/work").answers("add", |a: u32, b: u32| a + b);
    let test = guest("choosy").satellite(&work).start();
    assert_eq!(test.call("add(1, 2)"), "some(3)");
    work.goes();
    assert_eq!(test.call("add(1, 2)"), "none");
}

#[cfg(unix)]
#[test]
fn a_real_satellite_runs_where_a_test_wants_it() {
    let test = guest("native").real_satellites().start();
    assert_eq!(test.call("add(1, 2)"), "3");
}

#[test]
fn real_planets_stand_beside_fakes() {
    let extra = Fake::of("test:guests/extra").answers("double", |number: u32| number + 1);
    let test = guest("relay").planet_file(support::file("faulty")).dependency(&extra).application(&host()).start();
    assert_eq!(test.call("double(1)"), "some(2)");
    assert!(test.call(r#"text("it is broken")"#).contains("planet `faulty` failed"));
    assert!(test.whole_log().iter().any(|line| line.planet == "faulty" && line.text == "it is broken"));
    assert!(!test.logged("it is broken"));
}

#[test]
fn a_fake_has_no_functions_where_the_planet_calls_none() {
    // Listed, but not imported: compilers leave out what is not called.
    let manifest = r#"{"name":"extra","requires":["test:guests/relay@0.1.0"]}"#;
    let component = support::with_manifest(std::fs::read(support::file("extra")).unwrap(), manifest);
    let relay = Fake::of("test:guests/relay");
    let test = kokoro_test::Harness::bytes("extra", component).dependency(&relay).start();
    assert_eq!(test.call("double(4)"), "8");
    relay.goes();
    assert_eq!(test.state(), State::Waiting);
}

#[test]
fn large_values_go_through_a_fake_and_nothing_of_them_stays() {
    let faults = faults().answers("panic-text", |word: String| Err::<(), _>(word));
    let mut limits = Limits::default();
    // Less than all calls together need.
    limits.memory = 16 << 20;
    let test = guest("relay").dependency(&faults).application(&host()).limits(limits).start();
    let (relay, word) = (test.get::<Relay>(), "x".repeat(1 << 20));
    for _ in 0..24 {
        assert!(test.wait(relay.text(&word)) == format!("Err({word:?})"));
    }
}
