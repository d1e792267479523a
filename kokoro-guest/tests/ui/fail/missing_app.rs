kokoro_guest::planet! {
    state: Page,
    wit: "../wit",
    app: "../missing.json",
}

#[derive(Default)]
struct Page;

fn main() {}
