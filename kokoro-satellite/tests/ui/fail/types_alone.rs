kokoro_satellite::satellite! {
    state: Codec,
    exports: ["acme:native/colours@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Codec;

fn main() {}
