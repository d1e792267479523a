//! HTTP requests: those that go to a host that was granted.

use std::collections::BTreeSet;
use std::sync::Arc;

use ::http::uri::{Authority, Scheme};
use ::http::{Request, Response, Uri};
use wasmtime_wasi_http::{RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

use crate::admission::{Grants, Hosts, authority_parts};
use crate::planet::State;
use crate::planet::refusals::Refusals;

/// How many bytes a Planet's HTTP headers may have, each set of them.
const HEADERS: usize = 16 << 10;
/// How many bytes of a request's body wait in the host.
const BODY: usize = 64 << 10;

/// A Planet's requests.
pub(super) struct Http {
    ctx: WasiHttpCtx,
    requests: Requests,
}

impl Http {
    pub(super) fn new(grants: &Grants, refusals: &Arc<Refusals>) -> Self {
        let mut ctx = WasiHttpCtx::new();
        ctx.set_field_size_limit(HEADERS);
        Self { ctx, requests: Requests { granted: grants.http.clone(), refusals: Arc::clone(refusals) } }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let Http { ctx, requests } = &mut self.wasi.http;
        WasiHttpCtxView { ctx, table: &mut self.wasi.table, hooks: requests }
    }
}

/// Lets those HTTP requests through that go to a host that was granted.
struct Requests {
    granted: BTreeSet<Hosts>,
    refusals: Arc<Refusals>,
}

impl Requests {
    /// Says why a request is refused, if it is.
    fn refuse(&self, uri: &Uri) -> Option<String> {
        let authority = uri.authority().map(Authority::as_str).unwrap_or_default();
        let Some((host, port)) = authority_parts(authority) else {
            // Without the address: a password may be in it.
            return Some(
                self.refusals
                    .note("http", "it tried to send a request to what is not just a host, or a host and a port"),
            );
        };
        let port = port.unwrap_or(if uri.scheme() == Some(&Scheme::HTTP) { 80 } else { 443 });
        if self.granted.iter().any(|hosts| hosts.contain(host, port)) {
            return None;
        }
        let host = host.to_ascii_lowercase();
        Some(self.refusals.note(&format!("http {host}:{port}"), "it tried to send a request there"))
    }
}

type Sent = Result<
    (Response<WasiBody>, Box<dyn Future<Output = Result<(), wasmtime_wasi_http::Error>> + Send>),
    wasmtime_wasi_http::Error,
>;

impl WasiHttpHooks for Requests {
    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        BODY
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        done: Box<dyn Future<Output = Result<(), wasmtime_wasi_http::Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        match self.refuse(request.uri()) {
            None => wasmtime_wasi_http::default_hooks().send_request(request, options, done),
            Some(refusal) => Box::new(std::future::ready(Err(wasmtime_wasi_http::Error::InternalError(Some(refusal))))),
        }
    }
}
