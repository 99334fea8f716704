import { decodeSeptets } from './alphabet/gsm7.ts';
import { shiftOf } from './alphabet/national.ts';
import { decodeUcs2 } from './alphabet/ucs2.ts';
import { decodeDcs } from './dcs.ts';
import type { UserData } from './user-data.ts';

/** Shown in place of a part that never arrives. */
export const PART_MISSING = '<part_missing>';

/** One part of a message, as a DELIVER or SUBMIT carries it. */
export interface PartContent {
  readonly dcs: number;
  readonly userData: UserData;
}

/** The text of one part by itself; empty for 8-bit data and for compressed text. */
export function userDataText(dcs: number, { elements, data }: UserData): string {
  const { alphabet, compressed } = decodeDcs(dcs);
  if (compressed || alphabet === '8bit') return '';
  return alphabet === 'gsm7' ? decodeSeptets(data, shiftOf(elements)) : decodeUcs2(data);
}

/**
 * The text of all parts in order, `mark` for each missing one. Neighbours of one alphabet are joined before they are
 * decoded: some senders cut through surrogate pairs and escape sequences.
 */
export function joinParts(parts: readonly (PartContent | undefined)[], mark: string = PART_MISSING): string {
  let text = '';
  for (let at = 0; at < parts.length; ) {
    const first = parts[at];
    if (first === undefined) {
      text += mark;
      at++;
      continue;
    }
    const run = [first];
    for (let next = parts[++at]; next !== undefined && readsAlike(first, next); next = parts[++at]) run.push(next);
    text += userDataText(first.dcs, { elements: first.userData.elements, data: joinData(run) });
  }
  return text;
}

/** Letters and signs of Latin-1 that occur in texts: octets with other characters are data. */
const LATIN_SIGNS: ReadonlySet<number> = new Set([
  0xa0, 0xa1, 0xa3, 0xa7, 0xab, 0xb0, 0xb2, 0xb3, 0xb4, 0xb5, 0xbb, 0xbf,
]);

const FEWEST_CHARACTERS = 4;

/**
 * The text of 8-bit data that is readable: printable ASCII, UTF-8, or Latin-1 that is mostly ASCII. Undefined for what
 * looks like data for a program. NULs at the end are padding.
 */
export function octetText(octets: Uint8Array): string | undefined {
  let end = octets.length;
  while (end > 0 && octets[end - 1] === 0) end--;
  const bytes = Buffer.from(octets.buffer, octets.byteOffset, end);
  if (end === 0 || !bytes.every(isPrintable)) return undefined;
  const high = bytes.reduce((count, octet) => count + (octet > 0x7f ? 1 : 0), 0);
  if (high === 0) return bytes.toString('latin1');
  const text = bytes.toString('utf8');
  if (!text.includes('\uFFFD')) {
    // One character alone may be chance.
    const isLikely = 2 * high <= end || [...text].length >= FEWEST_CHARACTERS;
    return isLikely && !/[\u0080-\u009f]/.test(text) ? text : undefined;
  }
  return 4 * high <= end && bytes.every(isLatin) ? bytes.toString('latin1') : undefined;
}

const isPrintable = (octet: number) =>
  (octet >= 0x20 && octet !== 0x7f) || octet === 0x0a || octet === 0x0d || octet === 0x09;

const isLatin = (octet: number) =>
  octet < 0x80 || LATIN_SIGNS.has(octet) || (octet >= 0xc0 && octet !== 0xd7 && octet !== 0xf7);

/** The octets (or septets) of the parts that are there, one after the other. */
export function joinData(parts: readonly (PartContent | undefined)[]): Uint8Array {
  const present = parts.filter((part) => part !== undefined);
  const joined = new Uint8Array(present.reduce((length, { userData }) => length + userData.data.length, 0));
  let at = 0;
  for (const { userData } of present) {
    joined.set(userData.data, at);
    at += userData.data.length;
  }
  return joined;
}

function readsAlike(a: PartContent, b: PartContent): boolean {
  const [codingA, codingB] = [decodeDcs(a.dcs), decodeDcs(b.dcs)];
  if (codingA.alphabet !== codingB.alphabet || codingA.compressed !== codingB.compressed) return false;
  const [shiftA, shiftB] = [shiftOf(a.userData.elements), shiftOf(b.userData.elements)];
  return shiftA.locking === shiftB.locking && shiftA.single === shiftB.single;
}
