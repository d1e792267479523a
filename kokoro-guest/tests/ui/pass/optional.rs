//! An optional interface: functions, constructors and static functions through `Bound`, methods on the handle.

kokoro_guest::planet! {
    state: Page,
    optional: ["site:words/glossary@0.2.0" as words],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn linked(text: &str) -> Option<String> {
    let words = words::if_bound()?;
    let entry = words.entry_find(text).unwrap_or_else(|| words.new_entry(text));
    Some(words.link(&entry.text()))
}

fn main() {
    // Natively nobody provides anything.
    assert!(linked("planet").is_none());
}
