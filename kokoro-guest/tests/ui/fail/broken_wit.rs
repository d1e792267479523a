kokoro_guest::planet! {
    state: Page,
    wit: "../wit-broken",
}

#[derive(Default)]
struct Page;

fn main() {}
