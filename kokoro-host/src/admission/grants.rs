//! What the application grants one Planet.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::addresses::Addresses;
use super::hosts::Hosts;
use super::satellites::SatelliteGrant;

/// What one Planet (plugin) is granted; nothing but what is added. Each method adds to what is there.
///
/// All of it is in WASI's own words and reaches the Planet through WASI: files and sockets through its standard library, HTTP
/// through `wasi:http`, settings through `wasi:config/store`. What a Planet tries without having been granted it fails inside the
/// Planet, and once for each missing permission `tracing` says so: a warning with the fields `planet` and `permission`, up to 64 for
/// one Planet. That arguments, variables or keys are not there is no failure for a Planet; of these only the variables that its
/// manifest asks for are warned about.
///
/// ```
/// use kokoro_host::Grants;
///
/// let grants = Grants::none().read("content", "/content").env("LANG", "en").http("api.example.com");
/// assert_eq!(grants.summary().to_string(), "read content as /content, env LANG, http api.example.com");
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Grants {
    pub(crate) directories: Vec<Directory>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) args: Vec<String>,
    pub(crate) tcp_connect: BTreeSet<Addresses>,
    pub(crate) tcp_listen: BTreeSet<Addresses>,
    pub(crate) udp: BTreeSet<Addresses>,
    pub(crate) udp_listen: BTreeSet<Addresses>,
    pub(crate) name_lookup: bool,
    pub(crate) http: BTreeSet<Hosts>,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) satellites: BTreeMap<String, SatelliteGrant>,
    /// What is wrong with the grants themselves.
    pub(crate) problems: Vec<String>,
}

/// A directory of this machine, and where a Planet finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directory {
    pub(crate) host: PathBuf,
    pub(crate) guest: String,
    pub(crate) access: Access,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

impl Grants {
    /// Nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Lets it read the directory `host`, and all that is below it, at the path `guest`. It has to exist when the
    /// Planet starts. Symbolic links that lead out of it cannot be followed.
    pub fn read(self, host: impl Into<PathBuf>, guest: impl Into<String>) -> Self {
        self.directory(host.into(), guest.into(), Access::Read)
    }

    /// Lets it read, write, create and remove in the directory `host`, and below it, at the path `guest`. How much it writes is
    /// not limited. As for [`read`](Grants::read) otherwise.
    pub fn write(self, host: impl Into<PathBuf>, guest: impl Into<String>) -> Self {
        self.directory(host.into(), guest.into(), Access::Write)
    }

    fn directory(mut self, host: PathBuf, guest: String, access: Access) -> Self {
        let plain = |path: &str| path.trim_end_matches('/').to_owned();
        if self.directories.iter().any(|other| plain(&other.guest) == plain(&guest)) {
            self.problems.push(format!("two directories are granted at one path, `{guest}`"));
        }
        self.directories.push(Directory { host, guest, access });
        self
    }

    /// Sets an environment variable for it. It sees no other.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into();
        if name.is_empty() || name.contains(['=', '\0']) {
            self.problems.push(format!("{name:?} cannot be the name of an environment variable"));
        }
        self.env.insert(name, value.into());
        self
    }

    /// Gives it a command line, the name of the program included.
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Lets it connect to these addresses by TCP.
    pub fn tcp_connect(mut self, addresses: impl Into<Addresses>) -> Self {
        self.tcp_connect.insert(addresses.into());
        self
    }

    /// Lets it listen at these addresses of this machine by TCP; whoever connects is accepted.
    pub fn tcp_listen(mut self, addresses: impl Into<Addresses>) -> Self {
        self.tcp_listen.insert(addresses.into());
        self
    }

    /// Lets it send to these addresses by UDP, from a port that the system chooses, and receive from them.
    pub fn udp(mut self, addresses: impl Into<Addresses>) -> Self {
        self.udp.insert(addresses.into());
        self
    }

    /// Lets it bind these addresses of this machine for UDP, and receive from anybody: there, and (since WASI's check does
    /// not know which socket receives) at sockets that [`udp`](Grants::udp) lets it make. Answers need that as well, for whom
    /// they go to.
    pub fn udp_listen(mut self, addresses: impl Into<Addresses>) -> Self {
        self.udp_listen.insert(addresses.into());
        self
    }

    /// Lets it look up the IP addresses of names. (HTTP needs it not: there the host looks up.)
    pub fn name_lookup(mut self) -> Self {
        self.name_lookup = true;
        self
    }

    /// Lets it send HTTP requests to a host: `example.com` (at any port), `example.com:8080`, `*.example.com` (all below
    /// it), `*`. Redirects are not followed for it, so each step of one needs its host to be granted.
    ///
    /// The headers of a request may have 16 KiB together; a Planet that makes more of them ends.
    ///
    /// A request to another host ends in WASI's `internal-error`, whose text is the reason (`HTTP-request-denied` has no place
    /// for one).
    ///
    /// What counts is the name: one that its owner points at this machine, or at one in its network, leads there.
    pub fn http(mut self, host: impl AsRef<str>) -> Self {
        match host.as_ref().parse() {
            Ok(host) => {
                self.http.insert(host);
            }
            Err(error) => self.problems.push(format!("for HTTP, {error}")),
        }
        self
    }

    /// Sets a key that it can ask for through `wasi:config/store`.
    pub fn config(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.insert(key.into(), value.into());
        self
    }

    /// Lets it own a Satellite (a native child process), which its manifest has to ask for. That is nothing as long as the Primary
    /// has no Satellites: [`Builder::allow_satellites`](crate::Builder::allow_satellites).
    pub fn satellite(mut self, grant: SatelliteGrant) -> Self {
        self.problems.extend(grant.problems.iter().cloned());
        if self.satellites.contains_key(&grant.program) {
            self.problems.push(format!("the satellite `{}` is granted twice", grant.program));
        }
        self.satellites.insert(grant.program.clone(), grant);
        self
    }

    /// What is wrong with these grants themselves, each a sentence: a host that is none, two directories at one path. A Planet
    /// that is to be granted them is refused with the first; who takes grants from a person can ask here before.
    ///
    /// ```
    /// let grants = kokoro_host::Grants::none().http("https://example.com/");
    /// assert!(grants.problems()[0].contains("names no host"));
    /// ```
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// What is granted, for people and for programs: the names of variables and keys, not their values, and how many arguments.
    pub fn summary(&self) -> Granted {
        fn texts<T: fmt::Display>(these: &BTreeSet<T>) -> Vec<String> {
            these.iter().map(T::to_string).collect()
        }
        let directories = |access| {
            let those = self.directories.iter().filter(move |directory| directory.access == access);
            those.map(|d| (d.guest.clone(), d.host.display().to_string())).collect()
        };
        Granted {
            read: directories(Access::Read),
            write: directories(Access::Write),
            env: self.env.keys().cloned().collect(),
            args: self.args.len(),
            tcp_connect: texts(&self.tcp_connect),
            tcp_listen: texts(&self.tcp_listen),
            udp: texts(&self.udp),
            udp_listen: texts(&self.udp_listen),
            name_lookup: self.name_lookup,
            http: texts(&self.http),
            config: self.config.keys().cloned().collect(),
            satellites: self.satellites.keys().cloned().collect(),
        }
    }
}

/// The values of variables, arguments and keys can be secrets.
impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Grants").field(&self.summary()).finish()
    }
}

/// What a Planet (plugin) was granted, without the values of variables, arguments and keys. Shown, it is one line; as JSON, what is not
/// granted is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Granted {
    /// Directories to read: the path in the Planet, and the directory of this machine.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub read: BTreeMap<String, String>,
    /// Directories to read and write: the path in the Planet, and the directory of this machine.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub write: BTreeMap<String, String>,
    /// The names of environment variables.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// How many arguments, the name of the program included.
    #[serde(skip_serializing_if = "is_zero")]
    pub args: usize,
    /// Addresses to connect to by TCP.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tcp_connect: Vec<String>,
    /// Addresses to listen at by TCP.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tcp_listen: Vec<String>,
    /// Addresses to exchange datagrams with by UDP.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub udp: Vec<String>,
    /// Addresses to receive at by UDP.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub udp_listen: Vec<String>,
    /// Whether it may look up names.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub name_lookup: bool,
    /// Hosts to reach by HTTP.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<String>,
    /// The keys of `wasi:config/store`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub config: Vec<String>,
    /// The programs that it may own as Satellites.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub satellites: Vec<String>,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Granted {
    /// Whether it is nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for (what, directories) in [("read", &self.read), ("write", &self.write)] {
            parts.extend(directories.iter().map(|(guest, host)| match guest == host {
                true => format!("{what} {guest}"),
                false => format!("{what} {host} as {guest}"),
            }));
        }
        if !self.env.is_empty() {
            parts.push(format!("env {}", self.env.join(" ")));
        }
        match self.args {
            0 => {}
            1 => parts.push("1 argument".to_owned()),
            args => parts.push(format!("{args} arguments")),
        }
        let lists = [
            ("tcp", &self.tcp_connect),
            ("tcp listen", &self.tcp_listen),
            ("udp", &self.udp),
            ("udp listen", &self.udp_listen),
            ("http", &self.http),
            ("config", &self.config),
            ("satellite", &self.satellites),
        ];
        let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
        parts.extend(lists.map(|(what, list)| format!("{what} {}", list.join(" "))));
        if self.name_lookup {
            parts.push("name lookup".to_owned());
        }
        match parts.is_empty() {
            true => f.write_str("nothing"),
            false => f.write_str(&parts.join(", ")),
        }
    }
}
