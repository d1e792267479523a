#[derive(kokoro_value::Encode)]
union Bits {
    float: f32,
    bits: u32,
}

fn main() {}
