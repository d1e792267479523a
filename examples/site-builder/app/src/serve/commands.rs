//! The commands that Planets (plugins) add, as their manifests tell of them: before any code runs.

use kokoro_host::Manifest;
use serde::Deserialize;

/// The interface by which they are run.
const INTERFACE: &str = "site:build/command";
/// How many of one Planet are shown, and how much of each text, in characters.
const MOST: usize = 20;
const TEXT: usize = 200;

/// One command, in the words of a stranger.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Command {
    pub(crate) id: String,
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) about: String,
    /// What it asks for, if it asks for something.
    #[serde(default)]
    pub(crate) input: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct App {
    #[serde(default)]
    commands: Vec<Command>,
}

/// The commands of one Planet.
///
/// # Errors
///
/// If its `app` has not the form that `wit/build.wit` gives; the message says where.
pub(crate) fn of(manifest: &Manifest) -> Result<Vec<Command>, String> {
    if !manifest.provides.iter().any(|export| export.path() == INTERFACE) || manifest.app.is_null() {
        return Ok(Vec::new());
    }
    let app = App::deserialize(&manifest.app).map_err(|error| format!("its commands cannot be understood: {error}"))?;
    let shortened = |text: String| text.chars().take(TEXT).collect();
    let commands = app.commands.into_iter().filter(|command| is_id(&command.id)).take(MOST);
    Ok(commands
        .map(|command| Command {
            title: shortened(command.title),
            about: shortened(command.about),
            input: command.input.map(shortened),
            ..command
        })
        .collect())
}

/// Ids stand in addresses.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}
