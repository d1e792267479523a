//! The Planet (plugin) `my-planet`.
#![expect(unused_variables, reason = "not written yet")]

kokoro_guest::planet! {
    state: MyPlanet,
    exports: ["test:guests/shapes@0.1.0"],
}

/// The running Planet: made when it starts, dropped when it stops.
#[derive(Default)]
struct MyPlanet;

impl shapes::Guest for MyPlanet {
    fn echo(&mut self, value: shapes::Everything) -> shapes::Everything {
        unimplemented!("not written yet: `shapes.echo`")
    }

    fn points(&mut self, points: Vec<shapes::Point>) -> Vec<shapes::Point> {
        unimplemented!("not written yet: `shapes.points`")
    }

    fn nothing(&mut self) {
        unimplemented!("not written yet: `shapes.nothing`")
    }
}
