use kokoro_guest::Saved;

kokoro_guest::planet! {
    state: Counter,
    saved: { version: 2, migrate: Counter::from_older },
    wit: "../wit",
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter;

impl Counter {
    fn from_older(_: &Saved) -> Self {
        Self
    }
}

fn main() {}
