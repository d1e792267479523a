//! A Planet (plugin) through which values of all types pass.

kokoro_guest::planet! {
    state: Shapes,
    exports: ["test:guests/shapes@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Shapes;

impl shapes::Guest for Shapes {
    fn echo(&mut self, value: shapes::Everything) -> shapes::Everything {
        value
    }

    fn points(&mut self, points: Vec<shapes::Point>) -> Vec<shapes::Point> {
        points.into_iter().rev().collect()
    }

    fn nothing(&mut self) {}
}
