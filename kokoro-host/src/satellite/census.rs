//! How many processes there are.
#![cfg_attr(not(unix), allow(dead_code, reason = "where there are no Satellites there is none"))]

use std::sync::Arc;

use tokio::sync::watch;

/// Counts the processes of all Satellites of one Primary, also of those that nobody has any more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Census(Arc<watch::Sender<usize>>);

/// Stands for a process, until this is dropped.
#[derive(Debug)]
pub(super) struct Counted(Census);

impl Census {
    /// Counts one more.
    pub(super) fn one(&self) -> Counted {
        self.0.send_modify(|count| *count += 1);
        Counted(self.clone())
    }

    /// Waits until there are none.
    pub(crate) async fn none(&self) {
        // The sender is this very one.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}
