//! What a picture of a graph shows, in whichever form it is drawn.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{Edge, EdgeKind, EdgeProvider, Graph, Node};
use crate::interface::InterfaceName;
use crate::registry::State;

/// How many lines are written at an arrow.
const MOST_NAMES: usize = 3;

/// What is drawn, and what connects it.
#[derive(Debug)]
pub(super) struct Picture<'a> {
    pub(super) figures: Vec<Figure<'a>>,
    pub(super) arrows: Vec<Arrow<'a>>,
}

/// Something that is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Figure<'a> {
    /// The Planet of this place in the graph.
    Planet(usize),
    /// The application, because it serves an import.
    Application,
    /// A Satellite of the Planet of this place: its program.
    Satellite(usize, &'a str),
    /// An interface that a waiting Planet requires, and that nobody exports.
    Missing(&'a InterfaceName),
}

/// Imports that lead from one or several Planets to the same provider.
#[derive(Debug)]
pub(super) struct Arrow<'a> {
    /// The importing Planets, as their places among the figures.
    pub(super) from: Vec<usize>,
    /// Who serves them, or could.
    pub(super) to: usize,
    pub(super) style: Style,
    pub(super) interfaces: BTreeSet<&'a InterfaceName>,
}

/// How an arrow is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Style {
    /// Whether the Planet runs without it.
    pub(super) optional: bool,
    /// Whether calls can take this way today.
    pub(super) bound: bool,
}

impl<'a> Picture<'a> {
    pub(super) fn of(graph: &'a Graph) -> Self {
        let mut imports: BTreeMap<(usize, Figure<'a>, Style), BTreeSet<&'a InterfaceName>> = BTreeMap::new();
        for (from, node) in graph.planets.iter().enumerate() {
            for edge in &node.imports {
                if let Some(to) = target(graph, node, edge) {
                    let bound = edge.provider.is_some() && is_live(node.state);
                    let style = Style { optional: edge.kind == EdgeKind::Optional, bound };
                    imports.entry((from, to, style)).or_default().insert(&edge.interface);
                }
            }
        }
        let others: BTreeSet<Figure<'a>> = imports.keys().map(|(_, to, _)| *to).collect();
        let mut figures: Vec<Figure<'a>> = (0..graph.planets.len()).map(Figure::Planet).collect();
        figures.extend(others.into_iter().filter(|figure| !matches!(figure, Figure::Planet(_))));

        let mut arrows: BTreeMap<(Figure<'a>, Style, BTreeSet<&'a InterfaceName>), Vec<usize>> = BTreeMap::new();
        for ((from, to, style), interfaces) in imports {
            arrows.entry((to, style, interfaces)).or_default().push(from);
        }
        let place = |figure: &Figure<'a>| figures.binary_search(figure).expect("all that arrows lead to is drawn");
        let arrows = arrows.into_iter();
        let arrows = arrows.map(|((to, style, interfaces), from)| Arrow { from, to: place(&to), style, interfaces });
        Self { arrows: arrows.collect(), figures }
    }

    /// What is written at an arrow: the interfaces' short names, or where two have the same, their whole ones.
    pub(super) fn label(&self, arrow: &Arrow<'a>) -> Vec<String> {
        if matches!(self.figures[arrow.to], Figure::Missing(_)) {
            // Its name is in the box.
            return Vec::new();
        }
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for name in &arrow.interfaces {
            *times.entry(name.interface()).or_default() += 1;
        }
        let short = |name: &InterfaceName| match times[name.interface()] {
            1 => name.interface().to_owned(),
            _ => name.to_string(),
        };
        let mut label: Vec<String> = arrow.interfaces.iter().map(|name| short(name)).collect();
        if label.len() > MOST_NAMES {
            let more = label.len() - (MOST_NAMES - 1);
            label.truncate(MOST_NAMES - 1);
            label.push(format!("and {more} more"));
        }
        label
    }

    /// What it shows, in one line.
    pub(super) fn heading(graph: &Graph) -> String {
        let counts: Vec<String> = counts(graph).iter().map(|(state, count)| format!("{count} {state}")).collect();
        match counts.is_empty() {
            true => "no Planets (plugins)".to_owned(),
            false => format!("Planets (plugins): {}", counts.join(", ")),
        }
    }
}

/// How many Planets are in which state, in the order of a life.
pub(super) fn counts(graph: &Graph) -> Vec<(State, usize)> {
    use State::*;
    let count = |state| graph.planets.iter().filter(|node| node.state == state).count();
    let states = [Running, Starting, Waiting, Stopping, Failed, Refused, Gone];
    states.into_iter().map(|state| (state, count(state))).filter(|(_, count)| *count > 0).collect()
}

/// Where the arrow of an import leads, if it has one.
fn target<'a>(graph: &'a Graph, node: &'a Node, edge: &'a Edge) -> Option<Figure<'a>> {
    let planet = |name: &str| graph.planets.iter().position(|node| node.name == name).map(Figure::Planet);
    match &edge.provider {
        Some(EdgeProvider::Host(_)) => Some(Figure::Application),
        Some(EdgeProvider::Satellite(program)) => {
            let owner = graph.planets.iter().position(|other| other.name == node.name)?;
            Some(Figure::Satellite(owner, program))
        }
        Some(EdgeProvider::Planet(name)) => planet(name),
        // Nothing is bound before a Planet starts, so the picture shows who could serve it: those it may be waiting for.
        None if edge.kind == EdgeKind::Satellite => None,
        None if node.state == State::Waiting => match (candidate(graph, node, edge), edge.kind) {
            (Some(candidate), _) => planet(&candidate.name),
            (None, EdgeKind::Required) => Some(Figure::Missing(&edge.interface)),
            (None, _) => None,
        },
        None => None,
    }
}

/// The Planet that comes first among those that export what `edge` imports: one that runs or may run soon, the newest, the
/// first by name.
fn candidate<'a>(graph: &'a Graph, node: &Node, edge: &Edge) -> Option<&'a Node> {
    let hopeless = |state| !matches!(state, State::Running | State::Starting | State::Waiting);
    let others = graph.planets.iter().filter(|other| other.name != node.name);
    let serving = others.filter_map(|other| {
        let exports = other.exports.iter().filter(|export| export.can_serve(&edge.interface));
        exports.map(InterfaceName::version).max().map(|version| (hopeless(other.state), Reverse(version), other))
    });
    serving.min_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1))).map(|(.., other)| other)
}

/// Whether the imports of a Planet in this state are bound.
fn is_live(state: State) -> bool {
    matches!(state, State::Starting | State::Running | State::Stopping)
}
