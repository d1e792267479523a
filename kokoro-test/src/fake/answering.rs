//! What the harness does with a fake: calls that come to it, and what is made of them.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use kokoro_host::dynamic::FunctionType;
use kokoro_host::types::Interface;
use kokoro_host::{InterfaceName, Service, Val};

use super::{Asked, Fake, Live};
use crate::forwarder::{self, Fate};
use crate::text;

impl Fake {
    pub(crate) fn wanted(&self) -> &InterfaceName {
        &self.shared.wanted
    }

    pub(crate) fn own_service(&self) -> Option<&Service> {
        self.shared.service.as_ref()
    }

    pub(crate) fn name(&self) -> String {
        self.state().name.clone().unwrap_or_else(|| self.shared.wanted.interface().to_owned())
    }

    pub(crate) fn wit(&self) -> Option<PathBuf> {
        self.state().wit.clone()
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Begins to be a part of a test. What was said of it so far is compared with its types.
    pub(crate) fn begin(&self, live: Live) -> Result<(), String> {
        let mut state = self.state();
        if state.live.as_ref().is_some_and(|live| live.fixture.strong_count() > 0) {
            return Err(format!("the fake `{}` is in another test already\n  help: make one for each", live.shown));
        }
        if live.planet.is_none() && state.fate != Fate::Answers {
            return Err(live.does_not_end());
        }
        let wrong = state.functions.iter().find_map(|(function, script)| {
            let replies = script.reply.iter().filter_map(|reply| reply.wrong(function, &live));
            let mut wrong =
                replies.chain(script.expected.iter().filter_map(|expected| expected.wrong(function, &live)));
            wrong.next()
        });
        state.live = Some(live);
        wrong.map_or(Ok(()), Err)
    }

    /// The functions that the fake's component, or the Planet under test, calls.
    pub(crate) fn service(&self, name: &InterfaceName, interface: &Interface) -> Service {
        let fake = self.clone();
        kokoro_host::rt::dynamic_service(name, interface, move |caller, function, ty, arguments| {
            let fake = fake.clone();
            async move {
                // The fake's own Planet comes between.
                let is_planet = fake.state().live.as_ref().is_some_and(|live| live.planet.is_some());
                let by = caller.chain().iter().rev().nth(usize::from(is_planet)).map(|name| name.to_string());
                let work = move || fake.answer(by.as_deref().unwrap_or("the test"), &function, &ty, arguments);
                match tokio::task::spawn_blocking(work).await {
                    Ok(answer) => answer,
                    Err(error) => Err(error.to_string()),
                }
            }
        })
    }

    /// What tells the fake's component what becomes of it.
    pub(crate) fn fate_service(&self, name: &InterfaceName) -> Result<Service, String> {
        let fake = self.clone();
        Ok(kokoro_host::rt::dynamic_service(name, &forwarder::fate(name)?, move |_, _, _, _| {
            let fate = std::mem::take(&mut fake.state().fate);
            std::future::ready(Ok(Some(Val::U32(fate as u32))))
        }))
    }

    fn answer(&self, by: &str, function: &str, ty: &FunctionType, arguments: Vec<Val>) -> Result<Option<Val>, String> {
        static CALLS: AtomicU64 = AtomicU64::new(0);
        let number = CALLS.fetch_add(1, Ordering::Relaxed);
        let call = || text::short(&text::call(function, &arguments));
        let shown = self.shown();
        let reply = {
            let mut state = self.state();
            let script = state.functions.entry(function.to_owned()).or_default();
            script.asked.push(Asked { number, arguments: arguments.clone(), answer: None });
            let expected = script.is_strict.then(|| script.expected.pop_front());
            match expected {
                Some(expected) if !expected.as_ref().is_some_and(|expected| expected.is(ty, &arguments)) => {
                    let wanted = match &expected {
                        Some(expected) => format!("{} (at {})", expected.shown(function), expected.place),
                        None => format!("no further call of `{function}`"),
                    };
                    Err(format!(
                        "the fake `{shown}` was called otherwise than expected\n  by:       `{by}`\n  \
                         expected: {wanted}\n  got:      {}",
                        call()
                    ))
                }
                _ => match &script.reply {
                    Some(reply) => Ok(reply.clone()),
                    None => Err(format!(
                        "the fake `{shown}` was called, and has no answer\n  by:   `{by}`\n  got:  {}\n  \
                         help: say what it answers: `.answers(\"{function}\", ..)`",
                        call()
                    )),
                },
            }
        };
        // The closure may change what is answered next, so nothing is held.
        let answer = reply.and_then(|reply| {
            let mut closure = reply.closure.lock().unwrap_or_else(PoisonError::into_inner);
            let outcome = catch_unwind(AssertUnwindSafe(|| closure(ty, &arguments)));
            let outcome = outcome.unwrap_or_else(|panic| Err(panicked(&*panic)));
            outcome.map_err(|why| {
                format!("the fake `{shown}` did not answer {} (as said at {}): {why}", call(), reply.place)
            })
        });
        if answer.is_err()
            && let Some(fixture) = self.fixture()
        {
            fixture.remember_standing();
        }
        let mut state = self.state();
        match &answer {
            Ok(answer) => {
                let asked = state.functions.get_mut(function).map(|script| &mut script.asked);
                if let Some(asked) = asked.and_then(|asked| asked.iter_mut().rev().find(|asked| asked.number == number))
                {
                    asked.answer = Some(answer.clone());
                }
            }
            Err(misuse) => state.misuses.push(misuse.clone()),
        }
        // The test says the rest.
        answer.map_err(|misuse| misuse.lines().next().unwrap_or_default().to_owned())
    }

    /// What went wrong since this was asked the last time.
    pub(crate) fn take_misuses(&self) -> Vec<String> {
        std::mem::take(&mut self.state().misuses)
    }

    /// What was expected and has not come. Afterwards nothing is expected any more.
    pub(crate) fn take_unmet(&self) -> Vec<String> {
        let shown = self.shown();
        let mut unmet = Vec::new();
        for (function, script) in &mut self.state().functions {
            for expected in script.expected.drain(..) {
                unmet.push(format!(
                    "the fake `{shown}` was not called as expected\n  expected: {} (at {})\n  got:      nothing",
                    expected.shown(function),
                    expected.place
                ));
            }
        }
        unmet
    }

    /// All calls so far, each with its number and as a line: `glossary.lookup("ada") -> ok("ADA")`.
    pub(crate) fn all_asked(&self) -> Vec<(u64, String)> {
        let shown = self.shown();
        let state = self.state();
        let asked =
            state.functions.iter().flat_map(|(name, script)| script.asked.iter().map(move |asked| (name, asked)));
        asked.map(|(name, asked)| (asked.number, format!("{shown}.{}", asked.line(name)))).collect()
    }
}

fn panicked(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("it panicked: {}", text.unwrap_or("without words"))
}
