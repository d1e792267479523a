//! A word game: a Planet (plugin) in Rust that asks one in JavaScript and one in Python.

kokoro_guest::planet! {
    state: Game,
    exports: ["words:game/play@0.1.0"],
    requires: ["words:game/anagrams@0.1.0", "words:game/score@0.1.0"],
    wit: "../../wit",
}

#[derive(Default)]
struct Game;

impl play::Guest for Game {
    fn lay(&mut self, letters: String, word: String) -> Result<String, String> {
        let points = score::points(&word)?;
        let found = anagrams::find(&letters)?;
        if !found.iter().any(|found| found.word == word) {
            return Err(format!("`{word}` cannot be laid with `{letters}`"));
        }
        Ok(match found.first() {
            Some(best) if best.word != word && best.points > Some(points) => {
                format!("`{word}` is worth {points}; `{}` would have been worth more", best.word)
            }
            _ => format!("`{word}` is worth {points}, and nothing is worth more"),
        })
    }
}
