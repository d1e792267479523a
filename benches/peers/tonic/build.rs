//! Makes client and server of the methods, whose messages are Rust types.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let method = |name: &str, route: &str, input: &str, output: &str| {
        Method::builder()
            .name(name)
            .route_name(route)
            .input_type(format!("crate::message::{input}"))
            .output_type(format!("crate::message::{output}"))
            .codec_path("tonic_prost::ProstCodec")
            .build()
    };
    let echo = Service::builder()
        .name("Echo")
        .package("bench")
        .method(method("add", "Add", "Pair", "Number"))
        .method(method("text", "Text", "Text", "Text"))
        .method(method("bytes", "Bytes", "Bytes", "Bytes"))
        .method(method("places", "Places", "Places", "Places"))
        .build();
    Builder::new().compile(&[echo]);
}
