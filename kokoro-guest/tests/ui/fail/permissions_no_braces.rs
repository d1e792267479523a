kokoro_guest::planet! {
    state: Page,
    permissions: ["read"],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
