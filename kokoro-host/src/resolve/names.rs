//! Which names look alike.

use std::collections::{BTreeMap, HashMap};

use super::offers::Offers;
use crate::interface::InterfaceName;

/// All that is exported, by path, to find what is closest to something that nobody exports.
#[derive(Debug)]
pub(super) struct Names<'a> {
    paths: Vec<&'a str>,
    /// For each path: its exports, by version, and the Planets that have them; no name is the application.
    exports: Vec<Vec<(&'a InterfaceName, &'a str)>>,
    /// For paths that were asked for: the places of those that look alike, the most similar first, each with its distance.
    alike: HashMap<&'a str, Vec<(usize, usize)>>,
}

/// For how many paths others that look alike are looked for. That takes time, and who misses more is not helped by it.
const MOST: usize = 200;

impl<'a> Names<'a> {
    pub(super) fn new(offers: &Offers<'a>) -> Self {
        let mut by_path: BTreeMap<&str, Vec<(&InterfaceName, &str)>> = BTreeMap::new();
        let planets = offers.exports().iter().map(|offer| (offer.export, offers.names[offer.id]));
        let host = offers.problem.host.iter().map(|export| (export, ""));
        for (export, name) in planets.chain(host) {
            by_path.entry(export.path()).or_default().push((export, name));
        }
        let (paths, mut exports): (Vec<_>, Vec<_>) = by_path.into_iter().unzip();
        exports.iter_mut().for_each(|exports| exports.sort());
        Self { paths, exports, alike: HashMap::new() }
    }

    /// What looks most like `import`, and is not `consumer`'s: the same interface in other versions, else the most similar
    /// paths.
    pub(super) fn closest(&mut self, consumer: &str, import: &'a InterfaceName) -> Vec<(InterfaceName, String)> {
        let of = |places: &mut dyn Iterator<Item = usize>| -> Vec<(InterfaceName, String)> {
            let exports = places.flat_map(|place| &self.exports[place]).filter(|(_, name)| *name != consumer);
            exports.take(3).map(|(export, name)| ((*export).clone(), (*name).to_owned())).collect()
        };
        let path = import.path();
        let same = of(&mut self.paths.binary_search(&path).into_iter());
        if !same.is_empty() || self.alike.len() >= MOST && !self.alike.contains_key(path) {
            return same;
        }
        let alike = self.alike.entry(path).or_insert_with(|| {
            let mut alike = alike(&self.paths, path, path.len() / 4);
            alike.sort_unstable();
            alike
        });
        let equally_far = alike.chunk_by(|(one, _), (other, _)| one == other);
        let closest = equally_far.map(|alike| of(&mut alike.iter().map(|(_, place)| *place)));
        closest.into_iter().find(|closest| !closest.is_empty()).unwrap_or_default()
    }
}

/// The places of those of `paths`, which are sorted, whose Levenshtein distance to `wanted` is no more than `most`, each with
/// its distance.
///
/// The table of distances is filled row by row, a row for each byte of a path. Paths with a common beginning have these
/// rows in common, and where a row has nothing up to `most` no path that begins like that is alike.
fn alike(paths: &[&str], wanted: &str, most: usize) -> Vec<(usize, usize)> {
    let width = wanted.len() + 1;
    let mut found = Vec::new();
    let mut table: Vec<usize> = (0..width).collect();
    let mut beginning: &[u8] = &[];
    let mut place = 0;
    while let Some(path) = paths.get(place) {
        let path = path.as_bytes();
        let common = path.iter().zip(beginning).take_while(|(a, b)| a == b).count();
        table.truncate((common + 1) * width);
        let mut rows = common + 1;
        let is_alike = |table: &[usize]| table[table.len() - width..].iter().any(|distance| *distance <= most);
        while rows <= path.len() && is_alike(&table) {
            add_row(&mut table, path[rows - 1], wanted.as_bytes(), most);
            rows += 1;
        }
        beginning = &path[..rows - 1];
        let distance = table[table.len() - 1];
        if beginning.len() == path.len() && distance <= most {
            found.push((distance, place));
        }
        place += 1;
        if !is_alike(&table) {
            place += paths[place..].partition_point(|path| path.as_bytes().starts_with(beginning));
        }
    }
    found
}

/// Adds a row to the table, as far as its distances can be up to `most`.
fn add_row(table: &mut Vec<usize>, byte: u8, wanted: &[u8], most: usize) {
    let above = table.len() - wanted.len() - 1;
    let row = table.len();
    let nth = row / (wanted.len() + 1);
    table.resize(row + wanted.len() + 1, most + 1);
    if nth <= most {
        table[row] = nth;
    }
    for i in nth.saturating_sub(most + 1)..wanted.len().min(nth + most) {
        let replaced = table[above + i] + usize::from(wanted[i] != byte);
        table[row + i + 1] = replaced.min(table[above + i + 1] + 1).min(table[row + i] + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::alike;

    #[test]
    fn distances_are_levenshteins() {
        // All words of up to four letters of three.
        let mut words = vec![String::new()];
        for length in 0..4 {
            let longer = words.iter().filter(|word| word.len() == length);
            let longer: Vec<String> = longer.flat_map(|word| ["a", "b", "c"].map(|c| word.clone() + c)).collect();
            words.extend(longer);
        }
        words.sort();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        for wanted in ["", "a", "abc", "abcab", "ccccccc", "bacba"] {
            for most in 0..=8 {
                let all = words.iter().enumerate();
                let distances = all.map(|(place, word)| (strsim::levenshtein(word, wanted), place));
                let near: Vec<_> = distances.filter(|(distance, _)| *distance <= most).collect();
                assert_eq!(alike(&words, wanted, most), near, "{wanted:?} up to {most}");
            }
        }
    }
}
