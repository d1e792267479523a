//! From a component's bytes to what it is, needs and offers, without compiling or running anything of it.

mod reader;
mod types;

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest as _, Sha256};
use wasmparser::component_types::{ComponentAnyTypeId, ComponentEntityType, ComponentItem};
use wasmparser::types::Types;
use wasmparser::{BinaryReaderError, Parser, Payload, ValidPayload, Validator, WasmFeatures};

use self::reader::{Reader, Unwieldy};
pub use self::types::{Function, Interface, Named, ResourceName, Type};
use crate::interface::InterfaceName;
use crate::manifest::{Manifest, Section, SectionError};

/// What can be known of a component without compiling or running it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Inspection {
    /// The SHA-256 of the component, as 64 hexadecimal digits in lower case.
    pub sha256: String,
    /// What the Planet (plugin) is, needs and offers.
    pub manifest: Manifest,
    /// Every interface that the component itself imports, WASI's and `kokoro:core`'s included.
    pub imports: BTreeMap<InterfaceName, Interface>,
    /// Every interface that the component exports.
    pub exports: BTreeMap<InterfaceName, Interface>,
    /// The functions that it exports outside of any interface.
    pub functions: BTreeMap<String, Function>,
    /// What is odd about it and does no harm.
    pub notes: Vec<String>,
}

/// Reads what the component in `bytes` is. `stem` is its name unless its manifest gives another: the stem of the file.
///
/// # Errors
///
/// If the bytes are no component, or one that Kokoro cannot link; the message says what to do about it.
pub fn inspect(stem: &str, bytes: &[u8]) -> Result<Inspection, InspectError> {
    check_header(bytes)?;
    let survey = Survey::of(bytes)?;
    let mut reader = Reader::new(survey.types.as_ref());
    let mut imports = BTreeMap::new();
    let mut exports = BTreeMap::new();
    let mut functions = BTreeMap::new();
    for (side, items) in [(Side::Import, &survey.imports), (Side::Export, &survey.exports)] {
        for (name, ty) in items {
            match ty {
                ComponentEntityType::Instance(id) => {
                    let name: InterfaceName = name.parse().map_err(|_| InspectError::NoName(name.clone()))?;
                    let interface = reader.interface(name.path(), *id, side)?;
                    if let Some(function) = asynchronous(&interface) {
                        return Err(InspectError::Async { interface: name, function });
                    }
                    let interfaces = if side == Side::Import { &mut imports } else { &mut exports };
                    interfaces.insert(name, interface);
                }
                ComponentEntityType::Func(id) if side == Side::Export => {
                    functions.insert(name.clone(), reader.function(*id)?);
                }
                _ => {}
            }
        }
    }
    let section = match &survey.section {
        Some(json) => Section::parse(json)?,
        None => Section::default(),
    };
    // What is listed may have been imported under another version of the track.
    let imported = |name: &InterfaceName| {
        imports
            .get(name)
            .or_else(|| imports.iter().find(|(own, _)| own.can_serve(name)).map(|(_, interface)| interface))
    };
    let is_dependency = |name: &InterfaceName| {
        !is_wasi(name) && !is_core(name) && !imported(name).is_some_and(Interface::is_types_only)
    };
    let dependencies = imports.keys().filter(|name| is_dependency(name)).cloned();
    let provides = exports.keys().filter(|name| !is_core(name)).cloned().collect();
    let mut manifest = section.into_manifest(stem, dependencies, provides)?;
    manifest.requires.retain(is_dependency);
    manifest.optional.retain(is_dependency);
    let mut notes = survey.notes;
    notes.extend(manifest.permissions.other.keys().map(|permission| {
        format!(
            "it asks for the permission `{}`, which this version of Kokoro does not know and cannot grant",
            permission.escape_debug()
        )
    }));
    if cfg!(not(feature = "http")) && manifest.requires.iter().any(|name| WASI_HTTP.contains(&name.path())) {
        notes.push(
            "it imports `wasi:http`, which this application was built without: the feature `http` of kokoro-host"
                .to_owned(),
        );
    }
    let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Inspection { sha256, manifest, imports, exports, functions, notes })
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Import,
    Export,
}

/// The first function that needs the asynchronous part of the component model, if there is one.
fn asynchronous(interface: &Interface) -> Option<String> {
    let is_async = |function: &Function| function.is_async || function.types().any(Type::is_asynchronous);
    interface.functions.iter().find(|(_, function)| is_async(function)).map(|(name, _)| name.clone())
}

/// The interface `name` of a WIT package in its binary form, as `bindings!` encodes it: a world that imports everything.
///
/// # Panics
///
/// If the name or the package is malformed, which the macro has made sure of.
pub(crate) fn interface_of_package(name: &str, package: &[u8]) -> (InterfaceName, Interface) {
    let mut interfaces = interfaces_of_package(package);
    let parsed: InterfaceName = name.parse().expect("`bindings!` writes well-formed names");
    let interface = interfaces.remove(&parsed).expect("`bindings!` encodes what it names");
    (parsed, interface)
}

fn interfaces_of_package(package: &[u8]) -> BTreeMap<InterfaceName, Interface> {
    worlds_of_package(package)
        .expect("`bindings!` encodes a well-formed package, of types that are not that deep")
        .imports
}

/// What the worlds of a WIT package import and export.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Worlds {
    /// The interfaces that they import, and those of which these take types.
    pub imports: BTreeMap<InterfaceName, Interface>,
    /// The interfaces that they export.
    pub exports: BTreeMap<InterfaceName, Interface>,
}

/// Reads the types of the interfaces of a WIT package: those of all its worlds together, as components of these worlds have them.
/// `package` is its binary form, as `wit_component::encode` makes it.
///
/// # Errors
///
/// If the bytes are no such package, or one with types that Kokoro cannot handle.
pub fn worlds_of_package(package: &[u8]) -> Result<Worlds, InspectError> {
    check_header(package)?;
    let survey = Survey::of(package)?;
    let types = survey.types.as_ref();
    let mut worlds = Worlds::default();
    for (_, ty) in &survey.exports {
        let ComponentEntityType::Type { referenced: ComponentAnyTypeId::Component(package), .. } = ty else { continue };
        for item in types[*package].exports.values() {
            let ComponentEntityType::Component(world) = item.ty else { continue };
            // A world has resources of its own.
            let mut reader = Reader::new(types);
            let (imports, exports) = (&types[world].imports, &types[world].exports);
            let imports = imports.iter().map(|item| (Side::Import, item));
            for (side, (name, item)) in imports.chain(exports.iter().map(|item| (Side::Export, item))) {
                let (Ok(name), ComponentEntityType::Instance(id)) = (name.parse::<InterfaceName>(), item.ty) else {
                    continue;
                };
                let interface = reader.interface(name.path(), id, side)?;
                match side {
                    Side::Import => worlds.imports.insert(name, interface),
                    Side::Export => worlds.exports.insert(name, interface),
                };
            }
        }
    }
    Ok(worlds)
}

/// The interfaces of WASI 0.2 that every Planet is served.
const WASI: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// Those of HTTP, which it is served as well unless the application was built without.
const WASI_HTTP: &[&str] = &["wasi:http/outgoing-handler", "wasi:http/types"];

/// The one interface that every Planet is served although its package is still a draft.
const CONFIG: (&str, &str) = ("wasi:config/store", "0.2.0-rc.1");

/// Whether WASI serves the import `name`.
pub(crate) fn is_wasi(name: &InterfaceName) -> bool {
    let is_served = WASI.contains(&name.path()) || cfg!(feature = "http") && WASI_HTTP.contains(&name.path());
    is_served && name.track().as_deref() == Some("0.2.x")
        || (name.path(), name.track().as_deref()) == (CONFIG.0, Some(CONFIG.1))
}

/// Whether `name` belongs to `kokoro:core`, nothing of which is a dependency.
pub(crate) fn is_core(name: &InterfaceName) -> bool {
    name.package() == Some(kokoro_wit::PACKAGE_NAME)
}

const MAGIC: &[u8] = b"\0asm";

/// Of the eight bytes that every WebAssembly file begins with, the last four say which kind it is.
fn check_header(bytes: &[u8]) -> Result<(), InspectError> {
    let Some(header) = bytes.get(..8).filter(|header| header.starts_with(MAGIC)) else {
        return Err(if MAGIC.starts_with(bytes.get(..4).unwrap_or(bytes)) && !bytes.is_empty() {
            InspectError::Truncated { length: bytes.len() }
        } else if bytes.trim_ascii_start().starts_with(b"(") {
            InspectError::Text
        } else {
            InspectError::NotWasm
        });
    };
    let version = u16::from_le_bytes([header[4], header[5]]);
    let layer = u16::from_le_bytes([header[6], header[7]]);
    match (layer, version) {
        (1, 0x0d) => Ok(()),
        (0, _) => Err(InspectError::CoreModule),
        _ => Err(InspectError::Format { version, layer }),
    }
}

/// What one pass over the sections of a component finds. Code is not looked at: it is validated when it is compiled.
struct Survey {
    types: Types,
    imports: Vec<(String, ComponentEntityType)>,
    exports: Vec<(String, ComponentEntityType)>,
    section: Option<Vec<u8>>,
    notes: Vec<String>,
}

impl Survey {
    fn of(bytes: &[u8]) -> Result<Self, InspectError> {
        let invalid = |error: BinaryReaderError| match error.message().contains("unexpected end") {
            true => InspectError::Truncated { length: bytes.len() },
            false => InspectError::Undecodable(error.to_string()),
        };
        let mut validator = Validator::new_with_features(WasmFeatures::all());
        let (mut imports, mut exports, mut section, mut notes) = (Vec::new(), Vec::new(), None, Vec::new());
        let mut depth = 0;
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload.map_err(invalid)?;
            // The parser takes what is cut off at the end of a section for a smaller module or component.
            if let Payload::ModuleSection { unchecked_range: range, .. }
            | Payload::ComponentSection { unchecked_range: range, .. } = &payload
                && range.end > bytes.len()
            {
                return Err(InspectError::Truncated { length: bytes.len() });
            }
            if let Payload::MemorySection(memories) = &payload {
                for memory in memories.clone() {
                    if memory.map_err(invalid)?.memory64 {
                        return Err(InspectError::Memory64);
                    }
                }
            }
            if let ValidPayload::End(types) = validator.payload(&payload).map_err(invalid)?
                && depth == 1
            {
                return Ok(Self { types, imports, exports, section, notes });
            }
            let item = |item: Option<&ComponentItem>| item.map(|item| item.ty).expect("it has just been validated");
            match payload {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                Payload::CustomSection(custom) if custom.name() == kokoro_wit::MANIFEST_SECTION => match section {
                    None => section = Some(custom.data().to_vec()),
                    Some(_) => notes.push(format!(
                        "it has more than one section `{}`; only the first counts",
                        kokoro_wit::MANIFEST_SECTION
                    )),
                },
                Payload::ComponentImportSection(found) if depth == 1 => {
                    for import in found {
                        let name = import.map_err(invalid)?.name.name;
                        let types = validator.types(0).expect("a component is being validated");
                        let ty = item(types.component_item_for_import(name));
                        if let Some(kind) = bare(&ty) {
                            return Err(InspectError::BareImport { kind, name: name.to_owned() });
                        }
                        imports.push((name.to_owned(), ty));
                    }
                }
                Payload::ComponentExportSection(found) if depth == 1 => {
                    for export in found {
                        let name = export.map_err(invalid)?.name.name;
                        let types = validator.types(0).expect("a component is being validated");
                        exports.push((name.to_owned(), item(types.component_item_for_export(name))));
                    }
                }
                _ => {}
            }
        }
        Err(InspectError::Truncated { length: bytes.len() })
    }
}

/// What an import is, if it is not one that can be linked.
fn bare(import: &ComponentEntityType) -> Option<&'static str> {
    match import {
        ComponentEntityType::Instance(_) => None,
        ComponentEntityType::Type { created: ComponentAnyTypeId::Resource(_), .. } => Some("resource"),
        ComponentEntityType::Type { .. } => None,
        ComponentEntityType::Func(_) => Some("function"),
        ComponentEntityType::Module(_) => Some("core module"),
        ComponentEntityType::Component(_) => Some("component"),
        ComponentEntityType::Value(_) => Some("value"),
    }
}

/// Why bytes are not a component that Kokoro can link.
#[derive(Debug)]
#[non_exhaustive]
pub enum InspectError {
    /// Not WebAssembly at all.
    NotWasm,
    /// WebAssembly in its text form.
    Text,
    /// A core module instead of a component.
    CoreModule,
    /// The end is missing.
    Truncated {
        /// How many bytes there are.
        length: usize,
    },
    /// A component, in a binary format of another version.
    Format {
        /// The version that the file gives.
        version: u16,
        /// The layer that the file gives: 0 for modules, 1 for components.
        layer: u16,
    },
    /// A 64-bit memory.
    Memory64,
    /// An import or export whose name is not that of an interface.
    NoName(String),
    /// A function that needs the asynchronous part of the component model.
    Async {
        /// The interface that it is in.
        interface: InterfaceName,
        /// Its name.
        function: String,
    },
    /// An import that is no interface.
    BareImport {
        /// `function`, `core module`, ...
        kind: &'static str,
        /// The import's name.
        name: String,
    },
    /// Its `kokoro:planet` section cannot be understood, or its name cannot be used; the sentence says why.
    Manifest(String),
    /// Not a valid component; the sentence says why.
    Undecodable(String),
}

impl From<Unwieldy> for InspectError {
    fn from(types: Unwieldy) -> Self {
        Self::Undecodable(match types {
            Unwieldy::Deep => "its types are nested too deep".to_owned(),
            Unwieldy::Large(function) => {
                format!("a function has values that are too large for any memory: `{function}`")
            }
        })
    }
}

impl From<SectionError> for InspectError {
    fn from(error: SectionError) -> Self {
        Self::Manifest(error.to_string())
    }
}

impl fmt::Display for InspectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWasm => f.write_str(
                "this is not WebAssembly\n  help: a Planet (plugin) is a component; build it for `wasm32-wasip2`",
            ),
            Self::Text => f.write_str(
                "this looks like WebAssembly's text form, and only the binary form is loaded\n  \
                 help: `wasm-tools parse FILE -o FILE.wasm` makes it binary",
            ),
            Self::CoreModule => f.write_str(
                "this is a core module, not a component\n  \
                 help: make it a component with `kokoro build FILE`, or with `wasm-tools component new FILE -o FILE.wasm`; or build it for \
                 `wasm32-wasip2`",
            ),
            Self::Truncated { length } => write!(
                f,
                "the file ends too early, after {length} bytes\n  help: copy or build it again; was it still being written?"
            ),
            Self::Format { version, layer } => write!(
                f,
                "it is in WebAssembly's binary format {version:#x} (layer {layer}), which this version does not know\n  \
                 help: build it with a toolchain that makes components of format 0xd, or use a newer Kokoro"
            ),
            Self::Memory64 => f.write_str(
                "it has a 64-bit memory, which components cannot share values through\n  help: build it for a 32-bit target such as `wasm32-wasip2`",
            ),
            Self::NoName(name) => write!(f, "`{name}` is not the name of an interface, and only interfaces are linked"),
            Self::Async { interface, function } => write!(
                f,
                "`{function}` of `{interface}` is asynchronous, which is not supported yet\n  \
                 help: declare it without `async`, `future` and `stream`"
            ),
            Self::BareImport { kind, name } => write!(
                f,
                "it imports the {kind} `{name}` by itself, and only interfaces are linked\n  \
                 help: put it into an interface, as in `import acme:log/sink@1.0.0`"
            ),
            Self::Manifest(problem) => f.write_str(problem),
            Self::Undecodable(problem) => write!(f, "this is not a valid component: {problem}"),
        }
    }
}

impl std::error::Error for InspectError {}

/// The interfaces of a WIT package given as text.
#[cfg(test)]
pub(crate) fn interfaces_of_text(text: &str) -> BTreeMap<InterfaceName, Interface> {
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_str("test.wit", text).expect("well-formed WIT");
    let imports = resolve.packages[package].interfaces.values();
    let imports = imports.map(|id| format!("import {};", resolve.id_of(*id).expect("a named interface")));
    let world = format!("package test:everything; world all {{ {} }}", imports.collect::<Vec<_>>().concat());
    let world = resolve.push_str("world.wit", &world).expect("a world of all interfaces");
    interfaces_of_package(&wit_component::encode(&resolve, world).expect("a package that can be encoded"))
}

/// The interface that consists of these items.
#[cfg(test)]
pub(crate) fn interface_from_wit(items: &str) -> Interface {
    let mut interfaces = interfaces_of_text(&format!("package test:it; interface it {{ {items} }}"));
    interfaces.pop_first().expect("one interface").1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_in_a_nested_module_is_truncated() {
        let bytes = wat::parse_str("(component (core module (memory 1)))").expect("well-formed text");
        // After the header of the component, that of its section, and that of the module.
        let error = inspect("nested", &bytes[..8 + 2 + 8]).err();
        assert!(matches!(error, Some(InspectError::Truncated { length: 18 })), "{error:?}");
    }

    /// Exports an interface of which it imports the types only, by way of another one that uses them.
    #[test]
    fn imports_and_exports_of_one_interface_are_kept_apart() {
        let bytes = wat::parse_str(
            r#"(component
              (type $record (record (field "name" string)))
              (import "shop:api/items@1.0.0" (instance $items (export "item" (type (eq $record)))))
              (alias export $items "item" (type $item))
              (import "shop:api/search@1.0.0" (instance (alias outer 1 $item (type $it)) (export "item" (type $x (eq $it)))
                (export "find" (func (result $x)))))
              (core module $code (func (export "count") (result i32) i32.const 1))
              (core instance $code (instantiate $code))
              (func $count (result u32) (canon lift (core func $code "count")))
              (instance $out (export "count" (func $count)))
              (export "shop:api/items@1.0.0" (instance $out)))"#,
        );
        let inspection = inspect("shop", &bytes.expect("well-formed text")).expect("a component");
        let items: InterfaceName = "shop:api/items@1.0.0".parse().expect("a name");
        assert!(inspection.imports[&items].is_types_only());
        assert!(inspection.exports[&items].functions.contains_key("count"));
        assert_eq!(inspection.manifest.requires, ["shop:api/search@1.0.0".parse().expect("a name")].into());
    }
}
