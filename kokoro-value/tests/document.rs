//! `docs/values.md`: that its examples are true, and that the crate's own documentation says the same.

use std::path::Path;

use kokoro_value::{Decode, Encode, Type, check, from_bytes, to_bytes};

#[derive(Debug, PartialEq, Encode, Decode)]
struct Place {
    name: String,
    at: Option<Point>,
}

#[derive(Debug, PartialEq, Encode, Decode)]
struct Point {
    x: i16,
    y: i16,
}

#[derive(Debug, PartialEq, Encode, Decode)]
enum Shape {
    Point,
    Circle(f32),
    Label(String),
}

#[derive(Debug, PartialEq, Encode, Decode)]
enum Colour {
    Red,
    Green,
}

kokoro_value::flags! {
    struct Permissions { READ, WRITE, EXECUTE }
}

kokoro_value::flags! {
    struct Nine { A, B, C, D, E, F, G, H, I }
}

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// A row of the examples, of a value that is found to come out as it went in.
fn row<T: Encode + Decode + PartialEq + std::fmt::Debug>(ty: &str, written: &str, value: T) -> String {
    let bytes = to_bytes(&value);
    assert_eq!(from_bytes(&bytes), Ok(value));
    format!("| `{ty}` | `{written}` | `{}` |", hex(&bytes))
}

#[test]
fn the_examples_are_true() {
    let place = |at| Place { name: "inn".to_owned(), at };
    let table = [
        "| type | value | bytes |".to_owned(),
        "|---|---|---|".to_owned(),
        row("bool", "true", true),
        row("u8", "200", 200u8),
        row("s16", "-2", -2i16),
        row("u32", "100000", 100_000u32),
        row("s64", "-1", -1i64),
        row("f32", "1.5", 1.5f32),
        row("f64", "-inf", f64::NEG_INFINITY),
        row("char", "'€'", '€'),
        row("string", "\"\"", String::new()),
        row("string", "\"né\"", "né".to_owned()),
        row("list<u16>", "[1, 2]", vec![1u16, 2]),
        row("list<string>", "[\"a\", \"\"]", vec!["a".to_owned(), String::new()]),
        row("list<u8, 3>", "[1, 2, 3]", [1u8, 2, 3]),
        row("tuple<u8, u32>", "(1, 2)", (1u8, 2u32)),
        row("option<u16>", "none", None::<u16>),
        row("option<u16>", "some(5)", Some(5u16)),
        row("result<u8, string>", "ok(7)", Ok::<u8, String>(7)),
        row("result<u8, string>", "err(\"no\")", Err::<u8, String>("no".to_owned())),
        row("result", "ok", Ok::<(), ()>(())),
        row("result<_, u8>", "ok", Ok::<(), u8>(())),
        row("enum { red, green }", "green", Colour::Green),
        row("variant { point, circle(f32), label(string) }", "point", Shape::Point),
        row("variant { point, circle(f32), label(string) }", "label(\"x\")", Shape::Label("x".to_owned())),
        row("flags { read, write, execute }", "{read, execute}", Permissions::READ | Permissions::EXECUTE),
        row("flags { a, b, c, d, e, f, g, h, i }", "{a, i}", Nine::A | Nine::I),
        row("place", "{name: \"inn\"}", place(None)),
        row("place", "{name: \"inn\", at: some({x: 1, y: -1})}", place(Some(Point { x: 1, y: -1 }))),
    ];
    let table = table.join("\n");
    assert!(
        read("../docs/values.md").contains(&format!("\n\n{table}\n\n")),
        "docs/values.md needs this table:\n{table}"
    );
}

#[test]
fn the_examples_of_what_is_refused_are_true() {
    let rows = [
        ("u16", "01", "ends too early", Type::U16, vec![1]),
        ("u16", "01 00 00", "a byte follows", Type::U16, vec![1, 0, 0]),
        ("bool", "02", "neither 0 nor 1", Type::Bool, vec![2]),
        ("char", "00 d8 00 00", "a surrogate", Type::Char, vec![0, 0xd8, 0, 0]),
        ("string", "01 00 00 00 ff", "not UTF-8", Type::String, vec![1, 0, 0, 0, 0xff]),
        ("list<u8>", "ff ff ff ff 00", "room for one element, not for 4,294,967,295", Type::list(Type::U8), {
            vec![0xff, 0xff, 0xff, 0xff, 0]
        }),
        ("enum { red, green }", "02", "no such case", Type::Enum(2), vec![2]),
        ("option<u8>", "02 00", "no such case", Type::option(Type::U8), vec![2, 0]),
        ("flags { read, write, execute }", "08", "bit 3 is no label", Type::Flags(3), vec![8]),
    ];
    let mut table = "| type | bytes | why |\n|---|---|---|".to_owned();
    for (ty, written, why, shape, bytes) in rows {
        assert_eq!(hex(&bytes), written);
        assert!(check(&bytes, &shape).is_err(), "`{written}` is a `{ty}`");
        table += &format!("\n| `{ty}` | `{written}` | {why} |");
    }
    assert!(
        read("../docs/values.md").contains(&format!("\n\n{table}\n\n")),
        "docs/values.md needs this table:\n{table}"
    );
}

#[test]
fn the_example_of_a_call_is_true() {
    let page = read("../docs/values.md");
    let holds = |bytes: &[u8]| {
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        page.lines().any(|line| squeezed(line) == hex(bytes))
    };
    assert!(holds(&to_bytes(&("inn", 2u8))));
    assert!(holds(&to_bytes(&Ok::<_, String>(vec![Point { x: 1, y: -1 }]))));
}

#[test]
fn the_crate_and_the_page_say_the_same_of_the_form() {
    let start = "| type | bytes |";
    let form = |text: &str| {
        let lines = text.lines().map(|line| line.trim_start_matches("//!").trim());
        lines
            .skip_while(|line| *line != start)
            .take_while(|line| !line.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (crates, pages) = (form(&read("src/lib.rs")), form(&read("../docs/values.md")));
    assert!(crates.len() > 10);
    assert_eq!(crates, pages);
}
