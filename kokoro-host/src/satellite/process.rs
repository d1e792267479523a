//! A child process: started, watched and ended by a thread of its own.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};
use tokio::sync::{oneshot, watch};

use super::failure::{Kind, Whose};
use super::output::Output;
use super::program::{self, Image};
use super::spawn::{Start, Unstarted, spawn};
use crate::admission::SatelliteGrant;

/// What is to be run.
pub(super) struct Order {
    pub(super) whose: Whose,
    pub(super) file: std::path::PathBuf,
    pub(super) grant: SatelliteGrant,
    pub(super) token: String,
    /// What become its files from [`SOCKET`](kokoro_satellite::protocol::SOCKET) on.
    pub(super) files: [OwnedFd; 4],
}

/// A child process with its process group. Who drops this ends it.
#[derive(Debug)]
pub(super) struct Process(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Its number, as long as it is its own: until it is reaped. Signals are sent, and it is reaped, with this locked.
    number: Mutex<Option<Pid>>,
    /// Its program's copy, while somebody may still have to open it.
    image: Mutex<Option<Image>>,
    end: watch::Sender<Option<Arc<Ending>>>,
}

/// How a process ended.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) how: How,
    pub(super) when: Instant,
    /// The last lines of standard error.
    pub(super) stderr: Vec<String>,
}

/// How a process ended, as its parent hears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Status(i32),
    Signal(i32),
    /// Somebody else in the application waited for it.
    Unknown,
}

impl Process {
    /// Starts it.
    pub(super) async fn start(order: Order) -> Result<Self, Unstarted> {
        let (tell, started) = oneshot::channel();
        let name = format!("satellite {}", order.whose.program);
        // The system ends the process when this thread ends, so that is what lives as long. It also copies the program, which may
        // take a while.
        thread::Builder::new().name(name).spawn(move || run(order, tell)).map_err(|error| Unstarted::io(&error))?;
        let panicked = |_| Err(Unstarted::new(Kind::Absent, "the thread that starts it panicked"));
        started.await.unwrap_or_else(panicked)
    }

    /// Ends it and its group at once; it does not wait for that.
    pub(super) fn kill(&self) {
        self.0.kill();
    }

    /// It runs, and nobody opens its program any more.
    pub(super) fn settled(&self) {
        *lock(&self.0.image) = None;
    }

    pub(super) fn has_ended(&self) -> bool {
        self.0.end.borrow().is_some()
    }

    /// Waits until there is nothing of it any more.
    pub(super) async fn ended(&self) -> Arc<Ending> {
        let mut end = self.0.end.subscribe();
        let ending = end.wait_for(Option::is_some).await;
        ending.ok().and_then(|ending| ending.clone()).expect("the sender is borrowed, and what it has sent is an end")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill();
    }
}

impl Shared {
    fn kill(&self) {
        let number = lock(&self.number);
        if let Some(number) = *number {
            kill_group(number);
        }
    }
}

/// Ends what has this number, and its group, unless somebody else has reaped it and the number may be a stranger's.
fn kill_group(number: Pid) {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    if matches!(waitid(WaitId::Pid(number), options), Err(Errno::CHILD)) {
        return;
    }
    // They fail where nobody is left.
    let _ = kill_process_group(number, Signal::KILL);
    let _ = kill_process(number, Signal::KILL);
}

/// The life of a process, on its thread.
pub(super) fn run(order: Order, tell: oneshot::Sender<Result<Process, Unstarted>>) {
    match begin(&order, || !tell.is_closed()) {
        Err(unstarted) => {
            // Nobody may wait for it any more.
            let _ = tell.send(Err(unstarted));
        }
        Ok((mut child, output, image)) => {
            // The other ends are the child's alone.
            drop(order);
            let number = Pid::from_child(&child);
            let shared = Arc::new(Shared {
                number: Mutex::new(Some(number)),
                image: Mutex::new(Some(image)),
                end: watch::Sender::new(None),
            });
            // If nobody waits for it any more it is dropped, and ends.
            let _ = tell.send(Ok(Process(Arc::clone(&shared))));
            let how = shared.wait(&mut child, number);
            let when = Instant::now();
            let stderr = output.finish();
            *lock(&shared.image) = None;
            shared.end.send_replace(Some(Arc::new(Ending { how, when, stderr })));
        }
    }
}

/// Held from the writing of a program that has a name until it runs: a process that is forked meanwhile has the file open for
/// writing, until it has become another program, and what somebody may write to is not executed.
static NAMED: Mutex<()> = Mutex::new(());

fn begin(order: &Order, is_awaited: impl Fn() -> bool) -> Result<(Child, Output, Image), Unstarted> {
    let _named = (!program::has_memory_files()).then(|| lock(&NAMED));
    let image = Image::of(&order.file, &order.grant).map_err(|why| Unstarted::new(Kind::Absent, why))?;
    if !is_awaited() {
        // The copy took longer than a start may. What is started now would do its work unseen.
        return Err(Unstarted::new(Kind::Overdue, "nobody waits for it any more"));
    }
    let (output, streams) = Output::read(&order.whose).map_err(|error| Unstarted::io(&error))?;
    let start = Start { grant: &order.grant, image: &image, token: &order.token, output: streams, files: &order.files };
    let child = spawn(start)?;
    Ok((child, output, image))
}

impl Shared {
    /// Waits until it has ended, and ends who is left of its group while the number is still its own.
    fn wait(&self, child: &mut Child, number: Pid) -> How {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(number), options), Err(Errno::INTR)) {}
        let mut own = lock(&self.number);
        kill_group(number);
        // It does not wait: it has ended.
        let status: io::Result<ExitStatus> = child.wait();
        *own = None;
        match status.ok().map(|status| (status.code(), status.signal())) {
            Some((Some(code), _)) => How::Status(code),
            Some((None, Some(signal))) => How::Signal(signal),
            _ => How::Unknown,
        }
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "ended with status {status}"),
            Self::Signal(signal) => match signal_name(*signal) {
                Some(name) => write!(f, "was ended by {name}"),
                None => write!(f, "was ended by signal {signal}"),
            },
            Self::Unknown => f.write_str("ended, and its status was taken by another part of the application"),
        }
    }
}

fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        libc::SIGABRT => "SIGABRT",
        libc::SIGALRM => "SIGALRM",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGHUP => "SIGHUP",
        libc::SIGILL => "SIGILL",
        libc::SIGINT => "SIGINT",
        libc::SIGKILL => "SIGKILL",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGSYS => "SIGSYS",
        libc::SIGTERM => "SIGTERM",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGUSR1 => "SIGUSR1",
        libc::SIGUSR2 => "SIGUSR2",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGXFSZ => "SIGXFSZ",
        _ => return None,
    })
}
