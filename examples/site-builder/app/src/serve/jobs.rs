//! Work that takes a while and can be cancelled: builds of a site, and commands of Planets (plugins).

use kokoro_host::CancellationToken;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tokio::sync::watch;

/// How many may go on at a time, for one site.
const MOST_AT_ONCE: usize = 4;
/// How many that have ended are remembered.
const REMEMBERED: usize = 20;
/// How many of its last lines a job shows.
const LINES: usize = 200;
/// How much of an answer is kept, in bytes: a stranger may answer without end.
const MOST_TEXT: usize = 64 << 10;

/// The jobs of one site.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    last: AtomicU64,
    jobs: Mutex<BTreeMap<u64, Arc<Job>>>,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: u64,
    pub(crate) title: String,
    pub(crate) started: SystemTime,
    pub(crate) cancel: CancellationToken,
    progress: watch::Sender<Progress>,
}

/// How far a job has come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    pub(crate) done: usize,
    /// Out of how many steps, if that is known.
    pub(crate) of: usize,
    pub(crate) lines: VecDeque<String>,
    pub(crate) end: Option<End>,
}

/// What a job came to.
#[derive(Debug, Clone)]
pub(crate) enum End {
    /// Done, with what is to be shown.
    Done(String),
    Failed(String),
    Cancelled(String),
}

/// No more jobs at a time.
#[derive(Debug)]
pub(crate) struct TooMany;

impl Jobs {
    /// Starts a job, which goes on whether somebody watches it or not.
    ///
    /// # Errors
    ///
    /// If there are as many as may be at a time.
    pub(crate) fn start<F>(&self, title: String, work: impl FnOnce(Arc<Job>) -> F) -> Result<Arc<Job>, TooMany>
    where
        F: Future<Output = End> + Send + 'static,
    {
        let mut jobs = self.jobs();
        if jobs.values().filter(|job| !job.has_ended()).count() >= MOST_AT_ONCE {
            return Err(TooMany);
        }
        let ended: Vec<u64> = jobs.values().filter(|job| job.has_ended()).map(|job| job.id).collect();
        for id in ended.iter().rev().skip(REMEMBERED - 1) {
            jobs.remove(id);
        }
        let job = Arc::new(Job {
            id: self.last.fetch_add(1, Ordering::Relaxed) + 1,
            title,
            started: SystemTime::now(),
            cancel: CancellationToken::new(),
            progress: watch::Sender::default(),
        });
        jobs.insert(job.id, Arc::clone(&job));
        drop(jobs);
        let running = tokio::spawn(work(Arc::clone(&job)));
        let watched = Arc::clone(&job);
        tokio::spawn(async move {
            let end = running.await.unwrap_or_else(|error| End::Failed(format!("the server failed over it: {error}")));
            watched.progress.send_modify(|progress| progress.end = Some(end.shortened()));
        });
        Ok(job)
    }

    pub(crate) fn get(&self, id: u64) -> Option<Arc<Job>> {
        self.jobs().get(&id).cloned()
    }

    /// All that are remembered, the last first.
    pub(crate) fn all(&self) -> Vec<Arc<Job>> {
        self.jobs().values().rev().cloned().collect()
    }

    /// Cancels all and waits until they have ended.
    pub(crate) async fn end_all(&self) {
        let all = self.all();
        all.iter().for_each(|job| job.cancel.cancel());
        for job in all {
            // The sender lives as long as the job.
            let _ = job.watch().wait_for(|progress| progress.end.is_some()).await;
        }
    }

    fn jobs(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Job>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job {
    /// Tells what is done now.
    pub(crate) fn tell(&self, done: usize, of: usize, line: String) {
        self.progress.send_modify(|progress| {
            (progress.done, progress.of) = (done, of);
            if progress.lines.len() == LINES {
                progress.lines.pop_front();
            }
            progress.lines.push_back(line);
        });
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress.borrow().clone()
    }

    /// Tells of each change.
    pub(crate) fn watch(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.progress.borrow().end.is_some()
    }
}

impl End {
    fn shortened(self) -> Self {
        match self {
            Self::Done(text) => Self::Done(shortened(text)),
            Self::Failed(text) => Self::Failed(shortened(text)),
            Self::Cancelled(text) => Self::Cancelled(shortened(text)),
        }
    }
}

fn shortened(mut text: String) -> String {
    if text.len() > MOST_TEXT {
        let more = text.len();
        text.truncate(text.floor_char_boundary(MOST_TEXT));
        text.push_str(&format!("\n.. and {} bytes more", more - text.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_so_many_go_on_at_a_time_and_they_can_be_cancelled() {
        let jobs = Jobs::default();
        let wait = |job: Arc<Job>| async move {
            job.cancel.cancelled().await;
            End::Cancelled(String::new())
        };
        let first = jobs.start("first".to_owned(), wait).unwrap();
        for _ in 1..MOST_AT_ONCE {
            jobs.start("other".to_owned(), wait).unwrap();
        }
        assert!(jobs.start("one too many".to_owned(), wait).is_err());
        first.cancel.cancel();
        first.watch().wait_for(|progress| progress.end.is_some()).await.unwrap();
        jobs.start("in its place".to_owned(), wait).unwrap();
        jobs.end_all().await;
        assert!(jobs.all().iter().all(|job| job.has_ended()));
    }

    #[tokio::test]
    async fn a_job_that_panics_has_failed() {
        let jobs = Jobs::default();
        let job = jobs.start("job".to_owned(), |_| async { panic!("as it was told to") }).unwrap();
        job.watch().wait_for(|progress| progress.end.is_some()).await.unwrap();
        assert!(matches!(job.progress().end, Some(End::Failed(why)) if why.contains("panic")));
    }

    #[test]
    fn an_answer_without_end_is_cut_off() {
        let text = shortened("é".repeat(MOST_TEXT));
        assert!(text.ends_with("bytes more") && text.len() < MOST_TEXT + 40, "{}", text.len());
        assert_eq!(shortened("all".to_owned()), "all");
    }
}
