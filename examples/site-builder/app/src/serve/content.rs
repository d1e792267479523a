//! What is at an address of a site: pages, which Planets (plugins) make when they are asked for, and files.

use super::tenant::Tenant;
use crate::bindings::page;
use crate::served::{MADE, is_name};
use crate::site::Page;
use std::time::Duration;

/// How long a reader waits for a page.
const MOST_FOR_A_PAGE: Duration = Duration::from_secs(10);

/// What is there.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) media_type: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// Why there is nothing now, though there is something.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Nobody makes pages at present.
    NoMaker(String),
    TooLate(String),
    Failed(String),
}

impl From<kokoro_host::Error> for Fault {
    fn from(error: kokoro_host::Error) -> Self {
        let text = error.to_string();
        if error.is_timeout() {
            Self::TooLate(text)
        } else if error.is_unavailable() {
            Self::NoMaker(text)
        } else {
            Self::Failed(text)
        }
    }
}

impl Tenant {
    /// What is at `path`, from the site's root; `None` if nothing is. Only what the site or a Planet knows by that very name is
    /// looked for on the disk.
    ///
    /// # Errors
    ///
    /// If it is to be made and cannot be.
    pub(crate) async fn content(&self, path: &str) -> Result<Option<Content>, Fault> {
        let site = self.today.site();
        let target = match path {
            "" => "index.html".to_owned(),
            folder if folder.ends_with('/') => format!("{folder}index.html"),
            file => file.to_owned(),
        };
        if let Some((source, page)) = site.pages().iter().find(|(_, page)| page.target == target) {
            return self.render(source, page).await.map(Some);
        }
        if site.files().contains(&target) {
            return file(&target, site.path(&target)).await;
        }
        if let Some((folder, "index.html")) = target.rsplit_once('/').or(Some(("", &*target)))
            && let Some(page) = site.list(folder)
        {
            return self.render(&format!("{folder}/index.md"), &page).await.map(Some);
        }
        if let Some(name) =
            target.strip_prefix(MADE).and_then(|rest| rest.strip_prefix('/')).filter(|name| is_name(name))
        {
            return file(&target, self.output.join(MADE).join(name)).await;
        }
        let assets = self.maker()?.assets().await?.map_err(Fault::Failed)?;
        let asset = assets.into_iter().find(|asset| asset.target == target);
        Ok(asset.map(|asset| Content { media_type: media_type(&target), bytes: asset.content.into_bytes() }))
    }

    fn maker(&self) -> Result<page::Page, Fault> {
        Ok(self.primary.get::<page::Page>()?.within(MOST_FOR_A_PAGE))
    }

    async fn render(&self, source: &str, page: &Page) -> Result<Content, Fault> {
        let document = page::Document {
            source: source.trim_start_matches('/').to_owned(),
            target: page.target.clone(),
            text: page.text.clone(),
        };
        let html = self.maker()?.render(&document).await?.map_err(Fault::Failed)?;
        Ok(Content { media_type: media_type("page.html"), bytes: html.into_bytes() })
    }
}

async fn file(name: &str, path: std::path::PathBuf) -> Result<Option<Content>, Fault> {
    match tokio::fs::read(path).await {
        Ok(bytes) => Ok(Some(Content { media_type: media_type(name), bytes })),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Fault::Failed(format!("`{name}` cannot be read: {error}"))),
    }
}

/// The media type that browsers are told; of what is not known they are to make nothing.
fn media_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref() {
        Some("html" | "htm") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("webp") => "image/webp",
        Some("gif") => "image/gif",
        Some("pdf") => "application/pdf",
        Some("woff2") => "font/woff2",
        Some("txt" | "md" | "rs" | "toml" | "json" | "wit" | "yml" | "yaml" | "sh" | "py") => {
            "text/plain; charset=utf-8"
        }
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::media_type;

    #[test]
    fn scripts_of_a_site_are_no_scripts_to_browsers() {
        for (name, expected) in [
            ("a.HTML", "text/html; charset=utf-8"),
            ("a.js", "application/octet-stream"),
            ("a", "application/octet-stream"),
            ("a.svg", "image/svg+xml"),
        ] {
            assert_eq!(media_type(name), expected);
        }
    }
}
