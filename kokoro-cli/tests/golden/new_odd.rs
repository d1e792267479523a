//! The Planet (plugin) `string`.
#![expect(unused_variables, reason = "not written yet")]

kokoro_guest::planet! {
    state: StringPlanet,
    exports: ["a:b/type" as b_type_, "c:b/type@1.0.0" as b_type__, "a:b/string"],
}

/// The running Planet: made when it starts, dropped when it stops.
#[derive(Default)]
struct StringPlanet;

/// What a [`b_type_::Item`] refers to.
struct BTypeItem;

impl b_type_::Guest for StringPlanet {
    type Item = BTypeItem;

    fn self_(&mut self, box_: Vec<b_type_::Item>) -> (u8,) {
        unimplemented!("not written yet: `type.self`")
    }
}

impl b_type_::GuestItem<StringPlanet> for BTypeItem {
    fn fn_(&mut self, planet_: &mut StringPlanet, match_: String, planet: u8) {
        unimplemented!("not written yet: `type.item.fn`")
    }

    fn new(planet: &mut StringPlanet) -> Self {
        unimplemented!("not written yet: `type.item`")
    }
}

impl b_type__::Guest for StringPlanet {
    fn get(&mut self) -> Result<u8, b_type__::Name> {
        Err("not written yet: `type.get`".to_owned())
    }
}

impl string::Guest for StringPlanet {
    fn take(&mut self, self_: string::Result<'_>) {
        unimplemented!("not written yet: `string.take`")
    }
}
