//! Exported resources: their methods reach the planet, and handles give the author's values.
#![deny(warnings, missing_docs, unsafe_code)]

use cursors::{Cursor, CursorBorrow, Heading, Window};

kokoro_guest::planet! {
    state: Cursors,
    exports: ["site:content/cursors@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Cursors {
    made: u32,
}

#[derive(Clone)]
struct Position(u32);

struct Pane(u32);

impl cursors::Guest for Cursors {
    type Cursor = Position;
    type Window = Pane;

    fn all(&mut self) -> Vec<Cursor> {
        vec![Cursor::new(Position(self.made))]
    }

    fn walk(&mut self, along: CursorBorrow<'_>, mut to: Cursor) -> Cursor {
        along.get_mut().0 += 1;
        to.get_mut().0 += along.get().0;
        Cursor::new(to.into_inner())
    }
}

impl cursors::GuestCursor<Cursors> for Position {
    fn new(planet: &mut Cursors, start: u32) -> Self {
        planet.made += 1;
        Self(start)
    }

    fn open(planet: &mut Cursors, name: String) -> Result<Cursor, String> {
        if name.is_empty() { Err("no name".to_owned()) } else { Ok(Cursor::new(Self(planet.made))) }
    }

    fn next(&mut self, planet: &mut Cursors) -> Option<Heading> {
        self.0 += planet.made;
        None
    }

    fn distance(&mut self, planet_: &mut Cursors, other: CursorBorrow<'_>, planet: u32) -> u32 {
        self.0.abs_diff(other.get().0) + planet + planet_.made
    }
}

impl cursors::GuestWindow<Cursors> for Pane {
    fn new(_: &mut Cursors, size: u32) -> Result<Self, String> {
        if size == 0 { Err("too small".to_owned()) } else { Ok(Self(size)) }
    }

    fn size(&mut self, _: &mut Cursors) -> u32 {
        self.0
    }
}

/// Handles of windows can be made, too.
#[allow(dead_code)]
fn window() -> Window {
    Window::new(Pane(1))
}

fn main() {
    use cursors::GuestCursor as _;
    let mut planet = Cursors::default();
    let mut cursor = <Position as cursors::GuestCursor<Cursors>>::new(&mut planet, 3);
    assert!(cursor.next(&mut planet).is_none());
    assert_eq!((planet.made, cursor.0), (1, 4));
}
