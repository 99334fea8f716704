import { parameters } from './at/parameters.ts';
import { isHex } from './at/unsolicited.ts';

/** A message as it lies in a storage of the modem. */
export interface StoredPdu {
  /** <stat>: 0 received unread, 1 received read, 2 stored unsent, 3 stored sent (TS 27.005 3.1). */
  readonly stat: number;
  /** With the SMSC field. */
  readonly pdu: Uint8Array;
  /** The PDU has as many octets as the modem announced. */
  readonly whole: boolean;
}

export interface ListedPdu extends StoredPdu {
  readonly index: number;
}

/** The entries of a +CMGL answer. `+CMGL: 17,3,35` without the alpha field occurs; entries without a PDU are left out. */
export function parseListing(lines: readonly string[]): readonly ListedPdu[] {
  return entries(lines, '+CMGL:').flatMap(([head, body]) => {
    const values = parameters(head);
    const index = count(values[0]);
    const stored = storedPdu(values[1], values.at(-1), body);
    return index === undefined || stored === undefined ? [] : [{ index, ...stored }];
  });
}

/** The message of a +CMGR answer, `+CMGR: 0,"",50`; undefined when the place is empty. */
export function parseRead(lines: readonly string[]): StoredPdu | undefined {
  const [entry] = entries(lines, '+CMGR:');
  if (entry === undefined) return undefined;
  const values = parameters(entry[0]);
  return storedPdu(values[0], values.at(-1), entry[1]);
}

/** Header lines with the line behind each. */
function entries(lines: readonly string[], prefix: string): readonly (readonly [string, string])[] {
  return lines.flatMap((line, i) => (line.startsWith(prefix) ? [[line, lines[i + 1] ?? ''] as const] : []));
}

function storedPdu(statText: string | undefined, lengthText: string | undefined, hex: string): StoredPdu | undefined {
  const stat = count(statText);
  const length = count(lengthText);
  // The last entry of a listing may be cut off in mid-octet.
  const even = hex.slice(0, hex.length - (hex.length % 2));
  if (stat === undefined || length === undefined || !isHex(even)) return undefined;
  const pdu = Buffer.from(even, 'hex');
  // <length> does not count the SMSC field, whose first octet is its own length (TS 27.005 3.1).
  return { stat, pdu, whole: pdu.length >= 1 + (pdu[0] ?? 0) + length };
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : undefined;
}
