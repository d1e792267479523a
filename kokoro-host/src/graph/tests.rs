use expect_test::expect_file;
use proptest::prelude::*;
use roxmltree::Document;

use super::layout::{Layout, Link, Point, Size, lay_out};
use super::*;

/// One Planet a line: `name state -required ?optional *served %satellite's +exported | reason`. Interfaces are short: `a@1.0.0` is
/// `t:t/a@1.0.0`, and `a@1.0.0<name` is bound to that Planet, or to the Satellite of that program.
fn graph(text: &str) -> Graph {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let planets = lines.map(|line| {
        let (line, reason) = line.split_once(" | ").map_or((line, None), |(line, reason)| (line, Some(reason)));
        let mut words = line.split_whitespace();
        let name = words.next().expect("a name");
        let mut node = node(name, state(words.next().expect("a state")));
        node.reason = reason.map(str::to_owned);
        node.details = reason.map(|reason| format!("{reason}\n  help: ask the one who wrote `{name}`"));
        for word in words {
            let (sign, item) = word.split_at(1);
            let (interface, provider) = item.split_once('<').map_or((item, None), |(item, name)| (item, Some(name)));
            let interface: InterfaceName = format!("t:t/{interface}").parse().expect("an interface");
            let planet = provider.map(|name| EdgeProvider::Planet(name.to_owned()));
            let (kind, provider) = match sign {
                "-" => (EdgeKind::Required, planet),
                "?" => (EdgeKind::Optional, planet),
                "*" => (EdgeKind::Host, Some(EdgeProvider::Host(true))),
                "%" => (EdgeKind::Satellite, provider.map(|program| EdgeProvider::Satellite(program.to_owned()))),
                _ => {
                    node.exports.insert(interface);
                    continue;
                }
            };
            node.imports.push(Edge { interface, kind, provider });
        }
        node
    });
    Graph { planets: planets.collect(), order: Vec::new() }
}

fn node(name: &str, state: State) -> Node {
    Node {
        name: name.to_owned(),
        version: Some(Version::new(0, 1, 0)),
        file: None,
        state,
        reason: None,
        details: None,
        imports: Vec::new(),
        exports: BTreeSet::new(),
        withheld: BTreeSet::new(),
        granted: Granted::default(),
        sha256: None,
    }
}

fn state(word: &str) -> State {
    use State::*;
    let states = [Waiting, Starting, Running, Stopping, Gone, Failed, Refused];
    states.into_iter().find(|state| state.to_string() == word).expect("a state")
}

const WAITING: &str = "
    backlinks running -markdown@0.1.0<markdown +backlinks@0.1.0
    glossary  waiting -terms@0.1.0 +glossary@0.1.0 | needs `t:t/terms@0.1.0`, and no loaded planet provides it
    markdown  running *log@1.0.0 +markdown@0.1.0
    page      running -markdown@0.1.0<markdown ?backlinks@0.1.0<backlinks ?glossary@0.1.0 *log@1.0.0 *clock@1.0.0 +page@0.1.0
";

/// Every state, a circle, one who waits for whoever failed, and several imports from one provider.
const STATES: &str = "
    archive  gone     -blob@1.0.0 | it has been stopped
    auth     refused  +session@2.0.0 | it is not on the list of known plugins
    blobs    running  *log@1.0.0 %hash@0.1.0<hasher %disk@0.1.0 +blob@1.2.0 +meta@1.0.0 +quota@1.0.0 +events@1.0.0
    chat     waiting  -session@2.0.0 ?index@0.2.0 ?spelling@0.1.0 | needs `t:t/session@2.0.0`: `auth` could serve it, but the application does not let it in
    gateway  running  -blob@1.0.0<blobs -events@1.0.0<blobs -meta@1.0.0<blobs -quota@1.0.0<blobs ?index@0.2.0<search
    left     waiting  -right -thumb@0.1.0 %codec@0.1.0 +left | waits for itself in the end: `left` -> `right` -> `left`
    right    waiting  -left +right | waits for itself in the end: `right` -> `left` -> `right`
    search   starting -blob@1.0.0<blobs +index@0.2.0 | panicked at src/lib.rs:20:5: index out of bounds: the len is 3 but the index is 7, and a story about how that came to be which is too long for any picture, however large it may be
    thumbs   failed   -blob@1.0.0<blobs +thumb@0.1.0 | `start` answered with an error: no codec for images is built in
    watcher  stopping -blob@1.0.0<blobs *log@1.0.0 | `blobs` goes
";

#[test]
fn pictures_of_one_who_waits() {
    expect_file!["../../tests/golden/graph_waiting.svg"].assert_eq(&graph(WAITING).to_svg());
    expect_file!["../../tests/golden/graph_waiting.mmd"].assert_eq(&graph(WAITING).to_mermaid());
}

#[test]
fn pictures_of_every_state() {
    expect_file!["../../tests/golden/graph_states.svg"].assert_eq(&graph(STATES).to_svg());
    expect_file!["../../tests/golden/graph_states.mmd"].assert_eq(&graph(STATES).to_mermaid());
}

#[test]
fn a_picture_of_nothing_says_so() {
    let nothing = graph("");
    assert!(nothing.to_svg().contains("<title>no Planets (plugins)</title>"));
    assert_eq!(nothing.to_mermaid(), "%% no Planets (plugins)\nflowchart LR\n");
}

/// So many Planets, each of which imports from up to `most` others before it.
fn many(planets: usize, most: usize) -> Graph {
    let line = |index: usize| {
        let imports = (1..=most).map(|step| index * 7 / (step + 9)).filter(|to| *to < index);
        let imports: BTreeSet<usize> = imports.collect();
        let imports: String = imports.iter().map(|to| format!(" -i{to}<planet-{to:03}")).collect();
        format!("planet-{index:03} running{imports} +i{index}\n")
    };
    graph(&(0..planets).map(line).collect::<String>())
}

#[test]
fn all_sizes_are_well_formed_and_the_same_each_time() {
    for planets in [0, 1, 2, 10, 100] {
        for most in [0, 1, 4] {
            let graph = many(planets, most);
            let svg = graph.to_svg();
            assert_eq!(svg, graph.to_svg());
            assert_eq!(graph.to_mermaid(), graph.to_mermaid());
            let document = Document::parse(&svg).expect("well-formed XML");
            let drawn = document.descendants().filter(|element| element.attribute("class") == Some("name")).count();
            assert_eq!(drawn, planets);
        }
    }
}

#[test]
fn who_waits_points_at_who_could_serve_it_or_at_what_nobody_provides() {
    let mermaid = graph(
        "
        a waiting -x@1.0.0 -y@1.0.0 ?z@1.0.0
        b failed +x@1.9.0
        c waiting +x@1.1.0
        d waiting +x@1.2.0
        e running ?z@1.0.0 +x@2.0.0
        ",
    )
    .to_mermaid();
    let is_arrow = |line: &&str| line.contains(" --") || line.contains(" -.");
    let lines: Vec<&str> = mermaid.lines().map(str::trim).filter(is_arrow).collect();
    assert_eq!(lines, ["n0 --x|\"x\"| n3", "n0 --x n5"]);
    assert!(mermaid.contains("n5([\"t:t/y#64;1.0.0<br/>nobody provides it\"])"), "{mermaid}");
}

const HOSTILE: &[&str] = &[
    "</text><script>alert(1)</script>",
    "\"]; click x",
    "\"]\n  click n0 href \"javascript:alert(1)\"",
    "%%{init: {\"securityLevel\": \"loose\"}}%%",
    "]]><!-- & &lt; &#60; -->",
    "a\u{1b}[31m\u{0}\u{7f}\r\n\tb",
    "\u{202e}gnp.exe\u{2066}\u{feff}\u{ffff}\u{fdd0}\u{e0041}",
    "`**bold** [a](javascript:alert(1))`",
    "1. one",
    "- one #quot;#35;",
    "' onload='alert(1)",
    "日本語のプラグイン🪐",
    "e\u{301}\u{301}\u{301}\u{301}",
    "",
    " ",
];

/// Strangers' words wherever a picture shows some.
fn hostile(words: &str) -> Graph {
    let mut graph = graph(WAITING);
    for node in &mut graph.planets {
        let name = |old: &str| format!("{words} {old}");
        node.name = name(&node.name);
        node.reason = node.reason.as_ref().map(|_| words.to_owned());
        node.details = node.details.as_ref().map(|_| format!("{words}\n{words}"));
        node.file = Some(words.to_owned());
        node.granted.env.push(words.to_owned());
        for edge in &mut node.imports {
            if let Some(EdgeProvider::Planet(provider)) = &mut edge.provider {
                *provider = name(provider);
            }
        }
    }
    graph
}

#[test]
fn strangers_words_stay_text_in_svg() {
    for words in HOSTILE {
        let svg = hostile(words).to_svg();
        let document = Document::parse(&svg).unwrap_or_else(|error| panic!("{words:?}: {error}"));
        for element in document.descendants().filter(|element| element.is_element()) {
            let name = element.tag_name().name();
            assert!(
                "svg title style g rect polygon path text tspan".split(' ').any(|known| known == name),
                "{words:?}: {name}"
            );
            for attribute in element.attributes() {
                let known = "class width height viewBox transform x y dx rx points d text-anchor";
                assert!(known.split(' ').any(|known| known == attribute.name()), "{words:?}: {}", attribute.name());
            }
        }
        assert!(document.descendants().all(|node| !node.is_comment() && !node.is_pi()));
        let unseen =
            |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        assert!(!svg.contains(unseen), "{words:?}");
        let shown =
            document.descendants().filter_map(|node| node.text()).any(|text| text.contains(&text::visible(words)));
        assert!(shown, "{words:?}");
    }
}

/// What is left when the text between quotes is taken out.
fn structure(mermaid: &str) -> String {
    let outside = mermaid.lines().map(|line| line.split('"').step_by(2).collect::<Vec<_>>().join("\"\""));
    outside.collect::<Vec<_>>().join("\n")
}

#[test]
fn strangers_words_stay_text_in_mermaid() {
    let harmless = structure(&hostile("x").to_mermaid());
    for words in HOSTILE {
        let mermaid = hostile(words).to_mermaid();
        assert_eq!(structure(&mermaid), harmless, "{words:?}");
        for text in mermaid.lines().flat_map(|line| line.split('"').skip(1).step_by(2)) {
            let text = text.replace("<br/>", "");
            let plain = |c: char| c.is_alphanumeric() || " _,:/-.#;".contains(c);
            assert!(text.chars().all(plain), "{words:?}: {text}");
            for (at, _) in text.match_indices('#') {
                let number = text[at + 1..].split(';').next().unwrap_or_default();
                assert!(number.parse::<u32>().is_ok(), "{words:?}: {text}");
            }
        }
    }
}

#[test]
fn lines_fit_and_lose_nothing_but_their_end() {
    let long = "needs `acme:a-namespace/and-a-very-long-name-of-an-interface@10.20.30`, and 日本語 no loaded planet provides it";
    for room in [1.0, 20.0, 60.0, 130.0, 260.0, 2000.0] {
        let lines = text::wrapped(long, 12.0, room, 1000);
        let words = |text: &str| text.replace(' ', "");
        assert_eq!(words(&lines.concat()), words(long));
        assert!(lines.iter().all(|line| text::width(line, 12.0) <= room || line.chars().count() == 1), "{lines:?}");
        let lines = text::wrapped(long, 12.0, room, 2);
        assert!(lines.len() == 2 && lines[1].ends_with('…') || lines == [long], "{lines:?}");
    }
    assert!(text::wrapped(" ", 12.0, 100.0, 3).is_empty());
}

#[test]
fn lines_curve_where_they_change_their_height_and_have_no_gap() {
    let stretch = |from: f64, to: f64, y: f64| (Point { x: from, y }, Point { x: to, y });
    assert_eq!(svg::path(&[stretch(0.0, 10.0, 5.0), stretch(20.0, 30.0, 5.0)]), "M0 5H10H30");
    assert_eq!(svg::path(&[stretch(0.0, 0.0, 5.0), stretch(20.0, 20.0, 5.0)]), "M0 5H20");
    assert_eq!(svg::path(&[stretch(0.0, 10.0, 5.0), stretch(20.0, 20.0, 8.5)]), "M0 5H10C15 5 15 8.5 20 8.5");
}

/// Whether `layout` has everything in its place.
fn check(boxes: &[Size], links: &[Link], layout: &Layout) {
    let near = 0.01;
    let within = |point: Point| {
        let (x, y) = (point.x, point.y);
        assert!(x > -near && y > -near && x < layout.size.width + near && y < layout.size.height + near, "{point:?}");
    };
    let rectangles: Vec<(Point, Point)> = boxes
        .iter()
        .zip(&layout.boxes)
        .map(|(size, at)| (*at, Point { x: at.x + size.width, y: at.y + size.height }))
        .collect();
    for (index, (from, to)) in rectangles.iter().enumerate() {
        within(*from);
        within(*to);
        for (other_from, other_to) in &rectangles[..index] {
            let apart = from.x >= other_to.x || other_from.x >= to.x || from.y >= other_to.y || other_from.y >= to.y;
            assert!(apart, "boxes overlap: {rectangles:?}");
        }
    }
    let outside = |from: Point, to: Point| {
        for (corner, end) in &rectangles {
            let crosses = from.y > corner.y && from.y < end.y && from.x < end.x - near && to.x > corner.x + near;
            assert!(!crosses, "a line at {from:?} goes through a box at {corner:?}");
        }
    };
    for (link, routes) in links.iter().zip(&layout.routes) {
        let ends: usize = routes.iter().map(|route| route.lines.len() - 1).sum();
        assert_eq!(ends, link.from.len(), "each box that it comes from has a line");
        for route in routes {
            within(route.label);
            let (corner, end) = rectangles[link.to];
            let side = if route.reversed { end.x } else { corner.x };
            assert!((route.tip.x - side).abs() < near && route.tip.y > corner.y && route.tip.y < end.y, "{route:?}");
            for line in &route.lines {
                for pair in line.windows(2) {
                    assert!(pair[0].1.x < pair[1].0.x + near, "lines go to the right");
                }
                for (from, to) in line {
                    within(*from);
                    outside(*from, *to);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn nothing_overlaps_whatever_leads_where(
        sizes in prop::collection::vec((20.0..280.0_f64, 30.0..120.0_f64), 1..14),
        ends in prop::collection::vec((prop::collection::btree_set(0..14_usize, 1..5), 0..14_usize, 0.0..150.0_f64), 0..24),
    ) {
        let boxes: Vec<Size> = sizes.iter().map(|(width, height)| Size { width: *width, height: *height }).collect();
        let links: Vec<Link> = ends
            .into_iter()
            .map(|(from, to, width)| {
                let to = to % boxes.len();
                let from: BTreeSet<usize> = from.into_iter().map(|from| from % boxes.len()).filter(|from| *from != to).collect();
                Link { from: from.into_iter().collect(), to, label: Size { width, height: 18.0 } }
            })
            .filter(|link| !link.from.is_empty())
            .collect();
        check(&boxes, &links, &lay_out(&boxes, &links));
    }
}
