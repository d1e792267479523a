//! What a Planet (plugin) may reach for on this machine, made for one test, and what became of it.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

/// A directory with one below it that is granted and one that is not; servers; and somebody who calls on a Planet that
/// listens.
#[derive(Debug)]
pub(crate) struct Surroundings {
    directory: TempDir,
    before: BTreeMap<String, String>,
    servers: Vec<(&'static str, Server)>,
    visitors: Vec<(&'static str, Visitor)>,
}

impl Surroundings {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fill(directory.path());
        Self {
            before: tree(directory.path()),
            directory,
            servers: vec![
                ("tcp", Server::tcp(greet)),
                ("other tcp", Server::tcp(greet)),
                ("udp", Server::udp()),
                ("other udp", Server::udp()),
                ("http", Server::tcp(serve)),
                ("other http", Server::tcp(serve)),
            ],
            visitors: vec![("tcp visitor", Visitor::tcp()), ("udp visitor", Visitor::udp())],
        }
    }

    /// The path of something in the directory.
    pub(crate) fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// The address of a server, or the one that a visitor calls at.
    pub(crate) fn address(&self, name: &str) -> SocketAddr {
        let server = self.servers.iter().find(|(n, _)| *n == name).map(|(_, server)| server.address);
        let visitor = || self.visitors.iter().find(|(n, _)| *n == name).map(|(_, visitor)| visitor.address);
        server.or_else(visitor).expect("one of those that were made")
    }

    /// The text without what differs from run to run, and from one wasi-libc to the other.
    pub(crate) fn normal(&self, text: &str) -> String {
        // What an older one says when there is no directory at all. The panic's message has it in another form.
        let text =
            text.replace("Capabilities insufficient (os error 76)", "No such file or directory (os error 44)").replace(
                r#"code: 76, kind: Uncategorized, message: "Capabilities insufficient""#,
                r#"code: 44, kind: NotFound, message: "No such file or directory""#,
            );
        let ports = self.servers.iter().map(|(name, server)| (name, server.address.port()));
        let ports = ports.chain(self.visitors.iter().map(|(name, visitor)| (name, visitor.address.port())));
        ports.fold(text.replace(&self.path(""), "HOST/"), |text, (name, port)| {
            text.replace(&format!(":{port}"), &format!(":{}", name.to_uppercase().replace(' ', "-")))
        })
    }

    /// All that was changed, sent, asked and answered.
    pub(crate) fn traces(mut self) -> Vec<String> {
        let after = tree(self.directory.path());
        let mut traces = Vec::new();
        for (path, content) in &after {
            match self.before.get(path) {
                Some(before) if before == content => {}
                Some(_) => traces.push(format!("changed {path}: {content}")),
                None => traces.push(format!("new {path}: {content}")),
            }
        }
        traces.extend(self.before.keys().filter(|path| !after.contains_key(*path)).map(|path| format!("gone {path}")));
        for (name, server) in &mut self.servers {
            traces.extend(server.stop().into_iter().map(|what| format!("{name}: {what}")));
        }
        for (name, visitor) in &mut self.visitors {
            traces.extend(visitor.stop().into_iter().map(|what| format!("{name}: {what}")));
        }
        traces.iter().map(|trace| self.normal(trace)).collect()
    }
}

fn fill(directory: &Path) {
    let write = |path: &str, content: &str| std::fs::write(directory.join(path), content).unwrap();
    for path in ["granted", "granted/below", "granted/empty", "outside"] {
        std::fs::create_dir(directory.join(path)).unwrap();
    }
    write("granted/file", "inside");
    write("granted/below/file", "deep inside");
    for path in ["appended", "old", "overwritten", "removed", "truncated"] {
        write(&format!("granted/{path}"), path);
    }
    write("outside/secret", "outside");
    link("file", &directory.join("granted/link"));
    link("../outside/secret", &directory.join("granted/link-out"));
    link("../outside/new", &directory.join("granted/link-out-new"));
    link("../outside", &directory.join("granted/link-out-directory"));
    link(&directory.join("outside/secret").display().to_string(), &directory.join("granted/link-out-absolute"));
}

#[cfg(unix)]
fn link(to: &str, at: &Path) {
    std::os::unix::fs::symlink(to, at).unwrap();
}

/// All that is in a directory, by path: the files' contents, and where links lead to.
fn tree(directory: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in next.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            let mut what = match metadata.file_type() {
                kind if kind.is_dir() => {
                    directories.push(path.clone());
                    "a directory".to_owned()
                }
                kind if kind.is_symlink() => format!("a link to {}", path.read_link().unwrap().display()),
                _ => std::fs::read_to_string(&path).unwrap(),
            };
            if metadata.modified().unwrap() == SystemTime::UNIX_EPOCH {
                what += " (of 1970)";
            }
            found.insert(path.strip_prefix(directory).unwrap().display().to_string(), what);
        }
    }
    found
}

/// A thread that answers whoever comes, in turn, until it is told to stop; it gives what they said.
#[derive(Debug)]
struct Server {
    address: SocketAddr,
    thread: Option<JoinHandle<Vec<String>>>,
    stop: fn(SocketAddr),
}

/// What ends a server. Whoever came before is answered before.
const STOP: &str = "stop";

impl Server {
    fn tcp(answer: fn(TcpStream) -> String) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let thread = thread::spawn(move || {
            let said = listener.incoming().map(|stream| answer(stream.unwrap()));
            said.take_while(|said| said != STOP).collect()
        });
        let stop = |address| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(STOP.as_bytes()).unwrap();
        };
        Self { address, thread: Some(thread), stop }
    }

    /// Before each answer a stranger says something, too.
    fn udp() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let thread = thread::spawn(move || {
            let said = std::iter::repeat_with(|| {
                let (said, from) = datagram(&socket).unwrap();
                // Whoever sent it may be gone already.
                let _ = stranger.send_to(b"a stranger", from);
                let _ = socket.send_to(b"the server", from);
                said
            });
            said.take_while(|said| said != STOP).collect()
        });
        let stop = |address| {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            socket.send_to(STOP.as_bytes(), address).unwrap();
        };
        Self { address, thread: Some(thread), stop }
    }

    fn stop(&mut self) -> Vec<String> {
        (self.stop)(self.address);
        self.thread.take().unwrap().join().unwrap()
    }
}

fn datagram(socket: &UdpSocket) -> std::io::Result<(String, SocketAddr)> {
    let mut buffer = [0; 64];
    let (length, from) = socket.recv_from(&mut buffer)?;
    Ok((String::from_utf8_lossy(&buffer[..length]).into_owned(), from))
}

/// Hears somebody out and says who it is.
fn greet(mut stream: TcpStream) -> String {
    let mut said = String::new();
    let _ = stream.read_to_string(&mut said);
    let _ = stream.write_all(b"the server");
    said
}

/// Answers one request of HTTP/1.1; gives its first line and its `Host`.
fn serve(mut stream: TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|length| length == 1) {
        head.push(byte[0]);
    }
    let body = "the server";
    let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    let head = String::from_utf8(head).unwrap();
    let host = head.lines().find_map(|line| line.strip_prefix("host: "));
    match (head.lines().next(), host) {
        (Some(first), Some(host)) => format!("{first} for {host}"),
        (first, _) => first.unwrap_or_default().to_owned(),
    }
}

/// A thread that calls at an address again and again, whether anybody is there or not, and gives what it heard.
#[derive(Debug)]
struct Visitor {
    address: SocketAddr,
    thread: Option<JoinHandle<Vec<String>>>,
    enough: Arc<AtomicBool>,
}

impl Visitor {
    fn new(call: impl Fn(SocketAddr) -> Option<String> + Send + 'static) -> Self {
        let address = free_address();
        let enough = Arc::new(AtomicBool::new(false));
        let done = Arc::clone(&enough);
        let thread = thread::spawn(move || {
            let mut heard = Vec::new();
            loop {
                let last = done.load(Ordering::SeqCst);
                heard.extend(call(address));
                if last {
                    return heard;
                }
                thread::sleep(Duration::from_millis(5));
            }
        });
        Self { address, thread: Some(thread), enough }
    }

    fn tcp() -> Self {
        Self::new(|address| {
            let mut stream = TcpStream::connect(address).ok()?;
            stream.write_all(b"a visitor").ok()?;
            stream.shutdown(Shutdown::Write).ok()?;
            let mut heard = String::new();
            stream.read_to_string(&mut heard).ok()?;
            Some(heard)
        })
    }

    fn udp() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self::new(move |address| {
            let _ = socket.send_to(b"a visitor", address);
            datagram(&socket).ok().map(|(heard, _)| heard)
        })
    }

    fn stop(&mut self) -> Vec<String> {
        self.enough.store(true, Ordering::SeqCst);
        self.thread.take().unwrap().join().unwrap()
    }
}

/// One that nobody has, outside of the ports that systems give out by themselves: there a visitor could meet itself.
fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + (std::process::id() % 8_000) as u16;
    loop {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, first + NEXT.fetch_add(1, Ordering::SeqCst)));
        if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
            return address;
        }
    }
}
