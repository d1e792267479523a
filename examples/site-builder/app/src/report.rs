//! Who took part, who did not, and why.

use kokoro_host::{EdgeKind, Graph, InterfaceName, Node, State};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// All Planets (plugins) of the folder, and what those that run would have liked to have.
pub(crate) fn planets(graph: &Graph) -> String {
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
