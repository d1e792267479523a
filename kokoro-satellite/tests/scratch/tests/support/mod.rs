//! The application's end: starts the program as an application does, and speaks the protocol.

use std::io::{self, PipeWriter, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

use kokoro_satellite::memory::Memory;
use kokoro_satellite::protocol::{
    Answer, Call, Carried, Failed, Frames, Hello, Level, Log, MOST_INLINE, TOKEN_VARIABLE, ToApplication, ToSatellite,
    Welcome, put_frame,
};
use kokoro_value::{Decode, Encode, from_bytes, to_bytes};
use rustix::io::FdFlags;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_kokoro-satellite-scratch");

/// 32 hexadecimal digits.
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The most that a value may have, in these tests.
pub(crate) const MOST: u64 = 16 << 20;

/// A process, and our ends of what it has.
pub(crate) struct Process {
    child: Child,
    socket: UnixStream,
    frames: Frames,
    cancels: Option<PipeWriter>,
    pub(crate) arguments: Memory,
    answers: Memory,
    calls: u64,
    functions: Vec<String>,
    /// What it has logged.
    pub(crate) logs: Vec<Log>,
}

impl Process {
    /// One that has said its first message, and got no answer yet.
    pub(crate) fn start() -> (Self, Hello) {
        let (socket, theirs) = UnixStream::pair().unwrap();
        let (cancelled, cancels) = io::pipe().unwrap();
        let (arguments, answers) = (Memory::new().unwrap(), Memory::new().unwrap());
        let child = spawn([theirs.as_fd(), arguments.file().as_fd(), answers.file().as_fd(), cancelled.as_fd()]);
        let mut process = Self {
            child,
            socket,
            frames: Frames::default(),
            cancels: Some(cancels),
            arguments,
            answers,
            calls: 0,
            functions: Vec::new(),
            logs: Vec::new(),
        };
        drop(theirs);
        let Some(ToApplication::Hello(hello)) = process.next() else { panic!("no hello") };
        let functions = hello.interfaces.iter().flat_map(|interface| &interface.functions);
        process.functions = functions.map(|function| function.name.clone()).collect();
        (process, hello)
    }

    /// One that serves.
    pub(crate) fn welcome(level: Level) -> Self {
        let (mut process, _) = Self::start();
        process.say(&ToSatellite::Welcome(Welcome { planet: "planet".to_owned(), most: MOST, level }));
        process
    }

    /// Lets it have only so many more bytes of addresses than it has now.
    #[cfg(target_os = "linux")]
    pub(crate) fn bound_addresses(&self, more: u64) {
        use rustix::process::{Pid, Resource, Rlimit, prlimit};
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")?.trim().strip_suffix(" kB")).unwrap();
        let most = Some(size.parse::<u64>().unwrap() * 1024 + more);
        prlimit(Some(Pid::from_child(&self.child)), Resource::As, Rlimit { current: most, maximum: most }).unwrap();
    }

    /// How much memory its answers have.
    pub(crate) fn answers_have(&self) -> u64 {
        use std::os::unix::fs::MetadataExt as _;
        self.answers.file().metadata().unwrap().blocks() * 512
    }

    pub(crate) fn say(&mut self, message: &ToSatellite) {
        let mut frame = Vec::new();
        put_frame(&mut frame, message);
        self.write(&frame);
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).unwrap();
    }

    /// Its next message; `None` at the end.
    pub(crate) fn next(&mut self) -> Option<ToApplication> {
        loop {
            if let Some(message) = self.frames.take().expect("messages") {
                return Some(message);
            }
            let mut bytes = [0; 40_000];
            match self.socket.read(&mut bytes) {
                Ok(0) => return None,
                Ok(read) => self.frames.push(&bytes[..read]),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Begins a call, and gives its number.
    pub(crate) fn begin(&mut self, function: &str, arguments: &impl Encode) -> u64 {
        let function = self.functions.iter().position(|name| name == function).expect("a function");
        let bytes = to_bytes(arguments);
        let arguments = if bytes.len() > MOST_INLINE {
            self.arguments.write(&bytes).unwrap();
            Carried::Shared(bytes.len() as u64)
        } else {
            Carried::Inline(bytes)
        };
        let number = self.calls;
        self.calls += 1;
        self.say(&ToSatellite::Call(Call { number, function: function as u32, arguments }));
        number
    }

    /// The answer to a call, in bytes.
    pub(crate) fn answer(&mut self, call: u64) -> Result<Vec<u8>, String> {
        loop {
            match self.next().expect("an answer") {
                ToApplication::Log(log) => self.logs.push(log),
                ToApplication::Answer(Answer { number, result }) => {
                    assert_eq!(number, call);
                    return Ok(match result {
                        Carried::Inline(bytes) => bytes,
                        Carried::Shared(length) if length > MOST => return Err(format!("{length} bytes")),
                        Carried::Shared(length) => {
                            assert!(length > MOST_INLINE as u64);
                            let mut bytes = Vec::new();
                            self.answers.read(length as usize, &mut bytes).unwrap();
                            bytes
                        }
                    });
                }
                ToApplication::Failed(Failed { number, message }) => {
                    assert_eq!(number, call);
                    return Err(message);
                }
                ToApplication::Hello(_) => panic!("a second hello"),
            }
        }
    }

    pub(crate) fn try_call<T: Decode>(&mut self, function: &str, arguments: &impl Encode) -> Result<T, String> {
        let call = self.begin(function, arguments);
        self.answer(call).map(|bytes| from_bytes(&bytes).expect("a result of the type"))
    }

    pub(crate) fn call<T: Decode>(&mut self, function: &str, arguments: &impl Encode) -> T {
        self.try_call(function, arguments).expect("an answer")
    }

    /// Waits until it has logged something.
    pub(crate) fn logs(&mut self) -> Log {
        match self.next() {
            Some(ToApplication::Log(log)) => log,
            other => panic!("{other:?} in place of something for the log"),
        }
    }

    pub(crate) fn cancel(&mut self, call: u64) {
        self.cancels.as_mut().expect("a pipe").write_all(&call.to_le_bytes()).unwrap();
    }

    /// Says nothing more.
    pub(crate) fn close(&mut self) {
        self.socket.shutdown(Shutdown::Write).unwrap();
    }

    /// Does what the system does when the application ends.
    pub(crate) fn abandon(&mut self) {
        self.cancels = None;
    }

    /// Lets go, and waits: how it ended, and what it printed.
    pub(crate) fn end(mut self) -> Ended {
        self.close();
        while let Some(message) = self.next() {
            if let ToApplication::Log(log) = message {
                self.logs.push(log);
            }
        }
        self.ended()
    }

    /// Waits until it has ended, and all that had its standard output.
    pub(crate) fn ended(mut self) -> Ended {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        // Little enough to fit into a pipe.
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let status = self.child.wait().unwrap();
        let logs = std::mem::take(&mut self.logs);
        Ended { code: status.code(), signal: status.signal(), stdout, stderr, logs }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // What a test that failed has left.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) logs: Vec<Log>,
}

/// Starts the program in a group of its own, with these as 3, 4, 5 and 6. A shell puts them there, so that nothing here has to be
/// unsafe.
fn spawn(files: [impl AsFd; 4]) -> Child {
    // While they can be inherited, nobody else must start a process.
    static ONE: Mutex<()> = Mutex::new(());

    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    // Numbers above all that the shell is about to use.
    let files = files.map(|file| rustix::io::fcntl_dupfd_cloexec(file, 20).unwrap());
    let inheritable = |file: &OwnedFd| rustix::io::fcntl_setfd(file, FdFlags::empty()).unwrap();
    files.iter().for_each(inheritable);
    let numbers = files.each_ref().map(|file| file.as_raw_fd());
    let close: String = numbers.iter().map(|number| format!(" {number}>&-")).collect();
    let [socket, arguments, answers, cancels] = numbers;
    let script = format!("exec \"$0\" 3<&{socket} 4<&{arguments} 5<&{answers} 6<&{cancels}{close}");
    Command::new("bash")
        .args(["-c", &script, PROGRAM])
        .env(TOKEN_VARIABLE, TOKEN)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Starts the program with a token and nothing to go with it.
pub(crate) fn start_with_files(script: &str) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec \"$0\" {script}"), PROGRAM]).env(TOKEN_VARIABLE, TOKEN).stdin(Stdio::null());
    command.output().unwrap()
}
