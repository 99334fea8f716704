/** Lowest and highest number of each field of crontab(5): minute, hour, day of month, month, day of week (0 and 7 Sunday). */
const fields = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const;

/** Whether the text is five crontab fields: `*`, numbers, ranges, steps and lists of them. */
export function isCron(text: string): boolean {
  const words = text.split(/[ \t]+/);
  return words.length === fields.length && fields.every(([min, max], i) => isField(words[i] ?? '', min, max));
}

function isField(word: string, min: number, max: number): boolean {
  return word.split(',').every((part) => {
    const match = /^(?:\*|([0-9]{1,2})(?:-([0-9]{1,2}))?)(?:\/([0-9]{1,2}))?$/.exec(part);
    if (match === null) return false;
    const from = Number(match[1] ?? min);
    const to = Number(match[2] ?? match[1] ?? max);
    return from >= min && from <= to && to <= max && match[3] !== '0' && match[3] !== '00';
  });
}
