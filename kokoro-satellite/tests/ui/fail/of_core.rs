kokoro_satellite::satellite! {
    state: Codec,
    exports: ["kokoro:core/lifecycle@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Codec;

fn main() {}
