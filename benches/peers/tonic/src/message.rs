//! What is sent, as `protoc` would make it.

/// `message Pair { uint32 a = 1; uint32 b = 2; }`
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct Pair {
    #[prost(uint32, tag = "1")]
    pub(crate) a: u32,
    #[prost(uint32, tag = "2")]
    pub(crate) b: u32,
}

/// `message Number { uint32 value = 1; }`
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct Number {
    #[prost(uint32, tag = "1")]
    pub(crate) value: u32,
}

/// `message Text { string value = 1; }`
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Text {
    #[prost(string, tag = "1")]
    pub(crate) value: String,
}

/// `message Bytes { bytes value = 1; }`
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Bytes {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) value: Vec<u8>,
}

/// `message Place { double x = 1; double y = 2; string name = 3; }`
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Place {
    #[prost(double, tag = "1")]
    pub(crate) x: f64,
    #[prost(double, tag = "2")]
    pub(crate) y: f64,
    #[prost(string, tag = "3")]
    pub(crate) name: String,
}

/// `message Places { repeated Place value = 1; }`
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Places {
    #[prost(message, repeated, tag = "1")]
    pub(crate) value: Vec<Place>,
}
