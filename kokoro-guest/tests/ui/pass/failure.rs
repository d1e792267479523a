//! One failure type for all, whoever declares it; and a start that can fail.

use kokoro_guest::{Failure, FailureKind, Planet, StartError};

kokoro_guest::planet! {
    state: Search,
    exports: ["site:content/search@0.1.0"],
    requires: ["site:content/search@0.1.0" as elsewhere, "kokoro:core/types@0.1.0" as core],
    wit: "../wit",
}

struct Search {
    least: u32,
}

impl Planet for Search {
    fn start() -> Result<Self, StartError> {
        let least = std::env::var("LEAST").unwrap_or_else(|_| "3".to_owned()).parse()?;
        if least == 0 {
            return Err("LEAST must not be 0".into());
        }
        Ok(Self { least })
    }
}

impl search::Guest for Search {
    fn find(&mut self, text: String) -> Result<u32, Failure> {
        if text.len() < self.least as usize {
            let failure = core::Failure { kind: FailureKind::Limited, message: "short".to_owned(), chain: Vec::new() };
            return Err(failure);
        }
        elsewhere::find(&text).map_err(|failure| Failure { kind: FailureKind::Crashed, ..failure })
    }
}

fn main() {
    use search::Guest as _;
    let mut search = Search::start().unwrap();
    let failure: Box<dyn std::error::Error> = search.find("a".to_owned()).unwrap_err().into();
    assert_eq!(failure.to_string(), "short");
}
