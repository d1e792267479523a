//! What becomes of a compiler's output before it is a Planet (plugin).

use std::path::{Path, PathBuf};

use clap::Args;
use kokoro_host::{Inspection, inspect};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wasm_encoder::{Component, ComponentSectionId, Encode as _, Module, RawSection, Section as _};
use wasmparser::{BinaryReaderError, Encoding, Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::workspace::list;
use crate::failure::Failure;

/// What a core module is to be, where it does not say so itself.
#[derive(Debug, Args)]
pub(crate) struct World {
    /// The WIT that a core module was written against, if it has none in it: a file, or a folder with its dependencies
    #[arg(long, value_name = "PATH", requires = "files")]
    wit: Option<PathBuf>,
    /// The world of it; need not be said if there is one alone
    #[arg(long, value_name = "WORLD", requires = "wit")]
    world: Option<String>,
}

/// A component that is ready to be loaded.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) bytes: Vec<u8>,
    pub(crate) inspection: Inspection,
}

impl Finished {
    /// Makes a component of `bytes` if it is none, without debug information. `file` is where it comes from.
    pub(crate) fn of(file: &Path, bytes: &[u8], world: Option<&World>) -> Result<Self, Failure> {
        let name = file.display();
        let component = match Parser::is_core_wasm(bytes) {
            true => encode(file, bytes, world)?,
            false => bytes.to_vec(),
        };
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let inspect = |bytes: &[u8]| {
            inspect(&stem, bytes).map_err(|error| Failure::input(format!("`{name}` is no planet: {error}")))
        };
        let bytes = match without_debug_information(&component) {
            Ok(bytes) => bytes,
            // What looks at everything says better what is wrong.
            Err(error) => {
                inspect(&component)?;
                return Err(Failure::Input(format!("`{name}` is no planet: {}", error.message())));
            }
        };
        let inspection = inspect(&bytes)?;
        Ok(Self { bytes, inspection })
    }
}

/// A component of a core module.
fn encode(file: &Path, module: &[u8], world: Option<&World>) -> Result<Vec<u8>, Failure> {
    let name = file.display();
    let survey = Survey::of(module)
        .map_err(|error| Failure::input(format!("`{name}` is no planet: it is not well-formed: {error}")))?;
    let mut module = module.to_vec();
    match world {
        Some(World { wit: Some(wit), world }) => embed(&mut module, wit, world.as_deref())?,
        _ if !survey.says_its_world => {
            return Err(Failure::Input(format!(
                "`{name}` is a core module, and does not say what world it was written for\n  \
                 help: `kokoro build {name} --wit DIR --world WORLD`"
            )));
        }
        _ => {}
    }
    let encode = || {
        let mut encoder = ComponentEncoder::default().validate(true).module(&module)?;
        if survey.needs_adapter {
            let adapter = match survey.is_command {
                true => WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
                false => WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
            };
            encoder = encoder.adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter)?;
        }
        encoder.encode()
    };
    encode().map_err(|error| Failure::Failed(format!("no component can be made of `{name}`: {}", chain(&error))))
}

/// Writes into a module what world it was written for.
fn embed(module: &mut Vec<u8>, wit: &Path, world: Option<&str>) -> Result<(), Failure> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve
        .push_path(wit)
        .map_err(|error| Failure::input(format!("the WIT in `{}` cannot be used: {}", wit.display(), chain(&error))))?;
    let worlds: Vec<&str> = resolve.packages[package].worlds.keys().map(String::as_str).collect();
    let world = resolve.select_world(&[package], world).map_err(|error| {
        let (place, names) = (wit.display(), list(worlds.iter().copied()));
        Failure::Input(match (worlds.len(), world) {
            (0, _) => format!("the WIT in `{place}` has no world that a component could be of"),
            (_, None) => {
                format!("the WIT in `{place}` has several worlds\n  help: say which: `--world` may be {names}")
            }
            (_, Some(_)) => format!("{}\n  help: `--world` may be {names}", chain(&error)),
        })
    })?;
    embed_component_metadata(module, &resolve, world, StringEncoding::UTF8)
        .map_err(|error| Failure::failed(chain(&error)))
}

/// An error with its causes, on lines of their own where there are several.
fn chain(error: &impl std::fmt::Display) -> String {
    format!("{error:#}").replace('\n', "\n  ")
}

/// What a core module says of itself.
#[derive(Debug, Default)]
struct Survey {
    says_its_world: bool,
    /// It was written for WASI 0.1.
    needs_adapter: bool,
    /// It has a `main`.
    is_command: bool,
}

impl Survey {
    fn of(module: &[u8]) -> Result<Self, BinaryReaderError> {
        let mut survey = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::CustomSection(section) => {
                    survey.says_its_world |= section.name().starts_with("component-type");
                }
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        survey.needs_adapter |= import?.module == WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME;
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        survey.is_command |= export?.name == "_start";
                    }
                }
                _ => {}
            }
        }
        Ok(survey)
    }
}

/// The same component without DWARF. The names of functions stay: messages about crashes have them.
pub(crate) fn without_debug_information(component: &[u8]) -> Result<Vec<u8>, BinaryReaderError> {
    let mut output = Vec::new();
    // What surrounds the module or component that is being read.
    let mut around = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        match &payload {
            Payload::Version { encoding: Encoding::Component, .. } => output.extend(Component::HEADER),
            Payload::Version { encoding: Encoding::Module, .. } => output.extend(Module::HEADER),
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                around.push(std::mem::take(&mut output))
            }
            Payload::End(_) => {
                let Some(mut outer) = around.pop() else { continue };
                let section = match output.starts_with(&Component::HEADER) {
                    true => ComponentSectionId::Component,
                    false => ComponentSectionId::CoreModule,
                };
                outer.push(section as u8);
                output.encode(&mut outer);
                output = outer;
            }
            Payload::CustomSection(section) if section.name().starts_with(".debug_") => {}
            other => {
                if let Some((id, range)) = other.as_section() {
                    RawSection { id, data: &component[range] }.append_to(&mut output);
                }
            }
        }
    }
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(component: &[u8]) -> Vec<String> {
        let payloads = Parser::new(0).parse_all(component).map(|payload| payload.expect("well-formed"));
        let custom = payloads.filter_map(|payload| match payload {
            Payload::CustomSection(section) => Some(section.name().to_owned()),
            _ => None,
        });
        custom.collect()
    }

    #[test]
    fn debug_information_goes_at_every_depth_and_nothing_else_does() {
        let with = r#"(component
            (@custom "kokoro:planet" "{}")
            (core module $m (@custom ".debug_info" "x") (func $named) (@custom ".debug_line" "y") (@custom "producers" "\00"))
            (component (core module (memory 1) (@custom ".debug_str" "z"))
                (core instance (instantiate 0)))
            (core instance (instantiate $m)))"#;
        let without = with
            .replace(r#"(@custom ".debug_info" "x")"#, "")
            .replace(r#"(@custom ".debug_line" "y")"#, "")
            .replace(r#"(@custom ".debug_str" "z")"#, "");
        let [with, without] = [with, &without].map(|text| wat::parse_str(text).expect("well-formed WAT"));
        let stripped = without_debug_information(&with).expect("well-formed");
        assert_eq!(stripped, without);
        assert!(names(&stripped).iter().any(|name| name == "name"), "{:?}", names(&stripped));
        assert_eq!(without_debug_information(&without).expect("well-formed"), without);
        assert!(without_debug_information(&with[..with.len() - 3]).is_err());
    }
}
