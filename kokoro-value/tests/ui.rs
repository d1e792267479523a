//! What derives, and the messages of what does not. `TRYBUILD=overwrite` renews them.

#[test]
fn types_have_a_form_or_say_what_to_do() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
