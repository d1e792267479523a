//! What the Planets (plugins) of a folder are granted: the options `--allow-...`.

use std::collections::BTreeMap;
use std::env::{self, VarError};
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use kokoro_host::{Addresses, Grants};

use crate::failure::Failure;

/// The options of every command that runs Planets.
#[derive(Debug, Args)]
#[command(next_help_heading = "What all planets (plugins) of the folder are granted; nothing unless told")]
pub(crate) struct Allowed {
    /// Lets them read a directory and all below it, at the same path in them; DIR::GUEST gives it another path there
    #[arg(long = "allow-read", value_name = "DIR[::GUEST]", value_parser = directory)]
    read: Vec<Directory>,
    /// Lets them read and change a directory and all below it; the paths as for --allow-read
    #[arg(long = "allow-write", value_name = "DIR[::GUEST]", value_parser = directory)]
    write: Vec<Directory>,
    /// Lets them see an environment variable, with the value that it has here or with another
    #[arg(long = "allow-env", value_name = "NAME[=VALUE]", value_parser = variable)]
    env: Vec<(String, String)>,
    /// Lets them open TCP and UDP sockets, to and at all addresses, and look up names
    #[arg(long = "allow-net")]
    net: bool,
    /// Lets them send HTTP requests to a host: example.com, example.com:8080, '*.example.com', '*'
    #[arg(long = "allow-http", value_name = "HOST", value_parser = host)]
    http: Vec<String>,
    /// Lets the planet of this name own the satellites that it asks for: native child processes, which are not sandboxed
    #[arg(long = "allow-satellite", value_name = "PLANET")]
    satellites: Vec<String>,
}

impl Allowed {
    /// The names of the Planets that may own Satellites.
    pub(crate) fn satellites(&self) -> &[String] {
        &self.satellites
    }

    /// What each Planet is granted, but for Satellites.
    pub(crate) fn grants(&self) -> Result<Grants, Failure> {
        let mut grants = Grants::none();
        let mut taken = BTreeMap::<&str, &Directory>::new();
        // Who may write a directory may read it, so that the same one for reading adds nothing.
        let write = self.write.iter().map(|directory| (directory, true));
        for (directory, write) in write.chain(self.read.iter().map(|directory| (directory, false))) {
            let Directory { host, guest, place } = directory;
            match taken.insert(plain_path(guest), directory) {
                Some(other) if other.place == *place => {}
                Some(other) => {
                    let (one, two) = (other.host.display(), host.display());
                    return Err(Failure::Input(format!(
                        "two directories, `{one}` and `{two}`, are granted at one path, `{guest}`\n  \
                         help: give one of them another path in the planets, as in `{two}::GUEST`"
                    )));
                }
                None if write => grants = grants.write(host, guest),
                None => grants = grants.read(host, guest),
            }
        }
        for (name, value) in &self.env {
            grants = grants.env(name, value);
        }
        if self.net {
            let all = Addresses::all();
            grants = grants.tcp_connect(all).tcp_listen(all).udp(all).udp_listen(all).name_lookup();
        }
        Ok(self.http.iter().fold(grants, Grants::http))
    }
}

/// A directory of this machine, and its path in Planets.
#[derive(Debug, Clone)]
struct Directory {
    host: PathBuf,
    guest: String,
    /// The same as `host` for all ways to write it.
    place: PathBuf,
}

fn directory(text: &str) -> Result<Directory, String> {
    let (host, guest) = text.split_once("::").unwrap_or((text, text));
    if host.is_empty() || guest.is_empty() {
        return Err("write DIR, or DIR::GUEST with both of them".into());
    }
    let open = fs::read_dir(host).and_then(|_| fs::canonicalize(host));
    let place = open.map_err(|error| format!("the directory `{host}` cannot be opened: {error}"))?;
    let guest = match guest.trim_end_matches('/') {
        "" => "/",
        guest => guest,
    };
    // Without the slash that shells add.
    let host = Path::new(host).components().collect();
    Ok(Directory { host, guest: guest.to_owned(), place })
}

/// The same for all ways in which a Planet can write a path: it has no working directory but the root.
pub(crate) fn plain_path(path: &str) -> &str {
    let mut path = path.trim_end_matches('/');
    loop {
        let rest = path.trim_start_matches('/');
        let rest = if rest == "." { "" } else { rest.strip_prefix("./").unwrap_or(rest) };
        if rest == path {
            return path;
        }
        path = rest;
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Ok(value.to_owned())),
        None => (text, env::var(text)),
    };
    match value {
        _ if name.is_empty() => Err("write NAME or NAME=VALUE, with a name".into()),
        Ok(value) => Ok((name.to_owned(), value)),
        Err(VarError::NotPresent) => {
            Err(format!("the variable `{name}` is not set here; set it, or give it a value with `{name}=VALUE`"))
        }
        Err(VarError::NotUnicode(_)) => {
            Err(format!("the value of the variable `{name}` is not UTF-8, and no planet could be given it"))
        }
    }
}

fn host(text: &str) -> Result<String, String> {
    match Grants::none().http(text).problems() {
        [] => Ok(text.to_owned()),
        problems => Err(problems.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use super::plain_path;

    #[test]
    fn a_path_is_the_same_however_it_is_written() {
        for path in ["content", "/content", "./content", "content/", "/./content//", "././content"] {
            assert_eq!(plain_path(path), "content", "{path}");
        }
        for path in ["/", ".", "./", "/."] {
            assert_eq!(plain_path(path), "", "{path}");
        }
        assert_eq!(plain_path("../content/.hidden"), "../content/.hidden");
    }
}
