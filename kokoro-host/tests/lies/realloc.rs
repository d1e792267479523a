//! Components that allocate memory for what they are given, and say of it what is not so.

use std::fmt::Write as _;
use std::time::Duration;

use expect_test::expect_file;
use kokoro_host::{Engine, Primary, Val};
use wasmtime::Store;
use wasmtime::component::{Component, Linker};
use wit_component::StringEncoding;

use crate::liars::{BUMP, component};
use crate::table::{AREA, END, Verdict};
use crate::types::{Function, Type, package};
use crate::{ALONE, Watched, primary, said};

/// What a component does when it is asked for memory.
struct Allocator {
    name: &'static str,
    code: &'static str,
    /// What comes of it, for memory of this alignment.
    verdict: fn(u32) -> Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    Verdict(Verdict),
    /// It never comes back.
    Late,
}

use Outcome::Late;

const TAKEN: Outcome = Outcome::Verdict(Verdict::Taken);
const REFUSED: Outcome = Outcome::Verdict(Verdict::Refused);

const ALLOCATORS: &[Allocator] = &[
    Allocator { name: "it ends beyond the end", code: "(i32.const 0xfff8)", verdict: |_| REFUSED },
    Allocator { name: "it begins beyond the end", code: "(i32.const 0x10008)", verdict: |_| REFUSED },
    Allocator { name: "it ends beyond 32 bits", code: "(i32.const 0xfffffff8)", verdict: |_| REFUSED },
    Allocator {
        name: "it is not aligned",
        code: "(i32.const 0x8001)",
        verdict: |align| if align == 1 { TAKEN } else { REFUSED },
    },
    Allocator { name: "it is always the same", code: "(i32.const 0x8000)", verdict: |_| TAKEN },
    Allocator { name: "it is where something else was", code: "(i32.const 1024)", verdict: |_| TAKEN },
    Allocator {
        name: "memory moves with it",
        code: "(i32.shl (memory.grow (i32.const 3)) (i32.const 16))",
        verdict: |_| TAKEN,
    },
    Allocator { name: "it traps", code: "unreachable", verdict: |_| REFUSED },
    Allocator { name: "it overflows the stack", code: "(call $endless) (i32.const 0)", verdict: |_| REFUSED },
    Allocator {
        name: "it asks others for it",
        code: "(call $f2 (i32.const 0x8000)) (i32.const 0x8000)",
        verdict: |_| REFUSED,
    },
    Allocator { name: "it never comes", code: "(loop $again (br $again)) unreachable", verdict: |_| Late },
];

/// What is to be put there.
const TEXT: &str = "forty bytes of text, which are enough \u{1f600}.";

/// The components of one allocator. The liars are `takes` and `wants`.
struct Cast {
    gives: Vec<u8>,
    takes: Vec<u8>,
    has: Vec<u8>,
    wants: Vec<u8>,
}

impl Cast {
    /// `wants` says that answers are to be put at `area`.
    fn of(ty: &Type, encoding: StringEncoding, realloc: &str, area: u32) -> Self {
        let answer = Type::Result(Some(Box::new(Type::Bool)), Some(Box::new(Type::String)));
        let functions = [
            Function { params: vec![ty.clone()], result: None },
            Function { params: vec![ty.clone()], result: Some(answer) },
            Function { params: Vec::new(), result: Some(ty.clone()) },
        ];
        let wit = package(
            &[("taken", &functions), ("had", &functions)],
            "world giving {
               import taken; export plain: func(); export room: func() -> u32; export count: func() -> u32;
             }
             world taking { import had; export taken; export count: func() -> u32; }
             world having { export had; export count: func() -> u32; }
             world wanting { import had; export get: func(); export count: func() -> u32; }",
        );
        let import = |interface: &str, number: usize, ty: &str| {
            format!("(import \"t:values/{interface}@1.0.0\" \"f{number}\" (func $f{number} {ty}))\n")
        };
        let exported = |interface: &str, number: usize, rest: &str| {
            format!("(func (export \"t:values/{interface}@1.0.0#f{number}\") {rest})\n")
        };
        // At 64 is the value: 10 words, or the text.
        let count = if *ty == Type::String { TEXT.len() } else { 10 };
        let text = TEXT.bytes().fold(String::new(), |text, byte| text + &format!("\\{byte:02x}"));
        let data = format!("(data (i32.const 64) \"{text}\") (data (i32.const 32) \"\\40\\00\\00\\00\\{count:02x}\")");
        let value = format!("(i32.const 64) (i32.const {count})");
        let endless = "(func $endless (call $endless))\n";
        let utf8 = StringEncoding::UTF8;
        let gives = component(
            &wit,
            "giving",
            &(import("taken", 0, "(param i32 i32)") + &import("taken", 1, "(param i32 i32 i32)")),
            &format!(
                "{data}
                 (func (export \"plain\") (call $f0 {value}))
                 (func (export \"room\") (result i32) (call $f1 {value} (i32.const 128)) (i32.load8_u (i32.const 128)))"
            ),
            BUMP,
            utf8,
        );
        let had = import("had", 2, "(param i32)");
        let takes = component(
            &wit,
            "taking",
            &had,
            &(endless.to_owned()
                + &exported("taken", 0, "(param i32 i32)")
                + &exported("taken", 1, "(param i32 i32) (result i32) (i32.const 128)")
                + &exported("taken", 2, "(result i32) unreachable")),
            realloc,
            encoding,
        );
        let has = component(
            &wit,
            "having",
            "",
            &(data
                + &exported("had", 0, "(param i32 i32)")
                + &exported("had", 1, "(param i32 i32) (result i32) unreachable")
                + &exported("had", 2, "(result i32) (i32.const 32)")),
            BUMP,
            utf8,
        );
        let get = format!("(func (export \"get\") (call $f2 (i32.const {area})))");
        let wants = component(&wit, "wanting", &had, &format!("{endless}{get}"), realloc, encoding);
        Self { gives, takes, has, wants }
    }

    async fn load(&self, primary: &Primary) {
        let components = [("has", &self.has), ("wants", &self.wants), ("takes", &self.takes), ("gives", &self.gives)];
        for (name, component) in components {
            primary.load_bytes(name, component.clone()).await.expect("a component");
        }
    }
}

/// What Wasmtime says to it where values are dynamic.
fn dynamic_verdict([takes, wants]: &[Component; 2], function: &str, value: &Val) -> Verdict {
    let component = if function == "get" { wants } else { takes };
    let engine = component.engine();
    let mut linker = Linker::new(engine);
    let given = value.clone();
    let mut instance = linker.instance("t:values/had@1.0.0").expect("it is new");
    let answer = move |_: wasmtime::StoreContextMut<'_, ()>, _, _: &[Val], results: &mut [Val]| {
        results[0] = given.clone();
        Ok(())
    };
    instance.func_new("f2", answer).expect("a function that can be defined");
    linker.allow_shadowing(true).define_unknown_imports_as_traps(component).expect("imports that can be defined");
    let mut store = Store::new(engine, ());
    let instance = linker.instantiate(&mut store, component).expect("an instance");
    let outcome = match function {
        "get" => {
            let get = instance.get_func(&mut store, "get").expect("a function");
            get.call(&mut store, &[], &mut [])
        }
        _ => {
            let interface = instance.get_export_index(&mut store, None, "t:values/taken@1.0.0").expect("it has that");
            let index = instance.get_export_index(&mut store, Some(&interface), function);
            let takes = index.and_then(|index| instance.get_func(&mut store, index)).expect("a function");
            let mut results = vec![Val::Bool(false); takes.ty(&store).results().len()];
            takes.call(&mut store, std::slice::from_ref(value), &mut results)
        }
    };
    if outcome.is_ok() { Verdict::Taken } else { Verdict::Refused }
}

/// Calls one function, by which something is put into the liar's memory, and says what came of it, if that was said.
async fn put(
    primary: &Primary,
    what: &str,
    outcome: Outcome,
    [planet, function, liar, other]: [&'static str; 4],
    problems: &mut Vec<String>,
) -> Option<String> {
    let (mut liar, mut other) = (Watched::new(primary, liar).await, Watched::new(primary, other).await);
    let within = match (outcome, function) {
        // Who is to be told of it needs what is left of the time when the innermost is late: a sixteenth.
        (Late, "room") => Duration::from_secs(4),
        (Late, _) => Duration::from_millis(300),
        _ => Duration::from_secs(30),
    };
    let called = primary.function(planet, function).expect("a function").within(within).call(&[]).await;
    let mut check = |holds: bool, wrong: &str| {
        if !holds {
            problems.push(format!("{what}, {planet}.{function}: {wrong}: {called:?}"));
        }
    };
    let (has_room, asks) = (function == "room", function == "get");
    check(liar.goes_on().await == (outcome == TAKEN), "the liar goes on, or does not");
    check(other.goes_on().await == (outcome == TAKEN || asks || has_room), "the other one goes on, or does not");
    match &called {
        Ok(results) if has_room => {
            check(results[0] == Val::U32(u32::from(outcome != TAKEN)), "there is an `err`, or none");
            None
        }
        Ok(_) => {
            check(outcome == TAKEN, "it is taken");
            Some("taken".to_owned())
        }
        Err(error) => {
            check(outcome != TAKEN, "it is not taken");
            check(if outcome == Late { error.is_timeout() } else { error.is_crash() }, "of its kind");
            let message = error.to_string();
            let line = said(message.lines().next().unwrap_or_default());
            Some(line.split_once(" within ").map_or(line, |(line, _)| line).to_owned())
        }
    }
}

#[tokio::test]
async fn who_lies_about_its_memory_has_ended_and_everybody_else_goes_on() {
    let _alone = ALONE.lock().await;
    let engine = Engine::new().expect("an engine");
    let mut config = wasmtime::Config::new();
    config.concurrency_support(false);
    let dynamic = wasmtime::Engine::new(&config).expect("an engine");
    let numbers = Type::List(Box::new(Type::U32));
    let words: Vec<Val> = (0..10).map(Val::U32).collect();
    let kinds = [
        ("a list", &numbers, StringEncoding::UTF8, 4, Val::List(words)),
        ("UTF-8", &Type::String, StringEncoding::UTF8, 1, Val::String(TEXT.to_owned())),
        ("UTF-16", &Type::String, StringEncoding::UTF16, 2, Val::String(TEXT.to_owned())),
        ("latin1 or UTF-16", &Type::String, StringEncoding::CompactUTF16, 2, Val::String(TEXT.to_owned())),
    ];
    let (mut text, mut problems) = (String::new(), Vec::new());
    for allocator in ALLOCATORS {
        for (kind, ty, encoding, align, value) in &kinds {
            let outcome = (allocator.verdict)(*align);
            if outcome == Late && *kind != "a list" {
                // It takes its time, and is the same for all.
                continue;
            }
            let cast = Cast::of(ty, *encoding, allocator.code, AREA);
            let primary = primary(&engine);
            cast.load(&primary).await;
            let mut said = Vec::new();
            for way in [
                ["gives", "plain", "takes", "gives"],
                ["gives", "room", "takes", "gives"],
                ["wants", "get", "wants", "has"],
            ] {
                if outcome == Late && way[1] == "plain" {
                    // Without room, nobody is told: which of the two was late first is seen nowhere.
                    continue;
                }
                said.extend(put(&primary, allocator.name, outcome, way, &mut problems).await);
            }
            said.dedup();
            let _ = writeln!(text, "{kind}, and {}: {}", allocator.name, said.join(", or "));
            if let Outcome::Verdict(verdict) = outcome {
                let liars =
                    [&cast.takes, &cast.wants].map(|bytes| Component::new(&dynamic, bytes).expect("a component"));
                for function in ["f0", "f1", "get"] {
                    let says = dynamic_verdict(&liars, function, value);
                    if says != verdict {
                        problems.push(format!("{}, {kind}, {function}: Wasmtime says {says:?}", allocator.name));
                    }
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    expect_file!["../golden/lies_realloc.txt"].assert_eq(&text);
}

#[tokio::test]
async fn answers_are_put_where_there_is_memory_or_nowhere() {
    let _alone = ALONE.lock().await;
    let engine = Engine::new().expect("an engine");
    let mut config = wasmtime::Config::new();
    config.concurrency_support(false);
    let dynamic = wasmtime::Engine::new(&config).expect("an engine");
    // An address and a length: 8 bytes, at a multiple of 4.
    let areas = [
        (END - 8, Verdict::Taken),
        (END - 4, Verdict::Refused),
        (END, Verdict::Refused),
        (AREA + 2, Verdict::Refused),
        (0xffff_fff8, Verdict::Refused),
    ];
    let mut problems = Vec::new();
    for (area, verdict) in areas {
        let cast = Cast::of(&Type::String, StringEncoding::UTF8, BUMP, area);
        let primary = primary(&engine);
        cast.load(&primary).await;
        let what = format!("at {area}");
        put(&primary, &what, Outcome::Verdict(verdict), ["wants", "get", "wants", "has"], &mut problems).await;
        let liars = [&cast.takes, &cast.wants].map(|bytes| Component::new(&dynamic, bytes).expect("a component"));
        assert_eq!(dynamic_verdict(&liars, "get", &Val::String(TEXT.to_owned())), verdict, "{what}");
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
