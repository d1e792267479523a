//! What is said of the functions of a fake, and what they were asked.

use std::collections::VecDeque;
use std::panic::Location;
use std::sync::{Arc, Mutex};

use kokoro_host::Val;
use kokoro_host::dynamic::FunctionType;
use kokoro_host::types::Function;

use super::Live;
use crate::text;

/// What is said of one function, and what it was asked.
#[derive(Default)]
pub(super) struct Script {
    pub(super) reply: Option<Reply>,
    pub(super) expected: VecDeque<Expected>,
    /// Whether nothing may be asked that is not expected.
    pub(super) is_strict: bool,
    pub(super) asked: Vec<Asked>,
}

pub(super) type Closure = Arc<Mutex<dyn FnMut(&FunctionType, &[Val]) -> Result<Option<Val>, String> + Send>>;

#[derive(Clone)]
pub(super) struct Reply {
    pub(super) closure: Closure,
    pub(super) fits: fn(&Function) -> bool,
    /// What messages call it.
    pub(super) wit: String,
    pub(super) place: &'static Location<'static>,
}

pub(super) struct Expected {
    pub(super) arguments: Wanted,
    pub(super) place: &'static Location<'static>,
}

pub(super) enum Wanted {
    Values { values: Vec<Val>, fits: fn(&Function) -> bool, wit: String },
    Wave(String),
}

/// A call of a fake's.
#[derive(Clone)]
pub(crate) struct Asked {
    /// Calls of all fakes of a process are numbered.
    pub(crate) number: u64,
    pub(super) arguments: Vec<Val>,
    /// None if there was none; in that none, if the function has no result.
    pub(super) answer: Option<Option<Val>>,
}

impl Asked {
    /// `lookup("ada") -> ok("ADA")`
    pub(super) fn line(&self, function: &str) -> String {
        let call = text::short(&text::call(function, &self.arguments));
        match &self.answer {
            None => format!("{call} -> no answer"),
            Some(None) => call,
            Some(Some(answer)) => format!("{call} -> {}", text::short(&text::value(answer))),
        }
    }
}

/// The type of a function of a fake, or a sentence that there is none.
fn function<'l>(name: &str, live: &'l Live, place: &Location<'_>) -> Result<&'l Function, String> {
    live.interface.functions.get(name).ok_or_else(|| {
        let there: Vec<String> = live.interface.functions.keys().map(|name| format!("`{name}`")).collect();
        format!(
            "the fake `{}` has no function `{name}` (at {place}); it has: {}\n  \
             help: it has what the planet under test calls, since compilers leave out the rest; or take its WIT: `.from_wit(..)`",
            live.shown,
            there.join(", ")
        )
    })
}

impl Reply {
    pub(super) fn wrong(&self, name: &str, live: &Live) -> Option<String> {
        match function(name, live, self.place) {
            Err(wrong) => Some(wrong),
            Ok(function) if (self.fits)(function) => None,
            Ok(function) => Some(format!(
                "the fake `{}` cannot answer `{name}` like that (at {})\n  given:   {}\n  the WIT: {function}",
                live.shown, self.place, self.wit
            )),
        }
    }
}

impl Expected {
    pub(super) fn is(&self, ty: &FunctionType, arguments: &[Val]) -> bool {
        match &self.arguments {
            Wanted::Values { values, .. } => values == arguments,
            Wanted::Wave(wanted) => text::arguments(ty, wanted).is_ok_and(|wanted| wanted == arguments),
        }
    }

    pub(super) fn shown(&self, function: &str) -> String {
        match &self.arguments {
            Wanted::Values { values, .. } => text::short(&text::call(function, values)),
            Wanted::Wave(wanted) => format!("{function}({wanted})"),
        }
    }

    pub(super) fn wrong(&self, name: &str, live: &Live) -> Option<String> {
        match (function(name, live, self.place), &self.arguments) {
            (Err(wrong), _) => Some(wrong),
            (Ok(function), Wanted::Values { fits, wit, .. }) if !fits(function) => Some(format!(
                "the fake `{}` cannot be called like that (at {})\n  expected: {name}({wit})\n  the WIT:  {function}",
                live.shown, self.place
            )),
            _ => None,
        }
    }
}
