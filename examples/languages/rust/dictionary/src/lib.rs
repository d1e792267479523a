//! Which words count: a Planet (plugin) in Rust that Planets in other languages ask.

kokoro_guest::planet! {
    state: Dictionary,
    exports: ["words:game/dictionary@0.1.0"],
    wit: "../../wit",
}

#[derive(Default)]
struct Dictionary;

/// One word a line, in alphabetical order.
const WORDS: &str = include_str!("words.txt");

impl dictionary::Guest for Dictionary {
    fn contains(&mut self, word: String) -> bool {
        let word = word.to_lowercase();
        WORDS.lines().any(|known| known == word)
    }

    fn words(&mut self) -> Vec<String> {
        WORDS.lines().map(str::to_owned).collect()
    }
}
