kokoro_guest::planet! {
    state: Page,
    permissions: { http: ["example.com/api"] },
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
