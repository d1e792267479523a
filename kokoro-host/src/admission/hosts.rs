//! Hosts that a Planet may reach by HTTP.

use std::fmt;
use std::str::FromStr;

/// One host, the hosts below a domain, or all; with one port or with all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hosts {
    name: Name,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    All,
    Below(String),
    Just(String),
}

impl Hosts {
    pub(crate) fn contain(&self, host: &str, port: u16) -> bool {
        let host = normal(host);
        let same = match &self.name {
            Name::All => true,
            Name::Just(name) => *name == host,
            Name::Below(domain) => host.strip_suffix(domain.as_str()).is_some_and(|below| below.ends_with('.')),
        };
        same && self.port.is_none_or(|granted| granted == port)
    }
}

/// Names of hosts mean the same in upper and lower case, and with the root's dot at their end; and there are several ways to
/// write one IPv6 address.
fn normal(host: &str) -> String {
    let ip = host.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')?.parse::<std::net::Ipv6Addr>().ok());
    if let Some(ip) = ip {
        return format!("[{ip}]");
    }
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// Host and port of an authority (`example.com:8080`, `[::1]`); nothing if there is more in it, as in `user@host`.
pub(crate) fn authority_parts(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port.parse().ok()?)),
        _ => (authority, None),
    };
    let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    match inside {
        Some(ip) if ip.parse::<std::net::Ipv6Addr>().is_ok() => Some((host, port)),
        None if !host.is_empty() && host.chars().all(plain) => Some((host, port)),
        _ => None,
    }
}

impl FromStr for Hosts {
    type Err = HostsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || HostsError(text.to_owned());
        let (below, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (name, port) = match rest.strip_prefix('*').filter(|_| !below) {
            Some("") => (Name::All, None),
            Some(port) => {
                let port = port.strip_prefix(':').and_then(|port| port.parse().ok());
                (Name::All, Some(port.ok_or_else(error)?))
            }
            None => {
                let (host, port) = authority_parts(rest).ok_or_else(error)?;
                (if below { Name::Below(normal(host)) } else { Name::Just(normal(host)) }, port)
            }
        };
        Ok(Self { name, port })
    }
}

impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Name::All => f.write_str("*")?,
            Name::Below(domain) => write!(f, "*.{domain}")?,
            Name::Just(host) => f.write_str(host)?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// Text that does not say which hosts are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostsError(String);

impl fmt::Display for HostsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` names no host: write `example.com`, `example.com:8080`, `*.example.com` or `*`, without `https://`, without \
             a path, and in ASCII (`xn--..`)",
            self.0
        )
    }
}

impl std::error::Error for HostsError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn contain(hosts: &str, host: &str, port: u16) -> bool {
        hosts.parse::<Hosts>().unwrap().contain(host, port)
    }

    #[test]
    fn a_host_is_itself_and_nobody_else() {
        assert!(contain("example.com", "example.com", 443));
        assert!(contain("Example.com", "eXample.COM.", 80));
        assert!(contain("[::1]:80", "[0:0:0:0:0:0:0:1]", 80));
        for other in ["example.com.evil.org", "notexample.com", "sub.example.com", "example.org", "example"] {
            assert!(!contain("example.com", other, 443), "{other}");
        }
        assert!(!contain("example.com:443", "example.com", 80));
    }

    #[test]
    fn a_star_stands_for_what_is_below() {
        assert!(contain("*.example.com", "a.example.com", 443));
        assert!(contain("*.example.com", "a.b.example.com", 443));
        assert!(!contain("*.example.com", "example.com", 443));
        assert!(!contain("*.example.com", "notexample.com", 443));
        assert!(contain("*", "anything.at.all", 1));
        assert!(!contain("*:443", "anything.at.all", 80));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            "https://example.com",
            "example.com/path",
            "user@example.com",
            "a b",
            "*example.com",
            "*.*",
            "[::1",
            "a:b",
            "bücher.de",
        ] {
            assert!(text.parse::<Hosts>().is_err(), "{text}");
        }
        for text in ["example.com", "example.com:80", "*.example.com:80", "*", "*:80", "127.0.0.1", "[::1]:80"] {
            assert_eq!(text.parse::<Hosts>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_authority_with_a_user_in_it_has_no_host() {
        assert_eq!(authority_parts("example.com@evil.org"), None);
        assert_eq!(authority_parts("example.com:80@evil.org:80"), None);
        assert_eq!(authority_parts("evil.org:80"), Some(("evil.org", Some(80))));
        assert_eq!(authority_parts("[::1]"), Some(("[::1]", None)));
    }
}
