//! What the tests have as a Satellite: this very test program, started anew, which does as it is told by the variable [`PEER`].

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use kokoro_satellite::protocol::{
    Answer, Call, Carried, Failed, Frames, Function, Hello, Interface, Level, Log, MAGIC, TOKEN_VARIABLE,
    ToApplication, ToSatellite, VERSION, put_frame,
};
use kokoro_value::{from_bytes, to_bytes};

/// The interface of the tests: `add` gives the sum, `echo` what it is passed, `ask` something about the process.
pub(super) const WIT: &str = "package test:native@0.1.0;
    interface work { add: func(a: u32, b: u32) -> u32; ask: func(what: string) -> string; echo: func(bytes: list<u8>) -> list<u8>; }";

/// The script that starts it: what a child process is started with reaches this program by way of a shell, and its socket as
/// its standard input, too.
pub(super) fn script() -> String {
    let program = std::env::current_exe().unwrap();
    format!("#!/bin/sh\nexec '{}' --exact {} --nocapture --test-threads 1 0<&3\n", program.display(), NAME)
}

pub(super) const PEER: &str = "KOKORO_TEST_PEER";

const NAME: &str = "satellite::tests::peer::peer";

/// No test: does nothing unless it is started as a Satellite.
#[test]
fn peer() {
    if let Ok(what) = std::env::var(PEER) {
        let token = std::env::var(TOKEN_VARIABLE).unwrap();
        let socket = std::io::stdin().as_fd().try_clone_to_owned().unwrap().into();
        Peer { socket, frames: Frames::default(), what, token }.run();
        std::process::exit(0);
    }
}

struct Peer {
    socket: UnixStream,
    frames: Frames,
    what: String,
    token: String,
}

impl Peer {
    fn run(&mut self) {
        match self.what.as_str() {
            "exits" => {
                eprintln!("no licence");
                std::process::exit(3);
            }
            "leaves" => return,
            "silent" => sleep(),
            "garbage" => self.bytes(b"Hello, world!"),
            "half" => {
                self.bytes(&[100, 0, 0, 0, 1, 2]);
                return;
            }
            "huge" => self.bytes(&[0xff; 100]),
            "version" => self.hello(7, &self.token.clone(), "func(u32, u32) -> u32"),
            "token" => self.hello(VERSION, "0123456789abcdef0123456789abcdef", "func(u32, u32) -> u32"),
            "misfit" => self.hello(VERSION, &self.token.clone(), "func(u32, u64) -> u32"),
            "hasty" => self.say(&ToApplication::Failed(Failed { number: 0, message: String::new() })),
            "child-then-exit" => {
                std::process::Command::new("/bin/sleep").arg("1000").spawn().unwrap();
                std::process::exit(5);
            }
            "leaves-one-behind-early" => {
                // As below.
                let left = std::process::Command::new("/usr/bin/setsid").args(["/bin/sleep", "1000"]).spawn().unwrap();
                eprintln!("{}", left.id());
                std::process::exit(0);
            }
            _ => self.hello(VERSION, &self.token.clone(), "func(u32, u32) -> u32"),
        }
        while let Some(message) = self.hear() {
            match message {
                ToSatellite::Welcome(welcome) => {
                    let message = format!("hello to {}", welcome.planet);
                    let target = "peer".to_owned();
                    self.say(&ToApplication::Log(Log { level: Level::Info, target, message }));
                    if self.what == "idle-exit" {
                        std::process::exit(4);
                    }
                }
                ToSatellite::Call(call) => self.call(&call),
            }
        }
        match self.what.as_str() {
            "stays" => sleep(),
            _ => eprintln!("the end"),
        }
    }

    fn hello(&mut self, protocol: u32, token: &str, add: &str) {
        let function =
            |(name, signature): (&str, &str)| Function { name: name.to_owned(), signature: signature.to_owned() };
        let functions = [("add", add), ("ask", "func(string) -> string"), ("echo", "func(list<u8>) -> list<u8>")];
        let functions = functions.map(function).into();
        let interfaces = vec![Interface { name: "test:native/work@0.1.0".to_owned(), functions }];
        let (magic, token) = (MAGIC.to_owned(), token.to_owned());
        self.say(&ToApplication::Hello(Hello { magic, protocol, token, interfaces }));
    }

    fn call(&mut self, call: &Call) {
        let arguments = match &call.arguments {
            Carried::Inline(bytes) => bytes.clone(),
            Carried::Shared(length) => {
                let mut bytes = vec![0; *length as usize];
                File::open("/dev/fd/4").unwrap().read_exact_at(&mut bytes, 0).unwrap();
                bytes
            }
        };
        let number = call.number;
        match (call.function, self.what.as_str()) {
            (0, "stranger") => self.answer(number + 1, &1u32),
            (0, "twice") => {
                self.answer(number, &1u32);
                self.answer(number, &1u32);
            }
            (0, "never" | "hangs") | (2, "waits") => match self.what.as_str() {
                "hangs" => sleep(),
                _ => {
                    // Gives it up when it hears that nobody waits any more.
                    let mut cancelled = [0; 8];
                    File::open("/dev/fd/6").unwrap().read_exact(&mut cancelled).unwrap();
                    assert_eq!(u64::from_le_bytes(cancelled), number);
                    self.say(&ToApplication::Failed(Failed { number, message: "given up".to_owned() }));
                }
            },
            (0, "type") => self.answer(number, &1u8),
            (0, "panics") => {
                let message = "panicked at src/main.rs:1:2: no\nnews".to_owned();
                self.say(&ToApplication::Failed(Failed { number, message }));
            }
            (0, "crash") => {
                eprintln!("about to crash");
                std::process::exit(7);
            }
            (0, "amid") => {
                self.bytes(&[100, 0, 0, 0, 1, 2]);
                std::process::exit(0);
            }
            (0, "leaves-one-behind") => {
                // Not of its group, and with the socket open.
                std::process::Command::new("/usr/bin/setsid").args(["/bin/sleep", "3"]).spawn().unwrap();
                std::process::exit(9);
            }
            (0, "abort") => std::process::abort(),
            (0, "memory") => {
                let result = Carried::Shared(1 << 20);
                self.say(&ToApplication::Answer(Answer { number, result }));
            }
            (0, "large") => {
                let result = Carried::Shared(1 << 40);
                self.say(&ToApplication::Answer(Answer { number, result }));
            }
            (0, "closes") => {
                self.socket.shutdown(std::net::Shutdown::Both).unwrap();
                sleep();
            }
            (0, "processor") => loop {
                std::hint::spin_loop();
            },
            (0, "logs") => {
                let message = "much ".repeat(20_000);
                for _ in 0..200 {
                    let (target, message) = ("peer".to_owned(), message.clone());
                    self.say(&ToApplication::Log(Log { level: Level::Error, target, message }));
                }
                self.answer(number, &1u32);
            }
            (0, "flood") => {
                for line in 0..50_000 {
                    eprintln!("line {line} of very many");
                }
                self.answer(number, &1u32);
            }
            (0, _) => {
                let (a, b): (u32, u32) = from_bytes(&arguments).unwrap();
                self.answer(number, &(a + b));
            }
            (1, _) => {
                let (what,): (String,) = from_bytes(&arguments).unwrap();
                self.answer(number, &ask(&what));
            }
            _ => {
                // The form of a list is that of the tuple of it.
                let result = if arguments.len() > 1000 {
                    // As the application has it, so that the same memory is mapped.
                    let file = File::options().write(true).open("/dev/fd/5").unwrap();
                    file.write_all_at(&arguments, 0).unwrap();
                    Carried::Shared(arguments.len() as u64)
                } else {
                    Carried::Inline(arguments)
                };
                self.say(&ToApplication::Answer(Answer { number, result }));
            }
        }
    }

    fn answer(&mut self, number: u64, value: &impl kokoro_value::Encode) {
        let result = Carried::Inline(to_bytes(value));
        self.say(&ToApplication::Answer(Answer { number, result }));
    }

    fn say(&mut self, message: &ToApplication) {
        let mut frame = Vec::new();
        put_frame(&mut frame, message);
        self.bytes(&frame);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        // The application may be gone.
        let _ = self.socket.write_all(bytes);
    }

    fn hear(&mut self) -> Option<ToSatellite> {
        loop {
            if let Some(message) = self.frames.take().unwrap() {
                return Some(message);
            }
            let mut bytes = [0; 4096];
            match self.socket.read(&mut bytes) {
                Ok(0) | Err(_) => return None,
                Ok(read) => self.frames.push(&bytes[..read]),
            }
        }
    }
}

fn ask(what: &str) -> String {
    match what {
        "pid" => std::process::id().to_string(),
        "environment" => {
            let own = [TOKEN_VARIABLE, PEER, "PWD", "OLDPWD", "SHLVL", "_"];
            let granted = std::env::vars().filter(|(name, _)| !own.contains(&name.as_str()));
            granted.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
        }
        "directory" => std::env::current_dir().unwrap().display().to_string(),
        "files" => {
            let files = std::fs::read_dir("/proc/self/fd").unwrap();
            let mut files: Vec<i32> =
                files.map(|file| file.unwrap().file_name().to_string_lossy().parse().unwrap()).collect();
            files.sort();
            format!("{files:?}")
        }
        "limits" => std::fs::read_to_string("/proc/self/limits").unwrap(),
        // Blocks of 512 bytes.
        "memory-of-arguments" => (std::fs::metadata("/proc/self/fd/4").unwrap().blocks() / 2).to_string(),
        "signals" => {
            let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
            status.lines().filter(|line| line.starts_with("Sig")).collect::<Vec<_>>().join("\n")
        }
        "group" => rustix::process::getpgrp().as_raw_nonzero().to_string(),
        "child" => std::process::Command::new("/bin/sleep").arg("1000").spawn().unwrap().id().to_string(),
        _ => "what?".to_owned(),
    }
}

fn sleep() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(1000));
    }
}
