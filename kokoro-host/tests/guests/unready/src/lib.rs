//! A Planet (plugin) whose start fails with a reason.

use kokoro_guest::{Planet, StartError};

kokoro_guest::planet! {
    state: Unready,
    exports: ["test:guests/extra@0.1.0"],
    wit: "../wit",
}

struct Unready;

impl Planet for Unready {
    fn start() -> Result<Self, StartError> {
        let port: u16 = "eighty".parse()?;
        Err(format!("port {port} is not free").into())
    }
}

impl extra::Guest for Unready {
    fn name(&mut self) -> String {
        "never called".to_owned()
    }

    fn double(&mut self, number: u32) -> u32 {
        number
    }
}
