//! A Planet (plugin) that keeps another's books.

use shelf::{Book, Loan, Offering};

kokoro_guest::planet! {
    state: Reader,
    exports: ["test:guests/reader@0.1.0"],
    requires: ["test:guests/shelf@0.1.0", "test:guests/copies@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Reader {
    kept: Vec<Book>,
}

impl Reader {
    fn keep(&mut self, book: Book) -> u32 {
        self.kept.push(book);
        self.kept.len() as u32
    }
}

impl reader::Guest for Reader {
    fn make(&mut self, title: String) {
        self.kept.push(Book::new(&title));
    }

    fn lend(&mut self, title: String) -> Result<u32, String> {
        let loan = shelf::lend(&title)?;
        Ok(self.keep(loan.book))
    }

    fn offer(&mut self, titles: Vec<String>) -> u32 {
        match shelf::offer(&titles) {
            Offering::Nothing => {}
            Offering::One(book) => self.kept.push(book),
            Offering::Many(loans) => self.kept.extend(loans.into_iter().map(|loan| loan.book)),
        }
        self.kept.len() as u32
    }

    fn copy(&mut self) -> Result<u32, String> {
        let copy = copies::copy(self.kept.last().ok_or("there is none")?)?;
        Ok(self.keep(copy.book))
    }

    fn titles(&mut self) -> Vec<String> {
        self.kept.iter().map(Book::title).collect()
    }

    fn turn(&mut self) -> Vec<Result<u32, String>> {
        self.kept.iter().map(Book::turn).collect()
    }

    fn pages(&mut self) -> Result<Vec<u32>, String> {
        shelf::pages(&self.kept.iter().collect::<Vec<_>>())
    }

    fn same(&mut self) -> Result<bool, String> {
        let [first, .., last] = &self.kept[..] else { return Err("there are not two".to_owned()) };
        first.same(last)
    }

    fn give(&mut self) -> Result<u32, String> {
        shelf::take(Loan { book: self.kept.pop().ok_or("there is none")?, days: 0 })
    }

    fn drop(&mut self) {
        self.kept.pop();
    }

    fn count(&mut self) -> u32 {
        Book::count()
    }

    fn crash(&mut self) {
        panic!("with {} books", self.kept.len());
    }
}
