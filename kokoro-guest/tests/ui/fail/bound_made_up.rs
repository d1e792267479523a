kokoro_guest::planet! {
    state: Page,
    optional: ["site:words/glossary@0.2.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn made_up() -> glossary::Bound {
    glossary::Bound { not_send: std::marker::PhantomData }
}

fn main() {}
