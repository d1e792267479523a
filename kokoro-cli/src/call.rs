//! `kokoro call`

use std::path::Path;

use kokoro_host::{Val, wave};

use crate::failure::Failure;
use crate::invocation::Invocation;

pub(crate) async fn call(dir: &Path, text: &str) -> Result<(), Failure> {
    let invocation = Invocation::parse(text)?;
    let (primary, report) = crate::load(dir).await?;
    let function = match primary.function(invocation.path, invocation.function).await {
        Ok(function) => function,
        Err(error) => {
            let mut message = error.to_string();
            for node in report.not_running() {
                let reason = node.reason.as_deref().unwrap_or_default().replace('\n', "\n    ");
                message += &format!("\n  note: `{}` is {}: {reason}", node.name, node.state);
            }
            return Err(Failure::failed(message));
        }
    };
    let arguments = invocation.arguments(&function)?;
    let answer = function.call(&arguments).await;
    primary.shutdown().await;
    let results = answer.map_err(Failure::failed)?;
    for result in &results {
        println!("{}", wave::to_string(result).map_err(Failure::failed)?);
    }
    match results.first() {
        Some(Val::Result(Err(_))) => Err(Failure::Failed(format!("`{}` returned an error", invocation.function))),
        _ => Ok(()),
    }
}
