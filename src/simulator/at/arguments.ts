import { badArgument } from './failure.ts';

interface Value {
  readonly quoted: boolean;
  readonly text: string;
}

const MAX_VALUES = 32;

/** The values of a set command: `=1,"text",,0`. Reading one that does not fit throws the command's argument error. */
export class Arguments {
  readonly #values: readonly Value[];

  constructor(text: string) {
    this.#values = split(text);
    if (this.#values.length > MAX_VALUES) throw badArgument();
  }

  /** How many values there are, empty ones included. */
  get length(): number {
    return this.#values.length;
  }

  /** Whether the value at `index` is there and not empty. */
  has(index: number): boolean {
    const value = this.#values[index];
    return value !== undefined && (value.quoted || value.text !== '');
  }

  /** More values than `count` are an error. */
  atMost(count: number): this {
    if (this.#values.length > count) throw badArgument();
    return this;
  }

  /** A decimal number within the range; `fallback` when it is left out, an error without one. */
  integer(index: number, min: number, max: number, fallback?: number): number {
    const value = this.#values[index];
    if (value === undefined || !this.has(index)) {
      if (fallback === undefined) throw badArgument();
      return fallback;
    }
    if (value.quoted || !/^[0-9]{1,9}$/.test(value.text)) throw badArgument();
    const number = Number(value.text);
    if (number < min || number > max) throw badArgument();
    return number;
  }

  /** A string in quotes; `fallback` when it is left out, an error without one. */
  string(index: number, fallback?: string): string {
    const value = this.#values[index];
    if (value?.quoted) return value.text;
    if (value === undefined || value.text === '') {
      if (fallback === undefined) throw badArgument();
      return fallback;
    }
    throw badArgument();
  }

  /** A string that modems also take without quotes: a PIN. */
  word(index: number): string {
    const value = this.#values[index];
    if (value === undefined || value.text === '') throw badArgument();
    return value.text;
  }
}

function split(text: string): Value[] {
  const values: Value[] = [];
  const pattern = /(?:"([^"]*)"|([^",]*))(,|$)/y;
  for (;;) {
    const match = pattern.exec(text);
    if (match === null) throw badArgument();
    values.push(match[1] === undefined ? { quoted: false, text: match[2] ?? '' } : { quoted: true, text: match[1] });
    if (match[3] !== ',') return values;
  }
}
