kokoro_satellite::satellite! {
    state: Codec,
    exports: ["acme:native/codec@0.1.0"],
    wit: "../wit",
}

struct Codec;

impl codec::Guest for Codec {
    fn measure(&mut self, _: Vec<u8>) -> Result<codec::Size, String> {
        Err(String::new())
    }

    fn shrink(&mut self, _: Vec<u8>, _: codec::Size) -> Result<Vec<u8>, codec::Failure> {
        Ok(Vec::new())
    }
}

fn main() {}
