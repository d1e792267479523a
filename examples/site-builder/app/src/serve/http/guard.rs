//! Who may ask at all, and what browsers may do with the answers.

use super::{App, Problem};
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::net::SocketAddr;
use std::sync::Arc;

/// What the server's own pages may load and do: nothing from elsewhere.
const OWN: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'";
/// The picture of a graph brings its style along.
pub(super) const WITH_STYLES: &str = "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// The pages of a site are made by strangers. They are in an origin of their own (`sandbox`), without scripts and without forms.
pub(super) const STRANGE: &str = "sandbox; default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     media-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// By which names the server may be asked for.
#[derive(Debug, Clone)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    /// The names of this computer for itself, and those that were given.
    pub(crate) fn new(listens: SocketAddr, given: &[String]) -> Self {
        let port = listens.port();
        let names = ["localhost", "127.0.0.1", "[::1]", &host(listens)].map(str::to_owned);
        let with_port = names.iter().map(|name| format!("{name}:{port}"));
        // Of the port that HTTP has anyway, browsers say nothing.
        let without = names.iter().filter(|_| port == 80).cloned();
        let given = given.iter().map(|name| name.to_ascii_lowercase());
        Self(with_port.chain(without).chain(given).collect())
    }

    /// A page from elsewhere whose name leads to this computer (DNS rebinding) asks by that name.
    fn has(&self, host: &str) -> bool {
        self.0.iter().any(|own| own.eq_ignore_ascii_case(host))
    }
}

fn host(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}

/// Whether a request that changes something comes from a page of this very server, or from no page at all.
///
/// Browsers say where a request comes from, in one of two headers; a page cannot make them leave out both.
fn is_own(headers: &HeaderMap, host: &str) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("null"));
    match (text(HeaderName::from_static("sec-fetch-site")), text(header::ORIGIN)) {
        (Some("same-origin" | "none"), _) | (None, None) => true,
        (Some(_), _) => false,
        (None, Some(origin)) => {
            let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            rest.is_some_and(|rest| rest.eq_ignore_ascii_case(host))
        }
    }
}

/// Stands before everything else. What browsers may do with an answer is said with every one, this guard's own included.
pub(super) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = answer(&app, request, next).await;
    let headers = response.headers_mut();
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(OWN));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

async fn answer(app: &App, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !app.hosts.has(host) {
        let text = format!("this server is not called `{host}`\n  help: `--host {host}` if it is to be");
        return Problem::new(StatusCode::MISDIRECTED_REQUEST, "Not here", text).into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) && !is_own(request.headers(), host) {
        let text = "a page of another site asked for this in your name; nothing was done";
        return Problem::new(StatusCode::FORBIDDEN, "Not from there", text).into_response();
    }
    let Ok(_turn) = app.turns.try_acquire() else {
        return Problem::busy("more is asked for than can be answered at a time").into_response();
    };
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_answers_to_its_own_names() {
        let hosts = Hosts::new(SocketAddr::from(([127, 0, 0, 1], 8080)), &["sites.example".to_owned()]);
        for host in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST:8080", "sites.example"] {
            assert!(hosts.has(host), "{host}");
        }
        for host in ["", "localhost", "localhost:80", "evil.example:8080", "127.0.0.1.evil.example:8080"] {
            assert!(!hosts.has(host), "{host}");
        }
        let hosts = Hosts::new(SocketAddr::from(([127, 0, 0, 1], 80)), &[]);
        for host in ["localhost", "127.0.0.1", "[::1]", "localhost:80"] {
            assert!(hosts.has(host), "{host}");
        }
        assert!(!hosts.has("evil.example"));
    }

    #[test]
    fn what_changes_something_comes_from_the_servers_own_pages() {
        let is_own = |headers: &[(&'static str, &'static str)]| {
            let headers =
                headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            is_own(&headers.collect(), "localhost:8080")
        };
        assert!(is_own(&[]));
        assert!(is_own(&[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:8080")]));
        assert!(is_own(&[("origin", "http://localhost:8080")]));
        for site in ["cross-site", "same-site"] {
            assert!(!is_own(&[("sec-fetch-site", site), ("origin", "http://localhost:8080")]), "{site}");
        }
        for origin in ["null", "http://localhost:9090", "http://evil.example", "http://localhost:8080.evil.example"] {
            assert!(!is_own(&[("origin", origin)]), "{origin}");
        }
    }
}
