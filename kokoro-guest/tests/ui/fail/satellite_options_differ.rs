kokoro_guest::planet! {
    state: Page,
    satellites: [
        "site:content/markdown@0.1.0" in "worker",
        "site:content/outline@0.1.0" in "worker" { start: "planet" },
    ],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
