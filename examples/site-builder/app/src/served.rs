//! What the application serves to Planets (plugins): what there is to know about the site.

use crate::bindings::pages;
use crate::site::Site;
use kokoro_host::Caller;
use std::sync::Arc;

/// The site, as Planets see it.
#[derive(Debug)]
pub(crate) struct Pages {
    pub(crate) site: Arc<Site>,
}

impl pages::Host for Pages {
    async fn site(&self, _caller: &Caller) -> pages::SiteMap {
        let entry = |(source, page): (&String, &crate::site::Page)| pages::Entry {
            source: source.clone(),
            target: page.target.clone(),
        };
        let mut pages: Vec<_> = self.site.pages().iter().map(entry).collect();
        pages.sort_by(|a, b| a.target.cmp(&b.target));
        pages::SiteMap { title: self.site.title().map(str::to_owned), pages }
    }

    async fn read(&self, caller: &Caller, source: String) -> Result<String, String> {
        match self.site.pages().get(&source) {
            Some(page) => Ok(page.text.clone()),
            None => Err(format!("planet `{}` asks for `{source}`, which is no page of this site", caller.planet())),
        }
    }

    async fn resolve(&self, _caller: &Caller, source: String, links: Vec<String>) -> Vec<pages::Destination> {
        links
            .iter()
            .map(|link| self.site.resolve(&source, link))
            .map(|destination| pages::Destination { address: destination.address, page: destination.page })
            .collect()
    }
}
