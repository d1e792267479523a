//! What the application gave to this process when it started it.

#![expect(unsafe_code, reason = "open files that are known by their numbers alone, and a variable that is to be gone")]

use std::env;
use std::fs::File;
use std::io::PipeReader;
use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::FileType;
use rustix::io::FdFlags;

use crate::memory::{Memory, Trusted};
use crate::protocol::{ANSWERS, ARGUMENTS, CANCELS, SOCKET, TOKEN_VARIABLE};

/// The open files and the token.
#[derive(Debug)]
pub(super) struct Inherited {
    pub(super) token: String,
    pub(super) socket: UnixStream,
    pub(super) arguments: Trusted,
    pub(super) answers: Memory,
    pub(super) cancels: PipeReader,
}

/// Takes what was given, or says what is wrong with it. `None` if no application has started this process.
pub(super) fn take() -> Option<Result<Inherited, String>> {
    static TAKEN: AtomicBool = AtomicBool::new(false);

    let token = env::var(TOKEN_VARIABLE).ok()?;
    if TAKEN.swap(true, Ordering::SeqCst) {
        return Some(Err("`kokoro_satellite::run` was called twice in one process".to_owned()));
    }
    forget_token();
    let take = || {
        let arguments = file(ARGUMENTS, FileType::RegularFile)?;
        Ok(Inherited {
            token,
            socket: file(SOCKET, FileType::Socket)?.into(),
            // SAFETY: The application keeps to the protocol, by which it writes to this file between calls alone; what `bytes` gives is
            // used only from a call to its answer.
            arguments: unsafe { Trusted::new(arguments.into()) },
            answers: Memory::of(File::from(file(ANSWERS, FileType::RegularFile)?)),
            cancels: file(CANCELS, FileType::Fifo)?.into(),
        })
    };
    Some(take())
}

/// Makes an open file this process's own, which its children do not get.
fn file(number: RawFd, kind: FileType) -> Result<OwnedFd, String> {
    let wrong = |why: String| {
        format!(
            "file {number} is not what an application opens for its satellites ({why}); `{TOKEN_VARIABLE}` is for them alone"
        )
    };
    // SAFETY: Whoever set `KOKORO_SATELLITE` says that this number was open, and ours, when this process began; so nothing in this
    // process has opened it, and nothing else may take a file that it has not opened. `take` gets here once in a process.
    // Where nothing is open at all, the first use below says so, and then it is not closed either.
    let file = std::mem::ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(number) });
    let found = rustix::fs::fstat(&*file).map_err(|error| wrong(error.to_string()))?;
    let found = FileType::from_raw_mode(found.st_mode);
    if found != kind {
        return Err(wrong(format!("it is a {found:?}, and should be a {kind:?}")));
    }
    rustix::io::fcntl_setfd(&*file, FdFlags::CLOEXEC).map_err(|error| wrong(error.to_string()))?;
    Ok(std::mem::ManuallyDrop::into_inner(file))
}

/// Removes the token from the environment, so that no child takes itself for a Satellite; unless there are other threads, which may
/// be looking at the environment. (A child would find out by its open files, too.)
fn forget_token() {
    // Elsewhere than on Linux nothing says how many threads there are.
    let is_alone = std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1);
    if is_alone {
        // SAFETY: This is the only thread, so nobody reads or writes the environment at the same time.
        unsafe { env::remove_var(TOKEN_VARIABLE) };
    }
}
