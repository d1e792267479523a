//! Names that are keywords in Rust, or that the macro's own code has.
#![deny(warnings, unsafe_code, missing_docs)]

kokoro_satellite::satellite! {
    state: own::State,
    exports: ["acme:native/type@0.1.0" as taken, "acme:native/codec@0.1.0"],
    wit: "../wit",
}

/// Where the state is.
mod own {
    /// It is made with words.
    pub struct State(pub &'static str);

    impl Default for State {
        fn default() -> Self {
            Self("words")
        }
    }
}

impl taken::Guest for own::State {
    fn use_(
        &mut self,
        arguments: taken::Arguments,
        reply: u32,
        satellite: taken::Guest_,
    ) -> Result<taken::Arguments, ()> {
        match satellite {
            taken::Guest_::Use => Ok(arguments),
            taken::Guest_::Match => Ok(taken::Arguments { reply: self.0.to_owned(), function: reply as u8 }),
        }
    }

    fn call(&mut self, self_: String) -> u32 {
        self_.len() as u32
    }

    fn start(&mut self) {}
}

impl codec::Guest for own::State {
    fn measure(&mut self, _: Vec<u8>) -> Result<codec::Size, String> {
        kokoro_satellite::give_up_if_cancelled()?;
        Err("no size".to_owned())
    }

    fn shrink(&mut self, _: Vec<u8>, _: codec::Size) -> Result<Vec<u8>, codec::Failure> {
        kokoro_satellite::give_up_if_cancelled()?;
        Err(codec::Failure { kind: kokoro_satellite::FailureKind::Absent, message: String::new(), chain: Vec::new() })
    }
}

fn main() {
    use codec::Guest as _;
    use kokoro_satellite::{FailureKind, testing};
    use taken::Guest as _;

    let mut state = testing::start::<own::State>();
    let arguments = taken::Arguments { reply: "reply".to_owned(), function: 1 };
    assert_eq!(state.use_(arguments.clone(), 7, taken::Guest_::Use), Ok(arguments));
    assert_eq!(state.call("four".to_owned()), 4);
    state.start();
    assert_eq!(state.measure(Vec::new()), Err("no size".to_owned()));
    assert_eq!(testing::cancelled(|| state.measure(Vec::new())), Err("the application cancelled this call".to_owned()));
    let size = codec::Size { width: 1, height: 2 };
    let failure = testing::cancelled(|| state.shrink(Vec::new(), size)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Cancelled);
}
