//! What calls wait for that have not their turn, or not yet a process.

use std::sync::Arc;

use super::failure::{Failure, Kind};
use super::progress::Progress;
use super::seat::{Satellite, Shared, lock};
use super::span;

/// What whoever has the turn waits for, beside an answer.
#[derive(Debug, Clone, Default)]
pub(super) enum Doing {
    #[default]
    Nothing,
    /// That it may be started anew, after that.
    Pauses(Option<Arc<str>>),
    /// That it has started; anew, after that.
    Starts(Option<Arc<str>>),
}

/// Says what whoever has the turn waits for, until it is dropped.
pub(super) struct Does<'a>(&'a Shared);

impl Satellite {
    /// The failure of a call that was given up: its deadline has passed, or it was `cancelled`.
    pub(crate) fn late(&self, function: &str, cancelled: bool, progress: &Progress) -> Failure {
        let whose = &self.shared.whose;
        let sentence = match (progress.executed().map(span), cancelled) {
            (Some(after), false) => format!("{whose} was late: `{function}` did not answer within {after}"),
            (Some(after), true) => {
                format!("the call of `{function}` was cancelled, which {whose} had not answered after {after}")
            }
            (None, true) => format!("the call of `{function}` was cancelled before {whose} began to answer it"),
            (None, false) => match self.shared.doing() {
                Doing::Nothing => format!("the deadline passed before {whose} was free to answer `{function}`"),
                Doing::Pauses(before) => {
                    format!(
                        "the deadline passed before {whose} was started anew to answer `{function}`{}",
                        after(before)
                    )
                }
                Doing::Starts(before) => {
                    let anew = if before.is_some() { " anew" } else { "" };
                    format!(
                        "the deadline passed while {whose} was started{anew} to answer `{function}`{}",
                        after(before)
                    )
                }
            },
        };
        Failure::new(if cancelled { Kind::Cancelled } else { Kind::Overdue }, sentence)
    }

    /// The failure of a start that took too long.
    pub(crate) fn late_to_start(&self) -> Failure {
        let whose = &self.shared.whose;
        let sentence = match self.shared.doing() {
            Doing::Nothing => format!("the deadline passed before {whose} was free to be started"),
            Doing::Pauses(before) => format!("the deadline passed before {whose} was started anew{}", after(before)),
            Doing::Starts(before) => format!("the deadline passed while {whose} was started{}", after(before)),
        };
        Failure::new(Kind::Overdue, sentence)
    }
}

impl Shared {
    /// Says what whoever has the turn waits for.
    pub(super) fn does(&self, doing: Doing) -> Does<'_> {
        *lock(&self.doing) = doing;
        Does(self)
    }

    fn doing(&self) -> Doing {
        lock(&self.doing).clone()
    }
}

impl Drop for Does<'_> {
    fn drop(&mut self) {
        *lock(&self.0.doing) = Doing::Nothing;
    }
}

/// Why there was no process, as the end of a sentence.
fn after(before: Option<Arc<str>>) -> String {
    before.map(|before| format!("; before that: {before}")).unwrap_or_default()
}
