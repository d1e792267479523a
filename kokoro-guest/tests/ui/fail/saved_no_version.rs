kokoro_guest::planet! {
    state: Counter,
    saved: { migrate: Counter::from_older },
    wit: "../wit",
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter;

fn main() {}
