//! A Planet (plugin) between others.

kokoro_guest::planet! {
    state: Relay,
    exports: ["test:guests/relay@0.1.0", "test:guests/step@0.1.0"],
    requires: ["test:guests/faults@0.1.0", "test:guests/host@0.1.0"],
    optional: ["test:guests/extra@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Relay;

impl relay::Guest for Relay {
    fn plain(&mut self, message: String) -> String {
        faults::panic(&message);
        "no failure".to_owned()
    }

    fn text(&mut self, message: String) -> String {
        format!("{:?}", faults::panic_text(&message))
    }

    fn failure(&mut self, message: String) -> String {
        match faults::panic_failure(&message) {
            Ok(()) => "no failure".to_owned(),
            Err(failure) => format!("{:?} along {:?}: {}", failure.kind, failure.chain, failure.message),
        }
    }

    fn spin(&mut self) {
        faults::spin();
    }

    fn spin_text(&mut self) -> String {
        format!("{:?}", faults::spin_text())
    }

    fn extra(&mut self) -> Option<String> {
        extra::if_bound().map(|extra| extra.name())
    }

    fn double(&mut self, number: u32) -> Option<u32> {
        extra::if_bound().map(|extra| extra.double(number))
    }

    fn ask(&mut self) -> Vec<String> {
        host::chain()
    }

    fn back(&mut self) -> Result<String, String> {
        host::back()
    }
}

impl step::Guest for Relay {
    fn attached(&mut self) -> Option<String> {
        host::attached()
    }

    fn back(&mut self) -> Result<String, String> {
        host::back()
    }
}
