//! What happens to Planets, told as it happens.

use std::fmt;
use std::sync::Arc;

use semver::Version;
use serde::Serialize;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::State;
use crate::interface::InterfaceName;

/// Something that has happened to a Planet (plugin). Shown, it is one line.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// A Planet's state has changed.
    State {
        /// The Planet's name.
        planet: String,
        /// What it was before; none for one that is new.
        from: Option<State>,
        /// What it is now. A Planet that was unloaded is `gone`, and out of the graph.
        to: State,
        /// Why, as a sentence; none for one that runs.
        reason: Option<String>,
    },
    /// An import of a Planet that runs has another provider now.
    Bound {
        /// The Planet's name.
        planet: String,
        /// Its import.
        interface: InterfaceName,
        /// The name of the Planet that serves it now; none if nobody does.
        provider: Option<String>,
    },
    /// A new release of a Planet has taken the place of the old one.
    Reloaded {
        /// The Planet's name.
        planet: String,
        /// The new release's version, if it gives one.
        version: Option<Version>,
        /// Whether the old one saves its state, and the new one takes none, so that it is lost.
        state_lost: bool,
    },
    /// A new release of a Planet could not take the place of the old one.
    NotReloaded {
        /// The Planet's name.
        planet: String,
        /// Why, as a sentence.
        reason: String,
    },
    /// Who listens here was too slow, and has missed this many events.
    Missed {
        /// How many.
        events: u64,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State { planet, from, to, reason } => {
                match from {
                    Some(from) if from != to => write!(f, "{planet}: {from} -> {to}")?,
                    _ => write!(f, "{planet}: {to}")?,
                }
                match reason {
                    Some(reason) => write!(f, ": {reason}"),
                    None => Ok(()),
                }
            }
            Self::Bound { planet, interface, provider: Some(provider) } => {
                write!(f, "{planet}: {interface} <- {provider}")
            }
            Self::Bound { planet, interface, provider: None } => write!(f, "{planet}: {interface} <- nobody"),
            Self::Reloaded { planet, version, state_lost } => {
                write!(f, "{planet}: reloaded")?;
                if let Some(version) = version {
                    write!(f, ", now {version}")?;
                }
                f.write_str(if *state_lost { "; it takes no state, so that the old one's is lost" } else { "" })
            }
            Self::NotReloaded { planet, reason } => write!(f, "{planet}: not reloaded: {reason}"),
            Self::Missed { events } => write!(f, "{events} events were missed"),
        }
    }
}

/// How many events wait for one who is slow.
const KEPT: usize = 1024;

/// To whom events are told.
#[derive(Debug, Default)]
pub(super) struct Listeners(Option<broadcast::Sender<Arc<Event>>>);

impl Listeners {
    pub(super) fn listen(&mut self) -> Events {
        Events(self.0.get_or_insert_with(|| broadcast::Sender::new(KEPT)).subscribe())
    }

    pub(super) fn tell(&self, event: impl FnOnce() -> Event) {
        if let Some(sender) = self.0.as_ref().filter(|sender| sender.receiver_count() > 0) {
            // Whoever listened may have left just now.
            let _ = sender.send(Arc::new(event()));
        }
    }
}

/// The events of one Primary, from the moment on at which this was made.
#[derive(Debug)]
pub struct Events(broadcast::Receiver<Arc<Event>>);

impl Events {
    /// The next event if it has happened already.
    pub fn try_next(&mut self) -> Option<Event> {
        match self.0.try_recv() {
            Ok(event) => Some(Event::clone(&event)),
            Err(TryRecvError::Lagged(events)) => Some(Event::Missed { events }),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }

    /// The next event, as soon as there is one; none when the Primary is gone. It can be given up, and called again.
    pub async fn next(&mut self) -> Option<Event> {
        match self.0.recv().await {
            Ok(event) => Some(Event::clone(&event)),
            Err(RecvError::Lagged(events)) => Some(Event::Missed { events }),
            Err(RecvError::Closed) => None,
        }
    }
}
