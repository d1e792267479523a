//! The smallest Planet (plugin): one interface, one function, a number that it remembers.

kokoro_guest::planet! {
    state: Greeter,
    exports: ["acme:greeter/greeting@0.1.0"],
}

#[derive(Default)]
struct Greeter {
    guests: u32,
}

impl greeting::Guest for Greeter {
    fn greet(&mut self, name: String) -> String {
        self.guests += 1;
        format!("Hello {name}, you are guest number {}!", self.guests)
    }
}
