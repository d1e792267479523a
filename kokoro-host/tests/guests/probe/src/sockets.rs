//! Through the standard library, as any program would.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _, UdpSocket};

use wasip2::sockets::network::{IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use wasip2::sockets::{instance_network, tcp_create_socket};

use crate::text;

type Outcome = Result<String, String>;

/// A port that the system chooses, of all addresses of this machine.
const ANY: &str = "0.0.0.0:0";

pub(crate) fn connect(address: &str) -> Outcome {
    TcpStream::connect(address).and_then(greet).map_err(text)
}

pub(crate) fn listen(address: &str) -> Outcome {
    let listener = TcpListener::bind(address).map_err(text)?;
    listener.accept().and_then(|(stream, _)| greet(stream)).map_err(text)
}

/// Says who it is and gives what the other side says.
fn greet(mut stream: TcpStream) -> std::io::Result<String> {
    stream.write_all(b"the probe")?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// The standard library has no word for this, WASI has.
pub(crate) fn bind_and_connect(from: &str, to: &str) -> Outcome {
    let socket = tcp_create_socket::create_tcp_socket(IpAddressFamily::Ipv4).map_err(text)?;
    let network = instance_network::instance_network();
    socket.start_bind(&network, parsed(from)?).map_err(text)?;
    socket.subscribe().block();
    socket.finish_bind().map_err(text)?;
    socket.start_connect(&network, parsed(to)?).map_err(text)?;
    socket.subscribe().block();
    socket.finish_connect().map_err(text)?;
    Ok("connected".to_owned())
}

fn parsed(address: &str) -> Result<IpSocketAddress, String> {
    match address.parse().map_err(text)? {
        SocketAddr::V4(address) => {
            Ok(IpSocketAddress::Ipv4(Ipv4SocketAddress { port: address.port(), address: address.ip().octets().into() }))
        }
        SocketAddr::V6(_) => Err("only IPv4 is tried".to_owned()),
    }
}

pub(crate) fn send(address: &str) -> Outcome {
    let socket = UdpSocket::bind(ANY).map_err(text)?;
    socket.send_to(b"the probe", address).map_err(text)?;
    Ok("sent".to_owned())
}

pub(crate) fn ask(address: &str) -> Outcome {
    let socket = UdpSocket::bind(ANY).map_err(text)?;
    socket.send_to(b"the probe", address).map_err(text)?;
    Ok(next(&socket).map_err(text)?.0)
}

pub(crate) fn connect_and_ask(address: &str) -> Outcome {
    let socket = UdpSocket::bind(ANY).map_err(text)?;
    socket.connect(address).map_err(text)?;
    socket.send(b"the probe").map_err(text)?;
    Ok(next(&socket).map_err(text)?.0)
}

pub(crate) fn bind(address: &str) -> Outcome {
    UdpSocket::bind(address).map_err(text)?;
    Ok("bound".to_owned())
}

pub(crate) fn receive(address: &str) -> Outcome {
    let socket = UdpSocket::bind(address).map_err(text)?;
    Ok(next(&socket).map_err(text)?.0)
}

pub(crate) fn receive_and_answer(address: &str) -> Outcome {
    let socket = UdpSocket::bind(address).map_err(text)?;
    let (received, sender) = next(&socket).map_err(text)?;
    socket.send_to(b"the probe", sender).map_err(text)?;
    Ok(received)
}

/// Waits for a datagram.
fn next(socket: &UdpSocket) -> std::io::Result<(String, SocketAddr)> {
    let mut buffer = [0; 64];
    let (length, sender) = socket.recv_from(&mut buffer)?;
    Ok((String::from_utf8_lossy(&buffer[..length]).into_owned(), sender))
}

pub(crate) fn look_up(name: &str) -> Outcome {
    // Which addresses it has is the machine's business.
    match (name, 80).to_socket_addrs().map_err(text)?.next() {
        Some(_) => Ok("found".to_owned()),
        None => Err("it has no address".to_owned()),
    }
}
