kokoro_guest::planet! {
    state: Page,
    permissions: { write: "content" },
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
