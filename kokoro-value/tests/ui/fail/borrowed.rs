#[derive(kokoro_value::Decode)]
struct Line<'a> {
    number: u32,
    text: &'a str,
}

fn main() {}
