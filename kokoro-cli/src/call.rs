//! `kokoro call`

use std::path::Path;

use kokoro_host::State;
use kokoro_host::dynamic::{Val, wave};

use crate::failure::Failure;
use crate::hints::{Hints, reached_from};
use crate::invocation::Invocation;
use crate::output;
use crate::permissions::Allowed;

pub(crate) async fn call(dir: &Path, text: &str, allowed: &Allowed, hints: &Hints) -> Result<(), Failure> {
    let invocation = Invocation::parse(text)?;
    let (primary, report) = crate::load(dir, allowed, hints).await?;
    let function = match primary.function(invocation.path, invocation.function) {
        Ok(function) => function,
        Err(error) => {
            let message = error.to_string();
            let mut notes = String::new();
            for node in report.not_running().filter(|node| !message.contains(&format!("planet `{}`", node.name))) {
                let reason = node.reason.as_deref().unwrap_or_default();
                notes += &format!("\n  note: planet `{}` is {}: {reason}", node.name, node.state);
            }
            let failed = report.not_running().filter(|node| node.state == State::Failed);
            notes += &lines(&hints.notes(failed.map(|node| node.name.as_str())));
            return Err(Failure::failed(message + &notes));
        }
    };
    let arguments = invocation.arguments(&function)?;
    // As it is before a crash changes it.
    let graph = primary.graph();
    let answer = function.call(&arguments).await;
    primary.shutdown().await;
    let missing = || lines(&hints.notes(reached_from(function.planet(), &graph)));
    let results = answer.map_err(|error| Failure::Failed(format!("{error}{}", missing())))?;
    let mut text = String::new();
    for result in &results {
        text += &wave::to_string(result).map_err(Failure::failed)?;
        text.push('\n');
    }
    output::print(&text)?;
    match results.first() {
        Some(Val::Result(Err(_))) => {
            Err(Failure::Failed(format!("`{}` returned an error{}", invocation.function, missing())))
        }
        _ => Ok(()),
    }
}

/// Notes below an error.
fn lines(notes: &[String]) -> String {
    notes.iter().map(|note| format!("\n  {note}")).collect()
}
