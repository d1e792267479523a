//! What a call can fail with, in the words of `kokoro:core`.

use crate::Cancelled;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
use std::fmt;

pub use crate::rt::core::kokoro::core::types::{Failure, FailureKind};

impl From<Cancelled> for Failure {
    fn from(cancelled: Cancelled) -> Self {
        Self { kind: FailureKind::Cancelled, message: cancelled.to_string(), chain: Vec::new() }
    }
}
