//! Required interfaces with resources, and what a call comes to natively.

kokoro_guest::planet! {
    state: Page,
    requires: ["site:words/glossary@0.2.0", "site:content/cursors@0.1.0", "site:content/type@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn text(word: &str) -> String {
    let entry = glossary::Entry::find(word).unwrap_or_else(|| glossary::Entry::new(word));
    glossary::link(&entry.text())
}

fn main() {
    let panic = std::panic::catch_unwind(|| text("planet")).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.starts_with("`site:words/glossary@0.2.0 [static]entry.find` was called in a native build"), "{message}");
}
