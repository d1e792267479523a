//! What a component has to do with `kokoro:core`, and whether that is what this version of Kokoro means by it.

use kokoro_host::types::{Interface, Worlds, worlds_of_package};
use kokoro_host::{Inspection, InterfaceName};
use wit_parser::Resolve;

use crate::failure::Failure;

/// The interfaces of `kokoro:core`, with their types.
#[derive(Debug, Clone)]
pub(super) struct Core {
    worlds: Worlds,
}

/// The part of an interface that consists of one function.
pub(super) fn only(interface: &Interface, function: &str) -> Interface {
    let mut only = Interface::default();
    if let Some(ty) = interface.functions.get(function) {
        only.functions.insert(function.to_owned(), ty.clone());
    }
    only
}

pub(super) fn is_core(name: &InterfaceName) -> bool {
    name.package() == Some(kokoro_wit::PACKAGE_NAME)
}

impl Core {
    pub(super) fn new() -> Result<Self, Failure> {
        let mut resolve = Resolve::default();
        let package = resolve.push_source("kokoro:core", kokoro_wit::PACKAGE);
        let package = package.map_err(|error| Failure::failed(format!("{error:#}")))?;
        let bytes = wit_component::encode(&resolve, package).map_err(|error| Failure::failed(format!("{error:#}")))?;
        Ok(Self { worlds: worlds_of_package(&bytes).map_err(Failure::failed)? })
    }

    /// Why a component cannot be linked or started, as far as `kokoro:core` is concerned.
    pub(super) fn problem(&self, inspection: &Inspection) -> Option<String> {
        let imports = inspection.imports.iter().filter(|(name, types)| is_core(name) && !types.is_types_only());
        for (name, wanted) in imports {
            let Some(served) = self.import(name) else {
                return Some(format!(
                    "it imports `{name}`, which this version of Kokoro does not have\n  help: use a newer Kokoro, or build it with an older \
                     kokoro-guest"
                ));
            };
            if let Err(reason) = wanted.fits_application(served) {
                return Some(format!("it imports `{name}`, and {reason}"));
            }
        }
        let exports = inspection.exports.iter().filter(|(name, _)| is_core(name));
        for (name, offered) in exports {
            let Some(called) = self.export(name) else { continue };
            for function in called.functions.keys().filter(|function| offered.functions.contains_key(*function)) {
                if let Err(reason) = only(called, function).fits_planet(&only(offered, function)) {
                    return Some(format!("it exports `{name}`, and {reason}"));
                }
            }
        }
        None
    }

    /// What is exported in vain.
    pub(super) fn notes(&self, inspection: &Inspection) -> Vec<String> {
        let unknown = inspection.exports.keys().filter(|name| is_core(name) && self.export(name).is_none());
        unknown
            .map(|name| format!("it exports `{name}`, which this version of Kokoro does not know and never calls"))
            .collect()
    }

    fn import(&self, name: &InterfaceName) -> Option<&Interface> {
        self.worlds.imports.iter().find(|(own, _)| own.can_serve(name)).map(|(_, types)| types)
    }

    fn export(&self, name: &InterfaceName) -> Option<&Interface> {
        self.worlds.exports.iter().find(|(own, _)| own.can_serve(name)).map(|(_, types)| types)
    }
}
