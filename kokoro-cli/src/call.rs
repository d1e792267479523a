//! `kokoro call`

use std::path::Path;

use kokoro_host::dynamic::{Val, wave};

use crate::failure::Failure;
use crate::invocation::Invocation;
use crate::output;

pub(crate) async fn call(dir: &Path, text: &str) -> Result<(), Failure> {
    let invocation = Invocation::parse(text)?;
    let (primary, report) = crate::load(dir).await?;
    let function = match primary.function(invocation.path, invocation.function) {
        Ok(function) => function,
        Err(error) => {
            let message = error.to_string();
            let mut notes = String::new();
            for node in report.not_running().filter(|node| !message.contains(&format!("planet `{}`", node.name))) {
                let reason = node.reason.as_deref().unwrap_or_default();
                notes += &format!("\n  note: planet `{}` is {}: {reason}", node.name, node.state);
            }
            return Err(Failure::failed(message + &notes));
        }
    };
    let arguments = invocation.arguments(&function)?;
    let answer = function.call(&arguments).await;
    primary.shutdown().await;
    let results = answer.map_err(Failure::failed)?;
    let mut text = String::new();
    for result in &results {
        text += &wave::to_string(result).map_err(Failure::failed)?;
        text.push('\n');
    }
    output::print(&text)?;
    match results.first() {
        Some(Val::Result(Err(_))) => Err(Failure::Failed(format!("`{}` returned an error", invocation.function))),
        _ => Ok(()),
    }
}
