kokoro_guest::planet! {
    state: Page,
    wit: "../wit",
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
