kokoro_guest::planet! {
    state: Counter,
    saved: { version: 2, migrates: Counter::from_older },
    wit: "../wit",
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter;

fn main() {}
