//! What asks the command to end: Ctrl-C, and on Unix the signals TERM and HUP.

use std::future::poll_fn;
use std::io::{self, Write as _};
use std::task::Poll;
use std::time::Duration;
use std::{process, thread};

use tokio::runtime;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
#[cfg(windows)]
use tokio::signal::windows::{CtrlC as Signal, ctrl_c};
use tokio::sync::oneshot::{self, Receiver};

/// How long the last word may take.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Listens from now on; what is received is that the command is to end in order. Whoever asks when nobody waits for that any more
/// ends it at once.
///
/// That has a thread of its own: all others may be waiting for somebody to read on what they write.
pub(super) fn listen() -> io::Result<Receiver<()>> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let mut signals = {
        let _inside = runtime.enter();
        signals()?
    };
    let (sender, asked) = oneshot::channel();
    thread::spawn(move || {
        runtime.block_on(async {
            next(&mut signals).await;
            if sender.send(()).is_ok() {
                next(&mut signals).await;
            }
        });
        thread::spawn(|| {
            thread::sleep(LAST_WORD);
            process::exit(1);
        });
        let _ = writeln!(io::stderr().lock(), "error: ended before all planets had stopped");
        process::exit(1);
    });
    Ok(asked)
}

#[cfg(unix)]
fn signals() -> io::Result<Vec<Signal>> {
    let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
    if !ignores_hangup() {
        kinds.push(SignalKind::hangup());
    }
    kinds.into_iter().map(signal).collect()
}

/// Whether the command is to outlive its terminal, as under `nohup`. Only Linux tells.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    ignored.is_some_and(|signals| signals & 1 == 1)
}

#[cfg(windows)]
fn signals() -> io::Result<Vec<Signal>> {
    Ok(vec![ctrl_c()?])
}

/// Comes back when the next of them comes.
async fn next(signals: &mut [Signal]) {
    poll_fn(|context| match signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready()) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}
