kokoro_guest::planet! {
    state: Counter,
    saved: { version: 4294967296 },
    wit: "../wit",
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter;

fn main() {}
