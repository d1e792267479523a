//! The plugins of a site.

use super::super::shelf::{Decision, Release};
use super::super::tenant::Tenant;
use super::{Tab, action, address, badge, count};
use kokoro_host::Graph;
use maud::{Markup, html};

/// The page with all plugins of a site.
pub(crate) fn page(tenant: &Tenant) -> Markup {
    let graph = tenant.graph();
    let releases = tenant.shelf.releases();
    let (pending, others): (Vec<_>, Vec<_>) =
        releases.iter().partition(|release| tenant.shelf.decision(release).is_none());
    let body = html! {
        div.head {
            div {
                h1 { "Plugins" }
                p.soft { (count(releases.len(), "release", "releases")) " of Planets (plugins) on this site's shelf" }
            }
        }
        section.card.upload {
            h2 { "Add a plugin" }
            p.soft {
                "A WebAssembly component (" code { ".wasm" } "), also a newer release of one that is here. "
                "It is looked at, not compiled: you decide first."
            }
            form method="post" action=(address(tenant, "upload")) enctype="multipart/form-data" {
                input type="file" name="component" accept=".wasm,application/wasm" required aria-label="The component";
                button { "Upload" }
            }
        }
        @if !pending.is_empty() {
            h2 { "Waiting for your decision" }
            (table(tenant, &graph, &pending))
        }
        @if !others.is_empty() {
            h2 { "On the shelf" }
            (table(tenant, &graph, &others))
        }
    };
    super::page("Plugins", Some((tenant, Tab::Plugins)), false, body)
}

fn table(tenant: &Tenant, graph: &Graph, releases: &[&std::sync::Arc<Release>]) -> Markup {
    html! {
        div.table {
            @for release in releases {
                @let page = address(tenant, &format!("plugins/{}", release.sha256()));
                @let (state, reason) = standing(tenant, graph, release);
                article.line {
                    div.what {
                        a.name href=(page) { (release.name()) } " " span.soft { (release.version()) }
                        p.soft {
                            @if release.is_built_in { "built in" } @else { "uploaded" }
                            " · " code title=(release.sha256()) { (&release.sha256()[..12]) }
                            @let wishes = release.wishes().len();
                            @if wishes > 0 { " · asks for " (count(wishes, "permission", "permissions")) }
                        }
                        @if let Some(reason) = reason { p.why { (reason) } }
                    }
                    (badge(&state))
                    div.row {
                        a.button.quiet href=(page) { @if state == "undecided" { "Decide" } @else { "Permissions" } }
                        @if !release.is_built_in { (action(&format!("{page}/remove"), "Remove", "quiet danger")) }
                    }
                }
            }
        }
    }
}

/// In which state a release is, and why.
pub(super) fn standing(tenant: &Tenant, graph: &Graph, release: &Release) -> (String, Option<String>) {
    let decision = tenant.shelf.decision(release);
    let node = graph.planet(release.name()).filter(|node| node.sha256.as_deref() == Some(release.sha256()));
    match (decision, node) {
        (None, _) => ("undecided".to_owned(), None),
        (Some(_), Some(node)) => (node.state.to_string(), node.reason.clone()),
        (Some(Decision::Refused), None) => ("refused".to_owned(), Some("you did not want it".to_owned())),
        (Some(Decision::Admitted(_)), None) => {
            ("unused".to_owned(), Some("another release of this name took its place".to_owned()))
        }
    }
}
