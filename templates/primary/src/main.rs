//! An application with Planets (plugins): it loads those that it knows, and lets one greet.

use std::error::Error;
use std::fs;
use std::io;
use std::process::ExitCode;

use kokoro_host::{Admission, Candidate, Primary};

kokoro_host::bindings!({ interfaces: ["example:app/greeting@0.1.0"] });

/// Has the SHA-256 of each plugin that may load.
const KNOWN: &str = "plugins.sha256";

#[tokio::main]
async fn main() -> ExitCode {
    // What Planets print and log.
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let known = fs::read_to_string(KNOWN).map_err(|error| format!("{KNOWN}: {error}"))?;
    let primary = Primary::builder()
        .admit(move |plugin| admission(&plugin, &known))
        .build()?;
    println!("{}", primary.load_dir("plugins").await?);

    let greeting = primary.get::<greeting::Greeting>()?;
    // First Kokoro's failure, then what the interface itself has for one.
    println!("{}", greeting.greet("Ada").await??);
    primary.shutdown().await;
    Ok(())
}

/// Lets in whom the list knows, and grants nothing: no files, no network, no environment.
/// `Admission::granted` would.
fn admission(plugin: &Candidate, known: &str) -> Admission {
    let hash = plugin.sha256();
    let mut lines = known.lines();
    if lines.any(|line| line.split_whitespace().next() == Some(hash)) {
        Admission::admitted()
    } else {
        Admission::refused(format!("{KNOWN} has no line that begins with {hash}"))
    }
}

#[cfg(test)]
mod tests {
    use kokoro_host::{Node, State};

    use super::*;

    /// The smallest component: it imports, exports and does nothing.
    const NOTHING: &[u8] = b"\0asm\x0d\0\x01\0";

    async fn load(known: String) -> Node {
        let builder = Primary::builder().admit(move |plugin| admission(&plugin, &known));
        let primary = builder.build().unwrap();
        let mut report = primary.load_bytes("nothing", NOTHING).await.unwrap();
        report.planets.remove(0)
    }

    #[tokio::test]
    async fn a_plugin_runs_only_if_the_list_knows_it() {
        let stranger = load("# nobody\n".to_owned()).await;
        assert_eq!(stranger.state, State::Refused);

        let hash = stranger.sha256.unwrap();
        let acquaintance = load(format!("# nobody else\n{hash}  nothing.wasm\n")).await;
        assert_eq!(acquaintance.state, State::Running);
    }
}
