//! What to call: `acme:geo/locate.find("Paris")`.

use kokoro_host::dynamic::wave::untyped::UntypedFuncCall;
use kokoro_host::dynamic::wave::wasm::WasmFunc;
use kokoro_host::dynamic::{Function, Val};

use crate::failure::Failure;

/// A call as it was typed, taken apart but not checked against any type.
#[derive(Debug)]
pub(crate) struct Invocation<'a> {
    text: &'a str,
    /// The interface, or the Planet.
    pub(crate) path: &'a str,
    pub(crate) function: &'a str,
    /// Where the function's name begins in `text`.
    offset: usize,
}

const EXAMPLES: &str = "  help: write it like 'acme:geo/locate.find(\"Paris\")', or for a function in no interface like 'planet.find(\"Paris\")'";

impl<'a> Invocation<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, Failure> {
        let Some((callee, _)) = text.split_once('(') else {
            return Err(pointed(text, text.len(), "here the arguments in parentheses are missing"));
        };
        // A version has dots, too; a function's name has none.
        let Some((path, function)) = callee.rsplit_once('.') else {
            return Err(pointed(
                text,
                callee.len(),
                "before this, the name of an interface or planet and a dot are missing",
            ));
        };
        if path.is_empty() || function.is_empty() {
            return Err(pointed(text, path.len(), "here a name is missing"));
        }
        Ok(Self { text, path, function, offset: path.len() + 1 })
    }

    /// The arguments, as values of the function's types.
    pub(crate) fn arguments(&self, function: &Function) -> Result<Vec<Val>, Failure> {
        let wrong = |error: kokoro_host::dynamic::wave::parser::ParserError| {
            let place = self.offset + error.span().start;
            // The error's own text counts columns from the function's name, which is not what was typed.
            let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
            let mut message = pointed_message(self.text, place, &format!("{}{detail}", error.kind()));
            message += &format!("\n  its type: {}: {}", self.function, function.signature());
            Failure::Input(message)
        };
        let call = UntypedFuncCall::parse(&self.text[self.offset..]).map_err(wrong)?;
        let types: Vec<_> = WasmFunc::params(function.ty()).collect();
        call.to_wasm_params(types.iter()).map_err(wrong)
    }
}

fn pointed(text: &str, place: usize, problem: &str) -> Failure {
    Failure::Input(format!("{}\n{EXAMPLES}", pointed_message(text, place, problem)))
}

/// A message with the text and a mark below the place that is to blame.
fn pointed_message(text: &str, place: usize, problem: &str) -> String {
    let column = text.get(..place).map_or(0, |before| before.chars().count());
    format!("{problem}\n  {text}\n  {:column$}^", "")
}
