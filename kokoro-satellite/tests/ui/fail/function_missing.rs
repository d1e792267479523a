kokoro_satellite::satellite! {
    state: Codec,
    exports: ["acme:native/codec@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Codec;

impl codec::Guest for Codec {
    fn measure(&mut self, _: Vec<u8>) -> Result<codec::Size, String> {
        Err(String::new())
    }
}

fn main() {}
