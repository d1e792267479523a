//! What to call: `acme:geo/locate.find("Paris")`.

use kokoro_host::InterfaceName;
use kokoro_host::dynamic::wave::untyped::UntypedFuncCall;
use kokoro_host::dynamic::wave::wasm::WasmFunc;
use kokoro_host::dynamic::{Function, Val};

use crate::definitions::definitions;
use crate::failure::Failure;
use crate::mismatch::{self, Mismatch};
use crate::place::pointed;
use crate::syntax;

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

const EXAMPLES: &str = "  help: write it like 'acme:geo/locate.find(\"Paris\")', or for a function in no interface like 'PLANET.find(\"Paris\")'";

impl<'a> Invocation<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, Failure> {
        let text = text.trim();
        let wrong =
            |place, problem: &str| Err(Failure::Input(format!("{}\n{EXAMPLES}", pointed(text, place, problem))));
        let Some((callee, _)) = text.split_once('(') else {
            return wrong(text.len(), "here the arguments in parentheses are missing");
        };
        let callee = callee.trim_end();
        // A version has dots, too; a function's name has none.
        let Some((path, function)) = callee.rsplit_once('.') else {
            return wrong(callee.len(), "before this, the name of an interface or planet and a dot are missing");
        };
        let offset = path.len() + 1;
        if path.is_empty() || function.is_empty() {
            return wrong(path.len(), "here a name is missing");
        }
        if let Some(space) = callee.find(char::is_whitespace) {
            return wrong(space, "there can be no space in a name");
        }
        // A Planet's name has none of these.
        if path.contains(['/', ':', '@'])
            && let Err(error) = path.parse::<InterfaceName>()
        {
            return wrong(0, &error.to_string());
        }
        Ok(Self { text, path, function, offset })
    }

    /// The arguments, as values of the function's types.
    pub(crate) fn arguments(&self, function: &Function) -> Result<Vec<Val>, Failure> {
        let signature = function.structure();
        let text = &self.text[self.offset..];
        let wrong = |mismatch: Mismatch| {
            let mut message = pointed(self.text, self.offset + mismatch.place, &mismatch.problem);
            message += &format!("\n  its type: {}: {signature}", self.function);
            for definition in definitions([signature]) {
                message += &format!("\n    {definition}");
            }
            Failure::Input(message)
        };
        let call = UntypedFuncCall::parse(text).map_err(|error| wrong(syntax::explain(text, &error)))?;
        mismatch::check(signature, call.params_node(), text).map_err(wrong)?;
        let types: Vec<_> = WasmFunc::params(function.ty()).collect();
        call.to_wasm_params(types.iter()).map_err(|error| wrong(syntax::explain(text, &error)))
    }
}
