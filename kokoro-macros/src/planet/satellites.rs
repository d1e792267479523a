//! What programs of its own a Planet asks for: `satellites: ["images:native/codec@0.1.0" in "image-codec" { optional }]`.

use proc_macro2::Ident;
use serde_json::{Value, json};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, LitStr, Result, Token, braced, bracketed, token};

use super::manifest::is_name;
use crate::fields::{Listed, unknown};

const OPTIONS: [&str; 3] = ["optional", "start", "reload"];
const STARTS: [&str; 2] = ["first-call", "planet"];
const RELOADS: [&str; 2] = ["renew", "keep"];

/// An interface that a Satellite serves.
#[derive(Debug)]
pub(super) struct Satellite {
    pub(super) listed: Listed,
    /// Whether the Planet can do without.
    pub(super) optional: bool,
    program: LitStr,
    start: &'static str,
    reload: &'static str,
}

impl Satellite {
    /// As the manifest has it.
    pub(super) fn json(&self) -> Value {
        let Self { listed, program, start, reload, .. } = self;
        json!({ "interface": listed.name.value(), "program": program.value(), "start": start, "reload": reload })
    }
}

/// The list in brackets. Entries with the same program are about one process, and so have to say the same of it.
pub(super) fn satellites(input: ParseStream<'_>) -> Result<Vec<Satellite>> {
    let inside;
    bracketed!(inside in input);
    let all: Vec<_> = Punctuated::<Satellite, Token![,]>::parse_terminated(&inside)?.into_iter().collect();
    for (place, one) in all.iter().enumerate() {
        let differs = |other: &&Satellite| {
            one.program.value() == other.program.value() && (one.start, one.reload) != (other.start, other.reload)
        };
        if all[..place].iter().any(|other| differs(&other)) {
            let program = one.program.value();
            return Err(Error::new(
                one.program.span(),
                format!(
                    "`{program}` serves several interfaces, with different `start` or `reload`\n  \
                     help: write the same options for all of them; it is one process"
                ),
            ));
        }
    }
    Ok(all)
}

impl Parse for Satellite {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let listed: Listed = input.parse()?;
        if !input.peek(Token![in]) {
            let name = listed.name.value();
            return Err(Error::new(
                listed.name.span(),
                format!("which program serves `{name}`?\n  help: write `\"{name}\" in \"program\"`"),
            ));
        }
        input.parse::<Token![in]>()?;
        let program: LitStr = input.parse()?;
        check_program(&program)?;
        let mut satellite = Self { listed, optional: false, program, start: STARTS[0], reload: RELOADS[0] };
        if input.peek(token::Brace) {
            let inside;
            braced!(inside in input);
            satellite.options(&inside)?;
        }
        Ok(satellite)
    }
}

impl Satellite {
    fn options(&mut self, input: ParseStream<'_>) -> Result<()> {
        let mut seen: Vec<Ident> = Vec::new();
        while !input.is_empty() {
            let option: Ident = input.parse()?;
            if seen.contains(&option) {
                return Err(Error::new(
                    option.span(),
                    format!("`{option}` is there twice\n  help: remove one of them"),
                ));
            }
            match option.to_string().as_str() {
                "optional" => self.optional = true,
                "start" => self.start = one_of(input, "start", STARTS)?,
                "reload" => self.reload = one_of(input, "reload", RELOADS)?,
                _ => return Err(unknown(&option, "a satellite", &OPTIONS)),
            }
            seen.push(option);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    }
}

/// `: "word"`, where the word is one of two.
fn one_of(input: ParseStream<'_>, option: &str, words: [&'static str; 2]) -> Result<&'static str> {
    let at = input.span();
    let [first, second] = words;
    let wrong = |span| {
        Error::new(
            span,
            format!(
                "`{option}` is `\"{first}\"` or `\"{second}\"`\n  help: write `{option}: \"{second}\"`, or leave it out"
            ),
        )
    };
    if !input.peek(Token![:]) {
        return Err(wrong(at));
    }
    input.parse::<Token![:]>()?;
    let span = input.span();
    let word: LitStr = input.parse().map_err(|_| wrong(span))?;
    words.into_iter().find(|known| *known == word.value()).ok_or_else(|| wrong(word.span()))
}

/// The rule that the host has, too: a program is a file in the folder of its Planet, never anywhere else.
fn check_program(literal: &LitStr) -> Result<()> {
    let name = literal.value();
    if is_name(&name) {
        return Ok(());
    }
    Err(Error::new(
        literal.span(),
        format!(
            "`{name}` cannot be a program's name: that has 1 to 64 ASCII letters, digits, `-`, `_` and `.`, and does not begin \
             with `.`\n  help: write the name of the file alone, as in `in \"image-codec\"`; it is in \
             `PLANET.satellites/TARGET/` beside the planet"
        ),
    ))
}
