//! Makes small pictures of large ones, on all cores: the Satellite (native program) of the Planet (plugin) `images`.

mod decode;
mod resize;
mod whole;

use std::process::ExitCode;

kokoro_satellite::satellite! {
    state: Codec,
    exports: ["images:native/codec@0.1.0"],
    wit: "../../wit",
}

#[derive(Default)]
struct Codec;

impl codec::Guest for Codec {
    fn resize(
        &mut self,
        pictures: Vec<Vec<u8>>,
        widths: Vec<u32>,
    ) -> Result<Vec<Result<Vec<codec::Version>, String>>, String> {
        resize::resize(&pictures, &widths)
    }
}

fn main() -> ExitCode {
    kokoro_satellite::run::<Codec>()
}
