//! The second thread. It reads the pipe in which cancelled calls come, whose other end nobody but the application has.

use std::io::{PipeReader, Read as _};
use std::thread;

use rustix::process::{Signal, getpgrp, getpid, kill_process, kill_process_group};

use crate::cancelled;

/// Watches from now on.
///
/// # Errors
///
/// If there is no thread to be had.
pub(super) fn watch(mut cancels: PipeReader) -> std::io::Result<()> {
    let watch = move || {
        let mut number = [0; 8];
        while cancels.read_exact(&mut number).is_ok() {
            cancelled::cancel(u64::from_le_bytes(number));
        }
        // Nobody can want anything of this process any more, and a call may be going on that would take for ever.
        end();
    };
    thread::Builder::new().name("kokoro-watch".to_owned()).spawn(watch).map(drop)
}

/// Ends this process as it is, and those that it has started, if the group is its own.
fn end() -> ! {
    let own = getpid();
    if getpgrp() == own {
        let _ = kill_process_group(own, Signal::KILL);
    }
    let _ = kill_process(own, Signal::KILL);
    std::process::abort()
}
