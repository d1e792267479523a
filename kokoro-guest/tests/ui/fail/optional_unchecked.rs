kokoro_guest::planet! {
    state: Page,
    optional: ["site:words/glossary@0.2.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn function() -> String {
    glossary::link("planet")
}

fn constructor() -> glossary::Entry {
    glossary::Entry::new("planet")
}

fn static_function() -> Option<glossary::Entry> {
    glossary::Entry::find("planet")
}

fn main() {}
