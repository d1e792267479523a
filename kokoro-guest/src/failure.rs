//! What a caller gets instead of an answer.

use std::fmt;

pub use crate::rt::core::kokoro::core::types::{Failure, FailureKind};

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
