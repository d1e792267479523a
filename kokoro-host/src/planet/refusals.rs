//! What a Planet tried without having been granted it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How many different refusals of one Planet are told: a Planet that tries one address after another shall not fill the log.
const TOLD: usize = 64;

/// How much of what a Planet tried is told, in characters.
const SHOWN: usize = 1024;

/// The beginning of what a Planet says: it can be as long as the Planet's memory.
pub(crate) fn beginning(text: &str) -> &str {
    text.char_indices().nth(SHOWN).map_or(text, |(end, _)| &text[..end])
}

/// Tells each refusal once, and keeps those of the call that is executed for its error.
#[derive(Debug)]
pub(crate) struct Refusals {
    planet: Arc<str>,
    state: Mutex<Told>,
    /// Whether anything has been noted for the call that is executed.
    noted: AtomicBool,
}

#[derive(Debug, Default)]
struct Told {
    ever: BTreeSet<String>,
    /// What was looked for and may well be missing.
    hinted: BTreeSet<&'static str>,
    /// In the call that is executed.
    now: Vec<String>,
    /// In whatever call: what a runtime asks for once and remembers.
    lasting: Vec<String>,
}

impl Refusals {
    pub(super) fn new(planet: Arc<str>) -> Self {
        Self { planet, state: Mutex::default(), noted: AtomicBool::new(false) }
    }

    /// Notes that something was not done for want of `permission` (`tcp 127.0.0.1:80`), because of `why`; returns that as a
    /// sentence.
    pub(crate) fn note(&self, permission: &str, why: &str) -> String {
        let permission = beginning(permission);
        let sentence = format!("it was not granted `{}`: {}", permission.escape_debug(), beginning(why));
        let mut told = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.now.contains(&sentence) && told.now.len() < TOLD {
            told.now.push(sentence.clone());
            self.noted.store(true, Ordering::Relaxed);
        }
        if told.ever.len() < TOLD && told.ever.insert(permission.to_owned()) {
            tracing::warn!(target: "kokoro", planet = &*self.planet, permission, "refused: {sentence}");
            if told.ever.len() == TOLD {
                tracing::warn!(target: "kokoro", planet = &*self.planet, "what else it is refused is not told");
            }
        }
        sentence
    }

    /// As [`note`](Refusals::note), of what a runtime asks for once and remembers: calls that come later miss it as well.
    pub(crate) fn note_lasting(&self, permission: &str, why: &str) {
        let sentence = self.note(permission, why);
        let mut told = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.lasting.contains(&sentence) && told.lasting.len() < TOLD {
            told.lasting.push(sentence);
        }
    }

    /// Notes that something was looked for that may well be missing.
    pub(crate) fn hint(&self, permission: &'static str, why: &str) {
        let mut told = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if told.hinted.insert(permission) {
            tracing::debug!(target: "kokoro", planet = &*self.planet, permission, "not granted: {why}");
        }
    }

    /// What was refused since the last [`forget`](Refusals::forget), and what lasts, as sentences.
    pub(super) fn of_this_call(&self) -> Vec<String> {
        let told = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let lasting = told.lasting.iter().filter(|sentence| !told.now.contains(sentence));
        lasting.chain(&told.now).cloned().collect()
    }

    pub(super) fn forget(&self) {
        if self.noted.load(Ordering::Relaxed) {
            self.noted.store(false, Ordering::Relaxed);
            self.state.lock().unwrap_or_else(PoisonError::into_inner).now.clear();
        }
    }
}
