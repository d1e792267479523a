//! What `saved` makes of a state, by the generated code.
//!
//! Each thread has an instance of each Planet. A module is a release.

use std::thread;

use kokoro_guest::{Saved, rt};

/// What a host would call: the generated exports of the module's Planet, whose state is `$state`.
macro_rules! exports {
    ($state:ty) => {
        use __kokoro_planet::Glue;
        use __kokoro_planet::exports::kokoro::core::{lifecycle, saved_state};

        pub(crate) fn save() -> Result<kokoro_guest::Saved, String> {
            let snapshot = <Glue<$state> as saved_state::Guest>::save()?;
            Ok(kokoro_guest::Saved::new(snapshot.version, snapshot.data))
        }

        pub(crate) fn restore(version: u32, data: &[u8]) -> Result<(), String> {
            let snapshot = saved_state::Snapshot { version, data: data.to_owned() };
            <Glue<$state> as saved_state::Guest>::restore(snapshot)
        }

        #[allow(dead_code, reason = "one of the Planets is stopped")]
        pub(crate) fn stop() {
            <Glue<$state> as lifecycle::Guest>::stop();
        }
    };
}

/// A small counter.
mod first {
    use serde::{Deserialize, Serialize};

    kokoro_guest::planet! {
        state: Counter,
        wit: "doc/wit",
        saved: 1,
    }
    exports!(Counter);

    #[derive(Default, Serialize, Deserialize)]
    pub(crate) struct Counter {
        pub(crate) count: u32,
        #[serde(skip)]
        pub(crate) asked: u32,
    }
}

/// A form that is another one, and can be made of the first.
mod second {
    use kokoro_guest::{Planet, Saved, StartError};
    use serde::{Deserialize, Serialize};

    kokoro_guest::planet! {
        state: self::Counter,
        wit: "doc/wit",
        saved: { version: 2, migrate: Counter::from_older },
    }
    exports!(Counter);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Counter {
        pub(crate) total: u64,
        pub(crate) history: Vec<u64>,
    }

    #[derive(Serialize, Deserialize)]
    struct First {
        count: u32,
    }

    impl Planet for Counter {
        fn start() -> Result<Self, StartError> {
            Ok(Self { total: 0, history: vec![0] })
        }
    }

    impl Counter {
        fn from_older(saved: &Saved) -> Result<Self, StartError> {
            let First { count } = match saved.version() {
                1 => saved.read()?,
                other => return Err(format!("version {other} was never released").into()),
            };
            Ok(Self { total: count.into(), history: vec![count.into()] })
        }
    }

    #[test]
    fn a_migration_can_be_tested_by_itself() {
        let saved = Saved::write(1, &First { count: 3 }).unwrap();
        assert_eq!(Counter::from_older(&saved).unwrap(), Counter { total: 3, history: vec![3] });
        let unknown = Counter::from_older(&Saved::new(0, Vec::new())).unwrap_err();
        assert_eq!(unknown.to_string(), "version 0 was never released");
    }
}

/// One that cannot start.
mod broken {
    use kokoro_guest::{Planet, StartError};
    use serde::{Deserialize, Serialize};

    kokoro_guest::planet! {
        state: Broken,
        wit: "doc/wit",
        saved: { version: 7, migrate: |saved| Ok(saved.read()?) },
    }
    exports!(Broken);

    #[derive(Serialize, Deserialize)]
    pub(crate) struct Broken;

    impl Planet for Broken {
        fn start() -> Result<Self, StartError> {
            Err("no port is free".into())
        }
    }
}

/// Gives a function new instances.
fn anew<R: Send + 'static>(function: impl FnOnce() -> R + Send + 'static) -> R {
    match thread::spawn(function).join() {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// What another instance of the first release saves after it has counted up to `count`.
fn first_at(count: u32) -> Saved {
    let saved = anew(move || {
        with_first(|counter| counter.count = count);
        first::save()
    });
    saved.expect("a saved state")
}

fn with_first<R>(function: impl FnOnce(&mut first::Counter) -> R) -> R {
    rt::call(function)
}

fn with_second<R>(function: impl FnOnce(&mut second::Counter) -> R) -> R {
    rt::call(function)
}

#[test]
fn a_new_instance_takes_up_what_the_old_one_saved() {
    anew(|| {
        let saved = first_at(41);
        with_first(|counter| (counter.count, counter.asked) = (1, 1));
        assert_eq!(saved.version(), 1);
        assert_eq!(first::restore(1, saved.data()), Ok(()));
        let restored = with_first(|counter| {
            counter.count += 1;
            (counter.count, counter.asked)
        });
        assert_eq!(restored, (42, 0), "all of it is replaced, and what is skipped has its default");
    });
}

#[test]
fn saving_changes_nothing() {
    anew(|| {
        with_first(|counter| (counter.count, counter.asked) = (3, 4));
        assert_eq!(first::save(), first::save());
        assert_eq!(with_first(|counter| (counter.count, counter.asked)), (3, 4));
    });
}

#[test]
fn a_new_release_migrates_what_the_old_one_saved_and_reads_its_own_form_itself() {
    anew(|| {
        assert_eq!(second::restore(1, first_at(41).data()), Ok(()));
        assert_eq!(with_second(|counter| (counter.total, counter.history.clone())), (41, vec![41]));
        let saved = second::save().unwrap();
        assert_eq!(saved.version(), 2);
        with_second(|counter| counter.total = 0);
        assert_eq!(second::restore(2, saved.data()), Ok(()));
        assert_eq!(with_second(|counter| counter.total), 41);
    });
}

#[test]
fn what_cannot_be_restored_changes_nothing_and_says_which_version_was_saved() {
    anew(|| {
        let cases: [(u32, &[u8], &str); 3] = [
            (2, b"", "the saved state has version 2, and this release reads none after version 1"),
            (0, b"\xa0", "the saved state has version 0, and this release reads version 1 alone (it has no `migrate`)"),
            (
                1,
                b"\xa0",
                "the saved state of version 1 cannot be read as version 1 of this release: missing field `count`",
            ),
        ];
        with_first(|counter| (counter.count, counter.asked) = (3, 4));
        for (version, data, expected) in cases {
            assert_eq!(first::restore(version, data), Err(expected.to_owned()));
            assert_eq!(with_first(|counter| (counter.count, counter.asked)), (3, 4));
        }
    });
}

#[test]
fn a_migration_that_fails_says_why() {
    anew(|| {
        let cases: [(u32, &[u8], &str); 3] = [
            (3, b"", "the saved state has version 3, and this release reads none after version 2"),
            (0, b"", "the saved state of version 0 cannot be migrated to version 2: version 0 was never released"),
            (
                1,
                b"\xa0",
                "the saved state of version 1 cannot be migrated to version 2: the saved data cannot be read: missing \
                 field `count`",
            ),
        ];
        for (version, data, expected) in cases {
            assert_eq!(second::restore(version, data), Err(expected.to_owned()));
            assert_eq!(with_second(|counter| counter.history.clone()), [0], "it is as it started");
        }
    });
}

#[test]
fn a_planet_that_does_not_run_has_nothing_to_save_and_nowhere_to_restore() {
    anew(|| {
        assert_eq!(broken::save(), Err("no port is free".to_owned()));
        assert_eq!(broken::restore(7, b"\xf6"), Err("no port is free".to_owned()));

        let saved = first_at(1);
        first::stop();
        assert_eq!(first::save(), Err("this planet has stopped already".to_owned()));
        assert_eq!(first::restore(1, saved.data()), Err("this planet has stopped already".to_owned()));
    });
}
