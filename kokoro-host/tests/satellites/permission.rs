//! Who may own a Satellite: both sides have to agree, and who refuses is said.

use expect_test::expect;
use kokoro_host::{Admission, Builder, EdgeKind, EdgeProvider, Grants, Primary, SatelliteGrant};

use crate::choosy::Choosy;
use crate::place::{alone, granting, native_with, worker};
use crate::support::{guest, node, reason};

async fn details(builder: Builder, component: Vec<u8>) -> String {
    let primary = builder.build().unwrap();
    primary.load_bytes("native", component).await.unwrap();
    node(&primary, "native").details.expect("it waits")
}

#[test]
fn without_satellites_nothing_is_granted() {
    alone(async |_| {
        let builder = Primary::builder().admit(|_| Admission::granted(Grants::none().satellite(worker())));
        expect![[r#"
        needs `test:guests/work@0.1.0`, which its satellite `worker` provides, but the application has no satellites
          help: an application turns them on with `Builder::allow_satellites`, and grants each in its admission"#]]
        .assert_eq(&details(builder, guest("native")).await);
    });
}

#[test]
fn who_is_not_granted_its_satellite_waits() {
    alone(async |_| {
        expect![[r#"
        needs `test:guests/work@0.1.0`, which its satellite `worker` provides, but the application does not grant it
          help: an application grants it in its admission, with `Grants::satellite`"#]]
        .assert_eq(&details(Primary::builder().allow_satellites(), guest("native")).await);
    });
}

#[test]
fn a_grant_of_another_program_is_none() {
    alone(async |_| {
        let builder = granting(SatelliteGrant::program("other"));
        let details = details(builder, guest("native")).await;
        assert!(details.contains("the application does not grant it"), "{details}");
    });
}

#[test]
fn a_component_from_memory_has_no_programs_beside_it() {
    alone(async |_| {
        expect![[r#"
        needs `test:guests/work@0.1.0`, which its satellite `worker` provides, but the component was loaded from memory, so that there is no program beside it
          help: say where it is, with `SatelliteGrant::file`"#]]
    .assert_eq(&details(granting(SatelliteGrant::program("worker")), guest("native")).await);
    });
}

#[test]
fn a_program_is_found_beside_its_component() {
    alone(async |place| {
        let component = place.path("native.wasm");
        std::fs::write(&component, guest("native")).unwrap();
        let folder = place.path("native.satellites").join(SatelliteGrant::TARGET);
        let primary = granting(SatelliteGrant::program("worker")).build().unwrap();
        primary.load(&component).await.unwrap();
        let missing = reason(&primary, "native");
        assert!(missing.contains(&folder.join("worker").display().to_string()), "{missing}");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(crate::place::program("worker"), folder.join("worker")).unwrap();
        primary.reload("native").await.unwrap();
        assert_eq!(primary.get::<crate::desk::Desk>().unwrap().add(1, 2).await.unwrap(), 3);
        place.end(primary).await;
    });
}

#[test]
fn an_optional_one_is_there_only_if_it_is_granted() {
    alone(async |place| {
        let primary = granting(worker()).build().unwrap();
        primary.load_bytes("choosy", guest("choosy")).await.unwrap();
        assert_eq!(primary.get::<Choosy>().unwrap().add(1, 2).await.unwrap(), Some(3));
        place.end(primary).await;

        let primary = Primary::builder().allow_satellites().build().unwrap();
        primary.load_bytes("choosy", guest("choosy")).await.unwrap();
        assert_eq!(primary.get::<Choosy>().unwrap().add(1, 2).await.unwrap(), None);
        let why = primary.explain("choosy").unwrap();
        expect![[r#"
        choosy 0.1.0  running
          optional  test:guests/work@0.1.0 <- nobody
            its satellite worker (0.1.0): the application does not grant it
              help: an application grants it in its admission, with `Grants::satellite`"#]]
        .assert_eq(&why.to_string());
        place.end(primary).await;
    });
}

#[test]
fn the_graph_has_it() {
    alone(async |place| {
        let primary = granting(worker()).build().unwrap();
        primary.load_bytes("native", guest("native")).await.unwrap();
        let node = node(&primary, "native");
        assert_eq!(node.imports[0].kind, EdgeKind::Satellite);
        assert_eq!(node.imports[0].provider, Some(EdgeProvider::Satellite("worker".to_owned())));
        let json = serde_json::to_value(primary.graph()).unwrap();
        assert_eq!(json["planets"][0]["imports"][0]["kind"], "satellite");
        assert_eq!(json["planets"][0]["imports"][0]["provider"]["satellite"], "worker");
        assert_eq!(json["planets"][0]["granted"]["satellites"][0], "worker");
        place.end(primary).await;
    });
}

#[test]
fn no_planet_takes_the_place_of_a_satellite() {
    alone(async |place| {
        let primary = Primary::builder().allow_satellites().build().unwrap();
        // An impostor that exports what the Satellite is to serve.
        let component = crate::support::wat(
            r#"(component
            (core module $code (func (export "add") (param i32 i32) (result i32) i32.const 666))
            (core instance $code (instantiate $code))
            (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $code "add")))
            (instance $work (export "add" (func $add)))
            (export "test:guests/work@0.1.0" (instance $work)))"#,
        );
        primary.load_bytes("impostor", component).await.unwrap();
        primary.load_bytes("choosy", guest("choosy")).await.unwrap();
        assert_eq!(primary.get::<Choosy>().unwrap().add(1, 2).await.unwrap(), None);
        place.end(primary).await;
    });
}

#[test]
fn resources_do_not_cross_to_a_satellite() {
    alone(async |_| {
        let component = crate::support::with_manifest(
            crate::support::wat(
                r#"(component
                (import "test:guests/thing@0.1.0" (instance $thing
                    (export "cursor" (type $cursor (sub resource)))
                    (export "open" (func (result (own $cursor)))))))"#,
            ),
            r#"{"name":"native","satellites":[{"interface":"test:guests/thing@0.1.0","program":"worker"}]}"#,
        );
        expect![[r#"
        needs `test:guests/thing@0.1.0`, which its satellite `worker` provides, but `open` is of a resource, and resources do not cross to another process
          help: pass plain values, or an id that the satellite gives out"#]]
    .assert_eq(&details(granting(worker()), component).await);
    });
}

#[test]
fn grants_that_are_wrong_in_themselves_are_refused() {
    alone(async |place| {
        for (grant, problem) in [
            (worker().sha256("x86_64-unknown-linux-gnu", "abc"), "\"abc\" is no SHA-256"),
            (worker().env("A=B", "c"), "\"A=B\" cannot be an environment variable"),
            (worker().args(["a\0b"]), "has a zero byte"),
        ] {
            let primary = granting(grant).build().unwrap();
            primary.load_bytes("native", native_with("")).await.unwrap();
            assert!(reason(&primary, "native").contains(problem), "{}", reason(&primary, "native"));
        }
        let primary = Primary::builder().build().unwrap();
        place.end(primary).await;
    });
}
