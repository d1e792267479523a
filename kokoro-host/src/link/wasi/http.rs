//! What of a request the host would keep without a limit.

use wasmtime::component::{LinkerInstance, Resource};
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::p2::bindings::http::types::{HostOutgoingRequest as _, Method};
use wasmtime_wasi_http::p2::types::HostOutgoingRequest;

use super::Caller;
use crate::planet::State;

/// How many bytes a request's method, and its authority, may have: the host keeps them, and has no limit of its own.
const WORD: usize = 1024;

pub(super) fn bound_requests(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    type Request = Resource<HostOutgoingRequest>;
    linker.func_wrap(
        "[method]outgoing-request.set-method",
        |mut store: Caller<'_>, (request, method): (Request, Method)| match &method {
            Method::Other(word) if word.len() > WORD => Ok((Err(()),)),
            _ => Ok((store.data_mut().http().set_method(request, method)?,)),
        },
    )?;
    linker.func_wrap(
        "[method]outgoing-request.set-authority",
        |mut store: Caller<'_>, (request, authority): (Request, Option<String>)| match &authority {
            Some(word) if word.len() > WORD => Ok((Err(()),)),
            _ => Ok((store.data_mut().http().set_authority(request, authority)?,)),
        },
    )
}
