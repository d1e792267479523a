//! Socket addresses that a Planet is granted.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// Socket addresses: one, or all with an IP address, or all with a port, or all.
///
/// As text: `127.0.0.1:8080`, `[::1]:8080`, `127.0.0.1:*`, `*:53`, `*:*`.
///
/// ```
/// use std::net::Ipv4Addr;
/// use kokoro_host::Addresses;
///
/// let local: Addresses = "127.0.0.1:*".parse()?;
/// assert!(local.contains((Ipv4Addr::LOCALHOST, 80).into()));
/// assert_eq!(Addresses::all().to_string(), "*:*");
/// # Ok::<(), kokoro_host::AddressesError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Addresses {
    ip: Option<IpAddr>,
    port: Option<u16>,
}

impl Addresses {
    /// All addresses with all ports.
    pub fn all() -> Self {
        Self { ip: None, port: None }
    }

    /// All ports of one IP address.
    pub fn of_ip(ip: impl Into<IpAddr>) -> Self {
        Self { ip: Some(ip.into()), port: None }
    }

    /// One port of all IP addresses.
    pub fn of_port(port: u16) -> Self {
        Self { ip: None, port: Some(port) }
    }

    /// Whether `address` is among them. An IPv4 address that is written as an IPv6 one (`::ffff:127.0.0.1`) is the same.
    pub fn contains(&self, address: SocketAddr) -> bool {
        self.ip.is_none_or(|ip| ip.to_canonical() == address.ip().to_canonical())
            && self.port.is_none_or(|port| port == address.port())
    }
}

impl From<SocketAddr> for Addresses {
    fn from(address: SocketAddr) -> Self {
        Self { ip: Some(address.ip()), port: Some(address.port()) }
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            None => f.write_str("*")?,
            Some(IpAddr::V4(ip)) => write!(f, "{ip}")?,
            Some(IpAddr::V6(ip)) => write!(f, "[{ip}]")?,
        }
        match self.port {
            None => f.write_str(":*"),
            Some(port) => write!(f, ":{port}"),
        }
    }
}

/// Text that does not say which addresses are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressesError(String);

impl fmt::Display for AddressesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no socket address: write an IP address and a port, each of which may be `*`, as in `127.0.0.1:8080`, \
             `[::1]:*` or `*:53`",
            self.0
        )
    }
}

impl std::error::Error for AddressesError {}

impl FromStr for Addresses {
    type Err = AddressesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || AddressesError(text.to_owned());
        let (ip, port) = text.rsplit_once(':').ok_or_else(error)?;
        let ip = match ip {
            "*" => None,
            _ => Some(match ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')) {
                Some(ip) => IpAddr::V6(ip.parse().map_err(|_| error())?),
                None => IpAddr::V4(ip.parse().map_err(|_| error())?),
            }),
        };
        let port = match port {
            "*" => None,
            _ => Some(port.parse().map_err(|_| error())?),
        };
        Ok(Self { ip, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        for text in ["127.0.0.1:8080", "[::1]:8080", "127.0.0.1:*", "*:53", "*:*"] {
            assert_eq!(text.parse::<Addresses>().unwrap().to_string(), text);
        }
        for text in ["", "localhost:80", "127.0.0.1", "::1:80", "1.2.3.4:70000", "1.2.3.4:"] {
            assert!(text.parse::<Addresses>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_mapped_address_is_the_same() {
        let granted: Addresses = "127.0.0.1:80".parse().unwrap();
        assert!(granted.contains("[::ffff:127.0.0.1]:80".parse().unwrap()));
        assert!(!granted.contains("[::ffff:127.0.0.2]:80".parse().unwrap()));
        assert!(!granted.contains("127.0.0.1:81".parse().unwrap()));
    }
}
