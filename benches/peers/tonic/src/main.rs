//! The same calls by gRPC, to another process over a Unix socket. Without an argument it asks, with one it serves at that socket.

mod message;

use std::env;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use hyper_util::rt::TokioIo;
use kokoro_bench_measure::{Case, PROCESSES, Value, serve};
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::{Builder, Runtime};
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};
use tower::service_fn;

use self::echo::echo_client::EchoClient;
use self::echo::echo_server::EchoServer;
use self::message::{Bytes, Number, Pair, Place, Places, Text};

mod echo {
    include!(concat!(env!("OUT_DIR"), "/bench.Echo.rs"));
}

fn main() -> Result<()> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    match env::args_os().nth(1) {
        Some(socket) => runtime.block_on(runtime.spawn(answer(socket.into())))?,
        None => ask(&runtime),
    }
}

struct Echo;

#[tonic::async_trait]
impl echo::echo_server::Echo for Echo {
    async fn add(&self, request: Request<Pair>) -> Result<Response<Number>, Status> {
        let Pair { a, b } = request.into_inner();
        Ok(Response::new(Number { value: a.wrapping_add(b) }))
    }

    async fn text(&self, request: Request<Text>) -> Result<Response<Text>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    async fn bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    async fn places(&self, request: Request<Places>) -> Result<Response<Places>, Status> {
        Ok(Response::new(request.into_inner()))
    }
}

async fn answer(socket: PathBuf) -> Result<()> {
    let incoming = UnixListenerStream::new(UnixListener::bind(socket)?);
    // The only thing that is set: it takes 4 MiB by default.
    let echo = EchoServer::new(Echo).max_decoding_message_size(usize::MAX);
    Ok(Server::builder().add_service(echo).serve_with_incoming(incoming).await?)
}

/// The process that serves; it ends with this.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn ask(runtime: &Runtime) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let socket = folder.path().join("echo");
    let _served = Served(Command::new(env::current_exe()?).arg(&socket).spawn()?);
    let client = runtime.block_on(connect(&socket))?;
    serve(&PROCESSES, |case, rounds| runtime.block_on(runtime.spawn(calls(client.clone(), *case, rounds)))?)
}

async fn connect(socket: &Path) -> Result<EchoClient<Channel>> {
    for _ in 0..200 {
        let socket = socket.to_owned();
        let connect = service_fn(move |_| {
            let socket = socket.clone();
            async move { UnixStream::connect(socket).await.map(TokioIo::new) }
        });
        // The address is not looked at.
        match Endpoint::from_static("http://localhost").connect_with_connector(connect).await {
            Ok(channel) => return Ok(EchoClient::new(channel).max_decoding_message_size(usize::MAX)),
            Err(_) => tokio::time::sleep(Duration::from_millis(25)).await,
        }
    }
    bail!("nobody serves")
}

async fn calls(mut client: EchoClient<Channel>, case: Case, rounds: u32) -> Result<()> {
    match case.value() {
        Value::Add(a, b) => {
            for _ in 0..rounds {
                let Number { value } = client.add(Pair { a: black_box(a), b: black_box(b) }).await?.into_inner();
                ensure!(value == a + b, "another number came back");
            }
        }
        Value::Text(text) => {
            for _ in 0..rounds {
                let back = client.text(Text { value: text.clone() }).await?.into_inner();
                ensure!(back.value.len() == text.len(), "another text came back");
            }
        }
        Value::Bytes(bytes) => {
            for _ in 0..rounds {
                let back = client.bytes(Bytes { value: bytes.clone() }).await?.into_inner();
                ensure!(back.value.len() == bytes.len(), "other bytes came back");
            }
        }
        Value::Places(places) => {
            let place =
                |place: &kokoro_bench_measure::Place| Place { x: place.x, y: place.y, name: place.name.clone() };
            let places: Vec<Place> = places.iter().map(place).collect();
            for _ in 0..rounds {
                let back = client.places(Places { value: places.clone() }).await?.into_inner();
                ensure!(back.value.len() == places.len(), "other places came back");
            }
        }
        value => return Err(anyhow::anyhow!("{value:?} is not sent to processes")).context("an unknown case"),
    }
    Ok(())
}
