//! What a Planet asks to be allowed: `permissions: { read: ["content"], net: true }`.

use serde_json::{Value, json};
use syn::parse::{Parse, ParseStream};
use syn::{Error, Lit, LitStr, Result, Token, braced, bracketed, token};

use crate::fields::fields;

const PARTS: [&str; 5] = ["read", "write", "env", "http", "net"];

/// The parts, each empty if it was left out.
#[derive(Debug, Default)]
pub(super) struct Permissions {
    read: Vec<String>,
    write: Vec<String>,
    env: Vec<String>,
    http: Vec<String>,
    net: bool,
}

impl Permissions {
    /// As the manifest has it.
    pub(super) fn json(&self) -> Value {
        let Self { read, write, env, http, net } = self;
        json!({ "read": read, "write": write, "env": env, "http": http, "net": net })
    }
}

impl Parse for Permissions {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if !input.peek(token::Brace) {
            return Err(Error::new(
                input.span(),
                "`permissions` takes its parts in braces\n  help: write `permissions: { read: [\"content\"] }`",
            ));
        }
        let inside;
        braced!(inside in input);
        let mut permissions = Self::default();
        fields(&inside, "`permissions`", &PARTS, |part, input| {
            match part {
                "read" => permissions.read = strings(input, part, "content", |_| Ok(()))?,
                "write" => permissions.write = strings(input, part, "content", |_| Ok(()))?,
                "env" => permissions.env = strings(input, part, "LANG", |_| Ok(()))?,
                "http" => permissions.http = strings(input, part, "example.com", is_host)?,
                _ => permissions.net = yes_or_no(input, part)?,
            }
            Ok(())
        })?;
        Ok(permissions)
    }
}

/// A list of strings, each of which `check` accepts. `example` stands in the messages.
fn strings(
    input: ParseStream<'_>,
    part: &str,
    example: &str,
    check: impl Fn(&LitStr) -> Result<()>,
) -> Result<Vec<String>> {
    let wrong = |span| {
        let message = format!("`{part}` takes a list of strings\n  help: write `{part}: [\"{example}\"]`");
        Error::new(span, message)
    };
    if !input.peek(token::Bracket) {
        return Err(wrong(input.span()));
    }
    let inside;
    bracketed!(inside in input);
    let mut found = Vec::new();
    while !inside.is_empty() {
        if !inside.peek(LitStr) {
            return Err(wrong(inside.span()));
        }
        let literal: LitStr = inside.parse()?;
        check(&literal)?;
        found.push(literal.value());
        if !inside.is_empty() {
            inside.parse::<Token![,]>()?;
        }
    }
    Ok(found)
}

fn yes_or_no(input: ParseStream<'_>, part: &str) -> Result<bool> {
    let span = input.span();
    match input.parse() {
        Ok(Lit::Bool(value)) => Ok(value.value),
        _ => Err(Error::new(span, format!("`{part}` is `true` or `false`\n  help: write `{part}: true`"))),
    }
}

/// Grants are for hosts, so a whole URL would never be granted.
fn is_host(literal: &LitStr) -> Result<()> {
    let text = literal.value();
    let rest = text.split_once("://").map_or(&*text, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default();
    if host == text {
        return Ok(());
    }
    let host = if host.is_empty() { "example.com" } else { host };
    let message = format!("`{text}` is more than a host, and `http` takes hosts alone\n  help: write `\"{host}\"`");
    Err(Error::new(literal.span(), message))
}
