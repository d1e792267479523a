//! A picture of a graph as SVG.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::layout::{Link, Point, Route, Size, lay_out};
use super::picture::{Arrow, Figure, Picture, Style, counts};
use super::text::{shortened, visible, width, wrapped};
use super::{Graph, Node};
use crate::interface::InterfaceName;
use crate::registry::State;

/// The sizes of letters: of names, and of everything else.
const NAME: f64 = 14.0;
const SMALL: f64 = 12.0;
/// How much wider bold letters are.
const BOLD: f64 = 1.12;
/// How wide text in a box may be, and how many lines a reason may have there.
const TEXT: f64 = 260.0;
const REASON_LINES: usize = 5;
/// How wide the label of a line may be.
const LABEL: f64 = 150.0;
/// Around the picture.
const MARGIN: f64 = 20.0;
/// Between the border of a box and its text.
const PADDING: f64 = 12.0;
const LINE: f64 = 16.0;
const BEFORE_VERSION: f64 = 6.0;

/// Colours that people who see few of them tell apart, too; and no state differs from another by colour alone. The
/// background is part of the picture, so that it can be read wherever it is put.
const CSS: &str = "\
.kokoro-graph{font-family:sans-serif;font-size:12px}
.kokoro-graph .paper{fill:#fff}
.kokoro-graph text{fill:#1b1f24}
.kokoro-graph .name{font-size:14px;font-weight:bold}
.kokoro-graph .word{font-weight:bold}
.kokoro-graph .soft{fill:#57606a}
.kokoro-graph .version{fill:#57606a;font-size:12px;font-weight:normal;unicode-bidi:isolate}
.kokoro-graph .line{fill:none;stroke:#57606a;stroke-width:1.5}
.kokoro-graph .head{fill:#57606a;stroke:#57606a;stroke-width:1.5;stroke-linejoin:round}
.kokoro-graph .optional .line{stroke-dasharray:6 4}
.kokoro-graph .unbound .line{stroke:#8c959f}
.kokoro-graph .unbound .head{fill:none;stroke:#8c959f}
.kokoro-graph .unbound text{fill:#626b75}
.kokoro-graph .box{stroke-width:1.5}
.kokoro-graph .running .box{fill:#e3f4ee;stroke:#00785a}
.kokoro-graph .waiting .box{fill:#fff5d9;stroke:#8f6200;stroke-width:2;stroke-dasharray:7 4}
.kokoro-graph .waiting .word{fill:#7a5300}
.kokoro-graph .starting .box,.kokoro-graph .stopping .box{fill:#e4f0fb;stroke:#0b62a4}
.kokoro-graph .starting .word,.kokoro-graph .stopping .word{fill:#0b5c9a}
.kokoro-graph .failed .box{fill:#fde8e1;stroke:#b93a00;stroke-width:3}
.kokoro-graph .failed .word{fill:#a83400}
.kokoro-graph .refused .box{fill:#f7e8f2;stroke:#95397a}
.kokoro-graph .refused .word{fill:#85306c}
.kokoro-graph .gone .box{fill:#f2f3f5;stroke:#6e7781;stroke-dasharray:1.5 3.5;stroke-linecap:round}
.kokoro-graph .gone .word{fill:#57606a}
.kokoro-graph .application .box{fill:#2f363d;stroke:#2f363d}
.kokoro-graph .satellite .box{stroke:#2f363d;stroke-width:2}
.kokoro-graph .application .name{fill:#fff}
.kokoro-graph .missing .box{fill:#fff;stroke:#6e7781;stroke-dasharray:3 3}
@media (prefers-color-scheme:dark){
.kokoro-graph .paper{fill:#0d1117}
.kokoro-graph text{fill:#e6edf3}
.kokoro-graph .soft,.kokoro-graph .version{fill:#9da7b3}
.kokoro-graph .line{stroke:#9da7b3}
.kokoro-graph .head{fill:#9da7b3;stroke:#9da7b3}
.kokoro-graph .unbound .line,.kokoro-graph .unbound .head{stroke:#5b6570}
.kokoro-graph .unbound text{fill:#8b949e}
.kokoro-graph .running .box{fill:#0e2b23;stroke:#3fc79a}
.kokoro-graph .waiting .box{fill:#2c2408;stroke:#e3b341}
.kokoro-graph .waiting .word{fill:#e3b341}
.kokoro-graph .starting .box,.kokoro-graph .stopping .box{fill:#0c2438;stroke:#58a6e6}
.kokoro-graph .starting .word,.kokoro-graph .stopping .word{fill:#79b8f0}
.kokoro-graph .failed .box{fill:#351a10;stroke:#ff8a5c}
.kokoro-graph .failed .word{fill:#ff9b73}
.kokoro-graph .refused .box{fill:#311327;stroke:#e58fc9}
.kokoro-graph .refused .word{fill:#e58fc9}
.kokoro-graph .gone .box{fill:#1c2128;stroke:#8b949e}
.kokoro-graph .gone .word{fill:#9da7b3}
.kokoro-graph .application .box{fill:#d5dce3;stroke:#d5dce3}
.kokoro-graph .satellite .box{stroke:#d5dce3}
.kokoro-graph .application .name{fill:#0d1117}
.kokoro-graph .missing .box{fill:#0d1117;stroke:#8b949e}
}
";

pub(super) fn draw(graph: &Graph) -> String {
    let picture = Picture::of(graph);
    let cards: Vec<Card> = picture.figures.iter().map(|figure| Card::of(graph, &picture, figure)).collect();
    let labels: Vec<Label> = picture.arrows.iter().map(|arrow| Label::of(&picture, arrow)).collect();
    let sizes: Vec<Size> = cards.iter().map(|card| card.size).collect();
    let links: Vec<Link> = picture
        .arrows
        .iter()
        .zip(&labels)
        .map(|(arrow, label)| Link { from: arrow.from.clone(), to: arrow.to, label: label.size })
        .collect();
    let layout = lay_out(&sizes, &links);
    let legend = Legend::of(graph, &picture, layout.size.width);

    let mut svg = String::new();
    let top = MARGIN + legend.size.height;
    let whole = Size {
        width: layout.size.width.max(legend.size.width) + 2.0 * MARGIN,
        height: top + layout.size.height + MARGIN,
    };
    let (w, h) = (number(whole.width), number(whole.height));
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"kokoro-graph\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\">"
    );
    let _ = writeln!(svg, "<title>{}</title>", xml(&Picture::heading(graph)));
    let _ = writeln!(svg, "<style>\n{CSS}</style>");
    let _ = writeln!(svg, "<rect class=\"paper\" width=\"{w}\" height=\"{h}\" rx=\"6\"/>");
    let _ = writeln!(svg, "<g transform=\"translate({} {})\">\n{}</g>", number(MARGIN), number(MARGIN), legend.svg);
    let left = MARGIN + ((whole.width - 2.0 * MARGIN - layout.size.width) / 2.0).min(0.0);
    let _ = writeln!(svg, "<g transform=\"translate({} {})\">", number(left), number(top));
    for ((arrow, label), routes) in picture.arrows.iter().zip(&labels).zip(&layout.routes) {
        label.draw(&mut svg, arrow, routes);
    }
    for (card, at) in cards.iter().zip(&layout.boxes) {
        card.draw(&mut svg, *at);
    }
    svg += "</g>\n</svg>\n";
    svg
}

/// The outline of a box.
#[derive(Debug, Clone, Copy)]
enum Outline {
    Rounded,
    Square,
    Double,
    Octagon,
    PointedRight,
    PointedLeft,
}

impl Outline {
    fn of(state: State) -> Self {
        match state {
            State::Running | State::Waiting => Self::Rounded,
            State::Starting => Self::PointedRight,
            State::Stopping => Self::PointedLeft,
            State::Failed => Self::Octagon,
            State::Refused => Self::Double,
            State::Gone => Self::Square,
        }
    }

    fn draw(self, svg: &mut String, at: Point, size: Size) {
        let (x, y, w, h) = (at.x, at.y, size.width, size.height);
        let rect = |svg: &mut String, inset: f64, round: f64| {
            let (x, y) = (number(x + inset), number(y + inset));
            let (w, h) = (number(w - 2.0 * inset), number(h - 2.0 * inset));
            let _ =
                writeln!(svg, "<rect class=\"box\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"{round}\"/>");
        };
        let corners = |svg: &mut String, corners: &[(f64, f64)]| {
            let points: Vec<String> =
                corners.iter().map(|(dx, dy)| format!("{},{}", number(x + dx), number(y + dy))).collect();
            let _ = writeln!(svg, "<polygon class=\"box\" points=\"{}\"/>", points.join(" "));
        };
        let cut = (h / 4.0).min(9.0);
        match self {
            Self::Rounded => rect(svg, 0.0, (h / 4.0).min(8.0)),
            Self::Square => rect(svg, 0.0, 0.0),
            Self::Double => {
                rect(svg, 0.0, 0.0);
                rect(svg, 3.0, 0.0);
            }
            Self::Octagon => {
                let (r, b) = (w - cut, h - cut);
                corners(svg, &[(cut, 0.0), (r, 0.0), (w, cut), (w, b), (r, h), (cut, h), (0.0, b), (0.0, cut)]);
            }
            Self::PointedRight => corners(svg, &[(0.0, 0.0), (w - cut, 0.0), (w, h / 2.0), (w - cut, h), (0.0, h)]),
            Self::PointedLeft => corners(svg, &[(cut, 0.0), (w, 0.0), (w, h), (cut, h), (0.0, h / 2.0)]),
        }
    }
}

/// A box with its text.
#[derive(Debug)]
struct Card {
    class: String,
    outline: Outline,
    /// What is shown when one points at it.
    title: String,
    lines: Vec<Words>,
    size: Size,
}

/// A line of text in a box.
#[derive(Debug)]
struct Words {
    class: &'static str,
    text: String,
    /// What follows a name on the same line.
    version: Option<String>,
}

impl Words {
    fn new(class: &'static str, text: impl Into<String>) -> Self {
        Self { class, text: text.into(), version: None }
    }

    fn width(&self) -> f64 {
        let own = match self.class {
            "name" => width(&self.text, NAME) * BOLD,
            "word" => width(&self.text, SMALL) * BOLD,
            _ => width(&self.text, SMALL),
        };
        own + self.version.as_ref().map_or(0.0, |version| BEFORE_VERSION + width(version, SMALL))
    }
}

impl Card {
    fn of(graph: &Graph, picture: &Picture<'_>, figure: &Figure<'_>) -> Self {
        match figure {
            Figure::Planet(place) => Self::planet(&graph.planets[*place]),
            Figure::Application => Self::application(picture),
            Figure::Satellite(owner, program) => Self::satellite(&graph.planets[*owner].name, program),
            Figure::Missing(interface) => Self::missing(interface),
        }
    }

    fn planet(node: &Node) -> Self {
        let mut lines = vec![Words::new("name", shortened(&visible(&node.name), NAME * BOLD, TEXT))];
        if let Some(version) = &node.version {
            let version = shortened(&version.to_string(), SMALL, TEXT);
            match lines[0].width() + BEFORE_VERSION + width(&version, SMALL) <= TEXT {
                true => lines[0].version = Some(version),
                false => lines.push(Words::new("soft", version)),
            }
        }
        if node.state != State::Running {
            lines.push(Words::new("word", node.state.to_string()));
        }
        let reason = node.reason.as_deref().map(visible).unwrap_or_default();
        lines.extend(wrapped(&reason, SMALL, TEXT, REASON_LINES).into_iter().map(|line| Words::new("", line)));
        let title: Vec<String> = node.to_string().trim_end().lines().map(visible).collect();
        Self::new(node.state.to_string(), Outline::of(node.state), title.join("\n"), lines)
    }

    fn application(picture: &Picture<'_>) -> Self {
        let arrows = picture.arrows.iter().filter(|arrow| picture.figures[arrow.to] == Figure::Application);
        let serves: BTreeSet<&InterfaceName> = arrows.flat_map(|arrow| arrow.interfaces.iter().copied()).collect();
        let serves: String = serves.iter().map(|interface| format!("\n  serves    {interface}")).collect();
        let lines = vec![Words::new("name", "the application")];
        Self::new("application".to_owned(), Outline::Square, format!("the application{serves}"), lines)
    }

    fn satellite(owner: &str, program: &str) -> Self {
        let lines = vec![
            Words::new("name", shortened(&visible(program), NAME * BOLD, TEXT)),
            Words::new("soft", "satellite, a native process"),
        ];
        let title = format!("{}, a satellite (a native process) of {}", visible(program), visible(owner));
        Self::new("satellite".to_owned(), Outline::Square, title, lines)
    }

    fn missing(interface: &InterfaceName) -> Self {
        let name = wrapped(&interface.to_string(), SMALL * BOLD, TEXT, 2);
        let mut lines: Vec<Words> = name.into_iter().map(|line| Words::new("word", line)).collect();
        lines.push(Words::new("soft", "nobody provides it"));
        Self::new("missing".to_owned(), Outline::Rounded, format!("nobody provides {interface}"), lines)
    }

    fn new(class: String, outline: Outline, title: String, lines: Vec<Words>) -> Self {
        let wide = lines.iter().map(Words::width).fold(0.0, f64::max);
        let height = lines.len() as f64 * LINE + 2.0 * PADDING - 4.0;
        Self { class, outline, title, lines, size: Size { width: (wide + 2.0 * PADDING).ceil(), height } }
    }

    fn draw(&self, svg: &mut String, at: Point) {
        let _ = writeln!(svg, "<g class=\"{}\">\n<title>{}</title>", self.class, xml(&self.title));
        self.outline.draw(svg, at, self.size);
        for (place, words) in self.lines.iter().enumerate() {
            let (x, y) = (number(at.x + PADDING), number(at.y + PADDING + LINE * place as f64 + 10.0));
            let class = if words.class.is_empty() { String::new() } else { format!(" class=\"{}\"", words.class) };
            let version = words
                .version
                .as_ref()
                .map(|version| format!("<tspan class=\"version\" dx=\"{BEFORE_VERSION}\">{}</tspan>", xml(version)));
            let text = xml(&words.text) + &version.unwrap_or_default();
            let _ = writeln!(svg, "<text{class} x=\"{x}\" y=\"{y}\">{text}</text>");
        }
        *svg += "</g>\n";
    }
}

/// What is written above a line.
#[derive(Debug)]
struct Label {
    lines: Vec<String>,
    size: Size,
}

impl Label {
    fn of(picture: &Picture<'_>, arrow: &Arrow<'_>) -> Self {
        let lines: Vec<String> = picture.label(arrow).iter().map(|name| shortened(name, SMALL, LABEL)).collect();
        let wide = lines.iter().map(|line| width(line, SMALL)).fold(0.0, f64::max);
        let size = Size { width: wide.ceil().max(1.0), height: (lines.len() as f64 * (LINE - 2.0) + 4.0) };
        Self { lines, size }
    }

    fn draw(&self, svg: &mut String, arrow: &Arrow<'_>, routes: &[Route]) {
        let interfaces: Vec<String> = arrow.interfaces.iter().map(|interface| interface.to_string()).collect();
        let _ = writeln!(svg, "<g class=\"{}\">\n<title>{}</title>", class(arrow.style), xml(&interfaces.join("\n")));
        for route in routes {
            let lines: String = route.lines.iter().map(|line| path(line)).collect();
            let _ = writeln!(svg, "<path class=\"line\" d=\"{lines}\"/>");
            head(svg, route.tip, route.reversed, arrow.style.bound);
            for (place, line) in self.lines.iter().rev().enumerate() {
                let (x, y) = (number(route.label.x), number(route.label.y - 5.0 - (LINE - 2.0) * place as f64));
                let _ = writeln!(svg, "<text text-anchor=\"middle\" x=\"{x}\" y=\"{y}\">{}</text>", xml(line));
            }
        }
        *svg += "</g>\n";
    }
}

fn class(style: Style) -> &'static str {
    match (style.optional, style.bound) {
        (false, true) => "required",
        (true, true) => "optional",
        (false, false) => "required unbound",
        (true, false) => "optional unbound",
    }
}

/// A line along its way, with a curve wherever it changes its height.
pub(super) fn path(line: &[(Point, Point)]) -> String {
    let mut path = String::new();
    let mut pen: Option<Point> = None;
    for (from, to) in line {
        let at = match pen {
            None => {
                path += &format!("M{} {}", number(from.x), number(from.y));
                *from
            }
            Some(pen) if number(pen.y) == number(from.y) => pen,
            Some(pen) => {
                let middle = number((pen.x + from.x) / 2.0);
                let (y, x, to_y) = (number(pen.y), number(from.x), number(from.y));
                path += &format!("C{middle} {y} {middle} {to_y} {x} {to_y}");
                *from
            }
        };
        if at.x != to.x {
            path += &format!("H{}", number(to.x));
        }
        pen = Some(*to);
    }
    path
}

/// The head of an arrow.
fn head(svg: &mut String, tip: Point, to_the_left: bool, filled: bool) {
    let x = if to_the_left { tip.x + 8.0 } else { tip.x - 8.0 };
    let (x, tip_x, y) = (number(x), number(tip.x), number(tip.y));
    let (top, bottom, end) = (number(tip.y - 4.0), number(tip.y + 4.0), if filled { "Z" } else { "" });
    let _ = writeln!(svg, "<path class=\"head\" d=\"M{x} {top}L{tip_x} {y}L{x} {bottom}{end}\"/>");
}

/// What the shapes and lines mean, as far as they occur.
struct Legend {
    svg: String,
    size: Size,
}

impl Legend {
    fn of(graph: &Graph, picture: &Picture<'_>, room: f64) -> Self {
        let mut legend = Self { svg: String::new(), size: Size { width: 0.0, height: 0.0 } };
        let room = room.max(460.0);
        let title = if graph.planets.is_empty() { "No Planets (plugins)" } else { "Planets (plugins)" };
        let _ = writeln!(legend.svg, "<text class=\"word\" x=\"0\" y=\"12\">{title}</text>");
        let (mut x, mut y) = (width(title, SMALL) * BOLD + 20.0, 0.0);
        let mut entry = |words: &str, sample: &dyn Fn(&mut String, Point)| {
            let wide = 34.0 + width(words, SMALL);
            if x + wide > room {
                (x, y) = (0.0, y + 24.0);
            }
            sample(&mut legend.svg, Point { x, y });
            let (text_x, text_y) = (number(x + 34.0), number(y + 12.0));
            let _ = writeln!(legend.svg, "<text x=\"{text_x}\" y=\"{text_y}\">{}</text>", xml(words));
            legend.size.width = legend.size.width.max(x + wide);
            x += wide + 20.0;
        };
        for (state, count) in counts(graph) {
            entry(&format!("{count} {state}"), &|svg, at| {
                let _ = writeln!(svg, "<g class=\"{state}\">");
                Outline::of(state).draw(svg, at, Size { width: 26.0, height: 16.0 });
                *svg += "</g>\n";
            });
        }
        let styles: BTreeSet<(bool, bool)> =
            picture.arrows.iter().map(|arrow| (!arrow.style.bound, arrow.style.optional)).collect();
        for (unbound, optional) in styles {
            let style = Style { optional, bound: !unbound };
            let words = match (optional, unbound) {
                (false, false) => "import",
                (true, false) => "optional import",
                (false, true) => "import, not bound",
                (true, true) => "optional import, not bound",
            };
            entry(words, &|svg, at| {
                let (from, to) = (Point { x: at.x, y: at.y + 8.0 }, Point { x: at.x + 26.0, y: at.y + 8.0 });
                let _ = writeln!(svg, "<g class=\"{}\">", class(style));
                let _ = writeln!(svg, "<path class=\"line\" d=\"{}\"/>", path(&[(from, to)]));
                head(svg, to, false, style.bound);
                *svg += "</g>\n";
            });
        }
        legend.size.width = legend.size.width.max(x - 20.0);
        legend.size.height = if picture.figures.is_empty() { 16.0 } else { y + 44.0 };
        legend
    }
}

/// With one digit after the point, if that is not zero.
fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    match text.strip_suffix(".0") {
        Some("-0") => "0".to_owned(),
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

/// Text as the content of an element.
fn xml(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            c => escaped.push(c),
        }
    }
    escaped
}
