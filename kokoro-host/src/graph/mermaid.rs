//! A picture of a graph in Mermaid's text form.

use std::fmt::Write as _;

use super::picture::{Figure, Picture, Style};
use super::text::{shortened, visible, wrapped};
use super::{Graph, Node};
use crate::registry::State;

/// The size of letters, and how wide lines may be: Mermaid breaks them there, if this does not do it better before.
const SIZE: f64 = 16.0;
const WIDTH: f64 = 200.0;
/// How many lines a name may have, and a reason.
const NAME_LINES: usize = 2;
const REASON_LINES: usize = 5;

/// The colours are those of the SVG. They bring the colour of the text, so they can be read on any background.
const CLASSES: &[(&str, &str)] = &[
    ("running", "fill:#e3f4ee,stroke:#00785a,color:#1b1f24"),
    ("starting", "fill:#e4f0fb,stroke:#0b62a4,color:#1b1f24"),
    ("waiting", "fill:#fff5d9,stroke:#8f6200,color:#1b1f24,stroke-width:2px,stroke-dasharray:7 4"),
    ("stopping", "fill:#e4f0fb,stroke:#0b62a4,color:#1b1f24"),
    ("failed", "fill:#fde8e1,stroke:#b93a00,color:#1b1f24,stroke-width:3px"),
    ("refused", "fill:#f7e8f2,stroke:#95397a,color:#1b1f24"),
    ("gone", "fill:#f2f3f5,stroke:#6e7781,color:#1b1f24,stroke-dasharray:2 3"),
    ("application", "fill:#2f363d,stroke:#2f363d,color:#ffffff"),
    ("satellite", "fill:#ffffff,stroke:#2f363d,color:#1f2328,stroke-width:2px"),
    ("missing", "fill:#ffffff,stroke:#6e7781,color:#1b1f24,stroke-dasharray:3 3"),
];

pub(super) fn draw(graph: &Graph) -> String {
    let picture = Picture::of(graph);
    let mut text = format!("%% {}\nflowchart LR\n", Picture::heading(graph));
    let mut classes: Vec<(&str, Vec<String>)> = CLASSES.iter().map(|(class, _)| (*class, Vec::new())).collect();
    for (place, figure) in picture.figures.iter().enumerate() {
        let (class, lines) = match figure {
            Figure::Planet(planet) => (graph.planets[*planet].state.to_string(), planet_lines(&graph.planets[*planet])),
            Figure::Application => ("application".to_owned(), vec!["the application".to_owned()]),
            Figure::Satellite(_, program) => {
                ("satellite".to_owned(), vec![(*program).to_owned(), "satellite".to_owned()])
            }
            Figure::Missing(name) => {
                let mut lines = wrapped(&name.to_string(), SIZE, WIDTH, NAME_LINES);
                lines.push("nobody provides it".to_owned());
                ("missing".to_owned(), lines)
            }
        };
        let (open, close) = brackets(figure, graph);
        let _ = writeln!(text, "  n{place}{open}\"{}\"{close}", escaped(&lines));
        if let Some((_, members)) = classes.iter_mut().find(|(name, _)| *name == class) {
            members.push(format!("n{place}"));
        }
    }
    for arrow in &picture.arrows {
        let line = match arrow.style {
            Style { optional: false, bound: true } => "-->",
            Style { optional: true, bound: true } => "-.->",
            Style { optional: false, bound: false } => "--x",
            Style { optional: true, bound: false } => "-.-x",
        };
        let label: Vec<String> = picture.label(arrow).iter().map(|name| shortened(name, SIZE, WIDTH)).collect();
        let label = if label.is_empty() { String::new() } else { format!("|\"{}\"|", escaped(&label)) };
        for from in &arrow.from {
            let _ = writeln!(text, "  n{from} {line}{label} n{}", arrow.to);
        }
    }
    for ((class, style), (_, members)) in CLASSES.iter().zip(&classes) {
        if !members.is_empty() {
            let _ = writeln!(text, "  classDef {class} {style}\n  class {} {class}", members.join(","));
        }
    }
    text
}

/// Name, version, state and reason of a Planet.
fn planet_lines(node: &Node) -> Vec<String> {
    let version = node.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let mut lines = wrapped(&(visible(&node.name) + &version), SIZE, WIDTH, NAME_LINES);
    if node.state != State::Running {
        lines.push(node.state.to_string());
    }
    lines.extend(wrapped(&node.reason.as_deref().map(visible).unwrap_or_default(), SIZE, WIDTH, REASON_LINES));
    lines
}

/// What makes the shape of a box.
fn brackets(figure: &Figure<'_>, graph: &Graph) -> (&'static str, &'static str) {
    match figure {
        Figure::Planet(planet) => match graph.planets[*planet].state {
            State::Running | State::Waiting => ("(", ")"),
            State::Starting => ("[/", "/]"),
            State::Stopping => ("[\\", "\\]"),
            State::Failed => ("{{", "}}"),
            State::Refused => ("[[", "]]"),
            State::Gone => ("[", "]"),
        },
        Figure::Application | Figure::Satellite(..) => ("[", "]"),
        Figure::Missing(_) => ("([", "])"),
    }
}

/// Lines as they stand between quotes. What could mean something to Mermaid, Markdown or HTML stands there as a number.
fn escaped(lines: &[String]) -> String {
    let mut escaped = String::new();
    for (place, line) in lines.iter().enumerate() {
        if place > 0 {
            escaped += "<br/>";
        }
        let mut within = false;
        let mut rest = line.chars().peekable();
        while let Some(c) = rest.next() {
            let word_follows = rest.peek().is_some_and(|next| next.is_alphanumeric());
            match c {
                c if c.is_alphanumeric() => escaped.push(c),
                ' ' | '_' | ',' | ':' | '/' => escaped.push(c),
                '-' | '.' if within && word_follows => escaped.push(c),
                c => escaped += &format!("#{};", u32::from(c)),
            }
            within = true;
        }
    }
    escaped
}
