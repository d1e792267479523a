//! What an application writes into `bindings!({ .. })`.

use proc_macro2::Ident;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, LitStr, Result, Token, braced, bracketed};

use crate::wit::nearest;

const FIELDS: [&str; 3] = ["path", "interfaces", "serves"];

/// The whole input.
#[derive(Debug, Default)]
pub(super) struct Declaration {
    pub(super) path: Option<LitStr>,
    pub(super) interfaces: Vec<Listed>,
    pub(super) serves: Vec<Listed>,
}

/// An interface in a list: `"site:build/page@0.1.0"`, perhaps with `as name`.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) name: LitStr,
    pub(super) alias: Option<Ident>,
}

impl Parse for Declaration {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let fields;
        braced!(fields in input);
        let mut declaration = Self::default();
        let mut seen: Vec<Ident> = Vec::new();
        while !fields.is_empty() {
            let field: Ident = fields.parse()?;
            if seen.contains(&field) {
                return Err(Error::new(field.span(), format!("`{field}` is there twice\n  help: remove one of them")));
            }
            let name = field.to_string();
            if !FIELDS.contains(&name.as_str()) {
                let help = match nearest(&name, &FIELDS.map(str::to_owned)).first() {
                    Some(nearest) => format!("did you mean `{nearest}`?"),
                    None => format!("there are `{}`", FIELDS.join("`, `")),
                };
                return Err(Error::new(field.span(), format!("there is no field `{field}` here\n  help: {help}")));
            }
            fields.parse::<Token![:]>()?;
            match name.as_str() {
                "path" => declaration.path = Some(fields.parse()?),
                "interfaces" => declaration.interfaces = list(&fields)?,
                _ => declaration.serves = list(&fields)?,
            }
            seen.push(field);
            if !fields.is_empty() {
                fields.parse::<Token![,]>()?;
            }
        }
        Ok(declaration)
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
