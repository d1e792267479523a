//! Commands to be run, and what goes on.

use super::super::commands;
use super::super::jobs::{End, Job};
use super::super::tenant::Tenant;
use super::{Tab, action, address, badge, clock};
use kokoro_host::State;
use maud::{Markup, html};

/// The page with the commands of all plugins.
pub(crate) fn commands(tenant: &Tenant) -> Markup {
    let graph = tenant.graph();
    let planets = graph.planets.iter().filter_map(|node| {
        let release = tenant.shelf.current(&node.name)?;
        let commands = commands::of(&release.inspection.manifest);
        let page = address(tenant, &format!("plugins/{}", release.sha256()));
        let has_none = matches!(&commands, Ok(commands) if commands.is_empty());
        (!has_none).then_some((node, page, commands))
    });
    let planets: Vec<_> = planets.collect();
    let body = html! {
        div.head {
            div {
                h1 { "Commands" }
                p.soft { "What plugins add. Titles come from their manifests: nothing runs before you ask for it." }
            }
        }
        @if planets.is_empty() { p.empty { "No plugin here adds a command." } }
        div.cards {
            @for (node, page, commands) in &planets {
                @let runs = node.state == State::Running;
                @match commands {
                    Err(why) => { article.card { h2 { (node.name) } p.why { (why) } } }
                    Ok(commands) => { @for command in commands {
                        article.card.command {
                            h2 { (command.title) }
                            p.soft { (command.about) }
                            form method="post" action=(address(tenant, &format!("commands/{}/{}", node.name, command.id))) {
                                @if let Some(input) = &command.input {
                                    input type="text" name="input" placeholder=(input) aria-label=(input) disabled[!runs];
                                }
                                button disabled[!runs] { "Run" }
                                span.soft { "by " a href=(page) { (node.name) } }
                                @if !runs { (badge(&node.state.to_string())) }
                            }
                        }
                    } }
                }
            }
        }
    };
    super::page("Commands", Some((tenant, Tab::Commands)), false, body)
}

/// The page with all jobs.
pub(crate) fn list(tenant: &Tenant) -> Markup {
    let jobs = tenant.jobs.all();
    let body = html! {
        div.head {
            div { h1 { "Builds & jobs" } p.soft { "Builds go to " code { (tenant.output.display()) } } }
            div.row { (action(&address(tenant, "builds"), "Build the site", "primary")) }
        }
        @if jobs.is_empty() { p.empty { "Nothing has been done yet." } }
        div.table {
            @for job in &jobs {
                article.line {
                    div.what {
                        a.name href=(address(tenant, &format!("jobs/{}", job.id))) { (job.title) }
                        p.soft { "since " (clock(job.started)) }
                    }
                    (badge(state(job)))
                }
            }
        }
    };
    super::page("Builds & jobs", Some((tenant, Tab::Jobs)), jobs.iter().any(|job| !job.has_ended()), body)
}

/// The page of one job.
pub(crate) fn page(tenant: &Tenant, job: &Job) -> Markup {
    let has_ended = job.has_ended();
    let live = address(tenant, &format!("jobs/{}/live", job.id));
    let body = html! {
        div.head { div { p.soft.over { "Job " (job.id) } h1 { (job.title) } } }
        div data-live=[(!has_ended).then_some(live)] { (part(&tenant.name, job)) }
        p { a href=(address(tenant, "jobs")) { "All jobs" } }
    };
    super::page(&job.title, Some((tenant, Tab::Jobs)), !has_ended, body)
}

/// What of it changes.
pub(crate) fn part(site: &str, job: &Job) -> Markup {
    let progress = job.progress();
    html! {
        section.card.job {
            div.row {
                (badge(state(job)))
                span.soft { "since " (clock(job.started)) }
                @if progress.end.is_none() {
                    (action(&format!("/s/{site}/jobs/{}/cancel", job.id), "Cancel", "quiet danger"))
                }
            }
            @if progress.of > 0 && progress.end.is_none() {
                progress max=(progress.of) value=(progress.done) {}
            }
            @match &progress.end {
                Some(End::Done(text) | End::Failed(text) | End::Cancelled(text)) => { pre.answer { (text) } }
                None => {}
            }
            @if !progress.lines.is_empty() {
                pre.lines { @for line in progress.lines.iter().rev() { (line) "\n" } }
            }
        }
    }
}

fn state(job: &Job) -> &'static str {
    match job.progress().end {
        None if job.cancel.is_cancelled() => "stopping",
        None => "running",
        Some(End::Done(_)) => "done",
        Some(End::Failed(_)) => "failed",
        Some(End::Cancelled(_)) => "cancelled",
    }
}
