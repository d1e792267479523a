//! What an author writes into `planet! { .. }`.

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::{Error, LitStr, Result, Type};

use super::permissions::Permissions;
use super::satellites::{Satellite, satellites};
use super::saved::Saved;
use crate::fields::{Listed, fields, list};
use crate::interfaces::{Role, Wanted};

const FIELDS: [&str; 11] =
    ["state", "exports", "requires", "optional", "satellites", "name", "version", "wit", "app", "permissions", "saved"];

/// The whole input.
#[derive(Debug)]
pub(super) struct Declaration {
    pub(super) state: Type,
    pub(super) exports: Vec<Listed>,
    pub(super) requires: Vec<Listed>,
    pub(super) optional: Vec<Listed>,
    pub(super) satellites: Vec<Satellite>,
    pub(super) name: Option<LitStr>,
    pub(super) version: Option<LitStr>,
    pub(super) wit: Option<LitStr>,
    pub(super) app: Option<LitStr>,
    pub(super) permissions: Option<Permissions>,
    pub(super) saved: Option<Saved>,
}

impl Declaration {
    /// All interfaces that are listed.
    pub(super) fn wanted(&self) -> Vec<Wanted<'_>> {
        let lists = [(Role::Export, &self.exports), (Role::Required, &self.requires), (Role::Optional, &self.optional)];
        let mut wanted = Vec::new();
        for (role, list) in lists {
            wanted.extend(list.iter().map(|listed| Wanted { role, listed, native: false }));
        }
        wanted.extend(self.satellites.iter().map(|satellite| Wanted {
            role: if satellite.optional { Role::Optional } else { Role::Required },
            listed: &satellite.listed,
            native: true,
        }));
        wanted
    }
}

impl Parse for Declaration {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (mut state, mut name, mut version, mut wit, mut app) = (None, None, None, None, None);
        let (mut permissions, mut saved) = (None, None);
        let (mut exports, mut requires, mut optional) = (Vec::new(), Vec::new(), Vec::new());
        let mut native = Vec::new();
        fields(input, "a planet", &FIELDS, |field, input| {
            match field {
                "state" => state = Some(input.parse()?),
                "exports" => exports = list(input)?,
                "requires" => requires = list(input)?,
                "optional" => optional = list(input)?,
                "satellites" => native = satellites(input)?,
                "name" => name = Some(input.parse()?),
                "version" => version = Some(input.parse()?),
                "wit" => wit = Some(input.parse()?),
                "app" => app = Some(input.parse()?),
                "permissions" => permissions = Some(input.parse()?),
                _ => saved = Some(input.parse()?),
            }
            Ok(())
        })?;
        let state = state.ok_or_else(|| {
            Error::new(
                Span::call_site(),
                "`state` is missing: the type whose one value is the running planet\n  \
                 help: write `state: MyPlanet`, with `#[derive(Default)] struct MyPlanet;` next to it",
            )
        })?;
        let satellites = native;
        Ok(Self { state, exports, requires, optional, satellites, name, version, wit, app, permissions, saved })
    }
}
