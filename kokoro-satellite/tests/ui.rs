//! What compiles, and the messages of what does not. `TRYBUILD=overwrite` renews them.
#![cfg(feature = "run")]

#[test]
fn satellites_compile_or_say_what_to_do() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
