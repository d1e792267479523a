//! What a Planet writes to standard output and standard error: line by line into `tracing`, and the last lines of
//! standard error kept for error messages.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// How many lines of standard error are kept.
const KEPT_LINES: usize = 24;
/// A line longer than this is broken, so that a Planet that never ends a line cannot fill the memory.
const MAX_LINE: usize = 16 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    Stdout,
    Stderr,
}

/// One of the two streams of a Planet.
#[derive(Debug, Clone)]
pub(super) struct Output {
    planet: Arc<str>,
    channel: Channel,
    buffer: Arc<Mutex<Buffer>>,
    /// Whether lines are kept.
    keeps: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Buffer {
    /// The begun line.
    line: Vec<u8>,
    /// The last whole lines.
    kept: VecDeque<String>,
}

impl Output {
    pub(super) fn new(planet: Arc<str>, channel: Channel) -> Self {
        Self { planet, channel, buffer: Arc::default(), keeps: Arc::default() }
    }

    /// Forgets the last lines: what was written in one call says nothing about the next.
    pub(super) fn forget(&self) {
        if self.keeps.load(Ordering::Relaxed) {
            self.keeps.store(false, Ordering::Relaxed);
            self.buffer.lock().unwrap_or_else(PoisonError::into_inner).kept.clear();
        }
    }

    /// Ends a begun line, and returns the last lines.
    pub(super) fn last_lines(&self) -> Vec<String> {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        if !buffer.line.is_empty() {
            self.end_line(&mut buffer);
        }
        buffer.kept.iter().cloned().collect()
    }

    fn append(&self, bytes: &[u8]) {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            for chunk in piece.chunks(MAX_LINE) {
                buffer.line.extend_from_slice(chunk);
                if chunk.ends_with(b"\n") || buffer.line.len() >= MAX_LINE {
                    self.end_line(&mut buffer);
                }
            }
        }
    }

    fn end_line(&self, buffer: &mut Buffer) {
        let bytes = std::mem::take(&mut buffer.line);
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end_matches(['\n', '\r']);
        let planet = &*self.planet;
        match self.channel {
            Channel::Stdout => tracing::info!(target: "kokoro::planet", planet, stream = "stdout", "{text}"),
            Channel::Stderr => {
                tracing::warn!(target: "kokoro::planet", planet, stream = "stderr", "{text}");
                if buffer.kept.len() == KEPT_LINES {
                    buffer.kept.pop_front();
                }
                buffer.kept.push_back(text.to_owned());
                self.keeps.store(true, Ordering::Relaxed);
            }
        }
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.append(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 * 1024)
    }
}

impl tokio::io::AsyncWrite for Output {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.append(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
