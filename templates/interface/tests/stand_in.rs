//! The stand-in as a plugin meets it: the component, loaded and called.

use kokoro_test::Harness;
use people::People;

kokoro_test::bindings!({ interfaces: ["example:app/people@0.1.0"] });

#[test]
fn the_component_knows_its_people() {
    let test = Harness::built().start();
    let people: People = test.get();
    let grace = test.wait(people.find("Grace Hopper")).unwrap().unwrap();
    assert_eq!(grace.nickname, None);
    assert!(test.wait(people.find("fail")).is_err());
}
