use kokoro_value::{Decode, Encode};

#[derive(Encode)]
enum Tree {
    Leaf(u32),
    Branch(Vec<Tree>),
}

#[derive(Decode)]
struct Chain {
    next: Option<Box<Self>>,
}

fn main() {}
