//! The Planet (plugin) as an application has it.

use kokoro_test::{Fake, Harness};
use letter::Letter;

kokoro_test::bindings!({ interfaces: ["notes:letters/letter@0.1.0"] });

fn names() -> Fake {
    Fake::of("notes:letters/names").answers("full", |nick: String| match nick.as_str() {
        "ada" => Ok("Ada Lovelace".to_owned()),
        _ => Err(format!("nobody is called {nick}")),
    })
}

#[test]
fn a_letter_begins_with_the_full_name() {
    let names = names();
    let test = Harness::built().dependency(&names).start();
    let letter: Letter = test.get();

    assert_eq!(test.wait(letter.begin("ada")), "Dear Ada Lovelace,");
    assert_eq!(names.calls("full"), [r#""ada""#]);
}

#[test]
fn a_letter_begins_with_the_nick_where_nobody_knows_the_name() {
    let test = Harness::built().dependency(&names()).start();
    let letter: Letter = test.get();

    assert_eq!(test.wait(letter.begin("bob")), "Dear bob,");
    assert!(test.logged("bob: nobody is called bob"));
}

#[test]
fn a_letter_begins_even_if_who_knows_the_names_crashes() {
    let names = names();
    let test = Harness::built().dependency(&names).start();
    let letter: Letter = test.get();

    names.crashes();
    assert_eq!(test.wait(letter.begin("ada")), "Dear ada,");
    // It was started anew meanwhile.
    assert_eq!(test.wait(letter.begin("ada")), "Dear Ada Lovelace,");
}
