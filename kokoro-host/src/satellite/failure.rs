//! Why a Satellite gave no answer.
#![cfg_attr(not(unix), allow(dead_code, reason = "where there are no Satellites there is but one reason"))]

use std::fmt;
use std::sync::Arc;

/// Which Satellite of which Planet, as it stands in sentences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Whose {
    pub(super) planet: Arc<str>,
    pub(super) program: Arc<str>,
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "satellite `{}` of planet `{}`", self.program, self.planet)
    }
}

/// A call that got no answer from a Satellite, or a start that failed: a sentence, and what belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(super) kind: Kind,
    pub(super) sentence: String,
    /// One line each, shown below the sentence.
    pub(super) details: Vec<String>,
    pub(super) stderr: Vec<String>,
}

/// What may be made of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It ended, or broke the protocol, or failed in the function.
    Crashed,
    /// It took too long.
    Overdue,
    /// The application took the call back.
    Cancelled,
    /// There is none, and a second attempt would not change that at once.
    Absent,
    /// A limit was in the way.
    Limited,
}

impl Failure {
    pub(super) fn new(kind: Kind, sentence: impl Into<String>) -> Self {
        Self { kind, sentence: sentence.into(), details: Vec::new(), stderr: Vec::new() }
    }

    pub(super) fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    /// The name of the failure's kind in `kokoro:core/types`.
    pub(crate) fn kind(&self) -> &'static str {
        match self.kind {
            Kind::Crashed => "crashed",
            Kind::Overdue => "overdue",
            Kind::Cancelled => "cancelled",
            Kind::Absent => "absent",
            Kind::Limited => "limited",
        }
    }

    /// One that nothing has led to.
    #[cfg(test)]
    pub(crate) fn for_tests(sentence: &str, details: &[&str], stderr: &[&str]) -> Self {
        let lines = |of: &[&str]| of.iter().map(|line| (*line).to_owned()).collect();
        Self { details: lines(details), stderr: lines(stderr), ..Self::new(Kind::Crashed, sentence) }
    }

    /// What happened as one sentence, without details and output.
    pub(crate) fn sentence(&self) -> &str {
        &self.sentence
    }

    /// What belongs to the sentence, one line each: what differs, what helps.
    pub(crate) fn details(&self) -> &[String] {
        &self.details
    }

    /// The last lines that it wrote to standard error before it ended.
    pub(crate) fn stderr(&self) -> &[String] {
        &self.stderr
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)?;
        for line in &self.details {
            write!(f, "\n  {line}")?;
        }
        if !self.stderr.is_empty() {
            f.write_str("\n  last lines of its standard error:")?;
            for line in &self.stderr {
                write!(f, "\n    {line}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
