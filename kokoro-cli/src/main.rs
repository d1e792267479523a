//! `kokoro`: the tool of plugin authors, and of anyone who has a folder of components.
//!
//! ```text
//! kokoro new planet hello && cd hello
//! kokoro build
//! kokoro call target/planets 'example:app/greeting.greet("Ada")'
//! ```
//!
//! [The guide](https://github.com/BERADQ/kokoro-rs/blob/main/docs/guide/src/commands.md) has every command. What it knows of Planets (plugins) it
//! knows from `kokoro-host`; each module here is a command, or what several of them share.

mod adopt;
mod build;
mod call;
mod check;
mod completions;
mod definitions;
mod failure;
mod graph;
mod hints;
mod inspect;
mod invocation;
mod mismatch;
mod new;
mod output;
mod permissions;
mod place;
mod run;
mod setup;
mod syntax;
mod test;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ColorChoice, Parser, Subcommand};
use clap_complete::Shell;
use tracing_subscriber::filter::{EnvFilter, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::adopt::Adopt;
use crate::build::Build;
use crate::check::Check;
use crate::hints::Hints;
use crate::new::New;
use crate::run::{Console, Run};
use crate::setup::Setup;
use crate::test::Test;

/// Looks at Planets (plugins) and calls them. A Planet is a WebAssembly component; nothing is granted to any of them
/// unless you say so.
#[derive(Debug, Parser)]
#[command(name = "kokoro", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done; 1 what was asked for failed; 2 the command line or the input cannot be understood.\n\
                        RUST_LOG=info shows what Planets log; `run` shows it anyway."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// When the output has colours
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, global = true)]
    color: ColorChoice,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a project to start from: a Planet (plugin), one with a native program, an application, its interfaces
    ///
    /// What is left out is asked for, if there is a terminal.
    New(New),
    /// Shows what a component is, needs, offers and asks to be allowed; runs nothing
    Inspect {
        /// The component
        file: PathBuf,
        /// As JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Loads and starts the Planets (plugins) of a folder, and shows who runs, who waits and why
    Graph {
        /// The folder
        dir: PathBuf,
        /// The form of the output
        #[arg(long, value_enum, default_value_t)]
        format: graph::Format,
        /// Explains one Planet instead: who serves each of its imports, who else could, and why not
        #[arg(long, value_name = "PLANET")]
        explain: Option<String>,
        #[command(flatten)]
        setup: Setup,
    },
    /// Loads and starts the Planets (plugins) of a folder, and calls a function of one
    ///
    /// The values are in WAVE, the text form of the component model: "text", 1, true, [1, 2], {field: "x"}, some(1),
    /// ok("x"), case(1). The answer goes to standard output in the same form.
    Call {
        /// The folder
        dir: PathBuf,
        /// What to call: 'acme:geo/locate.find("Paris")', or for a function in no interface 'PLANET.find("Paris")'
        invocation: String,
        #[command(flatten)]
        setup: Setup,
    },
    /// Runs the Planets (plugins) of a folder until Ctrl-C, and shows what happens to them
    ///
    /// Each line on standard input is a call, as for `kokoro call`; its answer is printed. `help` shows what else a line can be.
    /// Ctrl-C, TERM, or HUP when the terminal is closed (not under `nohup`), stops all planets, dependents first; a second one ends
    /// at once. In the background it needs another standard input: `kokoro run DIR </dev/null &`.
    Run(Run),
    /// Writes or changes the manifest of a finished component, from whatever toolchain; runs nothing
    ///
    /// A component that has never heard of Kokoro is a planet (plugin) as it is: what it imports is required, and its name is its
    /// file's. Its manifest can say more: which imports are optional, what it asks to be allowed, which satellites (native child
    /// processes) it would like to have. What is said is added to the manifest that it has. What the host would not take is not written.
    ///
    /// How does it find out whether an optional interface is provided? It imports `kokoro:core/dependencies@0.1.0` (its WIT is in the
    /// crate kokoro-wit) and calls `is-bound("acme:log/sink@1.2.0")`: after a `true` the provider stays until the exported call that
    /// asked has ended. To call one that is absent is an `err`, if the function returns `result<_, string>` or kokoro:core's
    /// failure; with any other type it ends the planet's instance, which is started anew.
    Adopt(Adopt),
    /// Builds the Planets (plugins) of a cargo workspace, and puts the components into one folder
    ///
    /// A planet is a library package with `crate-type = ["cdylib"]` that depends on `kokoro-guest` or has [package.metadata.kokoro] in
    /// its Cargo.toml. They are compiled for wasm32-wasip2, and put there without debug information, under their packages' names. A
    /// package with `satellite-of = "PLANET"` below [package.metadata.kokoro] is compiled for this machine, and put beside that planet.
    ///
    /// RUSTFLAGS and all else that cargo listens to hold for planets as well: flags that are meant for this machine alone belong below
    /// [target.'cfg(not(target_family = "wasm"))'] in .cargo/config.toml. (A planet that a test builds by itself, without
    /// `kokoro test`, is built without RUSTFLAGS.)
    Build(Build),
    /// Builds the Planets (plugins) of a cargo workspace, and runs `cargo test` with them
    ///
    /// The tests find them where the variable KOKORO_PLANETS says. With --package, the tests are those of these planets and of their
    /// satellites; others are run with `kokoro test -- --package OTHER`.
    Test(Test),
    /// Prints what has a shell complete commands and options
    ///
    /// For bash: kokoro completions bash > ~/.local/share/bash-completion/completions/kokoro
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Finds out whether the planets (plugins) of a folder would start there, or what a changed interface breaks; runs nothing
    ///
    /// Of a folder: whether each component can be loaded, its manifest agrees with it, its dependencies are there with the same
    /// types, and its satellites' programs can run here. It acts as if each satellite were granted. Nothing is compiled, so that a
    /// planet which would fail in its own code is not found. Exit code 1 if one would not start, or
    /// cannot be called by the application of `--served-by`.
    ///
    /// With `--since`: what a new version of a WIT package does to planets of the old one. That differs by direction: a new
    /// function is harmless where the application provides the interface, and breaks where planets implement it. A world tells which is
    /// which: it imports what the application provides, and exports what planets implement. Exit code 1 if an interface breaks who was
    /// built for the old one and its version does not say so, by another semver track (2.0.0 after 1.x, 0.3.0 after 0.2.x).
    Check(Check),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    output::choose_colours(cli.color);
    let default = if let Command::Run(_) = cli.command { run::LOG } else { "error" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let console = Console::default();
    let log = tracing_subscriber::fmt::layer()
        .with_writer(console.clone())
        .with_ansi(output::colours(&io::stderr()))
        .without_time()
        .with_filter(filter);
    let hints = Hints::default();
    let refusals = filter_fn(Hints::is_refusal).with_max_level_hint(LevelFilter::WARN);
    tracing_subscriber::registry().with(log).with(hints.clone().with_filter(refusals)).init();
    let done = match cli.command {
        Command::New(new) => new.run(),
        Command::Inspect { file, json } => inspect::inspect(&file, json),
        Command::Graph { dir, format, explain, setup } => {
            graph::graph(&dir, format, explain.as_deref(), &setup, &hints).await
        }
        Command::Call { dir, invocation, setup } => call::call(&dir, &invocation, &setup, &hints).await,
        Command::Run(run) => run.run(&hints, &console).await,
        Command::Adopt(adopt) => adopt.run(),
        Command::Build(build) => build.run(),
        Command::Test(test) => test.run(),
        Command::Completions { shell } => completions::completions(shell),
        Command::Check(check) => check.run().await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Where nobody reads the errors, the exit code has to do.
            let _ = writeln!(io::stderr().lock(), "error: {failure}");
            failure.exit_code()
        }
    }
}
