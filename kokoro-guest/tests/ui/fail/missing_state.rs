kokoro_guest::planet! {
    requires: ["site:content/markdown@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
