kokoro_guest::planet! {
    state: Page,
    satellites: ["site:content/types@0.1.0" in "types"],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
