//! A filter that counts words.

kokoro_guest::planet! {
    state: Words,
    exports: ["text:filter/filter@0.1.0"],
    wit: "../../wit",
}

#[derive(Default)]
struct Words;

impl filter::Guest for Words {
    fn about(&mut self) -> String {
        "how many words a line has".to_owned()
    }

    fn apply(&mut self, line: String) -> Result<String, String> {
        Ok(line.split_whitespace().count().to_string())
    }
}
