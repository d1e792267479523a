//! Who took part, who did not, and why.

use crate::builder::count;
use crate::written::Made;
use kokoro_host::{EdgeKind, Graph, InterfaceName, Node, State};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// All Planets (plugins) of the folder, and what those that run would have liked to have. Those that are `allowed` run native programs.
pub(crate) fn planets(graph: &Graph, allowed: &[String]) -> String {
    let width = graph.planets.iter().map(|planet| planet.name.len()).max().unwrap_or(0);
    let (running, others): (Vec<_>, Vec<_>) = graph.planets.iter().partition(|planet| planet.state == State::Running);
    let mut text = String::from("Planets (plugins) that took part:\n");
    for planet in &running {
        let version = planet.version.as_ref().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(text, "  {:width$}  {version}", planet.name);
    }
    if running.is_empty() {
        text.push_str("  none\n");
    }
    let mut missing: BTreeMap<&InterfaceName, Vec<&str>> = BTreeMap::new();
    for planet in &running {
        for import in
            planet.imports.iter().filter(|import| import.kind == EdgeKind::Optional && import.provider.is_none())
        {
            missing.entry(&import.interface).or_default().push(&planet.name);
        }
    }
    if !others.is_empty() || !missing.is_empty() {
        text.push_str("Missing:\n");
    }
    for planet in &others {
        let reason = planet.reason.as_deref().unwrap_or("no reason is known");
        let _ = writeln!(text, "  {} is {}: {reason}", planet.name, planet.state);
        let asks = planet.imports.iter().any(|import| import.kind == EdgeKind::Satellite);
        if asks && !allowed.contains(&planet.name) {
            let _ = writeln!(text, "    help: --allow-satellite {} lets it run its native program", planet.name);
        }
    }
    for (interface, users) in missing {
        let provides = |planet: &&&Node| planet.exports.iter().any(|export| export.can_serve(interface));
        let why = match others.iter().find(provides) {
            Some(planet) => format!("{}, which provides it, is {}", planet.name, planet.state),
            None => "nobody provides it".to_owned(),
        };
        let _ = writeln!(text, "  {interface}: {why}; {} went on without", users.join(", "));
    }
    text
}

/// What Planets (plugins) have made of files, which have so many bytes as `size` says.
pub(crate) fn written(written: &BTreeMap<String, Made>, size: impl Fn(&str) -> u64) -> String {
    let mut rows: Vec<_> = written.iter().map(|(file, made)| (&**file, size(file), *made)).collect();
    if rows.len() > 1 {
        let whole = Made {
            files: rows.iter().map(|(_, _, made)| made.files).sum(),
            bytes: rows.iter().map(|(_, _, made)| made.bytes).sum(),
        };
        rows.push(("together", rows.iter().map(|(_, before, _)| before).sum(), whole));
    }
    let width = rows.iter().map(|(file, ..)| file.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (file, before, made) in &rows {
        let (before, after) = (*before as f64 / 1e6, made.bytes as f64 / 1e6);
        let files = count(made.files, "file", "files");
        let _ = writeln!(text, "  {file:width$}  {before:7.2} MB -> {after:6.2} MB in {files}");
    }
    if !text.is_empty() {
        text.insert_str(0, "\nWhat Planets (plugins) made of files:\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Made, written};
    use std::collections::BTreeMap;

    #[test]
    fn sizes_stand_below_each_other() {
        let mut made = BTreeMap::from([("a.jpg".to_owned(), Made { files: 1, bytes: 250_000 })]);
        let size = |file: &str| 5_000_000 * file.len() as u64;
        assert_eq!(
            written(&made, size),
            "\nWhat Planets (plugins) made of files:\n  a.jpg    25.00 MB ->   0.25 MB in 1 file\n"
        );
        made.insert("pictures/b.jpg".to_owned(), Made { files: 4, bytes: 1_000_000 });
        assert!(written(&made, size).ends_with("\n  together          95.00 MB ->   1.25 MB in 5 files\n"));
        assert_eq!(written(&BTreeMap::new(), size), "");
    }
}
