kokoro_guest::planet! {
    state: Page,
    satellites: ["kokoro:core/log@0.1.0" in "log"],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
