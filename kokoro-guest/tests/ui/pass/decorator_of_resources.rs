//! A planet that wraps another's resources.

use glossary::Entry;

kokoro_guest::planet! {
    state: Shouting,
    exports: ["site:words/glossary@0.2.0"],
    optional: ["site:words/glossary@0.2.0" as inner],
    wit: "../wit",
}

#[derive(Default)]
struct Shouting;

struct Wrapped(Option<inner::Entry>);

impl glossary::Guest for Shouting {
    type Entry = Wrapped;

    fn link(&mut self, text: String) -> String {
        inner::if_bound().map_or_else(|| text.clone(), |inner| inner.link(&text)).to_uppercase()
    }
}

impl glossary::GuestEntry<Shouting> for Wrapped {
    fn new(_: &mut Shouting, word: String) -> Self {
        Self(inner::if_bound().map(|inner| inner.new_entry(&word)))
    }

    fn find(_: &mut Shouting, word: String) -> Option<Entry> {
        let entry = inner::if_bound()?.entry_find(&word)?;
        Some(Entry::new(Self(Some(entry))))
    }

    fn text(&mut self, _: &mut Shouting) -> String {
        self.0.as_ref().map(inner::Entry::text).unwrap_or_default().to_uppercase()
    }
}

fn main() {}
