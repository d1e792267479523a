kokoro_guest::planet! {
    state: Page,
    name: "my page",
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
