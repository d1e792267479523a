use kokoro_value::{Encode, to_bytes};

#[derive(Encode)]
struct Wrapper<T>(T);

struct Inside;

fn write(wrapper: &Wrapper<Inside>) -> Vec<u8> {
    to_bytes(wrapper)
}

fn main() {}
