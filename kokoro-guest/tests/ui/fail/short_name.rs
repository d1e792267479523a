kokoro_guest::planet! {
    state: Page,
    requires: ["markdown"],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
