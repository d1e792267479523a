//! What Planets (plugins) of this test are like, and real components of that kind.

use std::fmt;
use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::model::{Interface, Planet};
use crate::support;

/// A kind of Planet: what it imports and exports, and what it carries over when it is reloaded.
///
/// Planets of all shapes do the same: asked, they answer with a number made of their shape's, their instance's and, as deep
/// as asked, of what those answer from whom they import; asked to crash, they do, or have the first of those do it.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Its place in the pool, and what its Planets make their answers of.
    pub number: usize,
    pub planet: Planet,
    /// The version of its saved state, if it has any.
    pub state: Option<u32>,
}

/// How much room the functions of an interface have for a failure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Room {
    /// `result<u64, failure>`, with the shape of `kokoro:core`'s.
    Failure,
    /// `result<u64, string>`.
    Text,
    /// `u64`: the caller is lost with the failure.
    None,
}

/// Interfaces of one name have two types, which do not fit together.
pub fn room(interface: &Interface) -> Room {
    match (interface.name, interface.ty) {
        ('a' | 'b', 0) => Room::Failure,
        ('a', _) | ('c', 0) => Room::Text,
        ('b', _) | ('d', 0) => Room::None,
        _ => Room::Failure,
    }
}

impl Shape {
    /// The imports in the order in which it calls them; with each whether it is required.
    pub fn imports(&self) -> impl Iterator<Item = (&Interface, bool)> {
        let required = self.planet.requires.iter().map(|import| (import, true));
        required.chain(self.planet.optional.iter().map(|import| (import, false)))
    }

    /// Whether it has an export that could serve an import, if it had the right types.
    pub fn names(&self, import: &Interface) -> bool {
        self.planet.provides.iter().any(|export| (export.name, export.major) == (import.name, import.major))
    }

    /// The minor version of its newest export that serves an import.
    pub fn serves(&self, import: &Interface) -> Option<u64> {
        self.planet.provides.iter().filter(|export| export.serves(import)).map(|export| export.minor).max()
    }
}

impl fmt::Display for Shape {
    /// As in `-a@1.0 ?b@1.2 +c@1.0 saves 1`; an apostrophe marks the other type of that name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.number)?;
        let Planet { requires, optional, provides } = &self.planet;
        for (sign, list) in [('-', requires), ('?', optional), ('+', provides)] {
            for Interface { name, major, minor, ty } in list {
                write!(f, " {sign}{name}@{major}.{minor}{}", if *ty == 0 { "" } else { "'" })?;
            }
        }
        match self.state {
            Some(version) => write!(f, " saves {version}"),
            None => Ok(()),
        }
    }
}

/// How many shapes are akin to each other: a first one, a newer release of it, one that offers something else, and one that
/// needs more.
pub const RELATIVES: usize = 4;

/// All shapes that histories choose from, the simple ones first. The same in each run.
pub fn pool(families: usize) -> Vec<Shape> {
    let mut runner = TestRunner::deterministic();
    let mut pool = Vec::new();
    let mut founders: Vec<Planet> = Vec::new();
    while founders.len() < families {
        let founder = planet().new_tree(&mut runner).expect("no filter refuses").current();
        if is_expressible(&founder) {
            founders.push(founder);
        }
    }
    founders.sort_by_key(|planet| planet.requires.len() * 2 + planet.optional.len());
    for (family, founder) in founders.into_iter().enumerate() {
        let has_state = family % 2 == 0;
        for variant in 0..RELATIVES {
            let planet = relative(&founder, variant);
            // A release that offers something else has a state of a later form.
            let state = has_state.then_some(if variant == 2 { 2 } else { 1 });
            let planet = if is_expressible(&planet) { planet } else { founder.clone() };
            pool.push(Shape { number: pool.len(), planet, state });
        }
    }
    pool
}

/// A shape that provides all that any shape may need, so that all can run.
pub fn everything(number: usize) -> Shape {
    let all = NAMES.iter().flat_map(|&name| {
        let majors = 1..=majors(name);
        majors.flat_map(move |major| [0, 1].map(|ty| Interface { name, major, minor: 7 + u64::from(ty), ty }))
    });
    Shape { number, planet: Planet { provides: all.collect(), ..Planet::default() }, state: None }
}

pub const NAMES: [char; 4] = ['a', 'b', 'c', 'd'];

fn majors(name: char) -> u64 {
    if name == 'a' { 2 } else { 1 }
}

fn interface() -> impl Strategy<Value = Interface> {
    (0..NAMES.len(), 0..4u64, 0..2u64, 0..16u8).prop_map(|(name, major, minor, ty)| {
        let name = NAMES[name];
        Interface { name, major: if major == 0 { majors(name) } else { 1 }, minor, ty: u8::from(ty == 0) }
    })
}

fn planet() -> impl Strategy<Value = Planet> {
    let list = |length| prop::collection::vec(interface(), length);
    let requires = prop_oneof![4 => list(0..=0), 4 => list(1..=1), 1 => list(2..=2)];
    (requires, list(0..=2), list(2..=4)).prop_map(|(mut requires, mut optional, mut provides)| {
        let track = |i: &Interface| (i.name, i.major);
        let mut seen = std::collections::BTreeSet::new();
        requires.retain(|i| seen.insert(track(i)));
        optional.retain(|i| seen.insert(track(i)));
        let mut seen = std::collections::BTreeSet::new();
        provides.retain(|i| seen.insert(track(i)));
        Planet { requires, optional, provides }
    })
}

fn relative(founder: &Planet, variant: usize) -> Planet {
    let mut planet = founder.clone();
    match variant {
        1 => planet.provides.iter_mut().for_each(|export| export.minor += 1),
        2 => planet.provides[0].ty ^= 1,
        3 if !planet.optional.is_empty() => {
            let import = planet.optional.remove(0);
            planet.requires.push(import);
        }
        3 => {
            let import = Interface { name: 'd', major: 1, minor: 0, ty: 0 };
            if !planet.requires.iter().any(|other| other.name == 'd') {
                planet.requires.push(import);
            }
        }
        _ => {}
    }
    planet
}

/// What WIT cannot say is beside the point: two types under one name.
fn is_expressible(planet: &Planet) -> bool {
    let all = || planet.requires.iter().chain(&planet.optional).chain(&planet.provides);
    all().all(|a| all().all(|b| a.full() != b.full() || a.ty == b.ty))
}

/// What answers are made of beside the numbers of shapes and instances.
pub const ABSENT: u64 = 0xAB5E;
pub const FAILED_TEXT: u64 = 0xFA11_0000;
pub const FAILED: u64 = 0xFA11_1000;
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// Puts a number into an answer.
pub fn mix(answer: u64, number: u64) -> u64 {
    (answer.rotate_left(5) ^ number).wrapping_mul(FACTOR)
}

impl Shape {
    /// A component of this shape.
    pub fn component(&self) -> Vec<u8> {
        let mut resolve = Resolve::default();
        resolve.push_str("core.wit", kokoro_wit::PACKAGE).expect("a constant that is well-formed");
        resolve.push_str("journal.wit", include_str!("wit/journal.wit")).expect("a file that is well-formed");
        let wit = self.wit();
        let package = resolve.push_str("shape.wit", &wit).unwrap_or_else(|error| panic!("{error:#}\n{wit}"));
        let world = resolve.select_world(&[package], Some("root")).expect("there is a world");
        let wat = self.wat();
        let mut module = wat::parse_str(&wat).unwrap_or_else(|error| panic!("{error}\n{wat}"));
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("a world of the package");
        let encoder = ComponentEncoder::default().validate(true).module(&module);
        let component = encoder.and_then(|mut encoder| encoder.encode());
        let component = component.unwrap_or_else(|error| panic!("{error:#}\n{wit}\n{wat}"));
        let optional: Vec<String> = self.planet.optional.iter().map(Interface::full).collect();
        support::with_manifest(component, &serde_json::json!({ "optional": optional }).to_string())
    }

    fn wit(&self) -> String {
        let mut packages = std::collections::BTreeMap::new();
        let mut text = "package t:root;\nworld root {\n  import t:test/journal@1.0.0;\n".to_owned();
        text += "  import kokoro:core/dependencies@0.1.0;\n  export kokoro:core/lifecycle@0.1.0;\n";
        text += "  export ask: func(depth: u32, crash: bool) -> u64;\n";
        if self.state.is_some() {
            text += "  export kokoro:core/saved-state@0.1.0;\n";
        }
        let imports = self.imports().map(|(import, _)| ("import", import));
        for (word, interface) in imports.chain(self.planet.provides.iter().map(|export| ("export", export))) {
            let _ = writeln!(text, "  {word} {};", interface.full());
            packages.insert(interface.full(), interface);
        }
        text += "}\n";
        for interface in packages.values() {
            let Interface { name, major, minor, .. } = interface;
            let (types, result) = match room(interface) {
                Room::Failure => (
                    "enum failure-kind { absent, crashed, overdue, reentered, cancelled, limited }
                     record failure { kind: failure-kind, message: string, chain: list<string> }",
                    "result<u64, failure>",
                ),
                Room::Text => ("", "result<u64, string>"),
                Room::None => ("", "u64"),
            };
            let _ = writeln!(
                text,
                "package t:{name}@{major}.{minor}.0 {{ interface i {{ {types}
                   ask: func(depth: u32, crash: bool) -> {result}; }} }}"
            );
        }
        text
    }

    /// The code, in which the canonical ABI is written out by hand: results that do not fit into one core value are at 64
    /// if they come from others and at 128 if they are its own, texts come after 8192.
    fn wat(&self) -> String {
        let mut imports = String::new();
        let mut functions = String::new();
        let mut names = String::new();
        let mut ask_all = String::new();
        let mut ask_required = String::new();
        let mut tell_required = String::new();
        for (k, (import, required)) in self.imports().enumerate() {
            let full = import.full();
            let (place, len) = (1024 + 64 * k, full.len());
            let _ = writeln!(names, "(data (i32.const {place}) \"{full}\")");
            let ty = match room(import) {
                Room::None => "(param i32 i32) (result i64)",
                _ => "(param i32 i32 i32)",
            };
            let _ = writeln!(imports, "(import \"{full}\" \"ask\" (func $import{k} {ty}))");
            let _ = match room(import) {
                Room::None => {
                    // Nobody who has an option without asking for it survives its absence.
                    let ask = match required {
                        true => String::new(),
                        false => format!(
                            "(if (i32.eqz (call $is-bound (i32.const {place}) (i32.const {len})))
                               (then (return (i64.const {ABSENT}))))"
                        ),
                    };
                    writeln!(
                        functions,
                        "(func $ask{k} (param $depth i32) (param $crash i32) (result i64)
                           {ask}
                           (call $import{k} (local.get $depth) (local.get $crash)))"
                    )
                }
                some => {
                    let failed = match some {
                        Room::Text => format!("(i64.const {FAILED_TEXT})"),
                        _ => format!("(i64.add (i64.const {FAILED}) (i64.load8_u (i32.const 72)))"),
                    };
                    writeln!(
                        functions,
                        "(func $ask{k} (param $depth i32) (param $crash i32) (result i64)
                           (global.set $free (i32.const 8192))
                           (call $import{k} (local.get $depth) (local.get $crash) (i32.const 64))
                           (if (result i64) (i32.load8_u (i32.const 64))
                             (then
                               (global.set $unserved (i32.add (global.get $unserved) (i32.const 1)))
                               {failed})
                             (else (i64.load (i32.const 72)))))"
                    )
                }
            };
            let ask = format!("(call $ask{k} (i32.const 0) (i32.const 0))");
            let _ = writeln!(
                ask_all,
                "(local.set $answer (call $mix (local.get $answer)
                   (call $ask{k} (i32.sub (local.get $depth) (i32.const 1)) (i32.const 0))))"
            );
            if required {
                let _ = writeln!(ask_required, "(drop {ask})");
                let _ = writeln!(
                    tell_required,
                    "(if (call $is-bound (i32.const {place}) (i32.const {len}))
                       (then (drop {ask}))
                       (else (global.set $unserved (i32.add (global.get $unserved) (i32.const 1)))))"
                );
            }
        }
        let crash_first = match self.imports().next() {
            None => "",
            Some(_) => {
                "(local.set $answer (call $mix (local.get $answer)
                   (call $ask0 (i32.sub (local.get $depth) (i32.const 1)) (i32.const 1))))"
            }
        };
        let mut exports = String::new();
        for export in &self.planet.provides {
            let name = format!("{}#ask", export.full());
            let _ = match room(export) {
                Room::None => writeln!(exports, "(export \"{name}\" (func $answer))"),
                _ => writeln!(
                    exports,
                    "(func (export \"{name}\") (param i32 i32) (result i32)
                       (local $answer i64)
                       (local.set $answer (call $answer (local.get 0) (local.get 1)))
                       (i32.store8 (i32.const 128) (i32.const 0))
                       (i64.store (i32.const 136) (local.get $answer))
                       (i32.const 128))"
                ),
            };
        }
        if let Some(version) = self.state {
            let _ = write!(
                exports,
                "(func (export \"kokoro:core/saved-state@0.1.0#save\") (result i32)
                   (i32.store (i32.const 256) (global.get $origin))
                   (i32.store8 (i32.const 128) (i32.const 0))
                   (i32.store (i32.const 132) (i32.const {version}))
                   (i32.store (i32.const 136) (i32.const 256))
                   (i32.store (i32.const 140) (i32.const 4))
                   (i32.const 128))
                 (func (export \"kokoro:core/saved-state@0.1.0#restore\") (param $version i32) (param $data i32)
                   (param $len i32) (result i32)
                   (if (i32.gt_u (local.get $version) (i32.const {version})) (then (return (call $refuse))))
                   (global.set $origin (i32.load (local.get $data)))
                   (i32.store8 (i32.const 128) (i32.const 0))
                   (i32.const 128))"
            );
        }
        let number = self.number;
        format!(
            "(module
               {imports}
               (import \"kokoro:core/dependencies@0.1.0\" \"is-bound\" (func $is-bound (param i32 i32) (result i32)))
               (import \"t:test/journal@1.0.0\" \"start\" (func $journal-start (result i32)))
               (import \"t:test/journal@1.0.0\" \"stop\" (func $journal-stop (param i32)))
               (import \"t:test/journal@1.0.0\" \"stopped\" (func $journal-stopped (param i32 i32)))
               (memory (export \"memory\") 1)
               {names}
               (data (i32.const 512) \"it is in no mood\")
               (global $free (mut i32) (i32.const 8192))
               (global $instance (mut i32) (i32.const 0))
               (global $origin (mut i32) (i32.const 0))
               (global $unserved (mut i32) (i32.const 0))
               (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32)
                 (local $at i32)
                 (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
                 (global.set $free (i32.add (local.get $at) (local.get 3)))
                 (if (i32.gt_u (global.get $free) (i32.const 65536)) (then unreachable))
                 (local.get $at))
               (func $mix (param i64 i64) (result i64)
                 (i64.mul (i64.xor (i64.rotl (local.get 0) (i64.const 5)) (local.get 1)) (i64.const {FACTOR})))
               (func $own (result i64)
                 (call $mix
                   (call $mix (i64.const {number}) (i64.extend_i32_u (global.get $instance)))
                   (i64.extend_i32_u (global.get $origin))))
               (func $refuse (result i32)
                 (i32.store8 (i32.const 128) (i32.const 1))
                 (i32.store (i32.const 132) (i32.const 512))
                 (i32.store (i32.const 136) (i32.const 16))
                 (i32.const 128))
               {functions}
               (func $answer (export \"ask\") (param $depth i32) (param $crash i32) (result i64)
                 (local $answer i64)
                 (if (i32.and (local.get $crash) (i32.eqz (local.get $depth))) (then unreachable))
                 (local.set $answer (call $own))
                 (if (local.get $crash) (then {crash_first}) (else (if (local.get $depth) (then {ask_all}))))
                 (local.get $answer))
               (func (export \"kokoro:core/lifecycle@0.1.0#start\") (result i32)
                 (local $told i32) (local $mood i32)
                 (local.set $told (call $journal-start))
                 (local.set $mood (i32.and (local.get $told) (i32.const 3)))
                 (global.set $instance (i32.shr_u (local.get $told) (i32.const 2)))
                 (global.set $origin (global.get $instance))
                 (if (i32.eq (local.get $mood) (i32.const 1)) (then (return (call $refuse))))
                 (if (i32.eq (local.get $mood) (i32.const 2)) (then unreachable))
                 (if (i32.eq (local.get $mood) (i32.const 3))
                   (then
                     {ask_required}
                     (if (global.get $unserved) (then (return (call $refuse))))))
                 (i32.store8 (i32.const 128) (i32.const 0))
                 (i32.const 128))
               (func (export \"kokoro:core/lifecycle@0.1.0#stop\")
                 (global.set $unserved (i32.const 0))
                 (call $journal-stop (global.get $instance))
                 {tell_required}
                 (call $journal-stopped (global.get $instance) (global.get $unserved)))
               {exports})"
        )
    }
}
