//! Components that hand on what they are given: to whom they import, or back to who calls.

use std::fmt::Write as _;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{Resolve, SizeAlign};

use super::types::{Core, Function, Type, discriminant_size, flags_size, package};

pub const ENCODINGS: [StringEncoding; 3] = [StringEncoding::UTF8, StringEncoding::UTF16, StringEncoding::CompactUTF16];

/// A component that exports the interface `export` and answers each call by the same one of `import`'s. Its function `seen` tells
/// what the last call has left in its memory, the core values that it was passed first.
pub fn forwarder(functions: &[Function], import: &str, export: &str, encoding: StringEncoding) -> Vec<u8> {
    let world = format!("world w {{ import {import}; export {export}; export seen: func() -> list<u8>; }}");
    let (resolve, sizes) = resolve(&package(&[(import, functions), (export, functions)], &world));
    let (mut imports, mut code) = (String::new(), allocator());
    let interface = resolve.interfaces.iter().find(|(_, i)| i.name.as_deref() == Some(import)).expect("it is there").1;
    for (number, function) in interface.functions.values().enumerate() {
        let inner = resolve.wasm_signature(AbiVariant::GuestImport, function);
        let outer = resolve.wasm_signature(AbiVariant::GuestExport, function);
        let (params, results) = (cores("param", &inner.params), cores("result", &inner.results));
        let _ = writeln!(
            imports,
            "(import \"t:values/{import}@1.0.0\" \"f{number}\" (func $f{number} {params} {results}))"
        );
        let given: Vec<String> = (0..outer.params.len()).map(|n| format!("(local.get {n})")).collect();
        let given = given.join(" ");
        let result = outer.params.len();
        let mut body = String::new();
        let pushed = if outer.retptr {
            let ty = function.result.as_ref().expect("it is too large for a core value");
            let (size, align) = (sizes.size(ty).size_wasm32(), sizes.align(ty).align_wasm32());
            assert_eq!((size as u32, align as u32), model(functions, number).size_and_align());
            format!(
                "(local.set {result} (call $new (i32.const {align}) (i32.const {size})))
                 (call $f{number} {given} (local.get {result}))"
            )
        } else if outer.results.is_empty() {
            format!("(call $f{number} {given})")
        } else {
            format!("(local.set {result} (call $f{number} {given}))")
        };
        for ty in &outer.results {
            let _ = writeln!(body, "(local {})", name(ty));
        }
        for (n, ty) in outer.params.iter().enumerate() {
            body += &keep(n, ty);
        }
        body += &pushed;
        for ty in &outer.results {
            // That of a result in memory is an address of its own.
            if !outer.retptr {
                body += &keep(result, ty);
            }
            let _ = write!(body, "(local.get {result})");
        }
        code += &exported(export, number, &outer.params, &outer.results, &body);
    }
    code += "(func (export \"seen\") (result i32)
               (i32.store (i32.const 0) (i32.const 16))
               (i32.store (i32.const 4) (i32.sub (global.get $used) (i32.const 16)))
               (i32.const 0))";
    encode(&resolve, &imports, &code, encoding)
}

/// Code that puts a local into memory, for `seen`.
fn keep(local: usize, ty: &WasmType) -> String {
    let value = format!("(local.get {local})");
    let value = match name(ty) {
        "i32" => format!("(i64.extend_i32_u {value})"),
        "f32" => format!("(i64.extend_i32_u (i32.reinterpret_f32 {value}))"),
        "f64" => format!("(i64.reinterpret_f64 {value})"),
        _ => value,
    };
    format!("(i64.store offset={} (i32.const 0) {value})\n", 16 + local * 8)
}

/// A component that answers each call with what it was given, as [`Function::echo`] makes functions.
pub fn echo(functions: &[Function], export: &str, encoding: StringEncoding) -> Vec<u8> {
    let world = format!("world w {{ export {export}; }}");
    let (resolve, _) = resolve(&package(&[(export, functions)], &world));
    let interface = resolve.interfaces.iter().find(|(_, i)| i.name.as_deref() == Some(export)).expect("it is there").1;
    let mut code = allocator();
    for (number, function) in interface.functions.values().enumerate() {
        let outer = resolve.wasm_signature(AbiVariant::GuestExport, function);
        let params = &functions[number].params;
        let flat: Vec<Core> = params.iter().flat_map(Type::flat).collect();
        assert_eq!(flat.len() > 16, outer.indirect_params);
        let given = if params.len() == 1 { params[0].clone() } else { Type::Tuple(params.clone()) };
        let result = model(functions, number);
        let body = if !outer.retptr {
            "(local.get 0)".to_owned()
        } else if *result == given && outer.indirect_params {
            // Parameters lie in memory as a tuple of them does.
            "(local.get 0)".to_owned()
        } else {
            let (size, align) = result.size_and_align();
            let payload = if *result == given { 0 } else { result.payload_offset() };
            let area = outer.params.len();
            let mut body =
                format!("(local i32) (local.set {area} (call $new (i32.const {align}) (i32.const {size})))\n");
            if *result != given {
                let _ = writeln!(body, "(i32.store8 (local.get {area}) (i32.const 0))");
            }
            if outer.indirect_params {
                let size = given.size_and_align().0;
                let to = format!("(i32.add (local.get {area}) (i32.const {payload}))");
                let _ = writeln!(body, "(memory.copy {to} (local.get 0) (i32.const {size}))");
            } else {
                let locals: Vec<(usize, Core)> = flat.into_iter().enumerate().collect();
                Store { area, to: &mut body }.store(&given, &locals, payload);
            }
            let _ = write!(body, "(local.get {area})");
            body
        };
        code += &exported(export, number, &outer.params, &outer.results, &body);
    }
    encode(&resolve, "", &code, encoding)
}

/// A component that has whatever it is told to have in its memory, and says that it is a value.
///
/// What `set` is given lies at [`BASE`]. Of that the first bytes, 8 for each, are what `call0` and so on pass to the functions of
/// `import` as core values, and what the functions of `export` return.
pub fn parrot(asks: &[Function], answers: &[Function], encoding: StringEncoding) -> Vec<u8> {
    let calls: String = (0..asks.len()).map(|n| format!("export call{n}: func(); ")).collect();
    let world = format!("world w {{ import i; export o; export set: func(bytes: list<u8>); {calls}}}");
    let (resolve, _) = resolve(&package(&[("i", asks), ("o", answers)], &world));
    let interface = |name: &str| {
        let mut interfaces = resolve.interfaces.iter().map(|(_, interface)| interface);
        interfaces.find(|interface| interface.name.as_deref() == Some(name)).expect("it is there")
    };
    let load = |types: &[WasmType]| -> String {
        let one = |(n, ty)| format!("({}.load offset={} (i32.const 0))", name(ty), BASE as usize + n * 8);
        types.iter().enumerate().map(one).collect()
    };
    let (mut imports, mut code) = (String::new(), "(func (export \"set\") (param i32 i32))\n".to_owned());
    for (n, function) in interface("i").functions.values().enumerate() {
        let params = resolve.wasm_signature(AbiVariant::GuestImport, function).params;
        let _ = write!(imports, "(import \"t:values/i@1.0.0\" \"f{n}\" (func $f{n} {}))", cores("param", &params));
        let _ = writeln!(code, "(func (export \"call{n}\") (call $f{n} {}))", load(&params));
    }
    for (n, function) in interface("o").functions.values().enumerate() {
        let results = resolve.wasm_signature(AbiVariant::GuestExport, function).results;
        let (results, value) = (cores("result", &results), load(&results));
        let _ = writeln!(code, "(func (export \"t:values/o@1.0.0#f{n}\") {results} {value})");
    }
    let realloc = format!("(i32.const {BASE})");
    encode(&resolve, &imports, &format!("(memory (export \"memory\") 1) {}", reallocating(&realloc) + &code), encoding)
}

/// Where a [`parrot`] has what it is given.
pub const BASE: u32 = 1024;

fn reallocating(code: &str) -> String {
    format!(
        "(func (export \"cabi_realloc\") (param $old i32) (param $had i32) (param $align i32) (param $size i32)
           (result i32)
           {code})\n"
    )
}

fn model(functions: &[Function], number: usize) -> &Type {
    functions[number].result.as_ref().expect("it has a result")
}

/// Writes code that puts flat core values into memory.
struct Store<'a> {
    /// The local that has the address.
    area: usize,
    to: &'a mut String,
}

impl Store<'_> {
    fn store(&mut self, ty: &Type, locals: &[(usize, Core)], offset: u32) {
        if let Some(cases) = ty.cases() {
            let tag = match discriminant_size(cases.len()) {
                1 => "i32.store8",
                2 => "i32.store16",
                _ => "i32.store",
            };
            self.one(tag, Core::I32, locals[0], offset);
            for (case, payload) in cases.iter().enumerate().filter_map(|(case, ty)| Some((case, (*ty)?))) {
                let chosen = narrowed(locals[0], Core::I32);
                let _ = writeln!(self.to, "(if (i32.eq {chosen} (i32.const {case})) (then");
                self.store(payload, &locals[1..], offset + ty.payload_offset());
                let _ = writeln!(self.to, "))");
            }
            return;
        }
        // The payload of a case may come in a core value that is wider than its own.
        let own = ty.flat();
        match ty {
            Type::Bool | Type::U8 | Type::S8 => self.one("i32.store8", own[0], locals[0], offset),
            Type::U16 | Type::S16 => self.one("i32.store16", own[0], locals[0], offset),
            Type::U32 | Type::S32 | Type::Char => self.one("i32.store", own[0], locals[0], offset),
            Type::U64 | Type::S64 => self.one("i64.store", own[0], locals[0], offset),
            Type::F32 => self.one("f32.store", own[0], locals[0], offset),
            Type::F64 => self.one("f64.store", own[0], locals[0], offset),
            Type::String | Type::List(_) | Type::Map(..) => {
                self.one("i32.store", own[0], locals[0], offset);
                self.one("i32.store", own[1], locals[1], offset + 4);
            }
            Type::Flags(count) => match flags_size(*count) {
                1 => self.one("i32.store8", own[0], locals[0], offset),
                2 => self.one("i32.store16", own[0], locals[0], offset),
                _ => self.one("i32.store", own[0], locals[0], offset),
            },
            Type::FixedList(ty, count) => self.fields(&vec![&**ty; *count as usize], locals, offset),
            Type::Tuple(types) | Type::Record(types) => {
                self.fields(&types.iter().collect::<Vec<_>>(), locals, offset);
            }
            Type::Variant(_) | Type::Enum(_) | Type::Option(_) | Type::Result(..) => unreachable!("these have cases"),
        }
    }

    fn fields(&mut self, types: &[&Type], mut locals: &[(usize, Core)], mut offset: u32) {
        for ty in types {
            let (size, align) = ty.size_and_align();
            offset = offset.next_multiple_of(align);
            self.store(ty, locals, offset);
            (locals, offset) = (&locals[ty.flat().len()..], offset + size);
        }
    }

    fn one(&mut self, store: &str, wanted: Core, local: (usize, Core), offset: u32) {
        let value = narrowed(local, wanted);
        let _ = writeln!(self.to, "({store} offset={offset} (local.get {}) {value})", self.area);
    }
}

/// A local's value as the core type that is wanted, which variants have widened.
fn narrowed((local, had): (usize, Core), wanted: Core) -> String {
    let value = format!("(local.get {local})");
    match (had, wanted) {
        (Core::I64, Core::I32) => format!("(i32.wrap_i64 {value})"),
        (Core::I64, Core::F32) => format!("(f32.reinterpret_i32 (i32.wrap_i64 {value}))"),
        (Core::I64, Core::F64) => format!("(f64.reinterpret_i64 {value})"),
        (Core::I32, Core::F32) => format!("(f32.reinterpret_i32 {value})"),
        _ => value,
    }
}

fn resolve(wit: &str) -> (Resolve, SizeAlign) {
    let mut resolve = Resolve::default();
    resolve.push_str("values.wit", wit).unwrap_or_else(|error| panic!("{error:#}\n{wit}"));
    let mut sizes = SizeAlign::default();
    sizes.fill(&resolve);
    (resolve, sizes)
}

fn cores(what: &str, types: &[WasmType]) -> String {
    if types.is_empty() {
        return String::new();
    }
    format!("({what} {})", types.iter().map(name).collect::<Vec<_>>().join(" "))
}

fn name(ty: &WasmType) -> &'static str {
    let core = match ty {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => Core::I32,
        WasmType::I64 | WasmType::PointerOrI64 => Core::I64,
        WasmType::F32 => Core::F32,
        WasmType::F64 => Core::F64,
    };
    core.name()
}

/// A function, and what gives all memory back after it.
fn exported(interface: &str, number: usize, params: &[WasmType], results: &[WasmType], body: &str) -> String {
    let name = format!("t:values/{interface}@1.0.0#f{number}");
    let (params, after) = (cores("param", params), cores("param", results));
    let results = cores("result", results);
    format!(
        "(func (export \"{name}\") {params} {results} {body})
         (func (export \"cabi_post_{name}\") {after}
           (global.set $used (global.get $free))
           (global.set $free (i32.const {FREE})))\n"
    )
}

/// Where allocating begins: before that is what functions put there themselves.
const FREE: u32 = 256;

/// Memory, and what allocates in it: what is allocated is full of rubbish, is never used twice within a call, and is given back as
/// a whole when the call ends.
fn allocator() -> String {
    let new = format!(
        "(memory (export \"memory\") 1)
        (global $free (mut i32) (i32.const {FREE}))
        (global $used (mut i32) (i32.const {FREE}))
        (func $new (param $align i32) (param $size i32) (result i32)
          (local $at i32) (local $end i32)
          (local.set $at
            (i32.and
              (i32.add (global.get $free) (i32.sub (local.get $align) (i32.const 1)))
              (i32.sub (i32.const 0) (local.get $align))))
          (local.set $end (i32.add (local.get $at) (local.get $size)))
          (if (i32.gt_u (local.get $end) (i32.shl (memory.size) (i32.const 16)))
            (then
              (if (i32.eq (i32.const -1)
                    (memory.grow
                      (i32.sub
                        (i32.shr_u (i32.add (local.get $end) (i32.const 65535)) (i32.const 16))
                        (memory.size))))
                (then unreachable))))
          (memory.fill
            (global.get $free) (i32.const 0xA5) (i32.sub (local.get $end) (global.get $free)))
          (global.set $free (local.get $end))
          (local.get $at))\n"
    );
    let realloc = "
        (local $new i32)
        (local.set $new (call $new (local.get $align) (local.get $size)))
        (memory.copy
          (local.get $new)
          (local.get $old)
          (select (local.get $had) (local.get $size) (i32.lt_u (local.get $had) (local.get $size))))
        (local.get $new)";
    new + &reallocating(realloc)
}

/// The component of a module with this code.
fn encode(resolve: &Resolve, imports: &str, code: &str, encoding: StringEncoding) -> Vec<u8> {
    let wat = format!("(module {imports} {code})");
    let mut module = wat::parse_str(&wat).unwrap_or_else(|error| panic!("{error}\n{wat}"));
    let (package, _) = resolve.packages.iter().next().expect("it has one");
    let world = resolve.select_world(&[package], Some("w")).expect("there is a world");
    embed_component_metadata(&mut module, resolve, world, encoding).expect("a world of the package");
    let component = ComponentEncoder::default().module(&module).and_then(|mut it| it.encode());
    component.unwrap_or_else(|error| panic!("{error:#}\n{wat}"))
}
