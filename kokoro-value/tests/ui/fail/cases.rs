#[derive(kokoro_value::Encode, kokoro_value::Decode)]
enum Shape {
    Point,
    Circle { radius: f64 },
    Line(f64, f64),
    Nothing(),
}

fn main() {}
