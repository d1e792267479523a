kokoro_satellite::satellite! {
    state: Codec,
    wit: "../wit",
}

#[derive(Default)]
struct Codec;

fn main() {}
