//! Which pages mention a page. Reads the whole site when it is asked for the first time, and remembers what it found.

mod index;

use index::Index;

kokoro_guest::planet! {
    state: Backlinks,
    exports: ["site:build/backlinks@0.1.0"],
    requires: ["site:content/markdown@0.1.0", "site:build/pages@0.1.0"],
    wit: "../../wit",
}

#[derive(Default)]
struct Backlinks {
    index: Option<Index<backlinks::Mention>>,
}

impl backlinks::Guest for Backlinks {
    fn mentions(&mut self, source: String) -> Result<Vec<backlinks::Mention>, String> {
        let index = match self.index.take() {
            Some(index) => index,
            None => read_site()?,
        };
        let mentions = index.mentions(&source).cloned().collect();
        self.index = Some(index);
        Ok(mentions)
    }
}

fn read_site() -> Result<Index<backlinks::Mention>, String> {
    let mut index = Index::default();
    for page in pages::site().pages {
        let summary = match markdown::inspect(&pages::read(&page.source)?) {
            Ok(summary) => summary,
            // That there is no such page in the end is said by whoever makes it.
            Err(reason) => {
                kokoro_guest::log::info!("{}: whom it mentions is not known: {reason}", page.source);
                continue;
            }
        };
        let title = summary.title.unwrap_or_else(|| page.source.clone());
        let mentioned = pages::resolve(&page.source, &summary.links).into_iter().filter_map(|link| link.page);
        index.add(&page.source.clone(), mentioned, backlinks::Mention { page, title });
    }
    Ok(index)
}
