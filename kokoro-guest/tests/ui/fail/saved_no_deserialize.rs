kokoro_guest::planet! {
    state: Counter,
    saved: 1,
    wit: "../wit",
}

#[derive(Default, serde::Serialize)]
struct Counter;

fn main() {}
