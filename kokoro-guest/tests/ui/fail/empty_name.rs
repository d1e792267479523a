kokoro_guest::planet! {
    state: Page,
    name: "",
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
