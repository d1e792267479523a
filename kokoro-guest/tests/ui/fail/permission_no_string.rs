kokoro_guest::planet! {
    state: Page,
    permissions: { env: ["LANG", 7] },
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
