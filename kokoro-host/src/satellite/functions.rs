//! What a Planet wants of its Satellite, and which of the functions that the Satellite has serve for it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use kokoro_satellite::protocol::Interface as Offer;
use kokoro_value::Type as Form;

use super::connection::said;
use super::signature::{result_form, signature};
use crate::inspect::Interface;
use crate::interface::InterfaceName;

/// The functions that a Planet imports, with their types.
#[derive(Debug)]
pub(super) struct Wanted(BTreeMap<InterfaceName, BTreeMap<String, WantedFunction>>);

#[derive(Debug)]
struct WantedFunction {
    name: Arc<str>,
    /// None if it has handles, which do not cross.
    types: Option<(String, Arc<Form>)>,
}

/// The functions that a Planet imports, as a Satellite has them.
#[derive(Debug)]
pub(super) struct Functions(BTreeMap<InterfaceName, BTreeMap<String, Function>>);

/// One of them.
#[derive(Debug, Clone)]
pub(super) struct Function {
    pub(super) name: Arc<str>,
    /// By which the Satellite knows it.
    pub(super) number: u32,
    /// What its result has to be.
    pub(super) result: Arc<Form>,
}

/// Why a Satellite does not serve a Planet: lines.
pub(super) type Misfit = Vec<String>;

impl Wanted {
    pub(super) fn new(interfaces: &BTreeMap<InterfaceName, Interface>) -> Self {
        let function = |(name, function): (&String, &crate::inspect::Function)| {
            let types = signature(function).ok().zip(result_form(function).ok().map(Arc::new));
            (name.clone(), WantedFunction { name: name.as_str().into(), types })
        };
        let interface = |interface: &Interface| interface.functions.iter().map(function).collect();
        Self(interfaces.iter().map(|(name, of)| (name.clone(), interface(of))).collect())
    }

    /// Compares all with what a Satellite has. It may have more.
    pub(super) fn find(&self, offers: &[Offer]) -> Result<Functions, Misfit> {
        let mut number = 0;
        let mut offered = Vec::new();
        for offer in offers {
            if let Ok(name) = offer.name.parse::<InterfaceName>() {
                offered.push((name, number, offer));
            }
            number += offer.functions.len() as u32;
        }
        let mut found = BTreeMap::new();
        let mut misfit = Misfit::new();
        for (name, functions) in &self.0 {
            let serves = offered.iter().filter(|(offer, ..)| offer.can_serve(name));
            match serves.max_by_key(|(offer, ..)| offer.version()) {
                Some((offer, first, functions_of)) => {
                    let served = fit((name, functions), (offer, *first, functions_of), &mut misfit);
                    found.insert(name.clone(), served);
                }
                None => misfit.push(nothing_for(name, offers)),
            }
        }
        if misfit.is_empty() { Ok(Functions(found)) } else { Err(misfit) }
    }
}

impl Functions {
    pub(super) fn get(&self, interface: &InterfaceName, function: &str) -> Option<&Function> {
        self.0.get(interface)?.get(function)
    }
}

/// Compares the functions of one interface.
fn fit(
    (wanted, functions): (&InterfaceName, &BTreeMap<String, WantedFunction>),
    (offer, first, offered): (&InterfaceName, u32, &Offer),
    misfit: &mut Misfit,
) -> BTreeMap<String, Function> {
    let mut served = BTreeMap::new();
    for (name, function) in functions {
        let Some((signature, result)) = &function.types else {
            misfit.push(format!("`{name}` of `{wanted}` has handles of resources, which do not cross to a satellite"));
            continue;
        };
        let place = offered.functions.iter().position(|offered| offered.name == *name);
        let Some((place, offered)) = place.map(|place| (place, &offered.functions[place])) else {
            misfit.push(format!(
                "`{name}` of `{wanted}` is not in the satellite's `{offer}`: the planet calls `{signature}`"
            ));
            continue;
        };
        if offered.signature != *signature {
            misfit.push(format!(
                "`{name}` of `{wanted}` is `{signature}` for the planet, and `{}` for the satellite",
                said(&offered.signature)
            ));
            continue;
        }
        let function =
            Function { name: Arc::clone(&function.name), number: first + place as u32, result: Arc::clone(result) };
        served.insert(name.clone(), function);
    }
    served
}

fn nothing_for(wanted: &InterfaceName, offers: &[Offer]) -> String {
    let mut line = format!("the planet imports `{wanted}`, and the satellite serves ");
    match offers {
        [] => line.push_str("no interface"),
        _ => {
            for (place, offer) in offers.iter().take(8).enumerate() {
                // A `String` takes all that is written.
                let _ = write!(line, "{}`{}`", if place == 0 { "" } else { ", " }, said(&offer.name));
            }
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use kokoro_satellite::protocol::Function as Offered;

    use super::*;
    use crate::inspect::interfaces_of_text;

    const PLANET: &str =
        "package images:native@0.1.0; interface codec { resize: func(to: u32) -> list<u8>; add: func(a: u8); }";

    fn offer(name: &str, functions: &[(&str, &str)]) -> Offer {
        let function =
            |(name, signature): &(&str, &str)| Offered { name: (*name).to_owned(), signature: (*signature).to_owned() };
        Offer { name: name.to_owned(), functions: functions.iter().map(function).collect() }
    }

    fn find(offers: &[Offer]) -> Result<Functions, Misfit> {
        Wanted::new(&interfaces_of_text(PLANET)).find(offers)
    }

    #[test]
    fn functions_are_found_by_their_place_among_all() {
        let offers = [
            offer("other:one/thing@1.0.0", &[("a", "func()"), ("b", "func()")]),
            offer(
                "images:native/codec@0.1.3",
                &[("more", "func()"), ("add", "func(u8)"), ("resize", "func(u32) -> list<u8>")],
            ),
        ];
        let found = find(&offers).unwrap();
        let name: InterfaceName = "images:native/codec@0.1.0".parse().unwrap();
        let number = |function: &str| found.get(&name, function).map(|function| function.number);
        assert_eq!((number("add"), number("resize"), number("more")), (Some(3), Some(4), None));
    }

    #[test]
    fn what_does_not_fit_is_told_with_both_sides() {
        let misfit = find(&[offer("images:native/codec@0.1.0", &[("resize", "func(u64) -> list<u8>")])]).unwrap_err();
        assert_eq!(
            misfit,
            [
                "`add` of `images:native/codec@0.1.0` is not in the satellite's `images:native/codec@0.1.0`: the planet calls `func(u8)`",
                "`resize` of `images:native/codec@0.1.0` is `func(u32) -> list<u8>` for the planet, and `func(u64) -> list<u8>` for the satellite",
            ]
        );
        let misfit = find(&[offer("images:native/codec@0.2.0", &[]), offer("\u{1b}[2J", &[])]).unwrap_err();
        assert_eq!(
            misfit,
            [
                "the planet imports `images:native/codec@0.1.0`, and the satellite serves `images:native/codec@0.2.0`, `\\u{1b}[2J`"
            ]
        );
    }
}
