kokoro_guest::planet! {
    state: Counter,
    exports: ["kokoro:core/saved-state@0.1.0"],
    saved: 1,
    wit: "../wit",
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter;

fn main() {}
