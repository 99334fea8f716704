/** What a modem says without being asked. */
export type Unsolicited =
  /** A message or report lies in `memory` at `index` (+CMTI, +CDSI). */
  | {
      readonly type: 'stored';
      readonly content: 'message' | 'report';
      readonly memory: string;
      readonly index: number;
    }
  /** A message or report itself (+CMT, +CDS), hexadecimal with the SMSC field. */
  | { readonly type: 'direct'; readonly content: 'message' | 'report'; readonly pdu: string }
  /** Registration changed; `stat` as in TS 27.007 7.2. */
  | { readonly type: 'registration'; readonly domain: string; readonly stat: number }
  | { readonly type: 'memory_full' }
  /** The modem has just started: all settings are lost. */
  | { readonly type: 'started' }
  /** +CPIN without a question: the SIM came, went or was unlocked. */
  | { readonly type: 'sim'; readonly state: string }
  /** Signal strength, 0 to 31 or 99 (TS 27.007 8.5). */
  | { readonly type: 'signal'; readonly rssi: number }
  /** +CUSD; `text` as the modem wrote it. */
  | { readonly type: 'ussd'; readonly mode: number; readonly text: string; readonly dcs: number }
  /** Known to mean nothing here, or a vendor's code nobody knows. */
  | { readonly type: 'other'; readonly line: string };

interface Pattern {
  readonly match: RegExp;
  /** The information name that a query shares with this code: while the query runs, the line is its answer. */
  readonly answers?: string;
  /** How the code goes on in the next line: a PDU, or the rest of a quoted string. */
  readonly continues?: 'pdu' | 'quoted';
  readonly read: (match: RegExpExecArray, pdu: string) => Unsolicited;
}

const stored = (content: 'message' | 'report') => (match: RegExpExecArray) =>
  ({ type: 'stored', content, memory: match[1] ?? '', index: Number(match[2]) }) as const;

const direct = (content: 'message' | 'report') => (_match: RegExpExecArray, pdu: string) =>
  ({ type: 'direct', content, pdu }) as const;

const registration = (name: string): Pattern => ({
  match: new RegExp(`^\\+${name}:\\s*(\\d{1,2})\\s*(,|$)`),
  answers: `+${name}`,
  read: (match) => ({ type: 'registration', domain: name, stat: Number(match[1]) }),
});

const other = (match: RegExp): Pattern => ({ match, read: ({ input }) => ({ type: 'other', line: input }) });

/** The first that matches counts. TS 27.005 3.4.1, TS 27.007, and what vendors add. */
const patterns: readonly Pattern[] = [
  { match: /^\+CMTI:\s*"?([A-Z]{2})"?\s*,\s*(\d{1,5})/, read: stored('message') },
  { match: /^\+CDSI:\s*"?([A-Z]{2})"?\s*,\s*(\d{1,5})/, read: stored('report') },
  { match: /^\+CMT:.*\d$/, continues: 'pdu', read: direct('message') },
  { match: /^\+CDS:.*\d$/, continues: 'pdu', read: direct('report') },
  // Cell broadcast: not a SMS, but its PDU must not end up in an answer.
  { match: /^\+CBM:.*\d$/, continues: 'pdu', read: () => ({ type: 'other', line: '+CBM' }) },
  registration('CREG'),
  registration('CGREG'),
  registration('CEREG'),
  { match: /^\^SMMEMFULL/, read: () => ({ type: 'memory_full' }) },
  { match: /^(RDY|\^SYSSTART|\*ATREADY: 1)$/, read: () => ({ type: 'started' }) },
  {
    match: /^\+CPIN:\s*(.*)$/,
    answers: '+CPIN',
    read: (match) => ({ type: 'sim', state: match[1] ?? '' }),
  },
  {
    match: /^\+CUSD:\s*(\d)\s*(?:,\s*"(.*)"\s*(?:,\s*(\d{1,3}))?)?/s,
    answers: '+CUSD',
    continues: 'quoted',
    read: (match) => ({
      type: 'ussd',
      mode: Number(match[1]),
      text: match[2] ?? '',
      dcs: Number(match[3] ?? 15),
    }),
  },
  { match: /^\^RSSI:\s*(\d{1,2})$/, read: (match) => ({ type: 'signal', rssi: Number(match[1]) }) },
  {
    match: /^\+CSQ:\s*(\d{1,2})\s*,/,
    answers: '+CSQ',
    read: (match) => ({ type: 'signal', rssi: Number(match[1]) }),
  },
  other(/^(RING|NO CARRIER|BUSY|NO ANSWER|Call Ready|SMS Ready|SMS DONE|PB DONE|NORMAL POWER DOWN|POWERED DOWN)$/),
  other(/^\+(CRING|CLIP|CCWA|CFUN|CTZV|CTZE|CTZU|NITZ|QIND|QUSIM|CIEV|PBREADY)\b/),
];

/** A vendor's code: never part of an answer unless a command of the same name runs. */
const vendorCode = /^[\^*%$#&][A-Z]/;

/** Lines that a quoted string may run over. */
const MAX_LINES = 24;

/** Picks unsolicited codes out of the lines, at any moment, before the answer parser sees them. */
export class UnsolicitedReader {
  readonly #emit: (code: Unsolicited) => void;
  #open: { readonly pattern: Pattern; readonly lines: string[] } | undefined;

  constructor(emit: (code: Unsolicited) => void) {
    this.#emit = emit;
  }

  /** Whether the line was one, or a part of one. `expected` is the information name that a running query answers with. */
  take(line: string, expected: string | undefined): boolean {
    if (this.#open !== undefined && this.#goOn(this.#open, line)) return true;
    for (const pattern of patterns) {
      if (pattern.answers !== undefined && pattern.answers === expected) continue;
      if (!pattern.match.test(line) && !(pattern.continues === 'quoted' && isOpen(line, pattern))) continue;
      if (pattern.continues === 'pdu' || isOpen(line, pattern)) this.#open = { pattern, lines: [line] };
      else this.#read(pattern, line, '');
      return true;
    }
    if (!vendorCode.test(line) || (expected !== undefined && line.startsWith(expected))) return false;
    this.#emit({ type: 'other', line });
    return true;
  }

  /** False when the line does not belong to the open code, which is then given up. */
  #goOn(open: { readonly pattern: Pattern; readonly lines: string[] }, line: string): boolean {
    this.#open = undefined;
    if (open.pattern.continues === 'pdu') {
      if (!isHex(line)) return false;
      this.#read(open.pattern, open.lines[0] ?? '', line);
      return true;
    }
    open.lines.push(line);
    const text = open.lines.join('\n');
    if (isOpen(text, open.pattern) && open.lines.length < MAX_LINES) this.#open = open;
    else this.#read(open.pattern, text, '');
    return true;
  }

  #read(pattern: Pattern, line: string, pdu: string): void {
    const match = pattern.match.exec(line);
    if (match !== null) this.#emit(pattern.read(match, pdu));
  }
}

function isOpen(line: string, pattern: Pattern): boolean {
  return pattern.continues === 'quoted' && line.startsWith('+CUSD:') && (line.split('"').length - 1) % 2 === 1;
}

/** Whether a line is a PDU. */
export function isHex(line: string): boolean {
  return line.length >= 2 && line.length % 2 === 0 && /^[0-9A-Fa-f]+$/.test(line);
}
