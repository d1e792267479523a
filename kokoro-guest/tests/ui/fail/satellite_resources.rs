kokoro_guest::planet! {
    state: Page,
    satellites: ["site:content/cursors@0.1.0" in "cursors"],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
