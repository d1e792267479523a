//! From a component's bytes to what it is, needs and offers, without compiling or running anything of it.

mod types;
mod wit;

use std::collections::BTreeMap;
use std::fmt;

use wasmparser::{ComponentTypeRef, Encoding, Parser, Payload};
use wit_parser::decoding::{DecodedWasm, decode};

pub use self::types::{Function, Interface, Named, ResourceName, Type};
use crate::interface::InterfaceName;
use crate::manifest::{Manifest, Section, SectionError};

/// What can be known of a component without compiling or running it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Inspection {
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
    let decoded = decode(bytes).map_err(|error| InspectError::Undecodable(format!("{error:#}")))?;
    let DecodedWasm::Component(resolve, world) = decoded else {
        return Err(InspectError::WitPackage);
    };
    let mut reader = wit::Reader::new(&resolve);
    let world = &resolve.worlds[world];
    let imports: BTreeMap<_, _> = reader.items(world.imports.iter()).interfaces.into_iter().collect();
    let exports = reader.items(world.exports.iter());
    let section = match &survey.section {
        Some(json) => Section::parse(json)?,
        None => Section::default(),
    };
    let dependencies = imports
        .iter()
        .filter(|(name, interface)| !interface.is_types_only() && !is_wasi(name) && !is_core(name))
        .map(|(name, _)| name.clone());
    let provides = exports.interfaces.iter().map(|(name, _)| name).filter(|name| !is_core(name));
    Ok(Inspection {
        manifest: section.into_manifest(stem, dependencies, provides.cloned().collect())?,
        imports,
        exports: exports.interfaces.into_iter().collect(),
        functions: exports.functions.into_iter().collect(),
        notes: survey.notes,
    })
}

/// The interface `name` of a WIT package in its binary form, as `bindings!` encodes it.
///
/// # Panics
///
/// If the name or the package is malformed, which the macro has made sure of.
pub(crate) fn interface_of_package(name: &str, package: &[u8]) -> (InterfaceName, Interface) {
    let parsed = name.parse().expect("`bindings!` writes well-formed names");
    let decoded = decode(package).expect("`bindings!` encodes a well-formed package");
    let resolve = decoded.resolve();
    let mut ids = resolve.interfaces.iter().map(|(id, _)| id);
    let id = ids.find(|id| resolve.id_of(*id).as_deref() == Some(name)).expect("`bindings!` encodes what it names");
    (parsed, wit::Reader::new(resolve).interface(id))
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

/// Whether WASI serves the import `name`.
pub(crate) fn is_wasi(name: &InterfaceName) -> bool {
    WASI.contains(&name.path()) && name.track().as_deref() == Some("0.2.x")
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

/// What one pass over the sections of a component finds.
#[derive(Default)]
struct Survey {
    section: Option<Vec<u8>>,
    notes: Vec<String>,
}

impl Survey {
    fn of(bytes: &[u8]) -> Result<Self, InspectError> {
        let mut survey = Self::default();
        let mut nesting = Vec::new();
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload.map_err(|error| {
                if error.message().contains("unexpected end") {
                    InspectError::Truncated { length: bytes.len() }
                } else {
                    InspectError::Undecodable(error.to_string())
                }
            })?;
            match payload {
                Payload::Version { encoding, .. } => nesting.push(encoding),
                Payload::End(_) => drop(nesting.pop()),
                Payload::CustomSection(section) if section.name() == kokoro_wit::MANIFEST_SECTION => {
                    match &survey.section {
                        None => survey.section = Some(section.data().to_vec()),
                        Some(_) => survey.notes.push(format!(
                            "it has more than one section `{}`; only the first counts",
                            kokoro_wit::MANIFEST_SECTION
                        )),
                    }
                }
                Payload::MemorySection(memories) => {
                    for memory in memories {
                        let memory = memory.map_err(|error| InspectError::Undecodable(error.to_string()))?;
                        if memory.memory64 {
                            return Err(InspectError::Memory64);
                        }
                    }
                }
                Payload::ComponentImportSection(imports) if nesting.len() == 1 => {
                    debug_assert_eq!(nesting[0], Encoding::Component);
                    for import in imports {
                        let import = import.map_err(|error| InspectError::Undecodable(error.to_string()))?;
                        let kind = match import.ty {
                            ComponentTypeRef::Instance(_) => continue,
                            ComponentTypeRef::Type(wasmparser::TypeBounds::Eq(_)) => continue,
                            ComponentTypeRef::Type(wasmparser::TypeBounds::SubResource) => "resource",
                            ComponentTypeRef::Func(_) => "function",
                            ComponentTypeRef::Module(_) => "core module",
                            ComponentTypeRef::Component(_) => "component",
                            ComponentTypeRef::Value(_) => "value",
                        };
                        return Err(InspectError::BareImport { kind, name: import.name.name.to_owned() });
                    }
                }
                _ => {}
            }
        }
        Ok(survey)
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
    /// A WIT package in binary form instead of a component.
    WitPackage,
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
    /// An import that is no interface.
    BareImport {
        /// `function`, `core module`, ...
        kind: &'static str,
        /// The import's name.
        name: String,
    },
    /// Its `kokoro:planet` section cannot be understood; the sentence says why.
    Manifest(String),
    /// Not a valid component; the sentence says why.
    Undecodable(String),
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
                 help: build it for `wasm32-wasip2`, or make it a component with `wasm-tools component new FILE -o FILE.wasm`",
            ),
            Self::WitPackage => f.write_str(
                "this is a WIT package, not a component\n  help: build a component that implements its interfaces",
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
            Self::BareImport { kind, name } => write!(
                f,
                "it imports the {kind} `{name}` by itself, and only interfaces are linked\n  \
                 help: put it into an interface, as in `import acme:log/sink@1.0.0`"
            ),
            Self::Manifest(problem) => write!(
                f,
                "its section `{}` cannot be used: {problem}",
                kokoro_wit::MANIFEST_SECTION
            ),
            Self::Undecodable(problem) => write!(f, "this is not a valid component: {problem}"),
        }
    }
}

impl std::error::Error for InspectError {}

/// The interfaces of a WIT package given as text.
#[cfg(test)]
pub(crate) fn interfaces_of_text(text: &str) -> BTreeMap<InterfaceName, Interface> {
    let mut resolve = wit_parser::Resolve::default();
    resolve.push_str("test.wit", text).expect("well-formed WIT");
    let mut reader = wit::Reader::new(&resolve);
    let named = resolve.interfaces.iter().map(|(id, _)| (resolve.id_of(id).expect("a named interface"), id));
    named.map(|(name, id)| (name.parse().expect("a name"), reader.interface(id))).collect()
}

/// The interface that consists of these items.
#[cfg(test)]
pub(crate) fn interface_from_wit(items: &str) -> Interface {
    let mut interfaces = interfaces_of_text(&format!("package test:it; interface it {{ {items} }}"));
    interfaces.pop_first().expect("one interface").1
}
