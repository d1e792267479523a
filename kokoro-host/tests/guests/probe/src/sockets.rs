//! Sockets through the bindings of the Bytecode Alliance: a standard library that was built from Debian's packages has
//! none.

use std::net::Ipv4Addr;

use wasip2::io::streams::{InputStream, OutputStream};
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::ip_name_lookup::resolve_addresses;
use wasip2::sockets::network::{ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use wasip2::sockets::tcp::{ShutdownType, TcpSocket};
use wasip2::sockets::tcp_create_socket::create_tcp_socket;
use wasip2::sockets::udp::{IncomingDatagramStream, OutgoingDatagram, OutgoingDatagramStream, UdpSocket};
use wasip2::sockets::udp_create_socket::create_udp_socket;

use crate::{read, text};

type Outcome = Result<String, String>;

/// A port that the system chooses, of all addresses of this machine.
const ANY: &str = "0.0.0.0:0";

pub(crate) fn connect(address: &str) -> Outcome {
    let address = resolved(address)?;
    let socket = create_tcp_socket(IpAddressFamily::Ipv4).map_err(text)?;
    let (input, output) = connected(&socket, address)?;
    greet(&socket, &input, &output)
}

pub(crate) fn listen(address: &str) -> Outcome {
    let listener = tcp(address)?;
    listener.start_listen().map_err(text)?;
    when_ready(&listener, TcpSocket::finish_listen)?;
    let (socket, input, output) = when_ready(&listener, TcpSocket::accept)?;
    greet(&socket, &input, &output)
}

pub(crate) fn bind_and_connect(from: &str, to: &str) -> Outcome {
    let socket = tcp(from)?;
    connected(&socket, resolved(to)?)?;
    Ok("connected".to_owned())
}

/// A socket that is bound to this address.
fn tcp(address: &str) -> Result<TcpSocket, String> {
    let address = resolved(address)?;
    let socket = create_tcp_socket(IpAddressFamily::Ipv4).map_err(text)?;
    socket.start_bind(&instance_network(), address).map_err(text)?;
    when_ready(&socket, TcpSocket::finish_bind)?;
    Ok(socket)
}

fn connected(socket: &TcpSocket, address: IpSocketAddress) -> Result<(InputStream, OutputStream), String> {
    socket.start_connect(&instance_network(), address).map_err(text)?;
    when_ready(socket, TcpSocket::finish_connect)
}

fn when_ready<T>(socket: &TcpSocket, act: fn(&TcpSocket) -> Result<T, ErrorCode>) -> Result<T, String> {
    loop {
        socket.subscribe().block();
        match act(socket) {
            Err(ErrorCode::WouldBlock) => {}
            outcome => return outcome.map_err(text),
        }
    }
}

/// Says who it is and gives what the other side says.
fn greet(socket: &TcpSocket, input: &InputStream, output: &OutputStream) -> Outcome {
    output.blocking_write_and_flush(b"the probe").map_err(text)?;
    socket.shutdown(ShutdownType::Send).map_err(text)?;
    read(input)
}

pub(crate) fn send(address: &str) -> Outcome {
    let socket = udp(ANY)?;
    let (_, output) = socket.stream(None).map_err(text)?;
    say(&output, Some(resolved(address)?))?;
    Ok("sent".to_owned())
}

pub(crate) fn ask(address: &str) -> Outcome {
    let socket = udp(ANY)?;
    let (input, output) = socket.stream(None).map_err(text)?;
    say(&output, Some(resolved(address)?))?;
    Ok(next(&input)?.0)
}

pub(crate) fn connect_and_ask(address: &str) -> Outcome {
    let socket = udp(ANY)?;
    let (input, output) = socket.stream(Some(resolved(address)?)).map_err(text)?;
    say(&output, None)?;
    Ok(next(&input)?.0)
}

pub(crate) fn bind(address: &str) -> Outcome {
    udp(address)?;
    Ok("bound".to_owned())
}

pub(crate) fn receive(address: &str) -> Outcome {
    let socket = udp(address)?;
    let (input, _) = socket.stream(None).map_err(text)?;
    Ok(next(&input)?.0)
}

pub(crate) fn receive_and_answer(address: &str) -> Outcome {
    let socket = udp(address)?;
    let (input, output) = socket.stream(None).map_err(text)?;
    let (received, sender) = next(&input)?;
    say(&output, Some(sender))?;
    Ok(received)
}

/// A socket that is bound to this address.
fn udp(address: &str) -> Result<UdpSocket, String> {
    let address = resolved(address)?;
    let socket = create_udp_socket(IpAddressFamily::Ipv4).map_err(text)?;
    socket.start_bind(&instance_network(), address).map_err(text)?;
    socket.subscribe().block();
    socket.finish_bind().map_err(text)?;
    Ok(socket)
}

/// Sends a datagram, to whom the socket is connected if it is.
fn say(output: &OutgoingDatagramStream, remote_address: Option<IpSocketAddress>) -> Result<(), String> {
    output.subscribe().block();
    output.check_send().map_err(text)?;
    match output.send(&[OutgoingDatagram { data: b"the probe".to_vec(), remote_address }]).map_err(text)? {
        1 => Ok(()),
        _ => Err("it was not sent".to_owned()),
    }
}

/// Waits for a datagram.
fn next(input: &IncomingDatagramStream) -> Result<(String, IpSocketAddress), String> {
    loop {
        input.subscribe().block();
        if let Some(datagram) = input.receive(1).map_err(text)?.pop() {
            return Ok((String::from_utf8_lossy(&datagram.data).into_owned(), datagram.remote_address));
        }
    }
}

pub(crate) fn look_up(name: &str) -> Outcome {
    // Which addresses it has is the machine's business.
    match addresses(name)?.is_empty() {
        true => Err("it has no address".to_owned()),
        false => Ok("found".to_owned()),
    }
}

fn addresses(name: &str) -> Result<Vec<IpAddress>, String> {
    let found = resolve_addresses(&instance_network(), name).map_err(text)?;
    let next = || {
        found.subscribe().block();
        found.resolve_next_address().transpose()
    };
    std::iter::from_fn(next).collect::<Result<_, _>>().map_err(text)
}

/// What comes before the port may be a name. Only IPv4 is tried.
fn resolved(address: &str) -> Result<IpSocketAddress, String> {
    let (host, port) = address.rsplit_once(':').ok_or("it has no port")?;
    let v4 = |address| match address {
        IpAddress::Ipv4(address) => Some(address),
        IpAddress::Ipv6(_) => None,
    };
    let address = match host.parse::<Ipv4Addr>() {
        Ok(address) => address.octets().into(),
        Err(_) => addresses(host)?.into_iter().find_map(v4).ok_or("it has no IPv4 address")?,
    };
    Ok(IpSocketAddress::Ipv4(Ipv4SocketAddress { port: port.parse().map_err(text)?, address }))
}
