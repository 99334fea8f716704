/**
 * Decodes and encodes PDUs. The only file that imports the package `smpp`, and only its tables and the writer of PDUs: its
 * reader, framing, sessions and time-outs crash on malformed input or grow without limit. Side effect: the filters are
 * deleted from the package's tables, for the whole process.
 */
import smpp from 'smpp';
import {
  destinationAddress,
  type Field,
  type Fields,
  HEADER,
  layouts,
  listName,
  type RequestName,
  type TlvTable,
  usedTlvs,
  withoutTlvs,
} from './layout.ts';
import { SmppError, status } from './status.ts';

// The filters misread data_coding, take relative times for local ones, and set a global variable, which throws where the
// package is bundled in strict mode. Without them octets stay octets.
for (const { params = {} } of Object.values(smpp.commands)) {
  for (const parameter of Object.values(params)) delete parameter.filter;
}
for (const tlv of Object.values(smpp.tlvs)) delete tlv.filter;

const RESPONSE = 0x8000_0000;

const { int8, int16, int32 } = smpp.types;
const intLengths = new Map([
  [int8, 1],
  [int16, 2],
  [int32, 4],
]);
const known: TlvLengths = new Map(Object.values(smpp.tlvs).map(({ id, type }) => [id, intLengths.get(type)]));

interface Header {
  readonly sequence: number;
}

interface PartlyRead {
  readonly fields: Readonly<Record<string, unknown>>;
}

export type Request = {
  readonly [C in RequestName]: Header & {
    readonly type: 'request';
    readonly command: C;
    readonly fields: Fields<C>;
  };
}[RequestName];

export type Pdu =
  | Request
  | (Header & { readonly type: 'response'; readonly status: number })
  /** To be answered with the status. `fields` holds the parameters before the fault. */
  | (Header & { readonly type: 'malformed'; readonly command: RequestName; readonly status: number } & PartlyRead)
  /** An unknown command, or one that no client sends. */
  | (Header & { readonly type: 'unknown' });

/** Decodes a whole PDU. Never throws. */
export function decodePdu(octets: Buffer): Pdu {
  const id = octets.readUInt32BE(4);
  const sequence = octets.readUInt32BE(12);
  // Only the status of a response is used.
  if (id >= RESPONSE) return { type: 'response', sequence, status: octets.readUInt32BE(8) };
  const command = smpp.commandsById[id]?.command;
  if (command === undefined || !isRequest(command)) return { type: 'unknown', sequence };
  const fields: Record<string, unknown> = {};
  try {
    const takesTlvs = !withoutTlvs.has(command);
    const rules = { layout: layouts[command], used: usedTlvs(command), known, takesTlvs };
    readBody(octets.subarray(HEADER), rules, fields);
    // Every field of the layout is there now, each of the kind that the layout gives it.
    return { type: 'request', command, sequence, fields } as Request;
  } catch (error) {
    const value = error instanceof SmppError ? error.status : status.RINVCMDLEN;
    return { type: 'malformed', command, sequence, status: value, fields };
  }
}

type OwnRequest = 'deliver_sm' | 'enquire_link' | 'unbind';
type FieldValue = number | string | Buffer | readonly object[];

export interface PduToSend {
  readonly command: OwnRequest | `${RequestName}_resp` | 'generic_nack';
  readonly sequence: number;
  /** With a status other than 0, most PDUs have no body. */
  readonly status?: number;
  readonly fields?: Readonly<Record<string, FieldValue>>;
}

/**
 * Responses that keep their body with an error: SMPP 3.4 4.1.6, 4.5.2, 4.7.2 and 4.8.2 do not leave it out, as 4.1.2,
 * 4.1.4 and 4.4.2 do. Without it clients close the session, or wait for ever.
 */
const bodyOnError: ReadonlySet<PduToSend['command']> = new Set<PduToSend['command']>([
  'bind_transceiver_resp',
  'submit_multi_resp',
  'data_sm_resp',
  'query_sm_resp',
]);

export function encodePdu({ command, sequence, status: value = status.ROK, fields = {} }: PduToSend): Buffer {
  // The package writes no body with a status other than 0.
  const written = bodyOnError.has(command) ? status.ROK : value;
  const octets = new smpp.PDU(command, { ...fields, sequence_number: sequence, command_status: written }).toBuffer();
  octets.writeUInt32BE(value, 8);
  return octets;
}

function isRequest(command: string): command is RequestName {
  return Object.hasOwn(layouts, command);
}

/** The optional parameters of SMPP 3.4 by tag: the length of those with a fixed one, in octets, else undefined. */
export type TlvLengths = ReadonlyMap<number, number | undefined>;

interface Rules {
  readonly layout: Readonly<Record<string, Field>>;
  /** Optional parameters that are read; others are skipped. */
  readonly used: TlvTable;
  readonly known: TlvLengths;
  readonly takesTlvs: boolean;
}

/**
 * Reads the body of a request into `fields`. Throws SmppError where the body breaks its layout; `fields` then holds the
 * parameters before. NULs after the parameters, and in front of an optional one, are accepted: php-smpp ends every text
 * with a NUL outside its length.
 */
export function readBody(body: Buffer, rules: Rules, fields: Record<string, unknown>): void {
  const walk = new Walk(body);
  for (const [name, field] of Object.entries(rules.layout)) fields[name] = walk.field(field);
  walk.tlvs(rules, fields);
}

class Walk {
  readonly #body: Buffer;
  #at = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  field(field: Field): unknown {
    switch (field.kind) {
      case 'int':
        return this.#octet();
      case 'text':
        return this.#text(field);
      case 'octets':
        return this.#octets();
      case 'destinations':
        return this.#destinations();
    }
  }

  tlvs({ used, known, takesTlvs }: Rules, fields: Record<string, unknown>): void {
    const body = this.#body;
    const names = new Map(Object.entries(used).map(([name, { tag, length }]) => [tag, { name, wanted: length }]));
    let padding: ((at: number) => boolean) | undefined;
    while (this.#at < body.length) {
      if (body[this.#at] === 0) {
        padding ??= paddingFrom(body, this.#at, known);
        if (padding(this.#at)) {
          this.#at += 1;
          continue;
        }
      }
      if (body.length - this.#at < 4) throw new SmppError(status.RINVTLVSTREAM);
      const tag = body.readUInt16BE(this.#at);
      const length = body.readUInt16BE(this.#at + 2);
      const value = body.subarray(this.#at + 4, this.#at + 4 + length);
      this.#at += 4 + length;
      if (value.length < length) throw new SmppError(status.RINVTLVLEN);
      // Unknown parameters are ignored, SMPP 3.4 3.3.
      if (!takesTlvs && known.has(tag)) throw new SmppError(status.RTLVNOTALLWD);
      const read = names.get(tag);
      if (read === undefined) continue;
      if (read.wanted !== undefined && read.wanted !== length) throw new SmppError(status.RINVTLVLEN);
      fields[read.name] = read.wanted === undefined ? value : value.readUIntBE(0, length);
    }
  }

  #octet(): number {
    const octet = this.#body[this.#at++];
    if (octet === undefined) throw new SmppError(status.RINVCMDLEN);
    return octet;
  }

  #text({ max, status: unfit, anyOctets = false }: Extract<Field, { kind: 'text' }>): string {
    const end = this.#body.indexOf(0, this.#at);
    if (end < 0) throw new SmppError(status.RINVCMDLEN);
    const octets = this.#body.subarray(this.#at, end);
    if (octets.length >= max) throw new SmppError(unfit);
    if (!anyOctets && octets.some((octet) => octet > 0x7f)) throw new SmppError(unfit);
    this.#at = end + 1;
    return octets.toString('latin1');
  }

  #octets(): Buffer {
    const length = this.#octet();
    // SMPP 3.4 5.2.21: at most 254.
    if (length > 254 || this.#at + length > this.#body.length) throw new SmppError(status.RINVMSGLEN);
    this.#at += length;
    return this.#body.subarray(this.#at - length, this.#at);
  }

  #destinations(): readonly object[] {
    const count = this.#octet();
    if (count === 0 || count > 254) throw new SmppError(status.RINVNUMDESTS);
    return Array.from({ length: count }, () => {
      const flag = this.#octet();
      if (flag === 2) return { dl_name: this.#text(listName) };
      if (flag !== 1) throw new SmppError(status.RINVDESTFLAG);
      return {
        dest_addr_ton: this.#octet(),
        dest_addr_npi: this.#octet(),
        destination_addr: this.#text(destinationAddress),
      };
    });
  }
}

/**
 * Decides whether the NUL at an offset, from `start` on, is padding or the first octet of a tag. The right reading splits
 * the rest of the body into whole parameters; where both readings do, a parameter that SMPP knows decides.
 */
function paddingFrom(body: Buffer, start: number, known: TlvLengths): (at: number) => boolean {
  /** End of the parameter at an offset; undefined when it is not whole. */
  const end = (at: number): number | undefined => {
    const end = at + 4 <= body.length ? at + 4 + body.readUInt16BE(at + 2) : Number.POSITIVE_INFINITY;
    return end <= body.length ? end : undefined;
  };
  const whole = new Uint8Array(body.length - start + 1);
  const isWhole = (at: number | undefined): boolean => at !== undefined && whole[at - start] === 1;
  whole[body.length - start] = 1;
  for (let at = body.length - 1; at >= start; at--) {
    if (isWhole(end(at)) || (body[at] === 0 && isWhole(at + 1))) whole[at - start] = 1;
  }
  return (at) => {
    if (!isWhole(end(at))) return true;
    const tag = body.readUInt16BE(at);
    const length = known.get(tag);
    const plausible = known.has(tag) && (length === undefined || length === body.readUInt16BE(at + 2));
    return !plausible && isWhole(at + 1);
  };
}
