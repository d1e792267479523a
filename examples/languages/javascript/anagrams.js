// A Planet (plugin) in JavaScript: finds what can be laid with some letters.

import { isBound } from 'kokoro:core/dependencies@0.1.0';
import { write } from 'kokoro:core/log@0.1.0';
import { words } from 'words:game/dictionary@0.1.0';
import { points } from 'words:game/score@0.1.0';

let known = [];
let count = 0;

function log(message) {
  write('info', 'anagrams', message);
}

// Told when the Planet starts, after those that it requires, and when it stops. What `start` throws is why it cannot.
export const lifecycle = {
  start() {
    known = words().map((word) => [word, sorted(word)]);
    log(`start: ${known.length} words`);
  },
  stop() {
    log(`stop: ${count} searches`);
  },
};

// Carried over when a new release takes this one's place.
export const savedState = {
  save() {
    return { version: 1, data: new TextEncoder().encode(JSON.stringify({ count })) };
  },
  restore({ version, data }) {
    if (version !== 1) throw `version ${version} of the state is not known`;
    count = JSON.parse(new TextDecoder().decode(data)).count;
  },
};

export const anagrams = {
  find(letters) {
    count += 1;
    const rack = sorted(letters);
    // What a function with a result throws is its `err`: here a string.
    if (rack === '') throw 'there are no letters';
    const found = known.filter(([, key]) => fits(key, rack)).map(([word]) => ({ word, points: worth(word) }));
    return found.sort((a, b) => (b.points ?? 0) - (a.points ?? 0) || b.word.length - a.word.length);
  },

  signature(word) {
    // This function has no result: whatever it throws ends the Planet, which is started anew.
    if (!/^[a-z]+$/i.test(word)) throw new RangeError(`${JSON.stringify(word)} is no word`);
    return sorted(word);
  },

  searches() {
    return count;
  },
};

// An optional dependency: once `isBound` has said yes, it stays until the exported call ends.
function worth(word) {
  if (!isBound('words:game/score@0.1.0')) return undefined;
  try {
    return points(word);
  } catch (error) {
    // What another Planet's function answers as its `err` is thrown, with the answer as its payload. So is a failure of
    // Kokoro's: if the score itself asks for anagrams, it cannot be called back meanwhile.
    write('debug', 'anagrams', `${word}: ${error.payload}`);
    return undefined;
  }
}

function sorted(word) {
  return [...word.toLowerCase()].filter((letter) => letter.trim()).sort().join('');
}

// Whether all letters of one are among those of the other; both are sorted.
function fits(key, rack) {
  let at = 0;
  for (const letter of rack) {
    if (letter === key[at]) at += 1;
  }
  return at === key.length;
}
