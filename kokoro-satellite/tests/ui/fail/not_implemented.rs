kokoro_satellite::satellite! {
    state: Codec,
    exports: ["acme:native/codec@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Codec;

fn main() {}
