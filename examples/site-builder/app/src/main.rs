//! Makes a website of a folder of Markdown.
//!
//! The application itself knows files and folders and nothing of Markdown or HTML: all that makes pages of texts are
//! Planets (plugins), found in a folder. What they need to know about the site they ask through an interface that the
//! application serves (`served.rs`).

mod address;
mod admission;
mod builder;
mod make;
mod output;
mod programs;
mod report;
mod serve;
mod served;
mod site;
mod written;

/// The interfaces between the application and its Planets (plugins).
mod bindings {
    kokoro_host::bindings!({
        path: "../wit",
        interfaces: ["site:build/page@0.1.0", "site:build/command@0.1.0"],
        serves: ["site:build/pages@0.1.0", "site:build/files@0.1.0"],
    });
}

use clap::{Args, Parser, Subcommand};
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

#[derive(Debug, Parser)]
#[command(version, about = "Makes a website of a folder of Markdown")]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a page of each Markdown file and copies all others
    ///
    /// Hidden files and folders and those called `target` and `node_modules` are left out. RUST_LOG says how much the
    /// Planets (plugins) may say, for instance `info`.
    Build(Build),
    /// Serves several sites to browsers, and lets people there decide about their Planets (plugins)
    ///
    /// Pages are made when they are asked for. Plugins can be uploaded, allowed what they ask for, replaced while readers come, and
    /// removed; their commands can be run and cancelled. Ctrl-C ends it.
    Serve(serve::Serve),
}

#[derive(Debug, Args)]
struct Build {
    /// The folder with the Planets (plugins) that make the pages
    #[arg(long, value_name = "DIR")]
    planets: PathBuf,
    /// The folder with the Markdown
    #[arg(long, value_name = "DIR")]
    input: PathBuf,
    /// The folder for the pages; it is made if it is not there
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// What the site is called, if not like its first page
    #[arg(long)]
    title: Option<String>,
    /// Also print which Planet (plugin) serves whom
    #[arg(long)]
    graph: bool,
    /// Let the Planet (plugin) of this name run the native programs (Satellites) that it asks for; can be repeated
    ///
    /// They are not confined: they can do what you can do. Without this option no Planet runs any.
    #[arg(long, value_name = "PLANET")]
    allow_satellite: Vec<String>,
    /// Ask about each Planet (plugin) that is not known yet whether to load it
    ///
    /// The question goes to standard error, and the answer comes from standard input, a line for each. Answers are
    /// remembered by SHA-256, for native programs as well: there is no second question, and a file that changes is refused without one. Without
    /// this option, all Planets of the folder are loaded.
    #[arg(long)]
    ask: bool,
    /// Where the answers are kept [default: .site-builder/plugins.json in your home folder]
    ///
    /// Who can write to this file decides which Planets (plugins) are loaded, so it does not come with a site that
    /// somebody else made. It cannot be in the folder for the pages, where Planets have files written; among the Markdown
    /// it would be copied like all other files.
    #[arg(long, value_name = "FILE", requires = "ask")]
    answers: Option<PathBuf>,
    /// Ask about the Planet (plugin) in this file of the folder (`page.wasm`) even if there is an answer; can be repeated
    #[arg(long, value_name = "NAME", requires = "ask")]
    ask_again: Vec<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let command = CommandLine::parse().command;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .log_internal_errors(false)
        .without_time()
        .init();
    let done = match &command {
        Command::Build(build) => builder::build(build).await,
        Command::Serve(serve) => serve::serve(serve).await,
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            output::complain(format_args!("error: {error:#}"));
            if error.is::<builder::Misuse>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}
