import { cmsCauseInWords } from '../cms-causes.ts';

/**
 * Why an AT command brought no answer: `cms` and `cme` with the cause the modem named (TS 27.005 3.2.5, 27.007 9.2),
 * `error` for a bare ERROR, `timeout` for one command without an answer, `silent` when the modem no longer
 * answers anything, `closed` when the port or the session is gone, `aborted` when the caller gave up.
 */
export type AtErrorKind = 'cms' | 'cme' | 'error' | 'timeout' | 'silent' | 'closed' | 'aborted';

export class AtError extends Error {
  readonly kind: AtErrorKind;
  readonly causeCode: number | undefined;

  constructor(kind: AtErrorKind, message: string, cause?: number) {
    super(message);
    this.name = 'AtError';
    this.kind = kind;
    this.causeCode = cause;
  }
}

/** The line that ends an answer. */
export type FinalResult = { readonly ok: true } | { readonly ok: false; readonly error: AtError };

/** What modems write in a +CME ERROR in place of numbers when +CMEE stands on 2, or by themselves. */
const cmeCausesInWords: readonly (readonly [RegExp, number])[] = [
  [/sim not inserted/i, 10],
  [/sim pin required/i, 11],
  [/sim puk required/i, 12],
  [/sim failure/i, 13],
  [/sim busy/i, 14],
  [/incorrect password/i, 16],
  [/memory full/i, 20],
  [/no network/i, 30],
];

/** Bare error results; the last ones are what Huawei modems say for an unknown command. */
const bareErrors = new Set(['ERROR', 'ABORTED', 'COMMAND NOT SUPPORT', 'COMMAND NOT SUPPORTED', 'TOO MANY PARAMETERS']);

/** The final result that a line is, or undefined. */
export function finalResult(line: string): FinalResult | undefined {
  if (line === 'OK') return { ok: true };
  if (bareErrors.has(line)) return { ok: false, error: new AtError('error', line) };
  const match = line.startsWith('+CM') ? /^\+CM([ES]) ERROR:\s*(.*)$/.exec(line) : null;
  if (match === null) return undefined;
  const kind = match[1] === 'S' ? 'cms' : 'cme';
  return { ok: false, error: new AtError(kind, line, causeIn(kind, match[2] ?? '')) };
}

/** The cause, which some modems write with more behind it (`38,5`, `38: network out of order`) or as words. */
function causeIn(kind: 'cms' | 'cme', text: string): number | undefined {
  const number = /^"?(\d{1,5})(?!\w)/.exec(text)?.[1];
  if (number !== undefined) return Number(number);
  return kind === 'cms' ? cmsCauseInWords(text) : cmeCausesInWords.find(([words]) => words.test(text))?.[1];
}

/**
 * The values of an information line: `+CPMS: "SM",3,50` → SM, 3, 50. Blanks around unquoted values and the quotes go;
 * a comma inside quotes does not separate. A missing value is ''. Names may hold quotes themselves, and modems do not
 * escape them: a quoted value begins at a comma and ends at a quote that a comma or the end follows.
 */
export function parameters(line: string): readonly string[] {
  return splitTop(line.slice(line.indexOf(':') + 1)).map(unquote);
}

/**
 * The value groups of a test command's answer: `+CNMI: (0-2),(0,1),1` → [0,1,2], [0,1], [1]. A group without brackets
 * is one value, `()` is an empty group. Ranges of numbers are written out, up to 100 values.
 */
export function valueGroups(line: string): readonly (readonly string[])[] {
  return splitTop(line.slice(line.indexOf(':') + 1)).map((group) => {
    const inner = /^\((.*)\)$/.exec(group.trim())?.[1] ?? group;
    return splitTop(inner)
      .map(unquote)
      .filter((value) => value !== '')
      .flatMap(writtenOut);
  });
}

/** Splits at commas that stand outside quotes and brackets. */
function splitTop(text: string): string[] {
  const values: string[] = [];
  let value = '';
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const c = text[at] ?? '';
    const quoted = c === '"' && /^\s*\(?\s*$/.test(value.slice(value.lastIndexOf(',') + 1)) ? quotedAt(text, at) : '';
    if (quoted !== '') {
      value += quoted;
      at += quoted.length - 1;
      continue;
    }
    if (c === '(') depth++;
    else if (c === ')') depth--;
    if (c === ',' && depth <= 0) {
      values.push(value);
      value = '';
    } else value += c;
  }
  return [...values, value];
}

/** The quoted value that begins here, with its quotes; '' when it never ends. */
function quotedAt(text: string, start: number): string {
  return /^".*?"(?=\s*(?:[,)]|$))/s.exec(text.slice(start))?.[0] ?? '';
}

function unquote(value: string): string {
  const bare = value.trim();
  return /^"(.*)"$/s.exec(bare)?.[1] ?? bare;
}

function writtenOut(value: string): string[] {
  const range = /^(\d{1,3})-(\d{1,3})$/.exec(value);
  if (range === null) return [value];
  const first = Number(range[1]);
  const length = Math.max(0, Math.min(100, Number(range[2]) - first + 1));
  return Array.from({ length }, (_, i) => String(first + i));
}
