kokoro_guest::planet! {
    state: Page,
    version: "1.2",
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
