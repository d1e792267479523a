kokoro_guest::planet! {
    state: Page,
    wit: "../interfaces",
}

#[derive(Default)]
struct Page;

fn main() {}
