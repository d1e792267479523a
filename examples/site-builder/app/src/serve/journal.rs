//! What has happened to the plugins of a site.

use kokoro_host::Primary;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use tokio::sync::watch;

/// How much of it is kept.
const LINES: usize = 200;

/// The last of what has happened, a line each.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    lines: Mutex<VecDeque<(SystemTime, String)>>,
    written: watch::Sender<u64>,
}

impl Journal {
    /// A journal that writes down what happens in a Primary, for as long as that is there.
    pub(crate) fn of(primary: &Primary) -> Arc<Self> {
        let journal = Arc::new(Self::default());
        let mut events = primary.events();
        let writer = Arc::clone(&journal);
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                writer.write(event.to_string());
            }
        });
        journal
    }

    pub(crate) fn write(&self, line: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back((SystemTime::now(), line));
        drop(lines);
        self.written.send_modify(|count| *count += 1);
    }

    /// The last of it first.
    pub(crate) fn lines(&self) -> Vec<(SystemTime, String)> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }

    /// Tells of each line.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.written.subscribe()
    }
}
