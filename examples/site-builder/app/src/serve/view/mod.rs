//! The server's own pages. They work without the script, which only keeps parts of them up to date.

pub(crate) mod home;
pub(crate) mod jobs;
pub(crate) mod permission;
pub(crate) mod plugins;
pub(crate) mod why;

use super::tenant::Tenant;
use maud::{DOCTYPE, Markup, html};
use std::time::{SystemTime, UNIX_EPOCH};

/// The pages that each site has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tab {
    Overview,
    Plugins,
    Commands,
    Jobs,
    Why,
}

const TABS: [(Tab, &str, &str); 5] = [
    (Tab::Overview, "Overview", ""),
    (Tab::Plugins, "Plugins", "plugins"),
    (Tab::Commands, "Commands", "commands"),
    (Tab::Jobs, "Builds & jobs", "jobs"),
    (Tab::Why, "Why?", "why"),
];

/// A whole page; `refresh` has browsers without scripts ask for it again and again.
fn page(title: &str, tenant: Option<(&Tenant, Tab)>, refresh: bool, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if refresh { noscript { meta http-equiv="refresh" content="2"; } }
                title { (title) " · site-builder" }
                link rel="stylesheet" href="/own/serve.css";
                script src="/own/serve.js" defer {}
            }
            body {
                header.top {
                    a.brand href="/" { span.mark aria-hidden="true" {} "site-builder" }
                    @if let Some((tenant, tab)) = tenant {
                        a.site href=(address(tenant, "")) { (tenant.title()) }
                        nav aria-label="This site" {
                            @for (this, text, place) in TABS {
                                a href=(address(tenant, place)) aria-current=[(this == tab).then_some("page")] {
                                    (text)
                                    @if this == Tab::Plugins && tenant.shelf.undecided() > 0 {
                                        span.count title="waiting for your decision" { (tenant.shelf.undecided()) }
                                    }
                                }
                            }
                        }
                    }
                }
                main { (body) }
            }
        }
    }
}

fn address(tenant: &Tenant, place: &str) -> String {
    format!("/s/{}/{place}", tenant.name)
}

/// What a person is told who asked for something that cannot be.
pub(crate) fn problem(title: &str, text: &str, back: Option<(&str, &str)>) -> Markup {
    let (back, back_text) = back.unwrap_or(("/", "All sites"));
    let body = html! {
        section.card.problem {
            h1 { (title) }
            pre.reason { (text) }
            p { a.button href=(back) { (back_text) } }
        }
    };
    page(title, None, false, body)
}

/// A word in a colour of its own.
fn badge(state: &str) -> Markup {
    html! { span class={ "badge " (state) } { (state) } }
}

/// A button that asks the server to do something.
fn action(address: &str, text: &str, class: &str) -> Markup {
    html! { form.inline method="post" action=(address) { button class=(class) { (text) } } }
}

/// A time of day, in UTC.
fn clock(time: SystemTime) -> Markup {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()) % 86_400;
    html! { time { (format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)) } }
}

fn count(number: usize, one: &str, many: &str) -> String {
    crate::builder::count(number, one, many)
}
