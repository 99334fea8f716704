import { SmppError, status } from '../status.ts';
import { destinationAddress, type Field, listName, type TlvTable } from './layout.ts';

/** What SMPP knows of optional parameters, by their tag: the length of those that have one, octets; undefined otherwise. */
export type TlvLengths = ReadonlyMap<number, number | undefined>;

interface Rules {
  readonly layout: Readonly<Record<string, Field>>;
  /** Optional parameters that are read; others are left out, whatever is in them. */
  readonly used: TlvTable;
  readonly known: TlvLengths;
  readonly takesTlvs: boolean;
}

/**
 * Reads the body of a request into `fields`, and throws SmppError where it is not as its layout says; what comes before
 * that place is in `fields` then. NULs after the parameters, and in front of an optional one, are no fault: php-smpp ends
 * every text with one that it does not count.
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
      // What nobody knows is ignored, SMPP 3.4 3.3.
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
    // SMPP 3.4 5.2.21: no more than 254.
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
 * Whether the NUL at a place, `start` or behind it, is padding and not the first octet of a tag. It is what makes
 * everything up to the end whole parameters; of two ways, the one by which SMPP knows the parameter.
 */
function paddingFrom(body: Buffer, start: number, known: TlvLengths): (at: number) => boolean {
  /** Where the parameter at a place ends, when it is there as a whole. */
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
