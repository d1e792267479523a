kokoro_guest::planet! {
    state: Page,
    permissions: { clipboard: true },
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
