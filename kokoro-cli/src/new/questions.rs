//! Asking at a terminal for what the command line does not say.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::process;

use dialoguer::console::Term;
use dialoguer::{Input, MultiSelect, Select};
use kokoro_templates::Kind;
use tokio::signal::ctrl_c;

use super::name;
use crate::failure::Failure;

/// Whether there is somebody to be asked.
pub(super) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// What a shell sees of a command that Ctrl-C has ended.
const INTERRUPTED: i32 = 130;

/// Has Ctrl-C end the command from now on with the cursor back, which a list of choices hides.
pub(super) fn mind_ctrl_c() {
    tokio::spawn(async {
        if ctrl_c().await.is_ok() {
            leave();
        }
    });
}

fn leave() -> ! {
    // Where that cannot be written, nobody sees the cursor.
    let _ = Term::stderr().show_cursor();
    process::exit(INTERRUPTED);
}

pub(super) fn kind() -> Result<Kind, Failure> {
    let kinds = Kind::ALL.map(|kind| format!("{kind}: {}", kind.about()));
    let chosen = Select::new().with_prompt("What is to be made").items(kinds).default(0).interact();
    Ok(Kind::ALL[chosen.map_err(unanswered)?])
}

pub(super) fn name() -> Result<String, Failure> {
    let valid = |name: &String| name::check(name).map_err(|failure| failure.to_string());
    Input::new().with_prompt("Its name").validate_with(valid).interact_text().map_err(unanswered)
}

/// The folder with the application's WIT, if there is one.
pub(super) fn wit() -> Result<Option<PathBuf>, Failure> {
    let prompt = "The folder with the application's WIT, or nothing for an example";
    let answer: String = Input::new().with_prompt(prompt).allow_empty(true).interact_text().map_err(unanswered)?;
    Ok((!answer.is_empty()).then(|| answer.into()))
}

/// Which of the interfaces, by their places in the list.
pub(super) fn exports(names: &[&str], suggested: &[bool]) -> Result<Vec<usize>, Failure> {
    let chosen = MultiSelect::new()
        .with_prompt("Which interfaces does it export (space selects, enter goes on)")
        .items_checked(names.iter().copied().zip(suggested.iter().copied()))
        .interact();
    chosen.map_err(unanswered)
}

fn unanswered(error: dialoguer::Error) -> Failure {
    let dialoguer::Error::IO(cause) = &error;
    if cause.kind() == io::ErrorKind::Interrupted {
        leave();
    }
    Failure::failed(format!("no answer could be read: {error}"))
}
