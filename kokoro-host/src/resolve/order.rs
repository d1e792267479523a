//! The order in which Planets start and stop.

use super::choice::Choice;
use super::offers::{Id, Offers};
use super::sort::sort;
use super::{Member, Provider};

/// The Planets that start: providers before those whom they serve, ties by name.
///
/// Who runs already and has lost a provider does not serve before it has another: whoever requires it starts after that.
pub(super) fn starts(offers: &Offers<'_>, choice: &Choice<'_>) -> Vec<String> {
    let is_new: Vec<bool> = offers.members.iter().map(|member| member.bound.is_none()).collect();
    // Those that run need no start, so they come as early as they can.
    let mut ids: Vec<Id> = (0..is_new.len()).filter(|id| choice.runs(*id)).collect();
    ids.sort_by_key(|id| is_new[*id]);
    let place = places(offers, &ids);
    let (mut required, mut optional) = (Vec::new(), Vec::new());
    for (at, id) in ids.iter().enumerate() {
        let before = |provider: Option<Id>| Some((place[provider?]?, at));
        required.extend(choice.required(*id).iter().filter_map(|(_, provider)| before(provider.planet())));
        if is_new[*id] {
            optional.extend(choice.optional(*id).iter().filter_map(|(_, provider)| before(provider.planet())));
        }
    }
    let sorted = sort(ids.len(), &required, &optional).into_iter().map(|at| ids[at]).filter(|id| is_new[*id]);
    sorted.map(|id| offers.names[id].to_owned()).collect()
}

/// Of those that run, those that have to stop: those that are served before those that serve them, ties by name, the last first.
pub(super) fn stops(offers: &Offers<'_>, has_to: impl Fn(Id) -> bool) -> Vec<String> {
    let stops = |id: &Id| offers.members[*id].bound.is_some() && has_to(*id);
    let ids: Vec<Id> = (0..offers.members.len()).rev().filter(stops).collect();
    let place = places(offers, &ids);
    let (mut required, mut optional) = (Vec::new(), Vec::new());
    for (at, id) in ids.iter().enumerate() {
        let Member { manifest, bound, .. } = offers.members[*id];
        for (import, provider) in bound.iter().flatten() {
            let Provider::Planet { name, .. } = provider else { continue };
            if let Some(provider) = offers.id(name).and_then(|id| place[id]) {
                let pairs = if manifest.requires.contains(import) { &mut required } else { &mut optional };
                pairs.push((at, provider));
            }
        }
    }
    sort(ids.len(), &required, &optional).into_iter().map(|at| offers.names[ids[at]].to_owned()).collect()
}

/// For each member its place in a list.
fn places(offers: &Offers<'_>, ids: &[Id]) -> Vec<Option<usize>> {
    let mut places = vec![None; offers.members.len()];
    ids.iter().enumerate().for_each(|(place, id)| places[*id] = Some(place));
    places
}
