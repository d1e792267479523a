kokoro_guest::planet! {
    state: Counter,
    saved: "1",
    wit: "../wit",
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter;

fn main() {}
