//! Names that are keywords, or that generated code uses itself; a state in another module.

mod state {
    #[derive(Default)]
    pub struct Odd;
}

kokoro_guest::planet! {
    state: state::Odd,
    exports: ["site:content/type@0.1.0", "kokoro:core/saved-state@0.1.0"],
    wit: "../wit",
}

impl type_::Guest for state::Odd {
    fn use_(&mut self, loop_: type_::Role, planet: type_::Match) -> Option<type_::Match> {
        (loop_ == type_::Role::Guest).then_some(planet)
    }

    fn start(&mut self) -> u32 {
        0
    }
}

impl saved_state::Guest for state::Odd {
    fn save(&mut self) -> Result<saved_state::Snapshot, String> {
        Ok(saved_state::Snapshot { version: 1, data: Vec::new() })
    }

    fn restore(&mut self, snapshot: saved_state::Snapshot) -> Result<(), String> {
        if snapshot.version == 1 { Ok(()) } else { Err("from the future".to_owned()) }
    }
}

fn main() {}
