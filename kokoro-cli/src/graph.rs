//! `kokoro graph`

use std::io::{self, Write as _};
use std::path::Path;

use clap::ValueEnum;

use crate::failure::Failure;
use crate::hints::Hints;
use crate::output;
use crate::setup::Setup;

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

pub(crate) async fn graph(
    dir: &Path,
    format: Format,
    explain: Option<&str>,
    setup: &Setup,
    hints: &Hints,
) -> Result<(), Failure> {
    if explain.is_some() && !matches!(format, Format::Text | Format::Json) {
        return Err(Failure::input("what `--explain` tells has only the formats `text` and `json`"));
    }
    let (primary, report) = setup.load(dir, hints).await?;
    let graph = primary.graph();
    let explanation = explain.map(|name| primary.explain(name).map_err(Failure::failed)).transpose()?;
    let text = match (explanation, format) {
        (Some(explanation), Format::Json) => {
            serde_json::to_string_pretty(&explanation).map_err(Failure::failed)? + "\n"
        }
        (Some(explanation), _) => format!("{explanation}\n"),
        (None, Format::Json) => serde_json::to_string_pretty(&graph).map_err(Failure::failed)? + "\n",
        (None, Format::Mermaid) => graph.to_mermaid(),
        (None, Format::Svg) => graph.to_svg(),
        (None, Format::Text) if report.planets.is_empty() => {
            format!("there is no planet in {} (no file `*.wasm`)\n", dir.display())
        }
        (None, Format::Text) => graph.to_string(),
    };
    primary.shutdown().await;
    output::print(&text)?;
    for note in hints.notes_on_idle(&graph) {
        // Where nobody reads the notes, what was asked for is there all the same.
        let _ = writeln!(io::stderr().lock(), "{note}");
    }
    Ok(())
}
