//! Makes the pages of a site, into a folder.

use crate::address;
use crate::bindings::page;
use crate::site::{Page, Site};
use anyhow::{Context as _, Result};
use kokoro_host::CancellationToken;
use std::fmt;
use std::fs;
use std::path::{Component, Path};

/// What was made, and what was not.
#[derive(Debug, Default)]
pub(crate) struct Made {
    pub(crate) pages: usize,
    /// Those that were copied.
    pub(crate) files: usize,
    pub(crate) problems: Vec<String>,
}

/// What is about to be done. Shown, it is one line.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// A page of a text.
    Page { number: usize, of: usize, source: &'a str, target: &'a str },
    /// A page that lists what is in a folder.
    List { folder: &'a str, target: &'a str },
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page { number, of, source, target } => write!(f, "[{number:>3}/{of}] {source} -> {target}"),
            Self::List { folder, target } => write!(f, "[folder ] {folder}/ -> {target}"),
        }
    }
}

/// Not everything was made, since that was cancelled.
#[derive(Debug)]
pub(crate) struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it was cancelled")
    }
}

impl std::error::Error for Cancelled {}

/// Has all pages of the site made, and copies the other files. Each step is told before it is done.
///
/// # Errors
///
/// If there is no use in going on; [`Cancelled`] among others. That single pages cannot be made is in [`Made`].
pub(crate) async fn make(
    maker: &page::Page,
    site: &Site,
    output: &Path,
    cancel: &CancellationToken,
    tell: &mut (dyn FnMut(&Step<'_>) + Send),
) -> Result<Made> {
    match make_all(maker, site, output, cancel, tell).await {
        // A call that is broken off is an error of its own, wherever that happens.
        Err(_) if cancel.is_cancelled() => Err(Cancelled.into()),
        made => made,
    }
}

async fn make_all(
    maker: &page::Page,
    site: &Site,
    output: &Path,
    cancel: &CancellationToken,
    tell: &mut (dyn FnMut(&Step<'_>) + Send),
) -> Result<Made> {
    let maker = maker.clone().cancelled_by(cancel);
    let go_on = || if cancel.is_cancelled() { Err(Cancelled) } else { Ok(()) };
    let mut made = Made::default();
    site.begin_lists();
    for asset in maker.assets().await?.map_err(|reason| anyhow::anyhow!("the stylesheet: {reason}"))? {
        if !is_inside(&asset.target) {
            made.problems
                .push(format!("`{}`: a planet wants to write there, and that is no place in the site", asset.target));
        } else if site.files().contains(&asset.target) {
            made.problems.push(format!("{}: the pages need a file of this name of their own", asset.target));
        } else {
            write(output, &asset.target, &asset.content)?;
        }
    }
    for (number, (source, page)) in (1..).zip(site.pages()) {
        tell(&Step::Page { number, of: site.pages().len(), source, target: &page.target });
        make_page(&maker, output, source, page, &mut made).await?;
        go_on()?;
    }
    while let Some((folder, page)) = site.next_list() {
        tell(&Step::List { folder: address::folder(&folder), target: &page.target });
        make_page(&maker, output, &folder, &page, &mut made).await?;
        go_on()?;
    }
    for file in site.files() {
        go_on()?;
        let copy = output.join(file);
        match make_folder(&copy).and_then(|()| Ok(fs::copy(site.path(file), &copy)?)) {
            Ok(_) => made.files += 1,
            Err(error) => made.problems.push(format!("{file}: {error:#}")),
        }
    }
    Ok(made)
}

/// Makes one page. What the page's maker has to say against it is a problem of this page alone, and so is that it fails
/// over it. That it cannot be asked is an error, and there is no use in asking it for others.
async fn make_page(maker: &page::Page, output: &Path, source: &str, page: &Page, made: &mut Made) -> Result<()> {
    let document = page::Document { source: source.to_owned(), target: page.target.clone(), text: page.text.clone() };
    let html = match maker.render(&document).await {
        Err(error) if !error.is_unavailable() => Ok(Err(format!("the page cannot be made: {error}"))),
        answer => answer,
    };
    let html = html.with_context(|| format!("{source}: the page cannot be made"))?;
    match html {
        Ok(html) => {
            write(output, &page.target, &html)?;
            made.pages += 1;
        }
        Err(reason) => made.problems.push(format!("{source}: {reason}")),
    }
    Ok(())
}

fn write(output: &Path, target: &str, content: &str) -> Result<()> {
    let path = output.join(target);
    make_folder(&path)?;
    fs::write(&path, content).with_context(|| format!("`{}` cannot be written", path.display()))
}

/// Whether a name that a Planet (plugin) gives to a file stays inside the site.
pub(crate) fn is_inside(target: &str) -> bool {
    !target.is_empty() && Path::new(target).components().all(|part| matches!(part, Component::Normal(_)))
}

fn make_folder(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).with_context(|| format!("`{}` cannot be made", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::is_inside;

    #[test]
    fn planets_write_nowhere_but_into_the_site() {
        for inside in ["a.css", "a/b.css", "..a"] {
            assert!(is_inside(inside), "{inside}");
        }
        for outside in ["", "/a", "../a", "a/../../b", "."] {
            assert!(!is_inside(outside), "{outside}");
        }
    }
}
