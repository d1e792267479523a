//! Where the boxes and lines of a picture go.
//!
//! The columns, and an order in each of them with few crossings, come from `layout-rs`. Its own heights would have to be asked
//! for line by line, but here lines of several boxes meet; so the heights are found by least squares, which also keeps long
//! lines straight. Lines change their height between columns alone, where no box is.

use std::collections::{BTreeMap, BTreeSet};

use ::layout::adt::dag::{DAG, NodeHandle};
use ::layout::topo::optimizer::{EdgeCrossOptimizer, RankOptimizer};
use petgraph::algo::greedy_feedback_arc_set;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::unionfind::UnionFind;

/// The room between boxes above each other, and between lines.
const BETWEEN_BOXES: f64 = 22.0;
const BETWEEN_LINES: f64 = 10.0;
/// The least room between columns, where lines change their height, and how much more there is for steep lines.
const BETWEEN_COLUMNS: f64 = 34.0;
const FOR_STEEP_LINES: f64 = 60.0;
/// The distance between lines that begin or end at one box, if there is room for it.
const BETWEEN_ENDS: f64 = 14.0;
/// The room between parts of the picture that nothing connects.
const BETWEEN_PARTS: f64 = 28.0;
/// How wide a picture of many parts becomes, if none of them is wider.
const COMFORTABLE_WIDTH: f64 = 1100.0;
/// How far lines are straight before they arrive at a box.
const BEFORE_BOXES: f64 = 10.0;
/// How often lines are straightened.
const ROUNDS: usize = 200;
/// How many steps may be made to find an order with few crossings: about a second's worth. Where that is not enough, with
/// several hundred Planets that need each other, lines cross as they come; nobody could read that picture anyway.
const STEPS: usize = 50_000_000;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// Lines that come from boxes, meet, and go on to another one, with the size of what is written above them there.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) from: Vec<usize>,
    pub(super) to: usize,
    pub(super) label: Size,
}

/// Where everything is: columns of boxes, from those that links come from to those that they lead to.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) size: Size,
    /// The upper left corner of each box.
    pub(super) boxes: Vec<Point>,
    /// What is drawn of each link.
    pub(super) routes: Vec<Vec<Route>>,
}

/// Lines that meet.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) lines: Vec<Line>,
    /// The middle of what is written above them, at the height of the line.
    pub(super) label: Point,
    /// Where they arrive.
    pub(super) tip: Point,
    /// Whether that is on the left: in a circle one line has to go back.
    pub(super) reversed: bool,
}

/// Where a line keeps its height, from left to right: from, to. It curves from the end of each such stretch to the start of
/// the next, where no box is.
pub(super) type Line = Vec<(Point, Point)>;

/// Boxes that are connected, with where they are.
struct Part {
    size: Size,
    boxes: Vec<(usize, Point)>,
    routes: Vec<(usize, Route)>,
}

pub(super) fn lay_out(boxes: &[Size], links: &[Link]) -> Layout {
    let mut layout = Layout {
        size: Size { width: 0.0, height: 0.0 },
        boxes: vec![Point { x: 0.0, y: 0.0 }; boxes.len()],
        routes: links.iter().map(|_| Vec::new()).collect(),
    };
    let mut parts: Vec<Part> = parts(boxes.len(), links).iter().map(|part| lay_out_part(part, boxes, links)).collect();
    // What is connected comes first, and single boxes fill the rows below.
    parts.sort_by_key(|part| part.boxes.len() == 1);
    let widest = parts.iter().map(|part| part.size.width).fold(COMFORTABLE_WIDTH, f64::max);
    let (mut x, mut y, mut row) = (0.0, 0.0, 0.0_f64);
    for part in parts {
        if x > 0.0 && x + part.size.width > widest {
            (x, y, row) = (0.0, y + row + BETWEEN_PARTS, 0.0);
        }
        for (index, at) in part.boxes {
            layout.boxes[index] = Point { x: at.x + x, y: at.y + y };
        }
        for (index, mut route) in part.routes {
            let ends = route.lines.iter_mut().flatten().flat_map(|(from, to)| [from, to]);
            for point in ends.chain([&mut route.label, &mut route.tip]) {
                *point = Point { x: point.x + x, y: point.y + y };
            }
            layout.routes[index].push(route);
        }
        row = row.max(part.size.height);
        layout.size.width = layout.size.width.max(x + part.size.width);
        layout.size.height = layout.size.height.max(y + row);
        x += part.size.width + BETWEEN_PARTS;
    }
    layout
}

/// The boxes that are connected with each other, in the order of their first.
fn parts(boxes: usize, links: &[Link]) -> Vec<Vec<usize>> {
    let mut connected = UnionFind::new(boxes);
    for link in links {
        for from in &link.from {
            connected.union(*from, link.to);
        }
    }
    let mut parts: Vec<Vec<usize>> = vec![Vec::new(); boxes];
    for index in 0..boxes {
        parts[connected.find(index)].push(index);
    }
    parts.retain(|part| !part.is_empty());
    parts.sort();
    parts
}

fn lay_out_part(members: &[usize], boxes: &[Size], links: &[Link]) -> Part {
    if let [single] = members {
        return Part { size: boxes[*single], boxes: vec![(*single, Point { x: 0.0, y: 0.0 })], routes: Vec::new() };
    }
    let mut drawing = Drawing::new(members, boxes, links);
    drawing.choose_columns();
    drawing.choose_order();
    drawing.straighten();
    drawing.finish()
}

/// A connected part of the picture.
struct Drawing<'a> {
    /// The boxes; as elements, too, they are the first.
    members: &'a [usize],
    elements: Vec<Element>,
    /// The elements in their columns, with lines between those in columns next to each other.
    dag: DAG,
    bundles: Vec<Bundle>,
}

/// A box, a label, or the corner of a line.
#[derive(Debug)]
struct Element {
    width: f64,
    /// How far it reaches above the height of its lines, and below.
    above: f64,
    below: f64,
    /// How much must be free above and below that.
    room: f64,
    /// The height of its lines.
    height: f64,
}

/// Lines of a link that meet.
struct Bundle {
    link: usize,
    /// The boxes on the left.
    from: Vec<NodeHandle>,
    label: NodeHandle,
    /// The box on the right.
    to: NodeHandle,
    reversed: bool,
    /// What the lines have in common, by columns: corners, and the label.
    trunk: BTreeMap<usize, NodeHandle>,
}

impl<'a> Drawing<'a> {
    fn new(members: &'a [usize], boxes: &[Size], links: &[Link]) -> Self {
        let mut dag = DAG::new();
        // The library would look for circles along all ways that there are, and there can be very many.
        dag.set_validate(false);
        let mut drawing = Self { members, elements: Vec::new(), dag, bundles: Vec::new() };
        for member in members {
            let Size { width, height } = boxes[*member];
            let half = height / 2.0;
            drawing.element(Element { width, above: half, below: half, room: BETWEEN_BOXES / 2.0, height: 0.0 });
        }
        let own = |index: usize| members.binary_search(&index).ok();
        let inner: Vec<(usize, &Link)> = links.iter().enumerate().filter(|(_, link)| own(link.to).is_some()).collect();
        let mut graph: DiGraph<(), (usize, usize)> = DiGraph::new();
        for _ in members {
            graph.add_node(());
        }
        for (index, link) in &inner {
            for from in &link.from {
                let (from_own, to) = own(*from).zip(own(link.to)).expect("a link is in one part");
                graph.add_edge(NodeIndex::new(from_own), NodeIndex::new(to), (*index, *from));
            }
        }
        let against: BTreeSet<(usize, usize)> = greedy_feedback_arc_set(&graph).map(|edge| *edge.weight()).collect();
        for (index, link) in inner {
            let handle = |index: usize| NodeHandle::from(own(index).expect("a link is in one part"));
            let (back, forth): (Vec<usize>, Vec<usize>) =
                link.from.iter().partition(|from| against.contains(&(index, **from)));
            if !forth.is_empty() {
                drawing.bundle(index, link.label, forth.into_iter().map(handle).collect(), handle(link.to), false);
            }
            for from in back {
                drawing.bundle(index, link.label, vec![handle(link.to)], handle(from), true);
            }
        }
        drawing
    }

    fn element(&mut self, element: Element) -> NodeHandle {
        self.elements.push(element);
        self.dag.new_node()
    }

    fn bundle(&mut self, link: usize, label: Size, from: Vec<NodeHandle>, to: NodeHandle, reversed: bool) {
        let Size { width, height } = label;
        let room = BETWEEN_LINES / 2.0;
        // It stands above its line.
        let label = self.element(Element { width, above: height, below: 0.0, room, height: 0.0 });
        for from in &from {
            self.dag.add_edge(*from, label);
        }
        self.dag.add_edge(label, to);
        self.bundles.push(Bundle { link, from, label, to, reversed, trunk: BTreeMap::new() });
    }

    /// Gives each box a column, each label the column before the box that it leads to, and each line a corner in each column
    /// that it passes.
    fn choose_columns(&mut self) {
        self.dag.recompute_node_ranks();
        RankOptimizer::new(&mut self.dag).optimize();
        let mut bundles = std::mem::take(&mut self.bundles);
        for bundle in &mut bundles {
            let label = self.dag.level(bundle.to) - 1;
            self.dag.update_node_rank_level(bundle.label, label, None);
            let first = bundle.from.iter().map(|from| self.dag.level(*from) + 1).min().unwrap_or(label);
            for column in first..label {
                let room = BETWEEN_LINES / 2.0;
                let corner = self.element(Element { width: 0.0, above: 0.0, below: 0.0, room, height: 0.0 });
                self.dag.update_node_rank_level(corner, column, None);
                bundle.trunk.insert(column, corner);
            }
            bundle.trunk.insert(label, bundle.label);
            for from in &bundle.from {
                self.dag.remove_edge(*from, bundle.label);
                self.dag.add_edge(*from, bundle.trunk[&(self.dag.level(*from) + 1)]);
            }
            for (left, right) in bundle.trunk.values().zip(bundle.trunk.values().skip(1)) {
                self.dag.add_edge(*left, *right);
            }
        }
        self.bundles = bundles;
    }

    /// Orders each column so that few lines cross, and stacks it.
    fn choose_order(&mut self) {
        if self.steps() <= STEPS {
            EdgeCrossOptimizer::new(&mut self.dag).optimize();
        }
        for column in self.dag.ranks() {
            let mut height = 0.0;
            for pair in column.windows(2) {
                height += self.distance(pair[0], pair[1]);
                self.elements[pair[1].get_index()].height = height;
            }
            let middle = column.iter().map(|handle| self.at(*handle).height).sum::<f64>() / column.len() as f64;
            column.iter().for_each(|handle| self.elements[handle.get_index()].height -= middle);
        }
    }

    /// About how many steps it takes to find an order.
    fn steps(&self) -> usize {
        let columns = self.dag.ranks();
        columns.windows(2).map(|pair| 50 * pair[0].len() * pair[0].len() * pair[1].len()).sum()
    }

    /// Moves everything towards what it is connected with, as far as the order in its column has room for it: the least sum of
    /// the squares of what lines rise and fall, found column by column.
    fn straighten(&mut self) {
        for round in 0..ROUNDS {
            let columns = self.dag.num_levels();
            for column in 0..columns {
                let column = if round % 2 == 0 { column } else { columns - 1 - column };
                self.straighten_column(column);
            }
        }
    }

    fn straighten_column(&mut self, column: usize) {
        // Elements that push each other: how many, their weight, and the height at which the first would be.
        let mut runs: Vec<(usize, f64, f64)> = Vec::new();
        let column = self.dag.row(column);
        let mut offsets = vec![0.0];
        offsets.extend(column.windows(2).scan(0.0, |offset, pair| {
            *offset += self.distance(pair[0], pair[1]);
            Some(*offset)
        }));
        for (handle, offset) in column.iter().zip(&offsets) {
            let (weight, wanted) = self.wanted(*handle);
            let mut run = (1, weight, wanted - offset);
            while let Some(above) = runs.pop_if(|above| above.2 > run.2) {
                let weight = above.1 + run.1;
                run = (above.0 + run.0, weight, (above.2 * above.1 + run.2 * run.1) / weight);
            }
            runs.push(run);
        }
        let heights = runs.iter().flat_map(|(count, _, height)| std::iter::repeat_n(*height, *count));
        for ((handle, offset), height) in column.iter().zip(offsets).zip(heights) {
            self.elements[handle.get_index()].height = height + offset;
        }
    }

    /// The height at which the lines of an element would be straight, and how much that is worth.
    fn wanted(&self, handle: NodeHandle) -> (f64, f64) {
        let (mut weight, mut sum) = (0.0, 0.0);
        let mut pull = |left: NodeHandle, right: NodeHandle, other: NodeHandle| {
            // Long lines should be straight first of all, and then the last part of each.
            let own = match (self.is_box(left), self.is_box(right)) {
                (false, false) => 100.0,
                (_, true) => 4.0,
                _ => 1.0,
            };
            weight += own;
            sum += own * self.at(other).height;
        };
        self.dag.predecessors(handle).iter().for_each(|left| pull(*left, handle, *left));
        self.dag.successors(handle).iter().for_each(|right| pull(handle, *right, *right));
        (weight, sum / weight)
    }

    fn finish(&self) -> Part {
        let columns = self.columns();
        let top = self.elements.iter().map(|element| element.height - element.above).fold(f64::INFINITY, f64::min);
        let bottom =
            self.elements.iter().map(|element| element.height + element.below).fold(f64::NEG_INFINITY, f64::max);
        let size = Size { width: columns.last().map_or(0.0, |column| column.right), height: bottom - top };
        let boxes = self.members.iter().zip(&self.elements).enumerate().map(|(own, (index, element))| {
            let x = self.column(&columns, own.into()).middle() - element.width / 2.0;
            (*index, Point { x, y: element.height - element.above - top })
        });
        let ports = Ports::of(self);
        let routes = self.bundles.iter().enumerate().map(|(index, bundle)| {
            let at = |x: f64, y: f64| Point { x, y: y - top };
            let mut lines: Vec<Line> = Vec::new();
            for from in &bundle.from {
                let (column, y) = (self.column(&columns, *from), ports.leaving[&(*from, index)]);
                let next = self.next(bundle, *from);
                let meeting = at(self.column(&columns, next).left, self.at(next).height);
                let right = column.middle() + self.at(*from).width / 2.0;
                lines.push(vec![(at(right, y), at(column.right, y)), (meeting, meeting)]);
            }
            let trunk = bundle.trunk.values().map(|handle| {
                let (column, y) = (self.column(&columns, *handle), self.at(*handle).height);
                (at(column.left, y), at(column.right, y))
            });
            let (column, y) = (self.column(&columns, bundle.to), ports.arriving[&(bundle.to, index)]);
            let end = at(column.middle() - self.at(bundle.to).width / 2.0, y);
            lines.push(trunk.chain([(at(column.left - BEFORE_BOXES, y), end)]).collect());
            let tip = if bundle.reversed { lines[0][0].0 } else { end };
            let label = at(self.column(&columns, bundle.label).middle(), self.at(bundle.label).height);
            (bundle.link, Route { lines, label, tip, reversed: bundle.reversed })
        });
        Part { size, boxes: boxes.collect(), routes: routes.collect() }
    }

    /// From where to where each column reaches. The steeper the lines between two of them, the more room there is.
    fn columns(&self) -> Vec<Column> {
        let mut columns = Vec::new();
        let mut left = 0.0;
        for column in self.dag.ranks() {
            let width = column.iter().map(|handle| self.at(*handle).width).fold(0.0, f64::max);
            columns.push(Column { left, right: left + width });
            let lines = column.iter().flat_map(|from| self.dag.successors(*from).iter().map(move |to| (from, to)));
            let rises = lines.map(|(from, to)| (self.at(*from).height - self.at(*to).height).abs());
            left += width + BETWEEN_COLUMNS + (rises.fold(0.0, f64::max) / 8.0).min(FOR_STEEP_LINES);
        }
        columns
    }

    /// Where the line that comes from a box meets the others of its bundle.
    fn next(&self, bundle: &Bundle, from: NodeHandle) -> NodeHandle {
        bundle.trunk[&(self.dag.level(from) + 1)]
    }

    fn column<'c>(&self, columns: &'c [Column], handle: NodeHandle) -> &'c Column {
        &columns[self.dag.level(handle)]
    }

    fn is_box(&self, handle: NodeHandle) -> bool {
        handle.get_index() < self.members.len()
    }

    fn at(&self, handle: NodeHandle) -> &Element {
        &self.elements[handle.get_index()]
    }

    /// How far the heights of two elements, the one next to the other, must differ.
    fn distance(&self, above: NodeHandle, below: NodeHandle) -> f64 {
        let (above, below) = (self.at(above), self.at(below));
        above.below + above.room + below.room + below.above
    }
}

/// From where to where a column reaches.
#[derive(Debug)]
struct Column {
    left: f64,
    right: f64,
}

impl Column {
    fn middle(&self) -> f64 {
        (self.left + self.right) / 2.0
    }
}

/// The heights at which lines leave and reach boxes, by box and bundle.
#[derive(Debug, Default)]
struct Ports {
    leaving: BTreeMap<(NodeHandle, usize), f64>,
    arriving: BTreeMap<(NodeHandle, usize), f64>,
}

impl Ports {
    fn of(drawing: &Drawing<'_>) -> Self {
        let (mut leaving, mut arriving) = (BTreeMap::new(), BTreeMap::new());
        for (index, bundle) in drawing.bundles.iter().enumerate() {
            for from in &bundle.from {
                let next = drawing.at(drawing.next(bundle, *from));
                leaving.entry(*from).or_insert_with(Vec::new).push((next.height, index));
            }
            let label = drawing.at(bundle.label);
            arriving.entry(bundle.to).or_insert_with(Vec::new).push((label.height, index));
        }
        Self { leaving: spread(drawing, leaving), arriving: spread(drawing, arriving) }
    }
}

/// Spreads lines over the side of their box, in the order of where they come from or go to.
fn spread(drawing: &Drawing<'_>, lines: BTreeMap<NodeHandle, Vec<(f64, usize)>>) -> BTreeMap<(NodeHandle, usize), f64> {
    let mut ports = BTreeMap::new();
    for (own, mut lines) in lines {
        lines.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let element = drawing.at(own);
        let gaps = (lines.len() - 1) as f64;
        let gap = ((element.above + element.below - 16.0) / gaps.max(1.0)).min(BETWEEN_ENDS);
        let first = element.height - gap * gaps / 2.0;
        ports.extend(lines.iter().enumerate().map(|(place, (_, index))| ((own, *index), first + gap * place as f64)));
    }
    ports
}
