//! The Planet (plugin) `my-planet`.
#![expect(unused_variables, reason = "not written yet")]

kokoro_guest::planet! {
    state: MyPlanet,
    exports: ["test:guests/shelf@0.1.0", "test:guests/copies@0.1.0"],
}

/// The running Planet: made when it starts, dropped when it stops.
#[derive(Default)]
struct MyPlanet;

/// What a [`shelf::Book`] refers to.
struct ShelfBook;

impl shelf::Guest for MyPlanet {
    type Book = ShelfBook;

    fn lend(&mut self, title: String) -> Result<shelf::Loan, String> {
        Err("not written yet: `shelf.lend`".to_owned())
    }

    fn offer(&mut self, titles: Vec<String>) -> shelf::Offering {
        unimplemented!("not written yet: `shelf.offer`")
    }

    fn take(&mut self, loan: shelf::Loan) -> Result<u32, String> {
        Err("not written yet: `shelf.take`".to_owned())
    }

    fn take_both(&mut self, one: shelf::Book, other: shelf::Book) -> Result<u32, String> {
        Err("not written yet: `shelf.take-both`".to_owned())
    }

    fn pages(&mut self, of: Vec<shelf::BookBorrow<'_>>) -> Result<Vec<u32>, String> {
        Err("not written yet: `shelf.pages`".to_owned())
    }

    fn crash(&mut self) -> Result<(), String> {
        Err("not written yet: `shelf.crash`".to_owned())
    }
}

impl shelf::GuestBook<MyPlanet> for ShelfBook {
    fn new(planet: &mut MyPlanet, title: String) -> Self {
        unimplemented!("not written yet: `shelf.book`")
    }

    fn title(&mut self, planet: &mut MyPlanet) -> String {
        unimplemented!("not written yet: `shelf.book.title`")
    }

    fn turn(&mut self, planet: &mut MyPlanet) -> Result<u32, String> {
        Err("not written yet: `shelf.book.turn`".to_owned())
    }

    fn same(
        &mut self,
        planet: &mut MyPlanet,
        other: shelf::BookBorrow<'_>,
    ) -> Result<bool, String> {
        Err("not written yet: `shelf.book.same`".to_owned())
    }

    fn count(planet: &mut MyPlanet) -> u32 {
        unimplemented!("not written yet: `shelf.book.count`")
    }
}

impl copies::Guest for MyPlanet {
    fn copy(&mut self, of: copies::BookBorrow<'_>) -> Result<copies::Loan, String> {
        Err("not written yet: `copies.copy`".to_owned())
    }
}
