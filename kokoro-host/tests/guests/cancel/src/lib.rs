//! A Planet (plugin) that works until it is told to give up, or longer.

use std::hint::black_box;

kokoro_guest::planet! {
    state: Cancel,
    exports: ["test:guests/cancel@0.1.0"],
    requires: ["test:guests/host@0.1.0", "test:guests/gate@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Cancel;

impl cancel::Guest for Cancel {
    fn attentive(&mut self) -> Result<u32, String> {
        kokoro_guest::give_up_if_cancelled()?;
        gate::pass();
        loop {
            black_box(0);
            kokoro_guest::give_up_if_cancelled()?;
        }
    }

    fn deaf(&mut self) -> Result<u32, String> {
        gate::pass();
        loop {
            black_box(0);
        }
    }

    fn waits(&mut self) -> Result<String, String> {
        host::dawdle();
        kokoro_guest::give_up_if_cancelled()?;
        Ok("the application has dawdled".to_owned())
    }

    fn flagged(&mut self) -> bool {
        kokoro_guest::is_cancelled()
    }
}
