//! Several versions of one interface of the application, served side by side, and Planets of each.

use kokoro_host::{Caller, Primary, State};

mod support;

mod old {
    kokoro_host::bindings!({
        path: "tests/guests/generations",
        interfaces: ["shop:plugins/discount@1.0.0"],
        serves: ["shop:plugins/prices@1.0.0"],
    });
}

mod newer {
    kokoro_host::bindings!({ path: "tests/guests/generations", serves: ["shop:plugins/prices@1.1.0"] });
}

mod new {
    kokoro_host::bindings!({
        path: "tests/guests/generations",
        interfaces: ["shop:plugins/discount@2.0.0"],
        serves: ["shop:plugins/prices@2.0.0"],
    });
}

/// One type of the application serves all generations.
#[derive(Clone)]
struct Shop;

impl old::prices::Host for Shop {
    async fn price(&self, _: &Caller, item: u32) -> u32 {
        item * 100
    }
}

impl newer::prices::Host for Shop {
    async fn price(&self, _: &Caller, item: u32) -> u32 {
        item * 110
    }

    async fn items(&self, _: &Caller) -> u32 {
        7
    }
}

impl new::prices::Host for Shop {
    async fn price(&self, _: &Caller, item: u32, cents: bool) -> u64 {
        u64::from(item) * if cents { 10_000 } else { 100 }
    }
}

/// A Planet of the first generation: half of the price.
fn first() -> Vec<u8> {
    support::wat(
        r#"(component
            (import "shop:plugins/prices@1.0.0" (instance $prices (export "price" (func (param "item" u32) (result u32)))))
            (core func $price (canon lower (func $prices "price")))
            (core module $code
              (import "shop" "price" (func $price (param i32) (result i32)))
              (func (export "for-item") (param i32) (result i32) (i32.div_u (call $price (local.get 0)) (i32.const 2))))
            (core instance $code (instantiate $code (with "shop" (instance (export "price" (func $price))))))
            (func $for (param "item" u32) (result u32) (canon lift (core func $code "for-item")))
            (instance $discount (export "for-item" (func $for)))
            (export "shop:plugins/discount@1.0.0" (instance $discount)))"#,
    )
}

/// A Planet of the second: half of the price in cents.
fn second() -> Vec<u8> {
    support::wat(
        r#"(component
            (import "shop:plugins/prices@2.0.0"
              (instance $prices (export "price" (func (param "item" u32) (param "cents" bool) (result u64)))))
            (core func $price (canon lower (func $prices "price")))
            (core module $code
              (import "shop" "price" (func $price (param i32 i32) (result i64)))
              (func (export "for-item") (param i32) (result i64)
                (i64.div_u (call $price (local.get 0) (i32.const 1)) (i64.const 2))))
            (core instance $code (instantiate $code (with "shop" (instance (export "price" (func $price))))))
            (func $for (param "item" u32) (result u64) (canon lift (core func $code "for-item")))
            (instance $discount (export "for-item" (func $for)))
            (export "shop:plugins/discount@2.0.0" (instance $discount)))"#,
    )
}

#[tokio::test]
async fn planets_of_both_generations_run_in_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("first.wasm"), first()).unwrap();
    std::fs::write(folder.path().join("second.wasm"), second()).unwrap();
    let builder = Primary::builder().serve(old::prices::serve(Shop)).serve(new::prices::serve(Shop));
    let primary = builder.build().unwrap();
    primary.load_dir(folder.path()).await.unwrap();
    expect_test::expect![[r#"
        first  running
          exports   shop:plugins/discount@1.0.0
          imports   shop:plugins/prices@1.0.0 <- the application

        second  running
          exports   shop:plugins/discount@2.0.0
          imports   shop:plugins/prices@2.0.0 <- the application

        started in this order: first, second
    "#]]
    .assert_eq(&primary.graph().to_string());
    let mut discounts = Vec::new();
    for discount in primary.all::<old::discount::Discount>() {
        discounts.push(u64::from(discount.for_item(3).await.unwrap()));
    }
    for discount in primary.all::<new::discount::Discount>() {
        discounts.push(discount.for_item(3).await.unwrap());
    }
    assert_eq!(discounts, [150, 15_000]);
}

#[tokio::test]
async fn of_one_track_the_newest_that_fits_serves() {
    let price = |builder: kokoro_host::Builder| async move {
        let primary = builder.build().unwrap();
        primary.load_bytes("first", first()).await.unwrap();
        primary.get::<old::discount::Discount>().unwrap().for_item(2).await.unwrap()
    };
    let builder = || Primary::builder().serve(old::prices::serve(Shop));
    assert_eq!(price(builder()).await, 100);
    assert_eq!(price(builder().serve(newer::prices::serve(Shop))).await, 110);
    assert_eq!(price(Primary::builder().serve(newer::prices::serve(Shop)).serve(old::prices::serve(Shop))).await, 110);
    let twice = builder().serve(old::prices::serve(Shop)).build().unwrap_err().to_string();
    assert!(twice.starts_with("the application serves `shop:plugins/prices@1.0.0` twice"), "{twice}");
}

#[tokio::test]
async fn a_generation_that_is_not_served_is_waited_for() {
    let primary = Primary::builder().serve(new::prices::serve(Shop)).build().unwrap();
    primary.load_bytes("first", first()).await.unwrap();
    let first = support::node(&primary, "first");
    assert_eq!(first.state, State::Waiting);
    expect_test::expect![[r#"
        needs `shop:plugins/prices@1.0.0`, and no loaded planet provides it
          closest: `shop:plugins/prices@2.0.0` from the application
          help: load a provider of 1.x, or declare the dependency optional"#]]
    .assert_eq(&first.details.unwrap());
}
