//! A Planet (plugin) that tries what needs to be granted.

mod files;
mod http;
mod sockets;

kokoro_guest::planet! {
    state: Probe,
    exports: ["probe:all/tries@0.1.0"],
    requires: ["wasi:config/store@0.2.0-rc.1"],
}

use tries::Means;
use wasip2::io::streams::{InputStream, StreamError};

#[derive(Default)]
struct Probe;

impl tries::Guest for Probe {
    fn try_all(&mut self, means: Vec<Means>) -> Vec<tries::Outcome> {
        means.into_iter().map(attempt).collect()
    }

    fn insist(&mut self, path: String) -> String {
        std::fs::read_to_string(path).expect("the file is there")
    }

    fn insist_on_writing(&mut self, path: String) {
        std::fs::write(path, "written").expect("the file can be written");
    }
}

fn attempt(means: Means) -> Result<String, String> {
    match means {
        Means::ReadFile(path) => files::read(&path),
        Means::ListDirectory(path) => files::list(&path),
        Means::FileSize(path) => files::size(&path),
        Means::WriteFile(path) => files::write(&path),
        Means::AppendToFile(path) => files::append(&path),
        Means::TruncateFile(path) => files::truncate(&path),
        Means::SetModified(path) => files::set_modified(&path),
        Means::CreateDirectory(path) => files::create_directory(&path),
        Means::RemoveFile(path) => files::remove(&path),
        Means::RemoveDirectory(path) => files::remove_directory(&path),
        Means::Rename(paths) => files::rename(&paths.from, &paths.to),
        Means::HardLink(paths) => files::hard_link(&paths.from, &paths.to),
        Means::SymbolicLink(paths) => files::symbolic_link(&paths.from, &paths.to),
        Means::SymbolicLinkAndRead(paths) => {
            files::symbolic_link(&paths.from, &paths.to)?;
            files::read(&paths.to)
        }
        Means::Variable(name) => std::env::var(name).map_err(text),
        Means::Variables => some(std::env::vars().map(|(name, _)| name)),
        Means::Arguments => some(std::env::args()),
        Means::TcpConnect(address) => sockets::connect(&address),
        Means::TcpListen(address) => sockets::listen(&address),
        Means::TcpBindAndConnect(addresses) => sockets::bind_and_connect(&addresses.from, &addresses.to),
        Means::UdpSend(address) => sockets::send(&address),
        Means::UdpAsk(address) => sockets::ask(&address),
        Means::UdpConnectAndAsk(address) => sockets::connect_and_ask(&address),
        Means::UdpBind(address) => sockets::bind(&address),
        Means::UdpReceive(address) => sockets::receive(&address),
        Means::UdpReceiveAndAnswer(address) => sockets::receive_and_answer(&address),
        Means::LookUp(name) => sockets::look_up(&name),
        Means::Http(request) => http::get(&request),
        Means::Config(key) => store::get(&key).map_err(text)?.ok_or_else(|| "there is no such key".to_owned()),
        Means::ConfigKeys => some(store::get_all().map_err(text)?.into_iter().map(|(key, _)| key)),
    }
}

/// As a program would show the error.
fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// All that comes until the other side closes.
fn read(stream: &InputStream) -> Result<String, String> {
    let mut content = Vec::new();
    loop {
        match stream.blocking_read(1 << 16) {
            Ok(piece) => content.extend(piece),
            Err(StreamError::Closed) => return String::from_utf8(content).map_err(text),
            Err(error) => return Err(text(error)),
        }
    }
}

fn some(items: impl Iterator<Item = String>) -> Result<String, String> {
    let mut items: Vec<String> = items.collect();
    items.sort();
    match items.is_empty() {
        true => Err("there are none".to_owned()),
        false => Ok(items.join(" ")),
    }
}
