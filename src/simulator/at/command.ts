import type { ModemCore } from '../core.ts';
import { badArgument, type FailureFamily } from './failure.ts';

/** What a command may do with the line besides answering. */
export interface CommandIo {
  /** Gives the `> ` prompt and takes what comes until Ctrl-Z; undefined when ESC cancelled it (TS 27.005 3.5.1). */
  prompt(): Promise<string | undefined>;
}

/** Information text of the answer, a line each. OK follows. */
export type Lines = readonly string[];
export type Answer = Lines | Promise<Lines>;

/** One row of the command table. A form that is absent is an error, save that a test form follows from a set form. */
export interface AtCommand {
  readonly errors: FailureFamily;
  /** Needs a SIM that is there and unlocked. */
  readonly sim?: boolean;
  /** Hands a message to the network, which may refuse it: the fault `cms_error` is the network's. */
  readonly sends?: boolean;
  readonly test?: (modem: ModemCore) => Lines;
  readonly read?: (modem: ModemCore) => Answer;
  readonly execute?: (modem: ModemCore, io: CommandIo) => Answer;
  readonly set?: (modem: ModemCore, args: Arguments, io: CommandIo) => Answer;
}

export type CommandFamily = Readonly<Record<string, AtCommand>>;

/** The answer of a command without information: OK alone. */
export const ok: Lines = [];

/** One command of a command line, V.250 5.3 and 5.4. `invalid` is what cannot be read as a command. */
export type ParsedCommand =
  | { readonly type: 'read' | 'test' | 'execute'; readonly name: string }
  | { readonly type: 'set'; readonly name: string; readonly value: string }
  | { readonly type: 'invalid' };

const REGISTER = /^S([0-9]{1,3})(?:(\?)|=([0-9]{1,3}))/i;
const BASIC = /^(&?[A-Z])([0-9]{0,3})/i;
const EXTENDED = /^[+^$#*%][A-Z][A-Z0-9]*/i;

/** The commands after the `AT` of a line, in order. Ends behind the first that is invalid. */
export function* parseCommandLine(body: string): Generator<ParsedCommand> {
  let rest = dropBlanks(body);
  while (rest !== '') {
    const extended = EXTENDED.exec(rest);
    if (extended !== null) {
      const end = commandEnd(rest);
      yield extendedCommand(extended[0].toUpperCase(), rest.slice(extended[0].length, end));
      rest = rest.slice(end + 1);
      continue;
    }
    const register = REGISTER.exec(rest);
    const basic = BASIC.exec(rest);
    const name = basic?.[1]?.toUpperCase();
    if (register !== null) {
      const registerName = `S${Number(register[1])}`;
      yield register[2] === '?'
        ? { type: 'read', name: registerName }
        : { type: 'set', name: registerName, value: register[3] ?? '' };
      rest = rest.slice(register[0].length);
    } else if (name === 'D') {
      // A dial string reaches to the end of the line.
      yield { type: 'set', name, value: rest.slice(1) };
      return;
    } else if (basic !== null && name !== undefined) {
      const value = basic[2] ?? '';
      yield value === '' ? { type: 'execute', name } : { type: 'set', name, value };
      rest = rest.slice(basic[0].length).replace(/^;/, '');
    } else {
      yield { type: 'invalid' };
      return;
    }
  }
}

function extendedCommand(name: string, tail: string): ParsedCommand {
  if (tail === '') return { type: 'execute', name };
  if (tail === '?') return { type: 'read', name };
  if (tail === '=?') return { type: 'test', name };
  if (tail.startsWith('=')) return { type: 'set', name, value: tail.slice(1) };
  return { type: 'invalid' };
}

/** Where the command that `text` begins with ends: at a semicolon outside quotes, or at the end. */
function commandEnd(text: string): number {
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') quoted = !quoted;
    else if (text[i] === ';' && !quoted) return i;
  }
  return text.length;
}

/** V.250 5.2.1: blanks and control characters outside strings do not count. */
function dropBlanks(text: string): string {
  let quoted = false;
  let kept = '';
  for (const c of text) {
    if (c === '"') quoted = !quoted;
    if (quoted || c > ' ') kept += c;
  }
  return kept;
}

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
