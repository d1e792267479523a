//! What one Planet gets of WASI: as much as it was granted.

#[cfg(feature = "http")]
mod http;

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::filesystem::FsPerms;
use wasmtime_wasi::sockets::SocketAddrUse;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_config::{WasiConfig, WasiConfigVariables};

use super::State;
use super::output::Output;
use super::refusals::Refusals;
use crate::admission::{Access, Addresses, Directory, Grants};

/// How many of WASI's resources (files, streams, headers, ..) a Planet may hold at a time. The host has memory in each, which
/// counts for no limit of the Planet's.
const RESOURCES: usize = 1024;

/// A Planet's WASI.
pub(super) struct Wasi {
    ctx: WasiCtx,
    table: ResourceTable,
    #[cfg(feature = "http")]
    http: http::Http,
    config: WasiConfigVariables,
}

impl Wasi {
    /// Opens what is granted. An error is a sentence.
    pub(super) fn new(
        grants: &Grants,
        refusals: &Arc<Refusals>,
        stdout: &Output,
        stderr: &Output,
    ) -> Result<Self, String> {
        let mut builder = WasiCtxBuilder::new();
        builder.stdout(stdout.clone()).stderr(stderr.clone()).args(&grants.args);
        for (name, value) in &grants.env {
            builder.env(name, value);
        }
        for directory in &grants.directories {
            open(&mut builder, directory).map_err(|error| directory.problem(&error))?;
        }
        let sockets = Sockets { granted: grants.clone(), refusals: Arc::clone(refusals) };
        // A socket takes one of the process's files, whatever comes of it.
        let tcp = !grants.tcp_connect.is_empty() || !grants.tcp_listen.is_empty();
        let udp = !grants.udp.is_empty() || !grants.udp_listen.is_empty();
        builder.allow_tcp(tcp).allow_udp(udp).allow_ip_name_lookup(grants.name_lookup);
        builder.socket_addr_check(move |address, used| {
            let allowed = sockets.allow(address, used);
            Box::pin(std::future::ready(allowed))
        });
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES);
        Ok(Self {
            ctx: builder.build(),
            table,
            #[cfg(feature = "http")]
            http: http::Http::new(grants, refusals),
            config: grants.config.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        })
    }

    pub(super) fn config(&self) -> WasiConfig<'_> {
        WasiConfig::new(&self.config)
    }
}

fn open(builder: &mut WasiCtxBuilder, directory: &Directory) -> io::Result<()> {
    // A pipe that has the directory's name would be waited for.
    if !std::fs::metadata(&directory.host)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let permissions = match directory.access {
        Access::Read => FsPerms::ReadOnly,
        Access::Write => FsPerms::ReadWrite,
    };
    builder.preopened_dir(&directory.host, &directory.guest, permissions).map_err(io::Error::other)?;
    Ok(())
}

impl Directory {
    fn problem(&self, error: &io::Error) -> String {
        format!(
            "the directory `{}`, which the application granted as `{}`, cannot be opened: {error}\n  \
             help: make it before the planet is loaded, or grant another",
            self.host.display(),
            self.guest
        )
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi.ctx, table: &mut self.wasi.table }
    }
}

/// The addresses that sockets may use.
struct Sockets {
    granted: Grants,
    refusals: Arc<Refusals>,
}

impl Sockets {
    fn allow(&self, address: SocketAddr, used: SocketAddrUse) -> bool {
        let Grants { tcp_connect, tcp_listen, udp, udp_listen, .. } = &self.granted;
        let any = |these: &BTreeSet<Addresses>| !these.is_empty();
        let has = |these: &BTreeSet<Addresses>| these.iter().any(|granted| granted.contains(address));
        // A socket that talks to others has a port of its own, which the system chooses.
        let chosen = address.ip().is_unspecified() && address.port() == 0;
        let (allowed, permission) = match used {
            SocketAddrUse::TcpConnect => (has(tcp_connect), "tcp"),
            SocketAddrUse::TcpBind => (has(tcp_listen) || chosen && any(tcp_connect), "tcp listen"),
            SocketAddrUse::TcpListen => (has(tcp_listen), "tcp listen"),
            SocketAddrUse::TcpAccept => (any(tcp_listen), "tcp listen"),
            SocketAddrUse::UdpBind => (has(udp_listen) || chosen && any(udp), "udp listen"),
            SocketAddrUse::UdpSend => (has(udp), "udp"),
            SocketAddrUse::UdpReceive => (has(udp) || any(udp_listen), "udp"),
        };
        // Nobody tried anything where a stranger sent a datagram. And before it talks to anybody a socket is bound, which
        // says nothing about what is missing.
        if !allowed && !matches!(used, SocketAddrUse::UdpReceive) {
            let (permission, what) = match (permission, chosen) {
                ("tcp listen", true) => ("tcp".to_owned(), "open a TCP socket".to_owned()),
                ("udp listen", true) => ("udp".to_owned(), "open a UDP socket".to_owned()),
                _ => (format!("{permission} {address}"), format!("use the address {address}")),
            };
            self.refusals.note(&permission, &format!("it tried to {what}"));
        }
        allowed
    }
}
