//! What stands for Satellites on systems that they are not supported on yet, and where the application has none.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::Terms;
use super::failure::{Failure, Kind, Whose};
use crate::admission::SatelliteGrant;
use crate::interface::InterfaceName;
use crate::value::{Buffer, Claim, Delivered, Receiver};

const UNSUPPORTED: &str = if cfg!(feature = "satellites") {
    "satellites are not supported on this system yet"
} else {
    "this application was built without the feature `satellites` of kokoro-host"
};

/// See above.
pub(crate) fn check_program(_: &Path, _: &SatelliteGrant) -> Result<String, String> {
    Err(UNSUPPORTED.to_owned())
}

/// None is ever started.
#[derive(Debug)]
pub(crate) struct Satellite(Terms);

/// A call that goes nowhere.
#[derive(Debug)]
pub(crate) struct Progress;

impl Progress {
    pub(crate) fn new(_: Instant) -> Arc<Self> {
        Arc::new(Self)
    }

    pub(crate) fn cancel(&self) -> bool {
        false
    }
}

/// Holds nothing.
#[derive(Debug)]
pub(crate) struct Lease;

impl Satellite {
    pub(crate) fn new(terms: Terms) -> Arc<Self> {
        Arc::new(Self(terms))
    }

    pub(crate) fn program(&self) -> &str {
        &self.0.program
    }

    pub(crate) fn is_like(&self, terms: &Terms) -> bool {
        self.0.is_like(terms)
    }

    pub(crate) fn lease(self: &Arc<Self>) -> Lease {
        Lease
    }

    pub(crate) async fn start(&self) -> Result<(), Failure> {
        Err(self.unsupported())
    }

    pub(crate) async fn call(
        &self,
        _: &InterfaceName,
        _: &str,
        _: &[u8],
        _: &Arc<Progress>,
    ) -> Result<Buffer, Failure> {
        Err(self.unsupported())
    }

    pub(crate) async fn call_delivered(
        &self,
        _: &InterfaceName,
        _: &str,
        _: Delivered,
        _: &Arc<Progress>,
    ) -> Result<Buffer, Failure> {
        Err(self.unsupported())
    }

    pub(crate) fn late(&self, _: &str, _: bool, _: &Progress) -> Failure {
        self.unsupported()
    }

    pub(crate) fn late_to_start(&self) -> Failure {
        self.unsupported()
    }

    pub(crate) fn without_memory(&self, _: &str, _: &str) -> Failure {
        self.unsupported()
    }

    pub(crate) fn renew(&self) {}

    pub(crate) async fn ended(&self) {}

    fn unsupported(&self) -> Failure {
        let whose = Whose { planet: Arc::clone(&self.0.planet), program: Arc::clone(&self.0.program) };
        Failure::new(Kind::Absent, format!("{whose} cannot be started: {UNSUPPORTED}"))
    }
}

impl Receiver for Satellite {
    fn claim(&self) -> Option<Box<dyn Claim>> {
        None
    }

    fn inline(&self) -> usize {
        usize::MAX
    }
}
