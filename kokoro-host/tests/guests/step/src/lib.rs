//! A Planet (plugin) that hands a call on to the next provider of the interface that it provides itself.

kokoro_guest::planet! {
    state: Step,
    exports: ["test:guests/step@0.1.0"],
    requires: ["test:guests/step@0.1.0" as next],
    wit: "../wit",
}

#[derive(Default)]
struct Step;

impl step::Guest for Step {
    fn attached(&mut self) -> Option<String> {
        next::attached()
    }

    fn back(&mut self) -> Result<String, String> {
        next::back()
    }
}
