//! What new projects of Kokoro start from: templates, and how a project is made of one.
//!
//! The templates are folders in the form that [`cargo generate`](https://cargo-generate.github.io/cargo-generate/) reads, so that both
//! that and `kokoro new` make the same files of them. This crate has them inside, and expands them as `cargo generate` does:
//! every file is a [Liquid](https://shopify.github.io/liquid/) template, the ending `.liquid` is taken off, and what configures
//! `cargo generate` is left out.
//!
//! ```
//! use std::path::Path;
//!
//! use kokoro_templates::{Kind, Project};
//!
//! let files = Project { name: "hello", kokoro: None }.files(Kind::Planet)?;
//! let manifest = std::str::from_utf8(&files[Path::new("Cargo.toml")])?;
//! assert!(manifest.contains("name = \"hello\""));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod kind;
mod project;

pub use kind::{Kind, UnknownKind};
pub use project::{Files, Project, TemplateError};
