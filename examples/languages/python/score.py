"""A Planet (plugin) in Python: says what words are worth."""

import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.saved_state import Snapshot
from wit_world.exports.score import Scored
from wit_world.imports import anagrams, dictionary, log
from wit_world.imports.dependencies import is_bound

VALUES = {
    **dict.fromkeys("aeilnorstu", 1),
    **dict.fromkeys("dg", 2),
    **dict.fromkeys("bcmp", 3),
    **dict.fromkeys("fhvwy", 4),
    **dict.fromkeys("k", 5),
    **dict.fromkeys("jx", 8),
    **dict.fromkeys("qz", 10),
}

best: Scored | None = None


def info(message: str) -> None:
    log.write(log.Level.INFO, "score", message)


class Lifecycle(exports.Lifecycle):
    """Told when the Planet starts, after those that it requires, and when it stops. An `Err` is why it cannot start."""

    def start(self) -> None:
        info(f"start: a pizza is worth {worth('pizza')}")

    def stop(self) -> None:
        info(f"stop: the best word was {best.word if best else 'none'}")


class SavedState(exports.SavedState):
    """Carried over when a new release takes this one's place."""

    def save(self) -> Snapshot:
        return Snapshot(version=1, data=json.dumps([best.word, best.points] if best else None).encode())

    def restore(self, snapshot: Snapshot) -> None:
        global best
        if snapshot.version != 1:
            raise Err(f"version {snapshot.version} of the state is not known")
        saved = json.loads(snapshot.data)
        best = Scored(*saved) if saved else None


class Score(exports.Score):
    def points(self, word: str) -> int:
        global best
        # A required dependency: a plain call.
        if not dictionary.contains(word):
            raise Err(f"`{word}` is in no dictionary")
        points = worth(word)
        if best is None or points > best.points:
            best = Scored(word, points)
        return points

    def letter(self, letter: str) -> int:
        # This function has no result: a KeyError ends the Planet, which is started anew.
        return VALUES[letter.lower()]

    def best(self) -> Scored | None:
        return best

    def hint(self, word: str) -> str | None:
        # An optional dependency: once `is_bound` has said yes, it stays until the exported call ends.
        if not is_bound("words:game/anagrams@0.1.0"):
            return None
        # What it answers as its `err` is raised as an `Err`, and is our own `err` if nobody catches it.
        key = anagrams.signature(word)
        others = (found.word for found in anagrams.find(word))
        return next((other for other in others if other != word and anagrams.signature(other) == key), None)


def worth(word: str) -> int:
    return sum(VALUES[letter] for letter in word.lower())
