//! A Planet (plugin) that others may take as an option.

kokoro_guest::planet! {
    state: Extra,
    exports: ["test:guests/extra@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Extra;

impl extra::Guest for Extra {
    fn name(&mut self) -> String {
        "extra, in Rust".to_owned()
    }

    fn double(&mut self, number: u32) -> u32 {
        number * 2
    }
}
