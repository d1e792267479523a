//! What has to hold of a plan for Planets of which some run already, told slowly and obviously.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::model::{Edges, Interface, Outcome, Set, can_run, dense_sets, reaches, rivals, sets};

/// For each Planet that runs, and each of its imports that is bound: the provider and its export.
pub(super) type Bound = BTreeMap<String, BTreeMap<Interface, (String, Interface)>>;

/// Random sets of which a part runs, bound as is legal but not always best, after which some have gone.
pub(super) fn changes(most: usize) -> impl Strategy<Value = (Set, Bound)> {
    let sets = prop_oneof![sets(most), dense_sets(most)];
    (sets, prop::collection::vec(any::<u16>(), 128)).prop_map(|(set, numbers)| {
        let mut numbers = numbers.into_iter().cycle();
        change(set, &mut |sides| usize::from(numbers.next().unwrap_or_default()) % sides)
    })
}

fn change(mut set: Set, dice: &mut impl FnMut(usize) -> usize) -> (Set, Bound) {
    let mut bound = Bound::new();
    let mut names: Vec<String> = set.keys().chain(set.keys()).cloned().collect();
    while !names.is_empty() {
        let name = names.swap_remove(dice(names.len()));
        if bound.contains_key(&name) {
            continue;
        }
        // Nobody is bound to those that do not run yet, so required imports form no cycle.
        let required: Option<BTreeMap<_, _>> = set[&name]
            .requires
            .iter()
            .map(|import| Some((*import, pick(&set, &bound, &name, import, dice)?)))
            .collect();
        if let Some(required) = required.filter(|_| dice(6) != 0) {
            bound.insert(name, required);
        }
    }
    for name in bound.keys().cloned().collect::<Vec<_>>() {
        for import in &set[&name].optional {
            if let Some(provider) = pick(&set, &bound, &name, import, dice).filter(|_| dice(4) != 0) {
                bound.get_mut(&name).unwrap().insert(*import, provider);
            }
        }
    }
    set.retain(|_, _| dice(5) != 0);
    bound.retain(|name, _| set.contains_key(name));
    for imports in bound.values_mut() {
        imports.retain(|_, (provider, _)| set.contains_key(provider) && dice(12) != 0);
    }
    (set, bound)
}

/// One of those that run and could serve an import.
fn pick(
    set: &Set,
    bound: &Bound,
    consumer: &str,
    import: &Interface,
    dice: &mut impl FnMut(usize) -> usize,
) -> Option<(String, Interface)> {
    let others = bound.keys().filter(|name| *name != consumer);
    let exports = others.flat_map(|name| set[name].provides.iter().map(move |export| (name, export)));
    let mut exports: Vec<_> = exports.filter(|(_, export)| export.serves(import)).collect();
    match exports.len() {
        0 => None,
        len => Some(exports.swap_remove(dice(len))).map(|(name, export)| (name.clone(), *export)),
    }
}

/// Checks every property; the error says which one does not hold.
pub(super) fn check(set: &Set, before: &Bound, outcome: &Outcome, stops: &[String]) -> Result<(), String> {
    let could: BTreeSet<String> = set.keys().filter(|name| can_run(set, name, &[])).cloned().collect();
    if outcome.running != could {
        return Err(format!("{:?} run, and {could:?} could", outcome.running));
    }
    let all_can_keep = could.iter().all(|name| can_keep(set, before, name, &[]));
    for name in &outcome.running {
        if reaches(set, outcome, Edges::Required, name, name) {
            return Err(format!("`{name}` requires itself in the end"));
        }
        for import in &set[name].requires {
            check_required(set, before, outcome, name, import)?;
            let (was, is) = (was_bound(before, name, import), is_bound(outcome, name, import));
            if all_can_keep && was.is_some() && was != is {
                return Err(format!("`{name}` has lost `{was:?}` for {} without need", import.full()));
            }
        }
        for import in &set[name].optional {
            let best = rivals(set, outcome, name, import).into_iter().next();
            let was = was_bound(before, name, import).filter(|provider| outcome.running.contains(*provider));
            let (is, should) = (is_bound(outcome, name, import), was.or(best.as_ref()));
            if is != should {
                return Err(format!("`{name}` has {is:?} for its option {}, not {should:?}", import.full()));
            }
        }
    }
    check_starts(set, before, outcome)?;
    check_stops(set, before, outcome, stops)
}

fn was_bound<'a>(before: &'a Bound, name: &str, import: &Interface) -> Option<&'a String> {
    before.get(name)?.get(import).map(|(provider, _)| provider)
}

fn is_bound<'a>(outcome: &'a Outcome, name: &str, import: &Interface) -> Option<&'a String> {
    outcome.bound.get(&(name.to_owned(), import.full()))
}

/// Whether a Planet can run though everybody keeps what is bound.
fn can_keep(set: &Set, before: &Bound, name: &str, path: &[&str]) -> bool {
    let path = [path, &[name]].concat();
    set[name].requires.iter().all(|import| {
        let was = was_bound(before, name, import);
        let mut others = set.iter().filter(|(other, _)| was.is_none_or(|was| was == *other));
        others.any(|(other, planet)| {
            !path.contains(&other.as_str())
                && planet.provides.iter().any(|export| export.serves(import))
                && can_keep(set, before, other, &path)
        })
    })
}

/// Bound to one that runs; and whoever served it before, or is better, would close a cycle.
fn check_required(set: &Set, before: &Bound, outcome: &Outcome, name: &str, import: &Interface) -> Result<(), String> {
    let full = import.full();
    let Some(is) = is_bound(outcome, name, import) else {
        return Err(format!("`{name}` runs without {full}"));
    };
    let mut rivals = rivals(set, outcome, name, import);
    if let Some(was) = was_bound(before, name, import)
        && let Some(place) = rivals.iter().position(|rival| rival == was)
    {
        rivals[..=place].rotate_right(1);
    }
    let Some(place) = rivals.iter().position(|rival| rival == is) else {
        return Err(format!("`{name}` has {full} from `{is}`, which does not run or fit"));
    };
    match rivals[..place].iter().find(|better| !reaches(set, outcome, Edges::Required, better, name)) {
        Some(better) => Err(format!("`{name}` has {full} from `{is}`, and nothing speaks against `{better}`")),
        None => Ok(()),
    }
}

/// Exactly those start that run and did not; nobody before those who serve it, directly or through others.
fn check_starts(set: &Set, before: &Bound, outcome: &Outcome) -> Result<(), String> {
    let new: BTreeSet<String> = outcome.running.iter().filter(|name| !before.contains_key(*name)).cloned().collect();
    let ordered: BTreeSet<String> = outcome.order.iter().cloned().collect();
    if ordered != new || ordered.len() != outcome.order.len() {
        return Err(format!("{new:?} have to start, and {:?} do", outcome.order));
    }
    for (i, name) in outcome.order.iter().enumerate() {
        for later in &outcome.order[i + 1..] {
            if reaches(set, outcome, Edges::Required, name, later) {
                return Err(format!("`{name}` starts before `{later}`, which it requires in the end"));
            }
            let serves = |import: &Interface| is_bound(outcome, name, import) == Some(later);
            let is_option = set[name].optional.iter().any(serves);
            if is_option && !reaches(set, outcome, Edges::All, later, name) {
                return Err(format!("`{name}` starts before `{later}`, its option"));
            }
        }
    }
    Ok(())
}

/// Exactly those stop that ran and do not; nobody before those whom it served.
fn check_stops(set: &Set, before: &Bound, outcome: &Outcome, stops: &[String]) -> Result<(), String> {
    let lost: BTreeSet<String> = before.keys().filter(|name| !outcome.running.contains(*name)).cloned().collect();
    let ordered: BTreeSet<String> = stops.iter().cloned().collect();
    if ordered != lost || ordered.len() != stops.len() {
        return Err(format!("{lost:?} have to stop, and {stops:?} do"));
    }
    // What is bound among those that stop.
    let mut among = Outcome::default();
    for name in stops {
        for (import, (provider, _)) in before[name].iter().filter(|(_, (provider, _))| stops.contains(provider)) {
            among.bound.insert((name.clone(), import.full()), provider.clone());
        }
    }
    for (i, provider) in stops.iter().enumerate() {
        for consumer in &stops[i + 1..] {
            let serves = |import: &Interface| was_bound(before, consumer, import) == Some(provider);
            if set[consumer].requires.iter().any(serves) {
                return Err(format!("`{provider}` stops before `{consumer}`, which requires it"));
            }
            let is_option = set[consumer].optional.iter().any(serves);
            if is_option && !reaches(set, &among, Edges::All, provider, consumer) {
                return Err(format!("`{provider}` stops before `{consumer}`, whose option it is"));
            }
        }
    }
    Ok(())
}
