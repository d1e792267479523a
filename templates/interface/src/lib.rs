//! A Planet (plugin) that stands in for the application: it serves what the application serves, from
//! a list, so that plugins can be tried and tested without the application.

use people::Person;

kokoro_guest::planet! {
    state: StandIn,
    exports: ["example:app/people@0.1.0"],
}

/// Whom it knows: names, and what these people want to be called.
const PEOPLE: [(&str, Option<&str>); 2] = [("Ada Lovelace", Some("Ada")), ("Grace Hopper", None)];

#[derive(Default)]
struct StandIn;

impl people::Guest for StandIn {
    fn find(&mut self, name: String) -> Result<Option<Person>, String> {
        // What a plugin that is tested should be able to deal with.
        if name == "fail" {
            return Err("the stand-in was asked to fail".to_owned());
        }
        let mut known = PEOPLE.into_iter().filter(|(known, _)| *known == name);
        Ok(known.next().map(|(_, nickname)| Person {
            name,
            nickname: nickname.map(str::to_owned),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::Guest as _;

    #[test]
    fn people_are_found_by_name() {
        let ada = StandIn.find("Ada Lovelace".to_owned()).unwrap().unwrap();
        assert_eq!(ada.nickname.as_deref(), Some("Ada"));
        assert_eq!(StandIn.find("Nobody".to_owned()), Ok(None));
    }

    #[test]
    fn it_fails_when_asked_to() {
        assert!(StandIn.find("fail".to_owned()).is_err());
    }
}
