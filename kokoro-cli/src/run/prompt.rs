//! Lines of standard input: calls, and a few words.

use std::io::{self, BufRead as _};
use std::thread;

use kokoro_host::{Explanation, Primary};
use serde_json::json;
use tokio::sync::mpsc::{self, Receiver};

use super::console::Console;
use crate::call::{Answer, invoke};
use crate::hints::Hints;

pub(super) const HELP: &str = "\
a line is a call: acme:geo/locate.find(\"Paris\"), or for a function in no interface PLANET.find(\"Paris\")
graph         shows all planets
explain NAME  shows who serves the imports of a planet, who else could, and why not
help          shows this
Ctrl-C        stops all planets and ends";

/// Answers lines until there are no more of them.
pub(super) async fn answer(primary: &Primary, hints: &Hints, console: &Console) {
    let mut lines = lines();
    while let Some(line) = lines.recv().await {
        let line = line.trim();
        let (word, planet) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let (text, object, error) = match (word, planet.trim_start()) {
            ("", _) => continue,
            ("help", "") => (HELP.to_owned(), json!({ "event": "help", "text": HELP }), None),
            ("graph", "") => {
                let graph = primary.graph();
                let text = if graph.planets.is_empty() { "there is no planet".to_owned() } else { graph.to_string() };
                (text, json!({ "event": "graph", "graph": graph }), None)
            }
            ("explain", planet) => {
                let (explanation, error) = match primary.explain(planet) {
                    Ok(explanation) => (Some(explanation), None),
                    Err(error) => (None, Some(error.to_string())),
                };
                let text = explanation.as_ref().map(Explanation::to_string).unwrap_or_default();
                let object =
                    json!({ "event": "explanation", "planet": planet, "explanation": explanation, "error": error });
                (text, object, error)
            }
            _ => {
                let (results, failure) = match invoke(primary, line, hints).await {
                    Ok(Answer { results, failure }) => (results, failure),
                    Err(failure) => (Vec::new(), Some(failure)),
                };
                let error = failure.map(|failure| failure.to_string());
                let object = json!({ "event": "answer", "call": line, "results": results, "error": error });
                (results.join("\n"), object, error)
            }
        };
        console.say(&text, || object);
        if let Some(error) = &error {
            console.complain(error);
        }
    }
}

/// The lines of standard input. They are read by a thread of their own, which nothing waits for: there is no way to end it
/// while it reads.
fn lines() -> Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    thread::spawn(move || {
        for line in io::stdin().lock().split(b'\n').map_while(Result::ok) {
            if sender.blocking_send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
        }
    });
    lines
}
