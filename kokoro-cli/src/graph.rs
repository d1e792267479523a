//! `kokoro graph`

use std::path::Path;

use clap::ValueEnum;

use crate::failure::Failure;
use crate::output;

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs; the form is stable
    Json,
}

pub(crate) async fn graph(dir: &Path, format: Format) -> Result<(), Failure> {
    let (primary, report) = crate::load(dir).await?;
    let graph = primary.graph();
    let text = match format {
        Format::Json => serde_json::to_string_pretty(&graph).map_err(Failure::failed)? + "\n",
        Format::Text if report.planets.is_empty() => {
            format!("there is no planet in {} (no file `*.wasm`)\n", dir.display())
        }
        Format::Text => graph.to_string(),
    };
    primary.shutdown().await;
    output::print(&text)
}
