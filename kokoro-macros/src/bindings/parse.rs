//! What an application writes into `bindings!({ .. })`.

use syn::parse::{Parse, ParseStream};
use syn::{LitStr, Result, braced};

use crate::fields::{Listed, fields, list};

/// The whole input.
#[derive(Debug, Default)]
pub(super) struct Declaration {
    pub(super) path: Option<LitStr>,
    pub(super) interfaces: Vec<Listed>,
    pub(super) serves: Vec<Listed>,
}

impl Parse for Declaration {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let inside;
        braced!(inside in input);
        let mut declaration = Self::default();
        fields(&inside, "`bindings!`", &["path", "interfaces", "serves"], |name, input| {
            match name {
                "path" => declaration.path = Some(input.parse()?),
                "interfaces" => declaration.interfaces = list(input)?,
                _ => declaration.serves = list(input)?,
            }
            Ok(())
        })?;
        Ok(declaration)
    }
}
