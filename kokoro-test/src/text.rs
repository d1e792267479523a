//! Values as text, in WAVE.

use kokoro_host::Val;
use kokoro_host::dynamic::{FunctionType, wave};

/// One value.
pub(crate) fn value(val: &Val) -> String {
    wave::to_string(val).unwrap_or_else(|error| format!("({error})"))
}

/// Several, separated by commas.
pub(crate) fn values(vals: &[Val]) -> String {
    vals.iter().map(value).collect::<Vec<_>>().join(", ")
}

/// `lookup("ada")`
pub(crate) fn call(function: &str, arguments: &[Val]) -> String {
    format!("{function}({})", values(arguments))
}

/// Reads what [`values`] writes.
pub(crate) fn arguments(ty: &FunctionType, text: &str) -> Result<Vec<Val>, String> {
    let call = format!("call({text})");
    let call = wave::untyped::UntypedFuncCall::parse(&call).map_err(|error| error.to_string())?;
    let types: Vec<_> = ty.params().map(|(_, ty)| ty).collect();
    call.to_wasm_params(types.iter()).map_err(|error| error.to_string())
}

/// What a message has room for of a text.
pub(crate) fn short(text: &str) -> String {
    const MOST: usize = 1000;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}.. ({} characters in all)", &text[..end], text.chars().count()),
        None => text.to_owned(),
    }
}
