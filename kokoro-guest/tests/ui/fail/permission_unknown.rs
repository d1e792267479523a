kokoro_guest::planet! {
    state: Page,
    permissions: { read: ["content"], reed: ["content"] },
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
