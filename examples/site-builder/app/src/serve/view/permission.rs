//! What a plugin is and asks to be allowed, for a person to decide about. Nothing of it has been compiled when it is shown.

use super::super::commands;
use super::super::shelf::{Decision, Release};
use super::super::tenant::{MOST_WRITTEN, Tenant};
use super::super::terms::{Terms, Wish};
use super::{Tab, action, address, badge, plugins};
use kokoro_host::{InterfaceName, Manifest};
use maud::{Markup, html};
use std::collections::BTreeSet;

/// The permission page.
pub(crate) fn page(tenant: &Tenant, release: &Release) -> Markup {
    let manifest = &release.inspection.manifest;
    let here = address(tenant, &format!("plugins/{}", release.sha256()));
    let decision = tenant.shelf.decision(release);
    let old = tenant.shelf.current(release.name()).filter(|current| current.sha256() != release.sha256());
    let old = old.as_deref();
    let terms = terms(tenant, release, decision.as_ref(), old);
    let (state, reason) = plugins::standing(tenant, &tenant.graph(), release);
    let wishes = release.wishes();
    let old_wishes: BTreeSet<String> = old.into_iter().flat_map(Release::wishes).map(|wish| wish.key).collect();
    let is_new = |wish: &Wish| old.is_some() && !old_wishes.contains(&wish.key);
    let kind = match (old, &decision) {
        (Some(_), _) => "Another release of a plugin that is here",
        (None, None) => "A plugin that is new here",
        (None, Some(_)) => "Plugin",
    };
    let admit = match (old, &*state) {
        (Some(_), _) => "Use this release",
        (None, "running") => "Change what it is allowed",
        (None, _) => "Let it in",
    };
    let body = html! {
        div.head {
            div {
                p.soft.over { (kind) }
                h1 { (release.name()) " " span.version { (release.version()) } }
            }
            (badge(&state))
        }
        @if let Some(reason) = reason { p.notice { (reason) } }
        @if decision.is_none() {
            p.notice.calm { "Nothing of it has been compiled or run. All that is said here was read from the file." }
        }
        form.decide method="post" action={ (here) "/admit" } {
            div {
                section.card {
                    h2 { "It asks to be allowed" }
                    @if wishes.is_empty() {
                        p.soft { "Nothing, and it gets nothing of the kind: no folders, no network, no environment, no native programs." }
                    } @else {
                        p.soft { "Nothing is allowed that you do not tick." }
                    }
                    ul.wishes {
                        @for wish in &wishes {
                            li.wish.grave[wish.is_grave].never[wish.means.is_err()] { (asked(wish, &terms, is_new(wish))) }
                        }
                    }
                }
                (served(release, old))
                (offers(release, &terms, old))
            }
            div {
                (offered_commands(manifest))
                section.card {
                    h2 { "What it needs of others" }
                    (needs("requires", &manifest.requires, old.map(|old| &old.inspection.manifest.requires)))
                    (needs("uses if it is there", &manifest.optional, old.map(|old| &old.inspection.manifest.optional)))
                    @if manifest.requires.is_empty() && manifest.optional.is_empty() { p.soft { "Nothing." } }
                }
                (facts(release, old))
                @if let Some(old) = old { (gone(release, old, &wishes)) }
            }
            div.row.decision {
                button.primary { (admit) }
                button.quiet.danger formaction={ (here) "/refuse" } { "Refuse" }
            }
        }
        @if !release.is_built_in {
            div.row { (action(&format!("{here}/remove"), "Remove the upload", "quiet danger")) }
        }
    };
    super::page(release.name(), Some((tenant, Tab::Plugins)), false, body)
}

/// What is ticked: what was decided, else what was allowed to the release that it would replace, else nothing.
fn terms(tenant: &Tenant, release: &Release, decision: Option<&Decision>, old: Option<&Release>) -> Terms {
    match (decision, old.and_then(|old| tenant.shelf.decision(old))) {
        (Some(Decision::Admitted(terms)), _) => terms.clone(),
        (None, Some(Decision::Admitted(mut terms))) => {
            // A program is allowed as it was looked at, which cannot be carried over.
            terms.allowed.retain(|key| !key.starts_with("program:"));
            let exports: BTreeSet<String> = release.exports().iter().map(ToString::to_string).collect();
            terms.withheld.retain(|export| exports.contains(export));
            terms
        }
        _ => Terms::none(),
    }
}

/// What it can do through what the application serves, which it has without a tick.
fn served(release: &Release, old: Option<&Release>) -> Markup {
    let imports = |release: &Release, path: &str| release.inspection.imports.keys().any(|import| import.path() == path);
    let written = format!(
        "reads the files of this site, and writes pictures and other files into it: with all other plugins up to {} files and {} MB, but \
         no file of another plugin",
        MOST_WRITTEN.files,
        MOST_WRITTEN.bytes >> 20
    );
    let can = [("site:build/pages", "reads the texts of this site"), ("site:build/files", &*written)];
    let can: Vec<_> = can.into_iter().filter(|(path, _)| imports(release, path)).collect();
    html! {
        @if !can.is_empty() {
            section.card {
                h2 { "What it can do as soon as it is let in" }
                ul {
                    @for (path, what) in can {
                        li { (what) " " code { (path) } (flag(old.is_some_and(|old| !imports(old, path)))) }
                    }
                }
            }
        }
    }
}

/// Its exports, each of which can be left out.
fn offers(release: &Release, terms: &Terms, old: Option<&Release>) -> Markup {
    html! {
        section.card {
            h2 { "What it offers to others" }
            @if release.exports().is_empty() {
                p.soft { "Nothing." }
            } @else {
                p.soft { "What you untick does not count: nobody is given it." }
            }
            ul.wishes {
                @for export in release.exports() {
                    @let name = export.to_string();
                    li.wish {
                        label {
                            input type="checkbox" name="export" value=(name) checked[!terms.withheld.contains(&name)];
                            span { code { (name) } (flag(old.is_some_and(|old| !old.exports().contains(export)))) }
                        }
                    }
                }
            }
        }
    }
}

fn asked(wish: &Wish, terms: &Terms, is_new: bool) -> Markup {
    let variable = wish.key.strip_prefix("env:").filter(|_| wish.means.is_ok());
    html! {
        label {
            input type="checkbox" name="grant" value=(wish.key)
                checked[terms.allowed.contains(&wish.key)] disabled[wish.means.is_err()];
            span {
                strong { (wish.what) } (flag(is_new))
                @match &wish.means {
                    Ok(means) => { small { (means) } }
                    Err(why) => { small { "Cannot be allowed: " (why) } }
                }
            }
        }
        @if let Some(name) = variable {
            input.value type="text" name={ "value:" (name) } value=[terms.env.get(name)]
                placeholder="value" aria-label={ "The value of " (name) };
        }
    }
}

fn flag(is_new: bool) -> Markup {
    html! { @if is_new { " " span.new { "new" } } }
}

/// Its commands, as its manifest tells of them.
fn offered_commands(manifest: &Manifest) -> Markup {
    let commands = commands::of(manifest);
    html! {
        @match &commands {
            Ok(commands) if commands.is_empty() => {}
            Ok(commands) => {
                section.card {
                    h2 { "Commands that it adds" }
                    ul.commands { @for command in commands { li { strong { (command.title) } small { (command.about) } } } }
                }
            }
            Err(why) => { section.card { h2 { "Commands that it adds" } p.why { (why) } } }
        }
    }
}

fn needs(what: &str, these: &BTreeSet<InterfaceName>, old: Option<&BTreeSet<InterfaceName>>) -> Markup {
    html! {
        @if !these.is_empty() {
            p.needs {
                span.soft { (what) }
                @for this in these { " " code { (this) } (flag(old.is_some_and(|old| !old.contains(this)))) }
            }
        }
    }
}

fn facts(release: &Release, old: Option<&Release>) -> Markup {
    let system = release.inspection.imports.keys().filter(|import| import.path().starts_with("wasi:")).count();
    html! {
        section.card {
            h2 { "The file" }
            dl {
                dt { "SHA-256" } dd { code.hash { (release.sha256()) } }
                @if let Some(old) = old {
                    dt { "in use" } dd { code.hash { (old.sha256()) } " " (old.version()) }
                }
                dt { "comes" } dd { @if release.is_built_in { "with this server" } @else { "from an upload" } }
                dt { "imports" } dd { (system) " interfaces of WASI, which give it nothing that you do not allow" }
                @for note in &release.inspection.notes { dt { "note" } dd { (note) } }
            }
        }
    }
}

/// What the release in use has and this one has not.
fn gone(release: &Release, old: &Release, wishes: &[Wish]) -> Markup {
    let kept: BTreeSet<&str> = wishes.iter().map(|wish| &*wish.key).collect();
    let old_wishes = old.wishes();
    let wishes: Vec<_> = old_wishes.iter().filter(|wish| !kept.contains(&*wish.key)).collect();
    let exports: Vec<_> = old.exports().difference(release.exports()).collect();
    html! {
        @if !wishes.is_empty() || !exports.is_empty() {
            section.card {
                h2 { "No longer, as against the release in use" }
                ul {
                    @for wish in wishes { li { "asks to " (wish.what) } }
                    @for export in exports { li { "offers " code { (export) } } }
                }
            }
        }
    }
}
