//! `kokoro check`

mod core;
mod folder;
mod since;
mod wit;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use self::since::Comparison;
use self::wit::{Direction, Sides, Wit};
use crate::failure::Failure;
use crate::output;

/// The options of `kokoro check`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["dir", "since"]))]
pub(crate) struct Check {
    /// The folder
    dir: Option<PathBuf>,
    /// The WIT of the application: acts as if it served what its worlds import, and called what they export
    ///
    /// It is the world `plugin` if there is one, else all of them. Where there is no world, all interfaces of the package count.
    #[arg(long, value_name = "WIT_DIR", conflicts_with = "since")]
    served_by: Option<PathBuf>,
    /// Instead of a folder: what a new version of a WIT package breaks for who was built for the old one
    #[arg(long, num_args = 2, value_names = ["OLD_WIT", "NEW_WIT"])]
    since: Vec<PathBuf>,
    /// The one world that counts
    #[arg(long)]
    world: Option<String>,
    /// With --since: the application provides the interfaces that are in no world
    #[arg(long, requires = "since")]
    provided: bool,
    /// With --since: plugins implement the interfaces that are in no world
    #[arg(long, requires = "since")]
    implemented: bool,
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        match (&self.dir, &self.since[..]) {
            (Some(dir), _) => self.folder(dir).await,
            (None, [old, new]) => {
                let (old, new) = (self.wit(old)?, self.wit(new)?);
                self.since(&old, &new)
            }
            _ => Err(Failure::input("say which folder, or `--since OLD_WIT NEW_WIT`")),
        }
    }

    async fn folder(&self, dir: &Path) -> Result<(), Failure> {
        // clap's `requires` is content if another one of the group is there, as `dir` is here.
        if self.provided || self.implemented {
            return Err(Failure::input(
                "`--provided` and `--implemented` say who provides the interfaces that are compared\n  help: they go with `--since OLD_WIT NEW_WIT`",
            ));
        }
        if self.world.is_some() && self.served_by.is_none() {
            return Err(Failure::input(
                "`--world` is a world of a WIT package, and none was given\n  help: it goes with `--served-by WIT_DIR` or `--since OLD_WIT NEW_WIT`",
            ));
        }
        let application = match &self.served_by {
            Some(path) => self.wit(path)?.application()?,
            None => Sides::default(),
        };
        let checked = folder::Folder::check(dir, application).await?;
        match self.json {
            true => print_json(&checked.as_value())?,
            false => output::print(&checked.as_text(output::colours(&io::stdout())))?,
        }
        match checked.problem() {
            None => Ok(()),
            Some(problem) => Err(Failure::failed(problem)),
        }
    }

    fn wit(&self, path: &Path) -> Result<Wit, Failure> {
        let mut without_world = Vec::new();
        if self.provided {
            without_world.push(Direction::Provided);
        }
        if self.implemented {
            without_world.push(Direction::Implemented);
        }
        Wit::load(path, self.world.as_deref(), &without_world)
    }

    fn since(&self, old: &Wit, new: &Wit) -> Result<(), Failure> {
        let comparison = Comparison::of(old, new)?;
        match self.json {
            true => print_json(&comparison.as_value())?,
            false => output::print(&comparison.as_text(output::colours(&io::stdout())))?,
        }
        if comparison.interfaces.is_empty() {
            // Where nobody reads it, the answer is empty all the same.
            let _ = writeln!(
                io::stderr().lock(),
                "note: there is no interface to compare\n  help: a world says who provides what, else `--provided` and `--implemented` do"
            );
        }
        match comparison.undeclared() {
            0 => Ok(()),
            1 => Err(Failure::failed(
                "1 interface breaks who was built for the old version, and its version does not say so",
            )),
            count => Err(Failure::failed(format!(
                "{count} interfaces break who was built for the old version, and their version does not say so"
            ))),
        }
    }
}

fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    output::print(&(serde_json::to_string_pretty(value).map_err(Failure::failed)? + "\n"))
}

/// How a verdict is shown: green or red, if there are colours.
fn paint(text: &str, is_good: bool, coloured: bool) -> String {
    match (coloured, is_good) {
        (true, true) => format!("\u{1b}[32m{text}\u{1b}[0m"),
        (true, false) => format!("\u{1b}[31m{text}\u{1b}[0m"),
        (false, _) => text.to_owned(),
    }
}
