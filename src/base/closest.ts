/** The word among `known` that `word` was probably meant to be; undefined when none is near. */
export function closest(word: string, known: Iterable<string>): string | undefined {
  const limit = word.length < 5 ? 1 : 2;
  let best: { readonly name: string; readonly steps: number } | undefined;
  if (word.length > 64) return undefined;
  for (const name of known) {
    const steps = distance(word.toLowerCase(), name.toLowerCase());
    if (steps <= limit && steps < (best?.steps ?? Number.POSITIVE_INFINITY)) best = { name, steps };
  }
  return best?.name;
}

/** `, did you mean NAME?`, or nothing. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const name = closest(word, known);
  return name === undefined ? '' : `, did you mean ${name}?`;
}

/** Damerau-Levenshtein: letters changed, left out, added, or two neighbours swapped. */
function distance(a: string, b: string): number {
  let [older, old]: [readonly number[], readonly number[]] = [[], Array.from({ length: b.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const [up = 0, left = 0, diagonal = 0, swapped = 0] = [old[j], row[j - 1], old[j - 1], older[j - 2]];
      let steps = Math.min(up + 1, left + 1, diagonal + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) steps = Math.min(steps, swapped + 1);
      row.push(steps);
    }
    [older, old] = [old, row];
  }
  return old[b.length] ?? 0;
}
