//! The same number of bytes there and back through a socket, and nothing else.

use std::env;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use kokoro_bench_measure::Case;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::Runtime;

/// Echoes by a child process, of one size at a time.
pub(crate) struct Echo<'r> {
    runtime: &'r Runtime,
    /// What the other end is.
    child: &'static str,
    current: Option<Current>,
}

struct Current {
    process: Child,
    /// None while it is in use.
    ends: Option<Ends>,
}

struct Ends {
    stream: tokio::net::UnixStream,
    sent: Vec<u8>,
    received: Vec<u8>,
}

impl<'r> Echo<'r> {
    pub(crate) fn new(runtime: &'r Runtime, child: &'static str) -> Self {
        Self { runtime, child, current: None }
    }

    pub(crate) fn run(&mut self, case: &Case, rounds: u32) -> Result<Duration> {
        let size = case.bytes();
        let is_current = |current: &Current| current.ends.as_ref().is_some_and(|ends| ends.sent.len() == size);
        if !self.current.as_ref().is_some_and(is_current) {
            self.current = Some(self.start(size)?);
        }
        let current = self.current.as_mut().context("it has just been started")?;
        let mut ends = current.ends.take().context("the last echo has failed")?;
        let echoes = async move {
            let began = Instant::now();
            for round in 0..rounds {
                ends.sent[..4].copy_from_slice(&round.to_le_bytes());
                ends.stream.write_all(&ends.sent).await?;
                ends.stream.read_exact(&mut ends.received).await?;
                ensure!(ends.received[..4] == round.to_le_bytes(), "another echo came back");
            }
            Ok((began.elapsed(), ends))
        };
        let (took, ends) = self.runtime.block_on(self.runtime.spawn(echoes))??;
        current.ends = Some(ends);
        Ok(took)
    }

    fn start(&self, size: usize) -> Result<Current> {
        let (own, other) = UnixStream::pair()?;
        let mut command = Command::new(env::current_exe()?);
        let process = command.args(["bare", self.child, &size.to_string()]).stdin(OwnedFd::from(other)).spawn()?;
        own.set_nonblocking(true)?;
        let _runtime = self.runtime.enter();
        let stream = tokio::net::UnixStream::from_std(own)?;
        let ends = Ends { stream, sent: vec![7; size], received: vec![0; size] };
        Ok(Current { process, ends: Some(ends) })
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        self.ends = None;
        let _ = self.process.wait();
    }
}

/// The other end: gives back what comes, so many bytes at a time.
pub(crate) fn child(kind: &str, size: usize) -> Result<()> {
    let mut stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut bytes = vec![0; size];
    match kind {
        "blocking" => {
            while stream.read_exact(&mut bytes).is_ok() {
                stream.write_all(&bytes)?;
            }
            Ok(())
        }
        "tokio" => {
            let runtime = crate::run::runtime()?;
            stream.set_nonblocking(true)?;
            let echo = async move {
                let mut stream = tokio::net::UnixStream::from_std(stream)?;
                while stream.read_exact(&mut bytes).await.is_ok() {
                    stream.write_all(&bytes).await?;
                }
                anyhow::Ok(())
            };
            runtime.block_on(runtime.spawn(echo))?
        }
        _ => bail!("there is no such child"),
    }
}
