//! What stands for Satellites on systems that they are not supported on yet.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::Terms;
use super::failure::{Failure, Kind, Whose};
use crate::admission::SatelliteGrant;
use crate::interface::InterfaceName;
use crate::value::{Buffer, Claim, Delivered, Receiver};

const UNSUPPORTED: &str = "satellites are not supported on this system yet";

/// See above.
pub(crate) fn check_program(_: &Path, _: &SatelliteGrant) -> Result<(), String> {
    Err(UNSUPPORTED.to_owned())
}

/// None is ever started.
#[derive(Debug)]
pub(crate) struct Satellite(Terms);

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

    pub(crate) async fn call(&self, _: &InterfaceName, _: &str, _: &[u8]) -> Result<Buffer, Failure> {
        Err(self.unsupported())
    }

    pub(crate) async fn call_delivered(&self, _: &InterfaceName, _: &str, _: Delivered) -> Result<Buffer, Failure> {
        Err(self.unsupported())
    }

    pub(crate) fn late(&self, _: &str, _: bool, _: Duration) -> Failure {
        self.unsupported()
    }

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
