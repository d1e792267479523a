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
  find: answering((letters) => {
    count += 1;
    if (letters === '') throw 'there are no letters';
    const rack = sorted(letters);
    const found = known.filter(([, key]) => fits(key, rack)).map(([word]) => ({ word, points: worth(word) }));
    return found.sort((a, b) => (b.points ?? 0) - (a.points ?? 0) || b.word.length - a.word.length);
  }),

  // This function has no result: whatever it throws ends the Planet, which is started anew.
  signature(word) {
    return sorted(word);
  },

  searches() {
    return count;
  },
};

// What a function with a `result<_, string>` throws is its `err`, and must be a string: an `Error` would end the Planet, and nobody
// would read what it says. What other Planets' functions throw has their `err` as its payload.
function answering(f) {
  return (...given) => {
    try {
      return f(...given);
    } catch (error) {
      throw typeof error === 'string' ? error : String(error.payload ?? error);
    }
  };
}

// An optional dependency: once `isBound` has said yes, it stays until the exported call ends.
function worth(word) {
  if (!isBound('words:game/score@0.1.0')) return undefined;
  try {
    return points(word);
  } catch (error) {
    // If the score itself asks for anagrams, it cannot be called back meanwhile.
    write('debug', 'anagrams', `${word}: ${error.payload}`);
    return undefined;
  }
}

function sorted(word) {
  if (/[^a-z]/i.test(word)) throw new RangeError(`${JSON.stringify(word)} has more than letters in it`);
  return [...word.toLowerCase()].sort().join('');
}

// Whether all letters of one are among those of the other; both are sorted.
function fits(key, rack) {
  let at = 0;
  for (const letter of rack) {
    if (letter === key[at]) at += 1;
  }
  return at === key.length;
}
