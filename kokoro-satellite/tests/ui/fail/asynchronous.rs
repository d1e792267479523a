kokoro_satellite::satellite! {
    state: Codec,
    exports: ["acme:native/slow@0.1.0", "acme:native/feed@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Codec;

fn main() {}
