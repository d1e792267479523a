//! Satellites: native child processes of Planets, from their start to their end, and calls of what they serve.
//!
//! A [`Satellite`] is one program of one Planet. Processes of it come and go, one at a time; the first call that finds none
//! starts one. Whoever has a [`Lease`] lets it have a process: Planets' instances do. Each process has
//!
//! - a thread that starts it, waits for it and reaps it ([`process`]), and one that reads what it writes ([`output`]);
//! - a task that takes in what it says ([`running`], by way of its [`connection`]), and one that ends it with its leases.
//!
//! Calls wait for their turn. One that is given up has its turn kept by a task, until the Satellite has given it up as well or has been
//! ended; then the next one has its turn.
//!
//! `cfg(satellites)` is from the build script: the feature is on, and the system is one that they are supported on. Elsewhere [`unsupported`]
//! stands for all of it.

#[cfg(satellites)]
mod answer;
#[cfg(satellites)]
mod budget;
mod census;
#[cfg(satellites)]
mod connection;
#[cfg(satellites)]
mod doing;
mod failure;
#[cfg(satellites)]
mod folder;
#[cfg(satellites)]
mod functions;
#[cfg(satellites)]
mod output;
#[cfg(satellites)]
mod process;
#[cfg(satellites)]
mod program;
#[cfg(satellites)]
mod progress;
#[cfg(satellites)]
mod rate;
#[cfg(satellites)]
mod running;
#[cfg(satellites)]
mod seat;
#[cfg(satellites)]
mod signature;
#[cfg(satellites)]
mod spawn;
#[cfg(satellites)]
mod turn;
#[cfg(not(satellites))]
mod unsupported;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) use self::census::Census;
pub(crate) use self::failure::Failure;
#[cfg(satellites)]
pub(crate) use self::program::check_program;
#[cfg(satellites)]
pub(crate) use self::progress::Progress;
#[cfg(satellites)]
pub(crate) use self::seat::{Lease, Satellite};
#[cfg(not(satellites))]
pub(crate) use self::unsupported::{Lease, Progress, Satellite, check_program};
use crate::admission::SatelliteGrant;
use crate::inspect::Interface;
use crate::interface::InterfaceName;
use crate::limits::Limits;
use crate::restarts::Restarts;

/// The file of a child process that is its program, after those that the protocol has.
#[cfg(satellites)]
const PROGRAM: i32 = kokoro_satellite::protocol::CANCELS + 1;

/// What a Satellite is, and how it may live.
#[derive(Debug)]
#[cfg_attr(not(satellites), allow(dead_code, reason = "without them it never lives"))]
pub(crate) struct Terms {
    pub(crate) planet: Arc<str>,
    pub(crate) program: Arc<str>,
    /// Where the program is.
    pub(crate) file: PathBuf,
    /// What that had when it was looked at. Another release of a Planet may come with another program of the same name.
    pub(crate) sha256: String,
    pub(crate) grant: SatelliteGrant,
    /// What it has to serve, as the Planet imports it.
    pub(crate) interfaces: BTreeMap<InterfaceName, Interface>,
    pub(crate) limits: Limits,
    pub(crate) restarts: Restarts,
    pub(crate) runtime: tokio::runtime::Handle,
    /// Where its processes are counted.
    pub(crate) census: Census,
}

impl Terms {
    /// Whether a Satellite of these terms is as good as one of the others.
    fn is_like(&self, other: &Self) -> bool {
        (&self.program, &self.file, &self.sha256, &self.grant, &self.interfaces)
            == (&other.program, &other.file, &other.sha256, &other.grant, &other.interfaces)
    }
}

/// A time as people write it.
#[cfg(satellites)]
fn span(time: std::time::Duration) -> String {
    match time.as_millis() {
        millis if millis < 1000 => format!("{millis} ms"),
        millis if millis.is_multiple_of(1000) => format!("{} s", millis / 1000),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

#[cfg(all(test, satellites))]
mod tests;
