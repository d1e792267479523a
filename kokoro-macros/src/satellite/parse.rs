//! What an author writes into `satellite! { .. }`.

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::{Error, LitStr, Result, Type};

use crate::fields::{Listed, fields, list};

const FIELDS: [&str; 3] = ["state", "exports", "wit"];

/// The whole input.
#[derive(Debug)]
pub(super) struct Declaration {
    pub(super) state: Type,
    pub(super) exports: Vec<Listed>,
    pub(super) wit: Option<LitStr>,
}

impl Parse for Declaration {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (mut state, mut wit, mut exports) = (None, None, Vec::new());
        fields(input, "a satellite", &FIELDS, |field, input| {
            match field {
                "state" => state = Some(input.parse()?),
                "exports" => exports = list(input)?,
                _ => wit = Some(input.parse()?),
            }
            Ok(())
        })?;
        let state = state.ok_or_else(|| {
            Error::new(
                Span::call_site(),
                "`state` is missing: the type whose one value is the running satellite\n  \
                 help: write `state: MySatellite`, with `#[derive(Default)] struct MySatellite;` next to it",
            )
        })?;
        if exports.is_empty() {
            return Err(Error::new(
                Span::call_site(),
                "`exports` is missing: the interfaces that the satellite serves\n  \
                 help: write `exports: [\"acme:native/codec@0.1.0\"]`, with the interface that its planet lists under `satellites`",
            ));
        }
        Ok(Self { state, exports, wit })
    }
}
