//! `kokoro call`

use std::path::Path;

use kokoro_host::dynamic::{Val, wave};
use kokoro_host::{Primary, State};

use crate::failure::Failure;
use crate::hints::{Hints, reached_from};
use crate::invocation::Invocation;
use crate::output;
use crate::setup::Setup;

pub(crate) async fn call(dir: &Path, text: &str, setup: &Setup, hints: &Hints) -> Result<(), Failure> {
    // Before anything is loaded.
    Invocation::parse(text)?;
    let (primary, _) = setup.load(dir, hints).await?;
    let answer = invoke(&primary, text, hints).await;
    primary.shutdown().await;
    let Answer { results, failure } = answer?;
    output::print(&results.iter().map(|result| format!("{result}\n")).collect::<String>())?;
    failure.map_or(Ok(()), Err)
}

/// What a function has answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The values, in WAVE.
    pub(crate) results: Vec<String>,
    /// That the first of them is an `err`.
    pub(crate) failure: Option<Failure>,
}

/// Calls a function of a Planet (plugin) that runs.
pub(crate) async fn invoke(primary: &Primary, text: &str, hints: &Hints) -> Result<Answer, Failure> {
    let invocation = Invocation::parse(text)?;
    // As it is before a crash changes it.
    let graph = primary.graph();
    let function = match primary.function(invocation.path, invocation.function) {
        Ok(function) => function,
        Err(error) => {
            let message = error.to_string();
            let not_running = graph.planets.iter().filter(|node| node.state != State::Running);
            let mut notes = String::new();
            for node in not_running.filter(|node| !message.contains(&format!("planet `{}`", node.name))) {
                let reason = node.reason.as_deref().unwrap_or_default();
                notes += &format!("\n  note: planet `{}` is {}: {reason}", node.name, node.state);
            }
            notes += &lines(&hints.notes_on_idle(&graph));
            return Err(Failure::failed(message + &notes));
        }
    };
    let arguments = invocation.arguments(&function)?;
    let answer = function.call(&arguments).await;
    let missing = || lines(&hints.notes(reached_from(function.planet(), &graph)));
    let values = answer.map_err(|error| Failure::Failed(format!("{error}{}", missing())))?;
    let results = values.iter().map(wave::to_string).collect::<Result<_, _>>().map_err(Failure::failed)?;
    let failure = match values.first() {
        Some(Val::Result(Err(_))) => {
            Some(Failure::Failed(format!("`{}` returned an error{}", invocation.function, missing())))
        }
        _ => None,
    };
    Ok(Answer { results, failure })
}

/// Notes below an error.
fn lines(notes: &[String]) -> String {
    notes.iter().map(|note| format!("\n  {note}")).collect()
}
