//! A Planet (plugin) that greets.

kokoro_guest::planet! {
    state: Greeter,
    exports: ["example:app/greeting@0.1.0"],
}

/// The running Planet: made when it starts, dropped when it stops.
#[derive(Default)]
struct Greeter {
    guests: u32,
}

impl greeting::Guest for Greeter {
    fn greet(&mut self, name: String) -> Result<String, String> {
        if name.is_empty() {
            return Err("a guest without a name is not greeted".to_owned());
        }
        self.guests += 1;
        Ok(format!(
            "Hello {name}, you are guest number {}!",
            self.guests
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::greeting::Guest as _;

    #[test]
    fn guests_are_counted() {
        let mut greeter = Greeter::default();
        assert_eq!(
            greeter.greet("Ada".to_owned()).unwrap(),
            "Hello Ada, you are guest number 1!"
        );
        assert_eq!(
            greeter.greet("Bob".to_owned()).unwrap(),
            "Hello Bob, you are guest number 2!"
        );
    }

    #[test]
    fn nobody_is_not_greeted() {
        assert!(Greeter::default().greet(String::new()).is_err());
    }
}
