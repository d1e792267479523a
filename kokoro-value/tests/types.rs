//! `check`, against the model, for types and values of all kinds.

mod model;

use kokoro_value::{Type, check};
use proptest::collection::vec;
use proptest::prelude::*;

fn typed_values() -> impl Strategy<Value = (Type, model::Value)> {
    model::types().prop_flat_map(|ty| (Just(ty.clone()), model::values(&ty)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 10 } else { 2000 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_model_reads_what_it_writes((ty, value) in typed_values()) {
        let bytes = model::bytes(&value);
        prop_assert_eq!(model::read(&ty, &bytes), Some((value, [].as_slice())));
    }

    #[test]
    fn check_accepts_values_and_nothing_less_or_more((ty, value) in typed_values()) {
        let mut bytes = model::bytes(&value);
        prop_assert_eq!(check(&bytes, &ty), Ok(()));
        for end in 0..bytes.len() {
            let error = check(&bytes[..end], &ty).expect_err("a part is no value");
            prop_assert!(error.is_short() && error.at() <= end, "{}", error);
        }
        bytes.push(0);
        let error = check(&bytes, &ty).expect_err("more than a value is none");
        prop_assert!(error.is_left_over(), "{}", error);
        prop_assert_eq!(error.at(), bytes.len() - 1);
    }

    #[test]
    fn check_agrees_with_the_model_on_damaged_values((ty, value) in typed_values(), damage in model::damage()) {
        let mut bytes = model::bytes(&value);
        damage.iter().for_each(|damage| damage.to(&mut bytes));
        prop_assert_eq!(check(&bytes, &ty).is_ok(), model::accepts(&ty, &bytes));
    }

    #[test]
    fn check_agrees_with_the_model_on_any_bytes(ty in model::types(), bytes in vec(prop_oneof![0..3u8, any::<u8>()], 0..40)) {
        prop_assert_eq!(check(&bytes, &ty).is_ok(), model::accepts(&ty, &bytes));
    }
}

#[test]
fn a_count_that_lies_costs_nothing() {
    let lie = u32::MAX.to_le_bytes();
    let pair = Type::Tuple(vec![Type::U64, Type::U64]);
    for element in [Type::U64, Type::Bool, Type::String, Type::fixed_list(Type::U64, usize::MAX), pair] {
        assert!(check(&lie, &Type::list(element)).is_err_and(|error| error.is_short()));
    }
    // No type of WIT, but one that can be written down: elements that take up no bytes, as many as somebody likes.
    for element in [Type::Tuple(vec![]), Type::fixed_list(Type::Bool, 0), Type::Flags(0)] {
        assert_eq!(check(&lie, &Type::list(Type::Tuple(vec![element.clone(), element]))), Ok(()));
    }
}

#[test]
fn types_without_cases_have_no_values() {
    for ty in [Type::Enum(0), Type::Variant(vec![])] {
        for bytes in [&[][..], &[0], &[1]] {
            assert!(check(bytes, &ty).is_err());
        }
    }
}
