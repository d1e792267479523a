kokoro_guest::planet! {
    state: Page,
    wit: "../wit",
}

struct Page;

fn main() {}
