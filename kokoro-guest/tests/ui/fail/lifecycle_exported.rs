kokoro_guest::planet! {
    state: Page,
    exports: ["kokoro:core/lifecycle@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
