use std::time::Duration;

struct Inside;

#[derive(kokoro_value::Encode, kokoro_value::Decode)]
struct Job {
    takes: Duration,
    size: usize,
    rest: Inside,
}

fn main() {}
