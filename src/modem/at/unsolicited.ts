import { finalResult } from './answer.ts';

/** Unsolicited result codes, as their meaning. */
export type Unsolicited =
  /** A message or report lies in `memory` at `index` (+CMTI, +CDSI). */
  | {
      readonly type: 'stored';
      readonly content: 'message' | 'report';
      readonly memory: string;
      readonly index: number;
    }
  /** A message or report lies somewhere: the modem names no place that can be read. */
  | { readonly type: 'stored_somewhere'; readonly line: string }
  /** A message or report itself (+CMT, +CDS), hexadecimal with the SMSC field. */
  | { readonly type: 'direct'; readonly content: 'message' | 'report'; readonly pdu: string }
  /** Registration changed; `stat` as in TS 27.007 7.2. */
  | { readonly type: 'registration'; readonly domain: string; readonly stat: number }
  | { readonly type: 'memory_full' }
  /** +CIEV: an indicator by its place in the modem's own table (TS 27.007 8.9). */
  | { readonly type: 'indicator'; readonly index: number; readonly value: number }
  /** A call comes in: RING or +CRING, again and again while it rings. */
  | { readonly type: 'ring' }
  /** +CLIP: who calls; '' when the network hides it. */
  | { readonly type: 'caller'; readonly number: string }
  /** The modem has just started: all settings are lost. */
  | { readonly type: 'started' }
  /** +CPIN without a query: the SIM was inserted, removed or unlocked. */
  | { readonly type: 'sim'; readonly state: string }
  /** Signal strength, 0 to 31 or 99 (TS 27.007 8.5). */
  | { readonly type: 'signal'; readonly rssi: number }
  /** +CUSD; `text` as the modem wrote it, `dcs` 15 when absent. */
  | { readonly type: 'ussd'; readonly mode: number; readonly text: string; readonly dcs: number }
  /** Known to mean nothing here, or a vendor's code that is not known here. */
  | { readonly type: 'other'; readonly line: string };

interface Pattern {
  /** How its lines begin: see `nameOf`. */
  readonly names: readonly string[];
  readonly match: RegExp;
  /** The information name that a query shares with this code: while the query runs, the line is its answer. */
  readonly answers?: string;
  /** The next line belongs to it: a PDU. */
  readonly pdu?: true;
  readonly read: (match: RegExpExecArray, pdu: string) => Unsolicited;
}

const stored = (content: 'message' | 'report') => (match: RegExpExecArray) =>
  ({ type: 'stored', content, memory: match[1] ?? '', index: Number(match[2]) }) as const;

const direct = (content: 'message' | 'report') => (_match: RegExpExecArray, pdu: string) =>
  ({ type: 'direct', content, pdu }) as const;

const registration = (name: string): Pattern => ({
  names: [`+${name}`],
  match: new RegExp(`^\\+${name}:\\s*(\\d{1,2})\\s*(,|$)`),
  answers: `+${name}`,
  read: (match) => ({ type: 'registration', domain: name, stat: Number(match[1]) }),
});

const other = (names: string, match: RegExp): Pattern => ({
  names: names.split(' '),
  match,
  read: ({ input }) => ({ type: 'other', line: input }),
});

/** The first that matches counts. TS 27.005 3.4.1, TS 27.007, and what vendors add. */
const patterns: readonly Pattern[] = [
  { names: ['+CMTI'], match: /^\+CMTI:\s*"?([A-Z]{2})"?\s*,\s*(\d{1,5})\s*(,|$)/, read: stored('message') },
  { names: ['+CDSI'], match: /^\+CDSI:\s*"?([A-Z]{2})"?\s*,\s*(\d{1,5})\s*(,|$)/, read: stored('report') },
  // `"SM",-1`, `,-1`, `"MMS PUSH",3`.
  {
    names: ['+CMTI', '+CDSI'],
    match: /^\+(CMTI|CDSI)\b/,
    read: ({ input }) => ({ type: 'stored_somewhere', line: input }),
  },
  { names: ['+CMT'], match: /^\+CMT:.*\d"?\s*$/, pdu: true, read: direct('message') },
  { names: ['+CDS'], match: /^\+CDS:.*\d"?\s*$/, pdu: true, read: direct('report') },
  // Cell broadcast: not a SMS, but its PDU must not end up in an answer.
  { names: ['+CBM'], match: /^\+CBM:.*\d"?\s*$/, pdu: true, read: () => ({ type: 'other', line: '+CBM' }) },
  registration('CREG'),
  registration('CGREG'),
  registration('CEREG'),
  // A value of 0 behind it says that there is room again.
  {
    names: ['^SMMEMFULL', '+QIND', '+SMS', 'SMS', '+SMSFULL', 'SMSFULL', '+CIEV'],
    match: /^(\^SMMEMFULL|\+QIND:\s*"?smsfull|\+?SMS[ _]?FULL\b|\+CIEV:\s*"?smsfull)(?!.*,\s*0\s*$)/i,
    read: () => ({ type: 'memory_full' }),
  },
  {
    names: ['+CIEV'],
    match: /^\+CIEV:\s*(\d{1,2})\s*,\s*(\d{1,3})\s*$/,
    read: (match) => ({ type: 'indicator', index: Number(match[1]), value: Number(match[2]) }),
  },
  { names: ['RING', '+CRING'], match: /^(RING|\+CRING:.*)$/, read: () => ({ type: 'ring' }) },
  {
    names: ['+CLIP'],
    match: /^\+CLIP:\s*"?([^",]*)"?/,
    answers: '+CLIP',
    read: (match) => ({ type: 'caller', number: (match[1] ?? '').trim() }),
  },
  {
    names: ['RDY', '^SYSSTART', '*ATREADY'],
    match: /^(RDY|\^SYSSTART|\*ATREADY: 1)$/,
    read: () => ({ type: 'started' }),
  },
  {
    names: ['+CPIN'],
    match: /^\+CPIN:\s*(.*)$/,
    answers: '+CPIN',
    read: (match) => ({ type: 'sim', state: match[1] ?? '' }),
  },
  {
    names: ['^RSSI'],
    match: /^\^RSSI:\s*(\d{1,2})$/,
    read: (match) => ({ type: 'signal', rssi: Number(match[1]) }),
  },
  {
    names: ['+CSQ'],
    match: /^\+CSQ:\s*(\d{1,2})\s*,/,
    answers: '+CSQ',
    read: (match) => ({ type: 'signal', rssi: Number(match[1]) }),
  },
  other(
    'NO BUSY CALL SMS PB NORMAL POWERED',
    /^(NO CARRIER|BUSY|NO ANSWER|Call Ready|SMS Ready|SMS DONE|PB DONE|NORMAL POWER DOWN|POWERED DOWN)$/,
  ),
  { names: ['+CFUN'], match: /^\+CFUN:/, answers: '+CFUN', read: ({ input }) => ({ type: 'other', line: input }) },
  other(
    '+CCWA +CTZV +CTZE +CTZU +NITZ +QIND +QUSIM +CIEV +PBREADY',
    /^\+(CCWA|CTZV|CTZE|CTZU|NITZ|QIND|QUSIM|CIEV|PBREADY)\b/,
  ),
];

const named = new Map<string, Pattern[]>();
for (const pattern of patterns)
  for (const name of pattern.names) named.set(name, [...(named.get(name) ?? []), pattern]);

/** The sign and the letters that a line begins with: `+CMTI`, `RING`, `CALL`. */
const nameOf = (line: string): string => /^[+^*]?[A-Za-z]+/.exec(line)?.[0].toUpperCase() ?? '';

/** A code, as the first of its patterns reads it. */
interface Recognised {
  readonly pattern: Pattern;
  readonly match: RegExpExecArray;
}

/** `expected`: while a query runs, a line of its name is its answer. */
function recognise(line: string, expected: string | undefined): Recognised | undefined {
  for (const pattern of named.get(nameOf(line)) ?? []) {
    const match = pattern.answers === undefined || pattern.answers !== expected ? pattern.match.exec(line) : null;
    if (match !== null) return { pattern, match };
  }
  return undefined;
}

/** A vendor's code: never part of an answer unless a command of the same name runs. */
const vendorCode = /^[\^*%$#&][A-Z]/;

/** A +CUSD code (TS 27.007 7.15), complete or not: <m>, and what stands behind the comma. */
const ussdCode = /^\+CUSD:\s*(\d)\s*(?:,\s*(.*))?$/s;
/** The end of its string: a quote, perhaps <dcs> and a comma too many, nothing more. With <dcs> it is certain. */
const stringEnd = /"\s*(?:,\s*(-?\d{1,3})?\s*,?\s*)?$/;

/** Lines and characters that a string may run over: the network sends 182 characters (TS 23.038 5). */
const MAX_LINES = 24;
const MAX_TEXT = 2_048;

/** A code that never stands in a text: `+CMGS: 1`, `^SYSINFO: 2`. */
const codeName = /^[+^][A-Z][A-Z0-9]+:/;
/** What looks like a PDU, an IMEI or an IMSI. */
const looksLikeAnswer = /^[0-9A-Fa-f]{10,}$/;

/** A code whose PDU comes next, and how many other codes have come since. */
interface Header extends Recognised {
  readonly passed: number;
}

/** Codes that may stand between a head and its PDU. */
const MAX_PASSED = 8;

/**
 * Picks unsolicited codes out of the lines, at any moment, before the answer parser sees them.
 *
 * A USSD text may have any number of quotes, and line ends, and its last quote may be missing. So it ends by its shape,
 * or where a line comes that has a meaning of its own, or when its owner calls `flush` because nothing more came.
 */
export class UnsolicitedReader {
  readonly #emit: (code: Unsolicited) => void;
  /** A code whose PDU comes next. */
  #header: Header | undefined;
  /** A USSD text of which more may come. */
  #text: string[] = [];

  constructor(emit: (code: Unsolicited) => void) {
    this.#emit = emit;
  }

  /** Whether a text is open: `flush` must be called when no line has come for about a second. */
  get open(): boolean {
    return this.#text.length > 0;
  }

  /** Whether the line was one, or a part of one. `expected` is the information name that a running query answers with. */
  take(line: string, expected: string | undefined): boolean {
    const header = this.#header;
    this.#header = undefined;
    if (header !== undefined && pduDigits.test(line)) {
      this.#emit(header.pattern.read(header.match, wholeOctets(line)));
      return true;
    }
    if (this.open) {
      if (this.goesOn(line, expected)) return this.#ussd(line);
      this.flush();
    }
    if (expected !== '+CUSD' && ussdCode.test(line)) return this.#ussd(line);
    const code = recognise(line, expected);
    // Another code between the head and its PDU: the PDU still comes.
    const passes = code !== undefined || isVendorCode(line, expected);
    if (header !== undefined && passes && header.passed < MAX_PASSED)
      this.#header = { ...header, passed: header.passed + 1 };
    if (code?.pattern.pdu === true) this.#header = { ...code, passed: 0 };
    else if (code !== undefined) this.#emit(code.pattern.read(code.match, ''));
    else if (passes) this.#emit({ type: 'other', line });
    return passes;
  }

  /** Whether a line is more of the open text. */
  goesOn(line: string, expected: string | undefined): boolean {
    if (!this.open) return false;
    if (finalResult(line) !== undefined || codeName.test(line)) return false;
    if (recognise(line, expected) !== undefined) return false;
    if (expected !== undefined && (line.startsWith(expected) || looksLikeAnswer.test(line))) return false;
    return true;
  }

  /** Ends an open text with what is there. */
  flush(): void {
    const match = ussdCode.exec(this.#text.join('\n'));
    this.#text = [];
    if (match === null) return;
    const rest = (match[2] ?? '').replace(/^"/, '');
    const end = stringEnd.exec(rest) ?? /,\s*(-?\d{1,3})\s*$/.exec(rest);
    const text = end === null ? rest : rest.slice(0, end.index);
    this.#emit({ type: 'ussd', mode: Number(match[1]), text, dcs: Number(end?.[1] ?? 15) });
  }

  #ussd(line: string): true {
    this.#text.push(line);
    const text = this.#text.join('\n');
    if (!mayGoOn(text) || this.#text.length >= MAX_LINES || text.length > MAX_TEXT) this.flush();
    return true;
  }
}

function isVendorCode(line: string, expected: string | undefined): boolean {
  return vendorCode.test(line) && (expected === undefined || !line.startsWith(expected));
}

/** Whether a +CUSD code that reads so up to now may have another line. A last quote without <dcs> counts if it makes a pair. */
function mayGoOn(code: string): boolean {
  const rest = ussdCode.exec(code)?.[2] ?? '';
  if (!rest.startsWith('"')) return false;
  const end = stringEnd.exec(rest.slice(1));
  return end === null || (end[1] === undefined && (rest.split('"').length - 1) % 2 === 1);
}

/** A modem may lose a digit, or add one: what is there may still be read. */
const pduDigits = /^[0-9A-Fa-f]{2,}$/;

const wholeOctets = (digits: string): string => digits.slice(0, digits.length - (digits.length % 2));

/** Whether a line is a PDU. */
export function isHex(line: string): boolean {
  return line.length >= 2 && line.length % 2 === 0 && /^[0-9A-Fa-f]+$/.test(line);
}
