//! A Planet (plugin) whose books others hold.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use shelf::{Book, BookBorrow, Loan, Offering};

kokoro_guest::planet! {
    state: Shelf,
    exports: ["test:guests/shelf@0.1.0", "test:guests/copies@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Shelf;

/// How many there are.
static COUNT: AtomicU32 = AtomicU32::new(0);

struct Volume {
    title: String,
    page: u32,
}

impl Volume {
    fn new(title: String) -> Self {
        COUNT.fetch_add(1, Ordering::Relaxed);
        Self { title, page: 0 }
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        assert_ne!(self.title, "cursed");
        if self.title == "heavy" {
            std::thread::sleep(Duration::from_millis(300));
        }
        COUNT.fetch_sub(1, Ordering::Relaxed);
    }
}

impl shelf::Guest for Shelf {
    type Book = Volume;

    fn lend(&mut self, title: String) -> Result<Loan, String> {
        match title.is_empty() {
            true => Err("it has no title".to_owned()),
            false => Ok(Loan { book: Book::new(Volume::new(title)), days: 14 }),
        }
    }

    fn offer(&mut self, mut titles: Vec<String>) -> Offering {
        match titles.len() {
            0 => Offering::Nothing,
            1 => Offering::One(Book::new(Volume::new(titles.remove(0)))),
            _ => Offering::Many(titles.into_iter().filter_map(|title| self.lend(title).ok()).collect()),
        }
    }

    fn take(&mut self, loan: Loan) -> Result<u32, String> {
        Ok(loan.book.get().page)
    }

    fn take_both(&mut self, one: Book, other: Book) -> Result<u32, String> {
        Ok(one.get().page + other.get().page)
    }

    fn pages(&mut self, of: Vec<BookBorrow<'_>>) -> Result<Vec<u32>, String> {
        Ok(of.iter().map(|book| book.get().page).collect())
    }

    fn crash(&mut self) -> Result<(), String> {
        panic!("all books are gone")
    }
}

impl shelf::GuestBook<Shelf> for Volume {
    fn new(_: &mut Shelf, title: String) -> Self {
        Self::new(title)
    }

    fn title(&mut self, _: &mut Shelf) -> String {
        self.title.clone()
    }

    fn turn(&mut self, _: &mut Shelf) -> Result<u32, String> {
        self.page += 1;
        Ok(self.page)
    }

    fn same(&mut self, _: &mut Shelf, other: BookBorrow<'_>) -> Result<bool, String> {
        Ok(self.title == other.get().title)
    }

    fn count(_: &mut Shelf) -> u32 {
        COUNT.load(Ordering::Relaxed)
    }
}

impl copies::Guest for Shelf {
    fn copy(&mut self, of: BookBorrow<'_>) -> Result<Loan, String> {
        let title = of.get().title.clone();
        shelf::Guest::lend(self, title)
    }
}
