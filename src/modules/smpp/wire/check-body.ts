import { SmppError, status } from '../status.ts';
import { destinationAddress, type Field, listName } from './layout.ts';

/** What is known of optional parameters, by their tag: the length of those that have one, octets; undefined otherwise. */
export type TlvLengths = ReadonlyMap<number, number | undefined>;

interface Rules {
  readonly layout: Readonly<Record<string, Field>>;
  readonly tlvs: TlvLengths;
  readonly takesTlvs: boolean;
}

/**
 * Walks through the body of a request and throws SmppError where it is not as its layout says. The package reads on
 * beyond the end of fields, of TLVs and of the PDU, and leaves out what is not there; after this check it cannot.
 */
export function checkBody(body: Buffer, { layout, tlvs, takesTlvs }: Rules): void {
  const walk = new Walk(body);
  for (const field of Object.values(layout)) walk.field(field);
  walk.tlvs(tlvs, takesTlvs);
}

class Walk {
  readonly #body: Buffer;
  #at = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  field(field: Field): void {
    switch (field.kind) {
      case 'int':
        this.#octet();
        return;
      case 'text':
        this.#text(field);
        return;
      case 'octets':
        this.#octets();
        return;
      case 'destinations':
        this.#destinations();
    }
  }

  tlvs(lengths: TlvLengths, allowed: boolean): void {
    const body = this.#body;
    while (this.#at < body.length) {
      if (body.length - this.#at < 4) throw new SmppError(status.RINVTLVSTREAM);
      const tag = body.readUInt16BE(this.#at);
      const length = body.readUInt16BE(this.#at + 2);
      this.#at += 4 + length;
      if (this.#at > body.length) throw new SmppError(status.RINVTLVLEN);
      const wanted = lengths.get(tag);
      if (wanted !== undefined && wanted !== length) throw new SmppError(status.RINVTLVLEN);
      // What nobody knows is ignored, SMPP 3.4 3.3.
      if (!allowed && lengths.has(tag)) throw new SmppError(status.RTLVNOTALLWD);
    }
  }

  #octet(): number {
    const octet = this.#body[this.#at++];
    if (octet === undefined) throw new SmppError(status.RINVCMDLEN);
    return octet;
  }

  #text({ max, status: unfit }: { readonly max: number; readonly status: number }): void {
    const end = this.#body.indexOf(0, this.#at);
    if (end < 0) throw new SmppError(status.RINVCMDLEN);
    if (end - this.#at >= max) throw new SmppError(unfit);
    // The package drops the eighth bit, and so would take one name for another.
    for (; this.#at < end; this.#at++) if ((this.#body[this.#at] ?? 0) > 0x7f) throw new SmppError(unfit);
    this.#at += 1;
  }

  #octets(): void {
    const length = this.#octet();
    // SMPP 3.4 5.2.21: 254 at the most.
    if (length > 254 || this.#at + length > this.#body.length) throw new SmppError(status.RINVMSGLEN);
    this.#at += length;
  }

  #destinations(): void {
    const count = this.#octet();
    if (count === 0 || count > 254) throw new SmppError(status.RINVNUMDESTS);
    for (let left = count; left > 0; left--) {
      const flag = this.#octet();
      if (flag === 1) {
        this.#octet();
        this.#octet();
        this.#text(destinationAddress);
      } else if (flag === 2) this.#text(listName);
      else throw new SmppError(status.RINVDESTFLAG);
    }
  }
}
