//! The start of a child process: the one place here with code that nobody but its author can check.
#![expect(unsafe_code, reason = "what happens between fork and exec has no safe form")]

use std::convert::Infallible;
use std::ffi::{CString, c_char, c_int};
use std::io::{self, PipeReader, Read as _};
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicPtr;

use kokoro_satellite::protocol::{SOCKET, TOKEN_VARIABLE};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::PROGRAM;
use super::failure::Kind;
use super::program::Image;
use crate::admission::SatelliteGrant;
use crate::interface::in_one_line;

/// What a child process is started with.
pub(super) struct Start<'a> {
    pub(super) grant: &'a SatelliteGrant,
    pub(super) image: &'a Image,
    pub(super) token: &'a str,
    /// What becomes its standard output and error.
    pub(super) output: [OwnedFd; 2],
    /// What become its files from [`SOCKET`] on.
    pub(super) files: &'a [OwnedFd; 4],
}

/// Why no process was started: a sentence.
#[derive(Debug)]
pub(super) struct Unstarted {
    pub(super) kind: Kind,
    pub(super) why: String,
}

impl Unstarted {
    pub(super) fn new(kind: Kind, why: impl Into<String>) -> Self {
        Self { kind, why: why.into() }
    }

    pub(super) fn io(error: &io::Error) -> Self {
        let kind = match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::AGAIN | Errno::NOMEM | Errno::MFILE | Errno::NFILE) => Kind::Limited,
            _ => Kind::Absent,
        };
        Self::new(kind, format!("the system does not start it: {error}"))
    }
}

/// Starts the process. On Linux it is ended when the thread that has called this ends.
pub(super) fn spawn(start: Start<'_>) -> Result<Child, Unstarted> {
    let directory = &start.grant.directory;
    check_directory(directory)?;
    let io = |error: io::Error| Unstarted::io(&error);
    let beyond = |file: &dyn AsFd| fcntl_dupfd_cloexec(file, BEYOND).map_err(|error| io(error.into()));
    let sources =
        start.files.iter().chain(&start.image.file).map(|file| beyond(file)).collect::<Result<Vec<_>, _>>()?;
    let (mut report, writer) = io::pipe().map_err(io)?;
    let reporter = beyond(&writer)?;
    drop(writer);
    let reported = reporter.as_raw_fd();
    let exec = Exec::new(start.grant, start.image, start.token);
    let limits = limits(start.grant);
    // A script is opened by its interpreter once more.
    let is_opened = start.image.interpreter.is_some() && start.image.file.is_some();
    let (first_closed, last_open) = (if is_opened { PROGRAM + 1 } else { PROGRAM }, last_open());
    let parent = rustix::process::getpid();
    let [stdout, stderr] = start.output;
    let mut command = Command::new(&start.grant.program);
    command.current_dir(directory).process_group(0);
    command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
    let numbers: Vec<RawFd> = sources.iter().map(|source| source.as_raw_fd()).collect();
    let become_it = move || -> io::Result<Infallible> {
        end_with(parent)?;
        heed_signals();
        for (number, source) in (SOCKET..).zip(&numbers) {
            // SAFETY: it concerns this process's table of files alone, in which after the fork nothing else is used but the sources and
            // the reporter, which are other numbers, and what has been opened for the child as 0 to 2.
            if unsafe { libc::dup2(*source, number) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        close_on_exec(first_closed, last_open);
        for (resource, limit) in &limits {
            setrlimit(*resource, *limit)?;
        }
        Err(exec.exec())
    };
    let in_child = move || -> io::Result<()> {
        let Err(error) = become_it();
        let number = error.raw_os_error().unwrap_or(libc::EINVAL).to_ne_bytes();
        // SAFETY: it writes as many bytes as there are, which a pipe takes at once, and ends this process. The standard library is not told:
        // the number of its own pipe may be one of those that have just become the child's files.
        unsafe {
            libc::write(reported, number.as_ptr().cast(), number.len());
            libc::_exit(127)
        }
    };
    // SAFETY: after the fork it makes system calls only, with what has been allocated before; it allocates nothing, takes no lock and cannot
    // panic. The error that it fails with is a number of the system's, which needs no memory either.
    unsafe { command.pre_exec(in_child) };
    let mut child = command.spawn().map_err(|error| explain(&error, start.image))?;
    drop((command, reporter));
    match heard(&mut report) {
        None => Ok(child),
        Some(error) => {
            // It has ended by itself.
            let _ = child.wait();
            Err(explain(&error, start.image))
        }
    }
}

/// Why the child has not become the program; none if it has, or ended otherwise.
fn heard(report: &mut PipeReader) -> Option<io::Error> {
    let mut number = [0; size_of::<c_int>()];
    report.read_exact(&mut number).ok()?;
    Some(io::Error::from_raw_os_error(c_int::from_ne_bytes(number)))
}

/// Numbers from here on are none that the child gets.
///
/// The standard library hears by a pipe that a child could not become the program. The number of that pipe may be one of those that the
/// child's files get, if another thread has just closed a file with it. So the reason comes by a second pipe, with a number from here on.
const BEYOND: RawFd = PROGRAM + 1;

fn check_directory(directory: &Path) -> Result<(), Unstarted> {
    let shown = in_one_line(directory.display());
    let why = match std::fs::metadata(directory) {
        Ok(metadata) if metadata.is_dir() => return Ok(()),
        Ok(_) => format!("its working directory `{shown}` is no folder"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            format!("its working directory `{shown}` is not there")
        }
        Err(error) => format!("its working directory `{shown}` cannot be used: {error}"),
    };
    Err(Unstarted::new(Kind::Absent, why))
}

/// Has this process ended when the thread that started it ends, which is when its process does.
#[cfg(target_os = "linux")]
fn end_with(parent: rustix::process::Pid) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    // It may have ended before.
    match rustix::process::getppid() == Some(parent) {
        true => Ok(()),
        false => Err(Errno::SRCH.into()),
    }
}

/// Elsewhere it has only the end of its files.
#[cfg(not(target_os = "linux"))]
fn end_with(_: rustix::process::Pid) -> io::Result<()> {
    Ok(())
}

/// What the application ignores or blocks is neither ignored nor blocked by the program: SIGXCPU, by which its time is bounded, say.
fn heed_signals() {
    // All systems have fewer than so many.
    for signal in 1..=128 {
        // SAFETY: it sets what the system does, and the handlers that it replaces are the application's: this thread is the only one, and
        // executes none. Of numbers that are no signal, or cannot be set, it fails.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // The standard library leaves the mask as the thread had it. Now no handler is there that what has waited could call.
    let mut none = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the set is written before it is read, and the old one is not asked for. Both functions may be called after a fork.
    unsafe {
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
    }
}

/// Nothing of the application's is open in the program, even what was opened without care.
fn close_on_exec(first: RawFd, last: RawFd) {
    #[cfg(target_os = "linux")]
    {
        let (first, last) = (first as libc::c_uint, libc::c_uint::MAX);
        // SAFETY: it sets a flag of files of this process, and touches no memory.
        let done = unsafe { libc::syscall(libc::SYS_close_range, first, last, libc::CLOSE_RANGE_CLOEXEC) };
        if done == 0 {
            return;
        }
    }
    for number in first..=last {
        // SAFETY: as above. Of numbers that are no open file it fails, which is as good.
        unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
}

/// The last number that a file of the application may have, where they cannot be closed all at once. It may be above the limit, which can
/// be lowered at any time; and what is opened from now on gets the lowest number that is free, unless somebody asks for a higher one.
fn last_open() -> RawFd {
    let listed = std::fs::read_dir("/dev/fd").into_iter().flatten().flatten();
    let last = listed.filter_map(|file| file.file_name().to_str()?.parse().ok()).max().unwrap_or(0);
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX).min(1 << 16);
    last.max(limit as RawFd)
}

/// Limits that the child sets itself. None of them is above what the application itself may raise its own to.
fn limits(grant: &SatelliteGrant) -> Vec<(Resource, Rlimit)> {
    let limit = |resource: Resource, soft: u64, hard: u64| {
        let most = getrlimit(resource).maximum.unwrap_or(u64::MAX);
        (resource, Rlimit { current: Some(soft.min(most)), maximum: Some(hard.min(most)) })
    };
    let mut limits = Vec::new();
    if let Some(files) = grant.limits.open_files {
        limits.push(limit(Resource::Nofile, files, files));
    }
    if let Some(time) = grant.limits.cpu_time {
        let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
        // SIGXCPU comes at the first one, by which the end can be told from others; who lives on is killed at the second.
        limits.push(limit(Resource::Cpu, seconds, seconds.saturating_add(1)));
    }
    // The last one: the others need no memory, but what comes after it should not either.
    if let Some(bytes) = grant.limits.address_space {
        limits.push(limit(Resource::As, bytes, bytes));
    }
    limits
}

/// What `execve` takes. Not `execvp`, as in the standard library: it hands what the system does not know to a shell.
struct Exec {
    path: CString,
    args: Strings,
    env: Strings,
}

/// Strings, and a list of where they are that ends with a null.
struct Strings {
    pointers: Vec<AtomicPtr<c_char>>,
    /// What the pointers point to.
    _owned: Vec<CString>,
}

impl Strings {
    fn new(strings: impl Iterator<Item = String>) -> Self {
        // Those with zero bytes have been refused where they were granted.
        let owned: Vec<CString> = strings.filter_map(|string| CString::new(string).ok()).collect();
        let pointers = owned.iter().map(|string| string.as_ptr().cast_mut()).chain([std::ptr::null_mut()]);
        Self { pointers: pointers.map(AtomicPtr::new).collect(), _owned: owned }
    }

    fn as_ptr(&self) -> *const *const c_char {
        // An atomic pointer has the representation of a pointer.
        self.pointers.as_ptr().cast()
    }
}

impl Exec {
    fn new(grant: &SatelliteGrant, image: &Image, token: &str) -> Self {
        let args = std::iter::once(&grant.program).chain(&grant.args).cloned();
        let own = (TOKEN_VARIABLE.to_owned(), token.to_owned());
        let granted = grant.env.iter().filter(|(name, _)| **name != TOKEN_VARIABLE);
        let env = granted.map(|(name, value)| (name.clone(), value.clone())).chain([own]);
        Self {
            path: image.path.clone(),
            args: Strings::new(args),
            env: Strings::new(env.map(|(name, value)| format!("{name}={value}"))),
        }
    }

    /// Returns only if it fails.
    fn exec(&self) -> io::Error {
        // SAFETY: the path and the strings end with zeros, and the lists with nulls; they are there as long as `self` is.
        unsafe { libc::execve(self.path.as_ptr(), self.args.as_ptr(), self.env.as_ptr()) };
        io::Error::last_os_error()
    }
}

/// What the system's number means here.
fn explain(error: &io::Error, image: &Image) -> Unstarted {
    let why = match (error.raw_os_error().map(Errno::from_raw_os_error), &image.interpreter) {
        (Some(Errno::NOENT), Some(interpreter)) => {
            format!("it is a script, and what executes it is not there: `{interpreter}`")
        }
        (Some(Errno::NOENT), None) => {
            "what loads it is not on this machine: it is made for another C library".to_owned()
        }
        (Some(Errno::NOEXEC), _) => "its program is damaged: the system does not know what it is".to_owned(),
        (Some(Errno::TOOBIG), _) => {
            "its arguments and its environment are more than the system passes to a program".to_owned()
        }
        (Some(Errno::ACCESS | Errno::PERM), _) => format!("the system does not let it run: {error}"),
        _ => return Unstarted::io(error),
    };
    Unstarted::new(Kind::Absent, why)
}
