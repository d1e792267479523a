kokoro_guest::planet! {
    state: Page,
    permissions: { http: ["example.org", "https://example.com/api"] },
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
