//! Behaves as badly as it can, by command, and as a part of pages: to show what becomes of that.
//!
//! Nothing here gets round anything: it is what a careless or a malicious plugin might try first.

use std::fmt::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

kokoro_guest::planet! {
    state: Hostile,
    exports: ["site:build/command@0.1.0", "site:content/highlight@0.1.0"],
    permissions: {
        read: ["/", "content"],
        write: ["/home", "data"],
        env: ["HOME", "SSH_AUTH_SOCK"],
        http: ["*"],
        net: true,
    },
    wit: "../../wit",
}

#[derive(Default)]
struct Hostile;

impl command::Guest for Hostile {
    fn run(&mut self, id: String, _input: String) -> Result<String, String> {
        match &*id {
            "loop" => never_come_back(),
            "memory" => Ok(eat_memory()),
            "files" => Ok(read_files()),
            "network" => Ok(call_home()),
            "panic" => panic!("as it was told to"),
            "flood" => Ok("more! ".repeat(20 << 20)),
            other => Err(format!("`{other}` is no command of this Planet (plugin)")),
        }
    }
}

/// As a part of pages it would have them take for ever, and run a script.
impl highlight::Guest for Hostile {
    fn render(&mut self, block: highlight::CodeBlock) -> Result<Option<String>, String> {
        match block.language.as_deref() {
            Some("forever") => never_come_back(),
            Some("script") => Ok(Some("<script>document.title = 'taken over'</script>".to_owned())),
            _ => Ok(None),
        }
    }

    fn stylesheet(&mut self) -> Result<String, String> {
        Ok(String::new())
    }
}

/// Does not ask whether anybody still waits.
fn never_come_back() -> ! {
    let mut number = 0_u64;
    loop {
        number = std::hint::black_box(number.wrapping_add(1));
    }
}

/// Takes memory and fills it, a megabyte at a time.
fn eat_memory() -> String {
    const STEP: usize = 1 << 20;
    let mut taken: Vec<Vec<u8>> = Vec::new();
    loop {
        let mut more = Vec::new();
        if let Err(error) = more.try_reserve_exact(STEP) {
            return format!("After {} MB: {error}. That is all that this Planet (plugin) is given.\n", taken.len());
        }
        more.resize(STEP, 1);
        taken.push(std::hint::black_box(more));
    }
}

fn read_files() -> String {
    let mut text = String::new();
    for path in ["/", "/etc/passwd", "/proc/self/environ", "../../../etc/shadow", "content", "data"] {
        let tried = match path.ends_with('/') || !path.starts_with(['/', '.']) {
            true => std::fs::read_dir(path).map(|entries| format!("{} entries", entries.count())),
            false => std::fs::read(path).map(|bytes| format!("{} bytes", bytes.len())),
        };
        let _ = match tried {
            Ok(found) => writeln!(text, "read   {path}: {found}"),
            Err(error) => writeln!(text, "denied {path}: {error}"),
        };
    }
    for path in ["/tmp/hostile", "data/hostile"] {
        let _ = match std::fs::write(path, "was here\n") {
            Ok(()) => writeln!(text, "wrote  {path}"),
            Err(error) => writeln!(text, "denied {path}: {error}"),
        };
    }
    for name in ["HOME", "SSH_AUTH_SOCK"] {
        let _ = match std::env::var(name) {
            Ok(value) => writeln!(text, "read   ${name}: {value}"),
            Err(error) => writeln!(text, "denied ${name}: {error}"),
        };
    }
    text
}

fn call_home() -> String {
    let mut text = String::new();
    for address in [SocketAddr::from(([127, 0, 0, 1], 22)), SocketAddr::from(([192, 0, 2, 1], 443))] {
        let _ = match TcpStream::connect_timeout(&address, Duration::from_secs(1)) {
            Ok(_) => writeln!(text, "reached {address}"),
            Err(error) => writeln!(text, "denied {address}: {error}"),
        };
    }
    text
}
