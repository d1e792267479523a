//! What a Planet says about itself without running: the JSON in the custom section `kokoro:planet`.

use std::path::PathBuf;

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::{Map, Value};
use syn::{Error, LitByteStr, LitStr};

use super::parse::Declaration;
use super::satellites::Satellite;
use crate::surroundings::Surroundings;

/// The manifest, and the file it was made from besides Cargo.toml.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) json: Map<String, Value>,
    pub(super) app_file: Option<PathBuf>,
}

impl Manifest {
    /// Puts the manifest together from the declaration, the crate and its `app.json`; mistakes go to `errors`.
    pub(super) fn new(
        declaration: &Declaration,
        requires: Vec<String>,
        optional: Vec<String>,
        surroundings: &Surroundings,
        errors: &mut Vec<Error>,
    ) -> Self {
        let mut json = Map::new();
        let name = declaration.name.as_ref().map_or(surroundings.name.clone(), LitStr::value);
        if !is_name(&name) {
            errors.push(name_error(&name, declaration.name.as_ref()));
        }
        json.insert("name".to_owned(), name.into());
        let version = declaration.version.as_ref().map_or(surroundings.version.clone(), LitStr::value);
        if let Some(literal) = &declaration.version
            && let Err(error) = semver::Version::parse(&version)
        {
            let help = "write it as `1.2.3`, or leave `version` out to take the crate's";
            errors.push(Error::new(literal.span(), format!("`{version}` is not a version: {error}\n  help: {help}")));
        }
        json.insert("version".to_owned(), version.into());
        json.insert("requires".to_owned(), requires.into());
        json.insert("optional".to_owned(), optional.into());
        if !declaration.satellites.is_empty() {
            let satellites = declaration.satellites.iter().map(Satellite::json);
            json.insert("satellites".to_owned(), satellites.collect());
        }
        if let Some(permissions) = &declaration.permissions {
            json.insert("permissions".to_owned(), permissions.json());
        }
        let app_file = match app(declaration.app.as_ref(), surroundings) {
            Ok(Some((file, value))) => {
                json.insert("app".to_owned(), value);
                Some(file)
            }
            Ok(None) => None,
            Err(error) => {
                errors.push(error);
                None
            }
        };
        Self { json, app_file }
    }

    /// The custom section. Natively there are no components, and other object formats have other rules for the names
    /// of sections.
    pub(super) fn section(&self) -> TokenStream {
        let section = kokoro_wit::MANIFEST_SECTION;
        let json = serde_json::to_vec(&self.json).unwrap_or_default();
        let length = json.len();
        let bytes = LitByteStr::new(&json, proc_macro2::Span::call_site());
        quote! {
            #[cfg(target_arch = "wasm32")]
            #[used]
            #[unsafe(link_section = #section)]
            static MANIFEST: [u8; #length] = *#bytes;
        }
    }
}

/// The rule that the host has, too: names go into file names, logs and graphs, so they are kept plain.
pub(super) fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && !name.starts_with('.') && name.chars().all(in_name)
}

fn in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

fn name_error(name: &str, literal: Option<&LitStr>) -> Error {
    let span = literal.map_or_else(proc_macro2::Span::call_site, LitStr::span);
    if name.is_empty() {
        return Error::new(span, "a planet's name cannot be empty\n  help: leave `name` out to take the crate's");
    }
    let words: Vec<&str> = name.split(|c| !in_name(c)).filter(|word| !word.is_empty()).collect();
    let plain: String = words.join("-").chars().take(64).collect();
    let plain = plain.trim_start_matches('.').trim_end_matches('-');
    let plain = if plain.is_empty() { "my-planet" } else { plain };
    Error::new(
        span,
        format!(
            "`{name}` cannot be a planet's name: that has 1 to 64 ASCII letters, digits, `-`, `_` and `.`, and does not \
             begin with `.`\n  \
             help: write `name: \"{plain}\"`"
        ),
    )
}

/// The application's own part. A file that is asked for must be there; `app.json` is taken if it is.
fn app(given: Option<&LitStr>, surroundings: &Surroundings) -> Result<Option<(PathBuf, Value)>, Error> {
    let span = given.map_or_else(proc_macro2::Span::call_site, LitStr::span);
    let path = given.map_or_else(|| "app.json".to_owned(), LitStr::value);
    let file = match given {
        None => Some(surroundings.manifest_dir.join(&path)).filter(|file| file.exists()),
        Some(_) => surroundings.find(&path).ok(),
    };
    let Some(file) = file else {
        let message = format!("there is no file `{path}`\n  help: paths are relative to Cargo.toml");
        return if given.is_some() { Err(Error::new(span, message)) } else { Ok(None) };
    };
    let text =
        std::fs::read_to_string(&file).map_err(|error| Error::new(span, format!("cannot read `{path}`: {error}")))?;
    let value =
        serde_json::from_str(&text).map_err(|error| Error::new(span, format!("`{path}` is not JSON: {error}")))?;
    Ok(Some((file, value)))
}
