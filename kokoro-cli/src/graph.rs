//! `kokoro graph`

use std::path::Path;

use clap::ValueEnum;

use crate::failure::Failure;

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
    match format {
        Format::Json => {
            println!("{}", serde_json::to_string_pretty(&graph).map_err(Failure::failed)?);
        }
        Format::Text if report.planets.is_empty() => {
            println!("there is no planet in {} (no file `*.wasm`)", dir.display());
        }
        Format::Text => print!("{graph}"),
    }
    primary.shutdown().await;
    Ok(())
}
