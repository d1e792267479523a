//! `kokoro graph`

use std::io::{self, Write as _};
use std::path::Path;

use clap::ValueEnum;
use kokoro_host::State;

use crate::failure::Failure;
use crate::hints::Hints;
use crate::output;
use crate::permissions::Allowed;

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs; the form is stable
    Json,
    /// A flowchart, for Markdown that shows such
    Mermaid,
    /// A picture
    Svg,
}

pub(crate) async fn graph(dir: &Path, format: Format, allowed: &Allowed, hints: &Hints) -> Result<(), Failure> {
    let (primary, report) = crate::load(dir, allowed, hints).await?;
    let graph = primary.graph();
    let text = match format {
        Format::Json => serde_json::to_string_pretty(&graph).map_err(Failure::failed)? + "\n",
        Format::Mermaid => graph.to_mermaid(),
        Format::Svg => graph.to_svg(),
        Format::Text if report.planets.is_empty() => {
            format!("there is no planet in {} (no file `*.wasm`)\n", dir.display())
        }
        Format::Text => graph.to_string(),
    };
    primary.shutdown().await;
    output::print(&text)?;
    let failed = graph.planets.iter().filter(|node| node.state == State::Failed);
    for note in hints.notes(failed.map(|node| node.name.as_str())) {
        // Where nobody reads the notes, what was asked for is there all the same.
        let _ = writeln!(io::stderr().lock(), "{note}");
    }
    Ok(())
}
