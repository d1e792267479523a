//! The component of a fake: it exports an interface, and hands every call on to the same functions under another name, which the
//! test serves. So what goes, crashes and comes back is a real Planet (plugin).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use kokoro_host::InterfaceName;
use kokoro_host::types::Interface;
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, EntityType, ExportKind, ExportSection, Function, FunctionSection, GlobalSection,
    GlobalType, ImportSection, InstructionSink, MemorySection, MemoryType, Module, TypeSection, ValType,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{Resolve, SizeAlign};

use crate::wit;

/// What becomes of a fake at its next call. Its component asks for that before each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Fate {
    #[default]
    Answers = 0,
    Crashes = 1,
    Hangs = 2,
}

/// Where what components allocate begins.
const BASE: i32 = 1024;
/// The only global: where the next allocation begins.
const NEXT: u32 = 0;

/// What is in the interface by which a component asks for its [`Fate`].
const FATE: &str = "next: func() -> u32;\n";

/// That interface.
pub(crate) fn fate(name: &InterfaceName) -> Result<Interface, String> {
    wit::interface(&mut Resolve::default(), &wit::package(name, FATE), name)
}

/// The component that exports `name` and imports `backend`, which has the same functions, and `fate`. It is made once in a process.
pub(crate) fn component(
    name: &InterfaceName,
    backend: &InterfaceName,
    fate: &InterfaceName,
    interface: &Interface,
) -> Result<Arc<[u8]>, String> {
    static MADE: Mutex<BTreeMap<[String; 4], Arc<[u8]>>> = Mutex::new(BTreeMap::new());
    let body = wit::body(interface)?;
    let key = [name.to_string(), backend.to_string(), fate.to_string(), body];
    if let Some(made) = MADE.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Ok(Arc::clone(made));
    }
    let made: Arc<[u8]> = make([name, backend, fate], &key[3])?.into();
    MADE.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&made));
    Ok(made)
}

fn make([name, backend, fate]: [&InterfaceName; 3], body: &str) -> Result<Vec<u8>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("no component can be made of it: {error:#}");
    let mut resolve = Resolve::default();
    let world = format!(
        "package kokoro-test:component;\nworld fake {{\n  import {};\n  import {};\n  export {};\n}}\n",
        wit::escaped(backend),
        wit::escaped(fate),
        wit::escaped(name)
    );
    for text in [wit::package(name, body), wit::package(backend, body), wit::package(fate, FATE)] {
        resolve.push_source("fake", &text).map_err(|error| failed(&error))?;
    }
    let package = resolve.push_source("world", &world).map_err(|error| failed(&error))?;
    let world = resolve.packages[package].worlds[0];
    let mut module = module(&resolve, name, backend, fate)?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).map_err(|error| failed(&error))?;
    let encoder = ComponentEncoder::default().validate(true).module(&module).map_err(|error| failed(&error))?;
    { encoder }.encode().map_err(|error| failed(&error))
}

/// The core module: all arguments are passed on as they are, flat or by their address, and so is the result.
fn module(
    resolve: &Resolve,
    name: &InterfaceName,
    backend: &InterfaceName,
    fate: &InterfaceName,
) -> Result<Vec<u8>, String> {
    let mut sizes = SizeAlign::default();
    sizes.fill(resolve);
    let (name, backend) = (name.to_string(), backend.to_string());
    let functions = |wanted: &str| {
        let found = resolve.interfaces.iter().find(|(id, _)| resolve.id_of(*id).as_deref() == Some(wanted));
        found.map(|(_, interface)| &interface.functions).ok_or_else(|| format!("`{wanted}` is not in the WIT"))
    };
    let (exports, imports) = (functions(&name)?, functions(&backend)?);

    let mut module = Parts::default();
    let fate = module.import(&fate.to_string(), "next", &[], &[ValType::I32]);
    let mut backends = Vec::new();
    for (name, function) in imports {
        let signature = resolve.wasm_signature(AbiVariant::GuestImport, function);
        backends.push(module.import(&backend, name, &flat(&signature.params), &flat(&signature.results)));
    }
    let realloc = module.function(&[ValType::I32; 4], &[ValType::I32], allocate());
    module.exports.export("cabi_realloc", ExportKind::Func, realloc);
    for ((function_name, function), behind) in exports.iter().zip(backends) {
        let signature = resolve.wasm_signature(AbiVariant::GuestExport, function);
        let (params, results) = (flat(&signature.params), flat(&signature.results));
        let area = signature.retptr.then(|| {
            let ty = function.result.as_ref().expect("what is returned by its address is there");
            (sizes.size(ty).size_wasm32() as i32, sizes.align(ty).align_wasm32() as i32)
        });
        let mut code = Function::new([(1, ValType::I32)]);
        let own = params.len() as u32;
        let mut to = code.instructions();
        ask_for_fate(&mut to, fate, own);
        (0..own).for_each(|param| _ = to.local_get(param));
        if let Some((size, align)) = area {
            to.i32_const(0).i32_const(0).i32_const(align).i32_const(size).call(realloc).local_tee(own).call(behind);
            to.local_get(own);
        } else {
            to.call(behind);
            forget_all(&mut to);
        }
        to.end();
        let number = module.function(&params, &results, code);
        module.exports.export(&format!("{name}#{function_name}"), ExportKind::Func, number);
        if area.is_some() {
            let mut code = Function::new([]);
            let mut to = code.instructions();
            forget_all(&mut to);
            to.end();
            let number = module.function(&results, &[], code);
            module.exports.export(&format!("cabi_post_{name}#{function_name}"), ExportKind::Func, number);
        }
    }
    Ok(module.finish())
}

/// Crashes or hangs if that is its fate.
fn ask_for_fate(to: &mut InstructionSink<'_>, fate: u32, local: u32) {
    to.call(fate).local_set(local);
    to.local_get(local).i32_const(Fate::Crashes as i32).i32_eq().if_(BlockType::Empty).unreachable().end();
    to.local_get(local).i32_const(Fate::Hangs as i32).i32_eq().if_(BlockType::Empty);
    to.loop_(BlockType::Empty).br(0).end().end();
}

fn forget_all(to: &mut InstructionSink<'_>) {
    to.i32_const(BASE).global_set(NEXT);
}

/// `cabi_realloc(old, old size, align, size)`: takes what comes next, and copies what was there.
fn allocate() -> Function {
    let (old, old_size, align, size, place) = (0, 1, 2, 3, 4);
    let mut code = Function::new([(1, ValType::I32)]);
    let mut to = code.instructions();
    // place = (next + align - 1) & -align
    to.global_get(NEXT).local_get(align).i32_add().i32_const(1).i32_sub();
    to.i32_const(0).local_get(align).i32_sub().i32_and().local_tee(place);
    to.local_get(size).i32_add().global_set(NEXT);
    // More pages, if that is beyond the end: (next + 65535) / 65536 - pages.
    to.global_get(NEXT).i32_const(0xffff).i32_add().i32_const(16).i32_shr_u();
    to.memory_size(0).i32_gt_u().if_(BlockType::Empty);
    to.global_get(NEXT).i32_const(0xffff).i32_add().i32_const(16).i32_shr_u().memory_size(0).i32_sub().memory_grow(0);
    to.i32_const(-1).i32_eq().if_(BlockType::Empty).unreachable().end();
    to.end();
    to.local_get(place).local_get(old);
    to.local_get(old_size).local_get(size).local_get(old_size).local_get(size).i32_lt_u().select();
    to.memory_copy(0, 0);
    to.local_get(place).end();
    code
}

fn flat(types: &[WasmType]) -> Vec<ValType> {
    let flat = types.iter().map(|ty| match ty {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => ValType::I32,
        WasmType::I64 | WasmType::PointerOrI64 => ValType::I64,
        WasmType::F32 => ValType::F32,
        WasmType::F64 => ValType::F64,
    });
    flat.collect()
}

/// The sections of a module. Functions are numbered as they come, the imported ones first.
#[derive(Default)]
struct Parts {
    types: TypeSection,
    imports: ImportSection,
    functions: FunctionSection,
    exports: ExportSection,
    code: CodeSection,
    count: u32,
}

impl Parts {
    fn ty(&mut self, params: &[ValType], results: &[ValType]) -> u32 {
        self.types.ty().function(params.iter().copied(), results.iter().copied());
        self.types.len() - 1
    }

    fn import(&mut self, module: &str, name: &str, params: &[ValType], results: &[ValType]) -> u32 {
        let ty = self.ty(params, results);
        self.imports.import(module, name, EntityType::Function(ty));
        self.count += 1;
        self.count - 1
    }

    fn function(&mut self, params: &[ValType], results: &[ValType], code: Function) -> u32 {
        let ty = self.ty(params, results);
        self.functions.function(ty);
        self.code.function(&code);
        self.count += 1;
        self.count - 1
    }

    fn finish(mut self) -> Vec<u8> {
        self.exports.export("memory", ExportKind::Memory, 0);
        let mut memories = MemorySection::new();
        memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
        let mut globals = GlobalSection::new();
        let ty = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(ty, &ConstExpr::i32_const(BASE));
        let mut module = Module::new();
        module.section(&self.types).section(&self.imports).section(&self.functions).section(&memories);
        module.section(&globals).section(&self.exports).section(&self.code);
        module.finish()
    }
}

/// The component with another `kokoro:planet` section before its own: the first one counts.
pub(crate) fn with_manifest(component: &[u8], json: &serde_json::Value) -> Vec<u8> {
    use wasm_encoder::{CustomSection, Encode as _, Section as _};
    let data = json.to_string();
    let section = CustomSection { name: Cow::Borrowed("kokoro:planet"), data: data.as_bytes().into() };
    let (header, rest) = component.split_at(component.len().min(8));
    let mut with = header.to_vec();
    with.push(section.id());
    section.encode(&mut with);
    with.extend_from_slice(rest);
    with
}
