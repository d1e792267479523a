//! The Planet (plugin) as an application has it: the component, loaded and called.

use greeting::Greeting;
use kokoro_test::Harness;

kokoro_test::bindings!({ interfaces: ["example:app/greeting@0.1.0"] });

#[test]
fn the_component_counts_its_guests() {
    let test = Harness::built().start();
    let greeting: Greeting = test.get();
    assert_eq!(
        test.wait(greeting.greet("Ada")).unwrap(),
        "Hello Ada, you are guest number 1!"
    );
    assert_eq!(
        test.wait(greeting.greet("Bob")).unwrap(),
        "Hello Bob, you are guest number 2!"
    );
    assert!(test.wait(greeting.greet("")).is_err());
}
