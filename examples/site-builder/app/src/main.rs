//! Makes a website of a folder of Markdown.
//!
//! The application itself knows files and folders and nothing of Markdown or HTML: all that makes pages of texts are
//! Planets (plugins), found in a folder. What they need to know about the site they ask through an interface that the
//! application serves (`served.rs`).

mod address;
mod builder;
mod output;
mod report;
mod served;
mod site;

/// The interfaces between the application and its Planets (plugins).
mod bindings {
    kokoro_host::bindings!({
        path: "../wit",
        interfaces: ["site:build/page@0.1.0"],
        serves: ["site:build/pages@0.1.0"],
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
}

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Build(build) = CommandLine::parse().command;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .log_internal_errors(false)
        .without_time()
        .init();
    match builder::build(&build).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            output::complain(format_args!("error: {error:#}"));
            if error.is::<builder::Misuse>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}
