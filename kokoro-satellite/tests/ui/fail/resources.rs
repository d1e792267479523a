kokoro_satellite::satellite! {
    state: Codec,
    exports: ["acme:native/jobs@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Codec;

fn main() {}
