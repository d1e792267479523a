//! Sends lines through Planets (plugins). Nothing in it is async: it waits for each call, as programs for the terminal do.

use std::io::{self, BufRead as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow};
use clap::Parser;
use kokoro_host::{Primary, blocking};

use crate::filter::Filter;

kokoro_host::bindings!({ path: "../wit", interfaces: ["text:filter/filter@0.1.0"] });

/// Sends standard input through filters, line by line. Each filter is a Planet (plugin)
#[derive(Debug, Parser)]
struct Arguments {
    /// The folder that has the plugins
    plugins: PathBuf,
    /// The filters that each line goes through, in this order [default: none, but all are listed]
    filters: Vec<String>,
}

fn main() -> ExitCode {
    run(&Arguments::parse()).unwrap_or_else(|error| {
        eprintln!("terminal: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(arguments: &Arguments) -> Result<ExitCode> {
    let primary = Primary::builder().build_blocking()?;
    let report = primary.load_dir(&arguments.plugins)?;
    for plugin in report.not_running() {
        let reason = plugin.details.as_deref().unwrap_or_default();
        eprintln!("terminal: {}: {}: {reason}", plugin.name, plugin.state);
    }
    let code = match arguments.filters.as_slice() {
        [] => list(&primary)?,
        names => filter_lines(&primary, names)?,
    };
    primary.shutdown()?;
    Ok(code)
}

/// Lists the filters that there are.
fn list(primary: &blocking::Primary) -> Result<ExitCode> {
    for (name, filter) in filters(primary) {
        writeln!(io::stdout(), "{name:10} {}", primary.wait(filter.about())?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads lines until there are no more. One that a filter cannot make anything of is told, and left out.
fn filter_lines(primary: &blocking::Primary, names: &[String]) -> Result<ExitCode> {
    let all: Vec<_> = filters(primary).collect();
    let chosen = names.iter().map(|wanted| {
        let found = all.iter().find(|(name, _)| name == wanted);
        found.with_context(|| format!("there is no filter `{wanted}`\n  help: without a filter's name, all are listed"))
    });
    let chosen = chosen.collect::<Result<Vec<_>>>()?;
    let mut code = ExitCode::SUCCESS;
    for (number, line) in io::stdin().lock().lines().enumerate() {
        let mut through = chosen.iter();
        let result = through.try_fold(line?, |text, (name, filter)| {
            // Outside is that the plugin did not answer, inside what it answered.
            let answer = primary.wait(filter.apply(&text))?;
            answer.map_err(|why| anyhow!("{name}: {why}"))
        });
        match result {
            Ok(text) => writeln!(io::stdout(), "{text}")?,
            Err(error) => {
                eprintln!("terminal: line {}: {error}", number + 1);
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

/// Every plugin that is a filter, with its name.
fn filters(primary: &blocking::Primary) -> impl Iterator<Item = (String, Filter)> {
    primary.all::<Filter>().into_iter().filter_map(|filter| Some((filter.planet()?, filter)))
}
