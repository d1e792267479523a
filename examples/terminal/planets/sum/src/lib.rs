//! A filter that remembers: it adds up.

kokoro_guest::planet! {
    state: Sum,
    exports: ["text:filter/filter@0.1.0"],
    wit: "../../wit",
}

#[derive(Default)]
struct Sum {
    total: i64,
}

impl filter::Guest for Sum {
    fn about(&mut self) -> String {
        "the sum of the numbers so far".to_owned()
    }

    fn apply(&mut self, line: String) -> Result<String, String> {
        let number: i64 = line.trim().parse().map_err(|_| format!("{line:?} is no number"))?;
        self.total = self.total.checked_add(number).ok_or("the sum has grown too large")?;
        Ok(self.total.to_string())
    }
}
