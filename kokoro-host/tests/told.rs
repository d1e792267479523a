//! What the log says of Planets (plugins), and what it cannot be made to say.

mod support;

use kokoro_host::{Error, Primary, Val};
use support::{Kept, faults::Faults, first_manifest, guest, primary, primary_with, wat, with_manifest};
use tracing::subscriber::DefaultGuard;

/// Keeps what is logged on this thread.
fn listen() -> (Kept, DefaultGuard) {
    let kept = Kept::default();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).without_time().with_writer(kept.clone());
    (kept, tracing::subscriber::set_default(subscriber.finish()))
}

async fn call(component: &str, function: &str, arguments: &[u32]) -> Error {
    let primary = Primary::builder().build().unwrap();
    primary.load_bytes("it", wat(component)).await.unwrap();
    let function = primary.function("it", function).unwrap();
    function.call(&arguments.iter().map(|number| Val::U32(*number)).collect::<Vec<_>>()).await.unwrap_err()
}

#[tokio::test]
async fn a_variable_that_is_asked_for_and_not_granted() {
    let (kept, _listening) = listen();
    let manifest = r#"{"name":"faulty","permissions":{"env":["TOKEN"]}}"#;
    let primary = primary_with(Primary::builder(), &[]).await;
    primary.load_bytes("faulty", first_manifest(guest("faulty"), manifest)).await.unwrap();
    let faults = primary.get::<Faults>().unwrap();
    faults.surroundings().await.unwrap();
    faults.surroundings().await.unwrap();
    let text = kept.text();
    let told: Vec<&str> = text.lines().filter(|line| line.contains("refused")).collect();
    let expected = " WARN kokoro: refused: it was not granted `env TOKEN`: it read its environment, and asks for this variable \
                    planet=\"faulty\" permission=\"env TOKEN\"";
    assert_eq!(told.iter().filter(|line| **line == expected).count(), 1, "{text}");
}

#[tokio::test]
async fn a_permission_that_this_version_does_not_know() {
    let (kept, _listening) = listen();
    let primary = primary(&[]).await;
    let manifest = r#"{"permissions":{"blue\u001b[2Jtooth":true}}"#;
    primary.load_bytes("it", with_manifest(wat("(component)"), manifest)).await.unwrap();
    let expected =
        "it asks for the permission `blue\\u{1b}[2Jtooth`, which this version of Kokoro does not know and cannot grant";
    assert!(kept.text().contains(expected), "{}", kept.text());
}

#[tokio::test]
async fn an_export_that_the_application_serves() {
    let (kept, _listening) = listen();
    let usurper = r#"(component
        (core module $code (func (export "dawdle")))
        (core instance $code (instantiate $code))
        (func $dawdle (canon lift (core func $code "dawdle")))
        (instance $host (export "dawdle" (func $dawdle)))
        (export "test:guests/host@0.1.0" (instance $host)))"#;
    let primary = primary(&[]).await;
    primary.load_bytes("usurper", wat(usurper)).await.unwrap();
    let expected = "it exports `test:guests/host@0.1.0`, which the application serves; no planet is bound to it planet=\"usurper\"";
    assert!(kept.text().contains(expected), "{}", kept.text());
}

#[tokio::test]
async fn a_name_of_many_megabytes_is_told_by_its_beginning() {
    let (kept, _listening) = listen();
    let error = call(include_str!("wat/long_name.wat"), "look-up", &[]).await.to_string();
    assert!(error.contains("it was not granted `name lookup`: it tried to look up \"aaaa"), "{error:.300}");
    assert!(error.len() < 2_000, "{}", error.len());
    assert!(kept.text().contains("name lookup") && kept.text().len() < 2_000, "{}", kept.text().len());
}

#[tokio::test]
async fn what_the_host_keeps_for_a_planet_is_bounded() {
    let headers = include_str!("wat/headers.wat");
    let error = call(headers, "hoard", &[2_000, 8_000]).await;
    assert!(error.is_crash() && error.to_string().contains("resource table has no free keys"), "{error}");
    let error = call(headers, "hoard", &[1, 100_000]).await;
    assert!(error.is_crash() && error.to_string().contains("total size of fields exceeds limit"), "{error}");
}

#[tokio::test]
async fn the_words_of_a_request_are_bounded() {
    let primary = Primary::builder().build().unwrap();
    primary.load_bytes("it", wat(include_str!("wat/authority.wat"))).await.unwrap();
    let refused = primary.function("it", "refused").unwrap();
    for (bytes, expected) in [(1024, 0), (1025, 1)] {
        assert_eq!(refused.call(&[Val::U32(bytes)]).await.unwrap(), [Val::U32(expected)]);
    }
}

#[tokio::test]
async fn a_log_line_of_a_planet_is_one_of_the_log() {
    let (kept, _listening) = listen();
    let primary = primary(&[]).await;
    let log = wat(r#"(component
        (import "kokoro:core/log@0.1.0" (instance $log
          (type $levels (enum "error" "warn" "info" "debug" "trace"))
          (export "level" (type $level (eq $levels)))
          (export "write" (func (param "level" $level) (param "target" string) (param "message" string)))))
        (core module $memory (memory (export "memory") 1) (data (i32.const 8) "first\0aERROR kokoro: second\0dthird"))
        (core instance $memory (instantiate $memory))
        (core func $write (canon lower (func $log "write") (memory (core memory $memory "memory"))))
        (core module $code
          (import "log" "write" (func $write (param i32 i32 i32 i32 i32)))
          (func (export "go")
            (call $write (i32.const 2) (i32.const 8) (i32.const 5) (i32.const 8) (i32.const 32))
            (call $write (i32.const 2) (i32.const 8) (i32.const 5) (i32.const 8) (i32.const 0))))
        (core instance $code (instantiate $code (with "log" (instance (export "write" (func $write))))))
        (func (export "go") (canon lift (core func $code "go"))))"#);
    primary.load_bytes("forger", log).await.unwrap();
    primary.function("forger", "go").unwrap().call(&[]).await.unwrap();
    let text = kept.text();
    let lines: Vec<&str> = text.lines().filter(|line| line.ends_with("planet=\"forger\" module=\"first\"")).collect();
    let messages = lines.iter().map(|line| line.strip_prefix(" INFO kokoro::planet: ").unwrap());
    let messages: Vec<&str> = messages.map(|line| line.split("planet=").next().unwrap().trim_end()).collect();
    assert_eq!(messages, ["first", "ERROR kokoro: second\\rthird", ""], "{text}");
}
