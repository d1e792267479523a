//! A state that a reload carries over: next to exported interfaces, under the strictest lints.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub, unused, clippy::all, clippy::pedantic)]

mod counting {
    use kokoro_guest::{Saved, StartError};
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Default, Serialize, Deserialize)]
    pub(crate) struct Counter {
        pub(crate) pages: u64,
        #[serde(skip)]
        pub(crate) names: Vec<String>,
    }

    #[derive(Serialize, Deserialize)]
    struct First(u32);

    pub(crate) fn from_older(saved: &Saved) -> Result<Counter, StartError> {
        let First(pages) = saved.read()?;
        Ok(Counter { pages: pages.into(), names: Vec::new() })
    }
}

kokoro_guest::planet! {
    state: counting::Counter,
    exports: ["site:content/outline@0.1.0"],
    requires: ["site:content/markdown@0.1.0"],
    saved: { version: 2, migrate: counting::from_older },
    wit: "../wit",
}

impl outline::Guest for counting::Counter {
    fn headings(&mut self, source: String) -> Vec<outline::Heading> {
        self.pages += 1;
        self.names.push(source.clone());
        markdown::parse(&source).headings
    }

    fn depth(&mut self, _source: String) -> u8 {
        1
    }
}

fn main() {
    use outline::Guest as _;
    assert_eq!(counting::Counter::default().depth(String::new()), 1);
    assert_eq!(counting::from_older(&kokoro_guest::Saved::write(1, &7).unwrap()).unwrap().pages, 7);
}
