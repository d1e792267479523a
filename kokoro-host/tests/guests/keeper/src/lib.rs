//! A Planet (plugin) that keeps what the application owns.

use store::Cursor;

kokoro_guest::planet! {
    state: Keeper,
    exports: ["test:guests/keeper@0.1.0"],
    requires: ["test:guests/store@0.1.0"],
    optional: ["test:guests/search@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Keeper {
    kept: Vec<Cursor>,
}

impl keeper::Guest for Keeper {
    fn keep(&mut self, word: String) -> Result<(), String> {
        let cursor = if word.starts_with('q') { Cursor::new(&word) } else { store::open(&word)? };
        self.kept.push(cursor);
        Ok(())
    }

    fn next(&mut self) -> String {
        self.kept.iter().filter_map(Cursor::next).collect()
    }

    fn split(&mut self) -> u32 {
        let letters: Vec<_> = self.kept.iter().flat_map(store::split).collect();
        self.kept = Vec::new();
        let places = letters.iter().map(|(place, _)| place).sum();
        self.kept = letters.into_iter().map(|(_, cursor)| cursor).collect();
        places
    }

    fn join(&mut self) {
        if let Some(last) = self.kept.pop() {
            let joined = store::join(last, self.kept.pop());
            self.kept.push(joined);
        }
    }

    fn longest(&mut self) -> Option<String> {
        let kept: Vec<&Cursor> = self.kept.iter().collect();
        search::if_bound()?.longest(&kept)
    }

    fn count(&mut self) -> (u32, u32) {
        let same = self.kept.iter().filter(|cursor| cursor.same(&self.kept[0])).count();
        (same as u32, Cursor::count())
    }

    fn drop(&mut self) {
        self.kept.pop();
    }

    fn panic(&mut self) {
        panic!("with {} cursors", self.kept.len());
    }
}
