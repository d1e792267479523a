kokoro_guest::planet! {
    state: Page,
    satellites: ["site:content/borrows@0.1.0" in "borrows"],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
