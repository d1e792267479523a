#[derive(kokoro_value::Encode)]
struct Unit;

#[derive(kokoro_value::Decode)]
enum Never {}

fn main() {}
