//! What instances tell the test of themselves, through an interface that it serves to them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kokoro_host::{Caller, Service};

mod bindings {
    kokoro_host::bindings!({ path: "tests/histories/wit", serves: ["t:test/journal@1.0.0"] });
}

/// How instances of a name begin, until the history has it otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mood {
    #[default]
    Well,
    /// `start` gives an error.
    Unwilling,
    /// `start` traps.
    Ill,
}

/// What an instance has told.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// It began to start, and was well or not.
    Start { planet: String, instance: u32, mood: Mood },
    /// It was told to stop, and so many that it requires did not answer any more; none if it was lost while it asked them.
    Stop { planet: String, instance: u32, unserved: Option<u32> },
}

/// Keeps what is told, gives out the numbers of instances and says what they are to do.
#[derive(Debug, Clone, Default)]
pub struct Journal(Arc<Mutex<Pages>>);

#[derive(Debug, Default)]
struct Pages {
    told: Vec<Told>,
    instances: u32,
    moods: BTreeMap<String, Mood>,
    /// While a call goes on, new instances must not call those that wait for it.
    quietly: bool,
}

impl Journal {
    pub fn service(&self) -> Service {
        bindings::journal::serve(self.clone())
    }

    pub fn set_mood(&self, planet: &str, mood: Mood) {
        self.pages().moods.insert(planet.to_owned(), mood);
    }

    /// Whether new instances call nobody as they start.
    pub fn set_quietly(&self, quietly: bool) {
        self.pages().quietly = quietly;
    }

    /// What has been told since this was asked last.
    pub fn take(&self) -> Vec<Told> {
        std::mem::take(&mut self.pages().told)
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl bindings::journal::Host for Journal {
    async fn start(&self, caller: &Caller) -> u32 {
        let mut pages = self.pages();
        pages.instances += 1;
        let instance = pages.instances;
        let planet = caller.planet().to_owned();
        let mood = pages.moods.get(&planet).copied().unwrap_or_default();
        pages.told.push(Told::Start { planet, instance, mood });
        let todo = match mood {
            Mood::Well if pages.quietly => 0,
            Mood::Well => 3,
            Mood::Unwilling => 1,
            Mood::Ill => 2,
        };
        instance << 2 | todo
    }

    async fn stop(&self, caller: &Caller, instance: u32) {
        let planet = caller.planet().to_owned();
        self.pages().told.push(Told::Stop { planet, instance, unserved: None });
    }

    async fn stopped(&self, _: &Caller, number: u32, count: u32) {
        for told in &mut self.pages().told {
            match told {
                Told::Stop { instance, unserved, .. } if *instance == number => *unserved = Some(count),
                _ => {}
            }
        }
    }
}

impl Told {
    /// The name, the instance's number and how it began.
    pub fn start(&self) -> Option<(&str, u32, Mood)> {
        match self {
            Self::Start { planet, instance, mood } => Some((planet, *instance, *mood)),
            Self::Stop { .. } => None,
        }
    }

    /// The name, the instance's number and how many did not answer it any more.
    pub fn stop(&self) -> Option<(&str, u32, Option<u32>)> {
        match self {
            Self::Stop { planet, instance, unserved } => Some((planet, *instance, *unserved)),
            Self::Start { .. } => None,
        }
    }
}
