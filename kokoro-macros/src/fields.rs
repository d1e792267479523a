//! What the inputs of all macros have in common: fields of fixed names, and lists of interfaces.

use proc_macro2::Ident;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, LitStr, Result, Token, bracketed};

use crate::wit::nearest;

/// An interface in a list: `"site:content/outline@0.1.0"`, perhaps with `as name`.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) name: LitStr,
    pub(crate) alias: Option<Ident>,
}

impl Parse for Listed {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = input.parse()?;
        let alias = input.parse::<Option<Token![as]>>()?.map(|_| input.parse()).transpose()?;
        Ok(Self { name, alias })
    }
}

/// A list in brackets.
pub(crate) fn list(input: ParseStream<'_>) -> Result<Vec<Listed>> {
    let inside;
    bracketed!(inside in input);
    Ok(Punctuated::<Listed, Token![,]>::parse_terminated(&inside)?.into_iter().collect())
}

/// Reads `name: value, ..` to the end. `value` reads the value of the field that it is given; each of `known` may be there
/// once. `owner` is what has the fields, as in `a planet`.
pub(crate) fn fields(
    input: ParseStream<'_>,
    owner: &str,
    known: &[&str],
    mut value: impl FnMut(&str, ParseStream<'_>) -> Result<()>,
) -> Result<()> {
    let mut seen: Vec<Ident> = Vec::new();
    while !input.is_empty() {
        let field: Ident = input.parse()?;
        let name = field.to_string();
        if !known.contains(&name.as_str()) {
            return Err(unknown(&field, owner, known));
        }
        if seen.contains(&field) {
            return Err(Error::new(field.span(), format!("`{field}` is there twice\n  help: remove one of them")));
        }
        input.parse::<Token![:]>()?;
        value(&name, input)?;
        seen.push(field);
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}

/// The error for a field that is none of `known`.
pub(crate) fn unknown(field: &Ident, owner: &str, known: &[&str]) -> Error {
    let names: Vec<String> = known.iter().map(|name| (*name).to_owned()).collect();
    let help = match nearest(&field.to_string(), &names).first() {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("there are `{}`", known.join("`, `")),
    };
    Error::new(field.span(), format!("{owner} has no `{field}`\n  help: {help}"))
}
