#[derive(kokoro_value::Encode)]
enum Level {
    Low = 1,
    High = 10,
}

fn main() {}
