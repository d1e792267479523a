//! Why a plugin does not run: the graph as a picture, reasons, and what to do.

use super::super::shelf::Decision;
use super::super::tenant::Tenant;
use super::{Tab, action, address, badge, clock};
use kokoro_host::{EdgeKind, Graph, Node, State};
use maud::{Markup, PreEscaped, html};

/// The page.
pub(crate) fn page(tenant: &Tenant) -> Markup {
    let body = html! {
        div.head {
            div {
                h1 { "Why is it not running?" }
                p.soft { "Who serves whom, who does not run, and what to do about it. This page follows what happens." }
            }
        }
        div data-live=(address(tenant, "why/live")) { (part(tenant)) }
    };
    super::page("Why?", Some((tenant, Tab::Why)), false, body)
}

/// What of it changes.
pub(crate) fn part(tenant: &Tenant) -> Markup {
    let graph = tenant.graph();
    let (running, others): (Vec<_>, Vec<_>) = graph.planets.iter().partition(|node| node.state == State::Running);
    // Who waits has it from others, so these come first.
    let (waiting, causes): (Vec<_>, Vec<_>) = others.iter().partition(|node| node.state == State::Waiting);
    let all = graph.planets.len();
    html! {
        @match others.len() {
            0 => { p.notice.good { "All " (all) " plugins run." } }
            1 => { p.notice { "1 of " (all) " plugins does not run." } }
            several => { p.notice { (several) " of " (all) " plugins do not run." } }
        }
        // The picture escapes what strangers put into it.
        figure.graph { (PreEscaped(graph.to_svg())) }
        div.reasons { @for node in causes.into_iter().chain(waiting) { (reason(tenant, &graph, node)) } }
        (absent(&running))
        section.card {
            h2 { "What has happened" }
            ol.journal {
                @for (time, line) in tenant.journal.lines().into_iter().take(40) { li { (clock(time)) " " (line) } }
            }
        }
    }
}

/// One plugin that does not run.
fn reason(tenant: &Tenant, graph: &Graph, node: &Node) -> Markup {
    let details = node.details.as_deref().unwrap_or("no reason is known");
    let release = tenant.shelf.current(&node.name);
    html! {
        article.card.reason {
            div.row { strong { (node.name) } (badge(&node.state.to_string())) }
            pre.reason { (details) }
            div.row {
                @if let Some(release) = &release {
                    @let page = address(tenant, &format!("plugins/{}", release.sha256()));
                    @match tenant.shelf.decision(release) {
                        None => { a.button href=(page) { "Decide about it" } }
                        Some(Decision::Refused) => { a.button.quiet href=(page) { "Think again" } }
                        Some(Decision::Admitted(_)) if wants_program(node) => {
                            a.button href=(page) { "Permissions" }
                        }
                        Some(Decision::Admitted(_)) => {}
                    }
                }
                @if node.state == State::Failed {
                    (action(&address(tenant, &format!("restart/{}", node.name)), "Try again", "primary"))
                }
                @if node.state == State::Waiting {
                    @for provider in could_serve(graph, node) {
                        @if let Some(release) = tenant.shelf.current(&provider.name) {
                            a.button href=(address(tenant, &format!("plugins/{}", release.sha256()))) { "Look at " (provider.name) }
                        }
                    }
                    a.button.quiet href=(address(tenant, "plugins")) { "Add a plugin" }
                }
            }
        }
    }
}

/// Whether it is without a native program that it asks for.
fn wants_program(node: &Node) -> bool {
    node.imports.iter().any(|import| import.kind == EdgeKind::Satellite && import.provider.is_none())
}

/// Those that export what it requires, and do not run either.
fn could_serve<'g>(graph: &'g Graph, node: &'g Node) -> impl Iterator<Item = &'g Node> {
    let required =
        || node.imports.iter().filter(|import| import.kind == EdgeKind::Required && import.provider.is_none());
    graph.planets.iter().filter(move |other| {
        let exports = || other.exports.iter().chain(&other.withheld);
        other.state != State::Running
            && required().any(|import| exports().any(|export| export.can_serve(&import.interface)))
    })
}

/// What those that run would have liked to have.
fn absent(running: &[&Node]) -> Markup {
    let absent: Vec<_> = running
        .iter()
        .flat_map(|node| node.imports.iter().map(move |import| (node, import)))
        .filter(|(_, import)| import.provider.is_none() && import.kind != EdgeKind::Host)
        .collect();
    html! {
        @if !absent.is_empty() {
            section.card {
                h2 { "What runs without" }
                ul { @for (node, import) in absent { li { strong { (node.name) } " goes on without " code { (import.interface) } } } }
            }
        }
    }
}
