//! Memory that is set aside for instances: nothing is different with it, and nothing fails without.

mod support;

use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use kokoro_host::{Engine, Limits, Pool, Primary, Restarts, Val};
use support::wat;

/// A Planet whose functions do to its memory and its table what they say.
fn planet() -> Vec<u8> {
    wat(r#"(component
        (core module $m
            (memory 1)
            (table $t 1 funcref)
            (data (i32.const 8) "\2a")
            (type $pair (struct (field i32) (field i32)))
            (func (export "read") (param i32) (result i32) (i32.load8_u (local.get 0)))
            (func (export "write") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
            (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
            (func (export "grow-table") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0)))
            (func (export "table") (result i32) (table.size $t))
            (func (export "managed") (param i32) (result i32)
                (struct.get $pair 1 (struct.new $pair (i32.const 0) (local.get 0)))))
        (core instance $i (instantiate $m))
        (func (export "read") (param "at" u32) (result u32) (canon lift (core func $i "read")))
        (func (export "write") (param "at" u32) (param "byte" u32) (canon lift (core func $i "write")))
        (func (export "grow") (param "pages" u32) (result s32) (canon lift (core func $i "grow")))
        (func (export "grow-table") (param "more" u32) (result s32) (canon lift (core func $i "grow-table")))
        (func (export "table") (result u32) (canon lift (core func $i "table")))
        (func (export "managed") (param "value" u32) (result u32) (canon lift (core func $i "managed"))))"#)
}

/// What is in the pool, and how many were given memory of their own.
fn used(engine: &Engine) -> (u32, u64) {
    let statistics = engine.pool_statistics().expect("a pool has been asked for");
    assert_eq!(statistics.problem, None);
    (statistics.pooled, statistics.plain)
}

fn pooled(planets: u32) -> Engine {
    Engine::builder().pool(Pool::new(planets)).build().unwrap()
}

async fn call(primary: &Primary, planet: &str, function: &str, params: &[u32]) -> Result<Vec<Val>, String> {
    let params: Vec<Val> = params.iter().map(|param| Val::U32(*param)).collect();
    let called = primary.function(planet, function).map_err(|error| error.to_string())?.call(&params).await;
    called.map_err(|error| error.to_string())
}

/// Loads the Planet, and says whether it runs.
async fn load(primary: &Primary, name: &str, component: Vec<u8>) {
    let report = primary.load_bytes(name, component).await.unwrap();
    assert_eq!(report.running().count(), 1, "{report}");
}

/// All that a Planet can tell of its memory: what is there at first, what the limits let it have, what it crashes over, and that
/// nothing of that is left to the next one.
async fn transcript(engine: &Engine) -> String {
    let limits = {
        let mut limits = Limits::default();
        (limits.memory, limits.table_elements) = (3 << 20, 5000);
        limits
    };
    let primary = Primary::builder().engine(engine).limits(limits).restarts(Restarts::none()).build().unwrap();
    let mut text = String::new();
    for round in 0..3 {
        load(&primary, "planet", planet()).await;
        let calls: &[(&str, &[u32])] = &[
            ("read", &[8]),
            ("read", &[9]),
            ("write", &[8, 7]),
            ("write", &[9, 7]),
            ("write", &[65_535, 7]),
            ("read", &[8]),
            ("grow", &[10]),
            ("read", &[65_536]),
            ("write", &[11 * 65_536 - 1, 7]),
            // Beyond the limit of three megabytes.
            ("grow", &[40]),
            ("grow", &[65_536]),
            ("grow-table", &[4000]),
            ("grow-table", &[4000]),
            ("table", &[]),
            ("managed", &[round]),
            // Beyond its end: it is over.
            ("read", &[11 * 65_536]),
            ("read", &[0]),
        ];
        for (function, params) in calls {
            writeln!(text, "{function} {params:?} -> {:?}", call(&primary, "planet", function, params).await).unwrap();
        }
        primary.unload("planet").await.unwrap();
    }
    primary.shutdown().await;
    text
}

#[tokio::test]
async fn an_engine_has_no_pool_unless_asked() {
    assert_eq!(Engine::new().unwrap().pool_statistics(), None);
}

#[tokio::test]
async fn limits_crashes_and_what_is_left_to_others_are_the_same_with_and_without() {
    let without = transcript(&Engine::new().unwrap()).await;
    let lines: Vec<&str> = without.lines().collect();
    assert!(lines[0].contains("U32(42)") && lines[1].contains("U32(0)"), "{without}");
    let engine = pooled(1);
    assert_eq!(transcript(&engine).await, without);
    assert_eq!(used(&engine), (0, 0), "it was in the pool");
    let engine = pooled(0);
    assert_eq!(transcript(&engine).await, without);
    assert_eq!(used(&engine), (0, 3), "it was not in the pool");
}

#[tokio::test]
async fn who_finds_no_room_has_memory_of_its_own_and_who_goes_makes_room() {
    let engine = pooled(2);
    let one = Primary::builder().engine(&engine).build().unwrap();
    let other = Primary::builder().engine(&engine).build().unwrap();
    for (i, name) in ["a", "b", "c"].into_iter().enumerate() {
        load(&one, name, planet()).await;
        assert_eq!(used(&engine), [(1, 0), (2, 0), (2, 1)][i]);
        assert_eq!(call(&one, name, "read", &[8]).await.unwrap(), [Val::U32(42)]);
    }
    load(&other, "a", planet()).await;
    assert_eq!(used(&engine), (2, 2));
    one.unload("a").await.unwrap();
    assert_eq!(used(&engine), (1, 2));
    load(&other, "b", planet()).await;
    assert_eq!(used(&engine), (2, 2));
    for name in ["a", "b"] {
        assert_eq!(call(&other, name, "read", &[8]).await.unwrap(), [Val::U32(42)]);
    }
    one.shutdown().await;
    other.shutdown().await;
    drop((one, other));
    assert_eq!(used(&engine), (0, 2));
}

#[tokio::test]
async fn a_planet_that_is_started_anew_goes_where_there_is_room_then() {
    let engine = pooled(1);
    let one = Primary::builder().engine(&engine).build().unwrap();
    let other = Primary::builder().engine(&engine).build().unwrap();
    load(&one, "planet", planet()).await;
    load(&other, "planet", planet()).await;
    assert_eq!(used(&engine), (1, 1));
    // Beside the old one, and then in its place.
    one.reload("planet").bytes(planet()).await.unwrap();
    assert_eq!(used(&engine), (0, 2));
    other.restart("planet").await.unwrap();
    assert_eq!(used(&engine), (1, 2));
    one.restart("planet").await.unwrap();
    assert_eq!(used(&engine), (1, 3));
    for primary in [&one, &other] {
        assert_eq!(call(primary, "planet", "read", &[8]).await.unwrap(), [Val::U32(42)]);
    }
}

/// A Planet with these declarations in its only core module.
fn with(declarations: &str) -> Vec<u8> {
    wat(&format!(
        r#"(component
            (core module $m {declarations} (func (export "f") (result i32) i32.const 1))
            (core instance $i (instantiate $m))
            (func (export "f") (result u32) (canon lift (core func $i "f"))))"#
    ))
}

#[tokio::test]
async fn what_the_pool_has_too_little_of_for_one_has_memory_of_its_own() {
    let mut limits = Limits::default();
    limits.table_elements = 100;
    let pool = Pool::new(4).memories(2).tables(2).limits(&limits);
    let many_globals = "(global (mut i64) (i64.const 1))".repeat(100_000);
    let cases = [
        ("(memory 1)", 0),
        ("(memory 1) (memory 1)", 0),
        ("(memory 1) (memory 1) (memory 1)", 1),
        ("(table 1 funcref) (table 1 funcref)", 0),
        ("(table 1 funcref) (table 1 funcref) (table 1 funcref)", 1),
        ("(table 100 funcref)", 0),
        (&many_globals, 0),
    ];
    for (declarations, plain) in cases {
        let engine = Engine::builder().pool(pool.clone()).build().unwrap();
        let primary = Primary::builder().engine(&engine).limits(limits.clone()).build().unwrap();
        load(&primary, "planet", with(declarations)).await;
        let beginning = &declarations[..declarations.len().min(100)];
        assert_eq!(used(&engine), (u32::from(plain == 0), plain), "{beginning}");
        assert_eq!(call(&primary, "planet", "f", &[]).await.unwrap(), [Val::U32(1)]);
    }
}

#[tokio::test]
async fn a_primary_that_allows_more_than_the_pool_was_made_for_does_not_use_it() {
    let mut limits = Limits::default();
    limits.table_elements = 100;
    let engine = Engine::builder().pool(Pool::new(4).limits(&limits)).build().unwrap();
    let primary = Primary::builder().engine(&engine).build().unwrap();
    load(&primary, "planet", planet()).await;
    assert_eq!(call(&primary, "planet", "grow-table", &[4000]).await.unwrap(), [Val::S32(1)]);
    load(&primary, "large", with("(table 200 funcref)")).await;
    assert_eq!(used(&engine), (0, 2));
}

#[tokio::test]
async fn the_cache_on_disk_is_the_same_with_and_without() {
    let folder = tempfile::tempdir().unwrap();
    for (round, pool) in [Some(1), None, Some(0), Some(1)].into_iter().enumerate() {
        let mut builder = Engine::builder().cache(folder.path().join("cache"));
        if let Some(planets) = pool {
            builder = builder.pool(Pool::new(planets));
        }
        let engine = builder.build().unwrap();
        let primary = Primary::builder().engine(&engine).build().unwrap();
        load(&primary, "planet", planet()).await;
        assert_eq!(call(&primary, "planet", "read", &[8]).await.unwrap(), [Val::U32(42)]);
        let statistics = engine.cache_statistics().unwrap();
        assert_eq!(
            (statistics.compiled, statistics.loaded, statistics.rejected),
            if round == 0 { (1, 0, 0) } else { (0, 1, 0) }
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn however_many_start_and_end_at_once_nobody_fails_for_want_of_room() {
    let engine = pooled(3);
    let life = |number: u32| {
        let engine = engine.clone();
        async move {
            for round in 0..40 {
                let primary = Primary::builder().engine(&engine).build().unwrap();
                load(&primary, "planet", planet()).await;
                assert_eq!(call(&primary, "planet", "read", &[9]).await.unwrap(), [Val::U32(0)]);
                call(&primary, "planet", "write", &[9, number]).await.unwrap();
                assert_eq!(call(&primary, "planet", "managed", &[round]).await.unwrap(), [Val::U32(round)]);
                primary.shutdown().await;
            }
        }
    };
    let lives: Vec<_> = (1..=6).map(|number| tokio::spawn(life(number))).collect();
    for life in lives {
        tokio::time::timeout(Duration::from_secs(120), life).await.expect("an end").unwrap();
    }
    assert_eq!(used(&engine).0, 0);
}

const ROLE: &str = "KOKORO_TEST_POOL";

/// What a process with little address space does.
#[tokio::test]
async fn another_process() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let engine = pooled(1000);
    let problem = engine.pool_statistics().unwrap().problem.expect("there is no room for so many");
    assert!(problem.contains("every planet has memory of its own"), "{problem}");
    let primary = Primary::builder().engine(&engine).build().unwrap();
    load(&primary, "planet", planet()).await;
    assert_eq!(call(&primary, "planet", "read", &[8]).await.unwrap(), [Val::U32(42)]);
}

#[cfg(target_os = "linux")]
#[test]
fn where_address_space_is_short_there_is_no_pool_and_planets_run() {
    let mut shell = Command::new("sh");
    // In KiB: 64 GiB.
    shell.args(["-c", "ulimit -v 67108864 && exec \"$@\"", "sh"]).arg(std::env::current_exe().unwrap());
    let output = shell.args(["--exact", "another_process", "--nocapture"]).env(ROLE, "").output().unwrap();
    let told = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success(), "{told}");
    assert!(told.contains("1 passed"), "{told}");
}
