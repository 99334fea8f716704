/** The five fields of crontab(5), as sets of numbers in order. */
export interface Crontab {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly monthdays: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday. */
  readonly weekdays: ReadonlySet<number>;
  /** Both days are restricted: one that fits is enough. A field that begins with `*` restricts nothing in this sense. */
  readonly either: boolean;
}

/** The fields of a text that the config has found to be a crontab. */
export function parseCrontab(text: string): Crontab {
  const [minute = '', hour = '', monthday = '', month = '', weekday = ''] = text.split(/[ \t]+/);
  return {
    minutes: numbers(minute, 0, 59),
    hours: numbers(hour, 0, 23),
    monthdays: numbers(monthday, 1, 31),
    months: numbers(month, 1, 12),
    weekdays: new Set([...numbers(weekday, 0, 7)].map((day) => day % 7)),
    either: !monthday.startsWith('*') && !weekday.startsWith('*'),
  };
}

/** A list of `*`, `n`, `n-m`, each with `/step` or without; `n/step` goes on to the end. */
function numbers(field: string, min: number, max: number): ReadonlySet<number> {
  const found = field.split(',').flatMap((part) => {
    const [range = '', step] = part.split('/');
    const [first = min, last = step === undefined ? first : max] =
      range === '*' ? [min, max] : range.split('-').map(Number);
    const count = Math.floor((last - first) / Number(step ?? 1)) + 1;
    return Array.from({ length: count }, (_, i) => first + i * Number(step ?? 1));
  });
  return new Set(found.sort((a, b) => a - b));
}
