kokoro_guest::planet! {
    state: Page,
    permissions: { net: ["example.com"] },
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
