//! Bytes to another process and back through iceoryx2's shared memory, with a socket to wake. Without an argument it asks; with one, the
//! services' name, it serves.

use std::env;
use std::hint::black_box;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{Child, Command};

use anyhow::{Context as _, Result, bail, ensure};
use iceoryx2::port::{publisher::Publisher, subscriber::Subscriber};
use iceoryx2::prelude::*;
use kokoro_bench_measure::{Case, PROCESSES, Value, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::runtime::Builder;

type Service = ipc_threadsafe::Service;

/// The largest value.
const MOST: usize = 16 << 20;

/// One end.
struct End {
    socket: UnixStream,
    _node: Node<Service>,
    publisher: Publisher<Service, [u8], ()>,
    subscriber: Subscriber<Service, [u8], ()>,
}

impl End {
    fn new(socket: std::os::unix::net::UnixStream, [to, from]: [&str; 2]) -> Result<Self> {
        let node = NodeBuilder::new().create::<Service>()?;
        let service = |name: &str| {
            let name = ServiceName::new(name)?;
            let service = node.service_builder(&name).publish_subscribe::<[u8]>();
            anyhow::Ok(service.max_publishers(1).max_subscribers(1).open_or_create()?)
        };
        let subscriber = service(from)?.subscriber_builder().create()?;
        let publisher = service(to)?.publisher_builder().initial_max_slice_len(MOST).create()?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket: UnixStream::from_std(socket)?, _node: node, publisher, subscriber })
    }

    /// Copies bytes to where the other end sees them, and wakes it.
    async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.publisher.loan_slice_uninit(bytes.len())?.write_from_slice(bytes).send()?;
        Ok(self.socket.write_all(&[1]).await?)
    }

    /// Waits to be woken, and copies what is there. None at the end.
    async fn receive(&mut self) -> Result<Option<Vec<u8>>> {
        if self.socket.read(&mut [0]).await? == 0 {
            return Ok(None);
        }
        let sample = self.subscriber.receive()?.context("it was woken for nothing")?;
        Ok(Some(sample.payload().to_vec()))
    }
}

fn main() -> Result<()> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    match env::args().nth(1) {
        Some(name) => runtime.block_on(runtime.spawn(answer(name)))?,
        None => {
            let (mut end, mut child) = runtime.block_on(start())?;
            let outcome = serve(&PROCESSES, |case, rounds| {
                let Value::Bytes(bytes) = case.value() else { bail!("it carries bytes, not values") };
                runtime.block_on(calls(&mut end, case, &bytes, rounds))
            });
            drop(end);
            child.wait()?;
            outcome
        }
    }
}

fn names(name: &str) -> [String; 2] {
    ["there", "back"].map(|way| format!("{name}/{way}"))
}

async fn start() -> Result<(End, Child)> {
    let name = format!("kokoro-bench/{}", std::process::id());
    let [there, back] = names(&name);
    let (own, other) = std::os::unix::net::UnixStream::pair()?;
    let child = Command::new(env::current_exe()?).arg(&name).stdin(OwnedFd::from(other)).spawn()?;
    let mut end = End::new(own, [&there, &back])?;
    // The other one is there, and subscribes.
    ensure!(end.socket.read(&mut [0]).await? == 1, "nobody serves");
    Ok((end, child))
}

async fn answer(name: String) -> Result<()> {
    let [there, back] = names(&name);
    let socket = std::os::unix::net::UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut end = End::new(socket, [&back, &there])?;
    end.socket.write_all(&[1]).await?;
    while let Some(bytes) = end.receive().await? {
        end.send(&black_box(bytes)).await?;
    }
    Ok(())
}

async fn calls(end: &mut End, case: &Case, bytes: &[u8], rounds: u32) -> Result<()> {
    for _ in 0..rounds {
        end.send(bytes).await?;
        let back = end.receive().await?.context("the other end is gone")?;
        ensure!(back.len() == case.length as usize, "other bytes came back");
    }
    Ok(())
}
