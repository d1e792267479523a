//! All sites, and one site.

use super::super::tenant::Tenant;
use super::{Tab, action, address, badge, count};
use kokoro_host::State;
use maud::{Markup, html};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The page with all sites.
pub(crate) fn page(tenants: &BTreeMap<String, Arc<Tenant>>) -> Markup {
    let body = html! {
        h1 { "Sites" }
        p.lead {
            "Each site has plugins of its own. They are Planets: WebAssembly components that you let in and Kokoro confines."
        }
        @if tenants.is_empty() {
            p.empty { "There are no sites yet: each folder in the folder of " code { "--sites" } " is one." }
        }
        div.cards {
            @for tenant in tenants.values() {
                article.card {
                    h2 { a href=(address(tenant, "")) { (tenant.title()) } }
                    p.soft { (tenant.name) " · " (count(tenant.today.site().pages().len(), "page", "pages")) }
                    (states(tenant))
                    div.row {
                        a.button href=(address(tenant, "pages/")) { "Open the site" }
                        a.button.quiet href=(address(tenant, "plugins")) { "Plugins" }
                    }
                }
            }
        }
    };
    super::page("Sites", None, false, body)
}

/// How many plugins are in which state.
fn states(tenant: &Tenant) -> Markup {
    let mut states: BTreeMap<String, usize> = BTreeMap::new();
    for planet in tenant.graph().planets {
        let release = tenant.shelf.current(&planet.name);
        let is_undecided = release.is_some_and(|release| tenant.shelf.decision(&release).is_none());
        let state = if is_undecided { "undecided".to_owned() } else { planet.state.to_string() };
        *states.entry(state).or_default() += 1;
    }
    html! {
        p.states { @for (state, number) in &states { span.pair { (number) " " (badge(state)) } } }
    }
}

/// One site at a glance.
pub(crate) fn overview(tenant: &Tenant) -> Markup {
    let site = tenant.today.site();
    let maker = tenant.graph().planets.into_iter().any(|planet| {
        planet.state == State::Running && planet.exports.iter().any(|export| export.path() == "site:build/page")
    });
    let body = html! {
        div.head {
            div {
                h1 { (tenant.title()) }
                p.soft {
                    (count(site.pages().len(), "page", "pages")) ", "
                    (count(site.files().len(), "other file", "other files"))
                }
                (states(tenant))
            }
            div.row {
                a.button href=(address(tenant, "pages/")) { "Open the site" }
                (action(&address(tenant, "builds"), "Build it", "quiet"))
                (action(&address(tenant, "read-again"), "Read the texts again", "quiet"))
            }
        }
        @if !maker {
            p.notice { "Nobody makes pages at present. " a href=(address(tenant, "why")) { "Why?" } }
        } @else {
            iframe.preview title="The site" src=(address(tenant, "pages/")) sandbox="" {}
        }
        @if !site.problems().is_empty() {
            section.card { h2 { "Texts that cannot be used" } ul { @for problem in site.problems() { li { (problem) } } } }
        }
    };
    super::page(&tenant.title(), Some((tenant, Tab::Overview)), false, body)
}
