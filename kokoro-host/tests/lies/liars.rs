//! Components that lie, and those that they lie to.

use std::fmt::Write as _;

use kokoro_host::Primary;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::table::{AREA, END, Lie};
use crate::types::{Core, Function, Type, package};

/// Where a value lies inside of a `result`.
const RESULT: u32 = 2048;

/// The components of one lie. The liars are `asks` and `answers`.
#[derive(Debug)]
pub struct Cast {
    /// Has `flat` and `pointed`, which pass the lie to `takes`.
    pub asks: Vec<u8>,
    pub takes: Vec<u8>,
    /// Answers with the lie.
    pub answers: Vec<u8>,
    /// Has `plain` and `room`, which ask `answers`; the second tells whether it got an `err`.
    pub wants: Vec<u8>,
}

impl Cast {
    pub fn of(lie: &Lie) -> Self {
        let ty = &lie.ty;
        let padded = [vec![ty.clone()], vec![Type::U8; 17]].concat();
        let room = Type::Result(Some(Box::new(ty.clone())), Some(Box::new(Type::String)));
        let functions = [
            Function { params: vec![ty.clone()], result: None },
            Function { params: padded, result: None },
            Function { params: Vec::new(), result: Some(ty.clone()) },
            Function { params: Vec::new(), result: Some(room.clone()) },
        ];
        let wit = package(
            &[("asked", &functions), ("told", &functions)],
            "world asking { import asked; export flat: func(); export pointed: func(); export count: func() -> u32; }
             world taking { export asked; export count: func() -> u32; }
             world answering { export told; export count: func() -> u32; }
             world wanting {
               import told; export plain: func(); export room: func() -> u32; export count: func() -> u32;
             }",
        );
        let flat = ty.flat();
        let core = |what: &str, types: &[Core]| -> String {
            types.iter().fold(String::new(), |text, ty| format!("{text} ({what} {})", ty.name()))
        };
        let consts = |values: &[u64]| -> String {
            let one = |(ty, bits): (&Core, &u64)| match ty {
                Core::I32 => format!("(i32.const {})", *bits as u32),
                Core::I64 => format!("(i64.const {bits})"),
                Core::F32 => format!("(f32.reinterpret_i32 (i32.const {}))", *bits as u32),
                Core::F64 => format!("(f64.reinterpret_i64 (i64.const {bits}))"),
            };
            flat.iter().zip(values).map(one).collect()
        };
        let is_flat = flat.len() == 1;
        let params = core("param", &flat);
        let import = |interface: &str, number: usize, ty: &str| {
            format!("(import \"t:values/{interface}@1.0.0\" \"f{number}\" (func $f{number} {ty}))\n")
        };
        let exported = |interface: &str, number: usize, rest: &str| {
            format!("(func (export \"t:values/{interface}@1.0.0#f{number}\") {rest})\n")
        };
        let bare = |name: &str, rest: &str| format!("(func (export \"{name}\") {rest})\n");
        let mut data = String::new();
        for (at, bytes) in &lie.heap {
            data += &segment(*at, bytes);
        }
        let in_memory = lie.memory.as_deref().unwrap_or_default();
        data += &segment(AREA, in_memory);
        // What lies at `RESULT` is `ok`, and has the lie in it.
        data += &segment(RESULT + room.payload_offset(), in_memory);
        let area = lie.area;
        let build = |world: &str, imports: &str, code: &str| component(&wit, world, imports, code, BUMP, lie.encoding);
        let asks = build(
            "asking",
            &(import("asked", 0, &params) + &import("asked", 1, "(param i32)")),
            &(data.clone()
                + &bare("flat", &format!("(call $f0 {})", consts(&lie.flat)))
                + &bare("pointed", &format!("(call $f1 (i32.const {area}))"))),
        );
        let takes = build(
            "taking",
            "",
            &(exported("asked", 0, &params)
                + &exported("asked", 1, "(param i32)")
                + &exported(
                    "asked",
                    2,
                    &format!("{} unreachable", core("result", if is_flat { &flat } else { &[Core::I32] })),
                )
                + &exported("asked", 3, "(result i32) unreachable")),
        );
        let plain = match is_flat {
            true => format!("{} {}", core("result", &flat), consts(&lie.flat)),
            false => format!("(result i32) (i32.const {area})"),
        };
        let with_room = if lie.is_of_area() { area.wrapping_sub(room.payload_offset()) } else { RESULT };
        let answers = build(
            "answering",
            "",
            &(data
                + &exported("told", 0, &params)
                + &exported("told", 1, "(param i32)")
                + &exported("told", 2, &plain)
                + &exported("told", 3, &format!("(result i32) (i32.const {with_room})"))),
        );
        let (plain, ask) = match is_flat {
            true => (core("result", &flat), "(drop (call $f2))"),
            false => ("(param i32)".to_owned(), "(call $f2 (i32.const 1024))"),
        };
        let wants = build(
            "wanting",
            &(import("told", 2, &plain) + &import("told", 3, "(param i32)")),
            &(bare("plain", ask)
                + &bare(
                    "room",
                    &format!("(result i32) (call $f3 (i32.const {RESULT})) (i32.load8_u (i32.const {RESULT}))"),
                )),
        );
        Self { asks, takes, answers, wants }
    }

    pub async fn load(&self, primary: &Primary) {
        let components =
            [("asks", &self.asks), ("takes", &self.takes), ("answers", &self.answers), ("wants", &self.wants)];
        for (name, component) in components {
            primary.load_bytes(name, component.clone()).await.expect("a component");
        }
    }
}

/// Bytes in memory from the beginning.
fn segment(at: u32, bytes: &[u8]) -> String {
    let end = at as usize + bytes.len();
    assert!(end <= END as usize, "a lie that is longer than memory");
    let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "\\{byte:02x}");
        hex
    });
    format!("(data (i32.const {at}) \"{hex}\")\n")
}

/// Allocates honestly, for ever more.
pub const BUMP: &str = "
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (loop $more
      (if (i32.gt_u (global.get $free) (i32.shl (memory.size) (i32.const 16)))
        (then
          (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable))
          (br $more))))
    (memory.copy
      (local.get $at)
      (local.get $old)
      (select (local.get $had) (local.get $size) (i32.lt_u (local.get $had) (local.get $size))))
    (local.get $at)";

/// A component of a world in which it counts how often it was asked to count.
pub fn component(
    wit: &str,
    world: &str,
    imports: &str,
    code: &str,
    realloc: &str,
    encoding: StringEncoding,
) -> Vec<u8> {
    let wat = format!(
        "(module
           {imports}
           (memory (export \"memory\") 1)
           (global $count (mut i32) (i32.const 0))
           (global $free (mut i32) (i32.const {END}))
           (func (export \"count\") (result i32)
             (global.set $count (i32.add (global.get $count) (i32.const 1)))
             (global.get $count))
           (func (export \"cabi_realloc\") (param $old i32) (param $had i32) (param $align i32) (param $size i32)
             (result i32)
             {realloc})
           {code})"
    );
    let mut module = wat::parse_str(&wat).unwrap_or_else(|error| panic!("{error}\n{wat}"));
    let mut resolve = Resolve::default();
    let package = resolve.push_str("lies.wit", wit).unwrap_or_else(|error| panic!("{error:#}\n{wit}"));
    let world = resolve.select_world(&[package], Some(world)).expect("a world of the package");
    embed_component_metadata(&mut module, &resolve, world, encoding).expect("a world of the package");
    let component = ComponentEncoder::default().validate(true).module(&module).and_then(|mut it| it.encode());
    component.unwrap_or_else(|error| panic!("{error:#}\n{wit}\n{wat}"))
}
