#[derive(kokoro_value::Encode)]
#[value(rename = "other")]
struct Named {
    field: u8,
}

fn main() {}
