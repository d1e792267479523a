kokoro_guest::planet! {
    state: Page,
    wit: "../wit",
    app: "../broken.json",
}

#[derive(Default)]
struct Page;

fn main() {}
