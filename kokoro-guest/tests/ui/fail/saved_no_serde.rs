kokoro_guest::planet! {
    state: Counter,
    saved: 1,
    wit: "../wit",
}

#[derive(Default)]
struct Counter;

fn main() {}
