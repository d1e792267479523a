//! What an author writes into `planet! { .. }`.

use proc_macro2::{Ident, Span};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, LitStr, Result, Token, Type, bracketed};

use crate::wit::nearest;

const FIELDS: [&str; 8] = ["state", "exports", "requires", "optional", "name", "version", "wit", "app"];

/// The whole input.
#[derive(Debug)]
pub(super) struct Declaration {
    pub(super) state: Type,
    pub(super) exports: Vec<Listed>,
    pub(super) requires: Vec<Listed>,
    pub(super) optional: Vec<Listed>,
    pub(super) name: Option<LitStr>,
    pub(super) version: Option<LitStr>,
    pub(super) wit: Option<LitStr>,
    pub(super) app: Option<LitStr>,
}

/// An interface in a list: `"site:content/outline@0.1.0"`, perhaps with `as name`.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) name: LitStr,
    pub(super) alias: Option<Ident>,
}

impl Parse for Declaration {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut seen: Vec<Ident> = Vec::new();
        let (mut state, mut name, mut version, mut wit, mut app) = (None, None, None, None, None);
        let (mut exports, mut requires, mut optional) = (Vec::new(), Vec::new(), Vec::new());
        while !input.is_empty() {
            let field: Ident = input.parse()?;
            if !FIELDS.contains(&field.to_string().as_str()) {
                return Err(unknown(&field));
            }
            if seen.contains(&field) {
                return Err(Error::new(field.span(), format!("`{field}` is there twice\n  help: remove one of them")));
            }
            input.parse::<Token![:]>()?;
            match field.to_string().as_str() {
                "state" => state = Some(input.parse()?),
                "exports" => exports = list(input)?,
                "requires" => requires = list(input)?,
                "optional" => optional = list(input)?,
                "name" => name = Some(input.parse()?),
                "version" => version = Some(input.parse()?),
                "wit" => wit = Some(input.parse()?),
                _ => app = Some(input.parse()?),
            }
            seen.push(field);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let state = state.ok_or_else(|| {
            Error::new(
                Span::call_site(),
                "`state` is missing: the type whose one value is the running planet\n  \
                 help: write `state: MyPlanet`, with `#[derive(Default)] struct MyPlanet;` next to it",
            )
        })?;
        Ok(Self { state, exports, requires, optional, name, version, wit, app })
    }
}

impl Parse for Listed {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = input.parse()?;
        let alias = input.parse::<Option<Token![as]>>()?.map(|_| input.parse()).transpose()?;
        Ok(Self { name, alias })
    }
}

fn list(input: ParseStream<'_>) -> Result<Vec<Listed>> {
    let inside;
    bracketed!(inside in input);
    Ok(Punctuated::<Listed, Token![,]>::parse_terminated(&inside)?.into_iter().collect())
}

fn unknown(field: &Ident) -> Error {
    let known = FIELDS.map(str::to_owned);
    let help = match nearest(&field.to_string(), &known).first() {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("there are `{}`", FIELDS.join("`, `")),
    };
    Error::new(field.span(), format!("a planet has no `{field}`\n  help: {help}"))
}
