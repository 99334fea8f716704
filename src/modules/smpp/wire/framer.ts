/** Octets of a PDU's header, SMPP 3.4 3.2. */
export const HEADER = 16;
/** A message_payload of 64 KB and all other fields fit. */
export const MAX_PDU = 70_000;
/** A bind has 98 octets at the most, without TLVs: nobody who is not bound needs more. */
export const MAX_UNBOUND_PDU = 1024;

/** Chunks that are kept apart: a client may send single octets. */
const MAX_CHUNKS = 64;

/** The stream cannot be followed any more. */
export class FramingError extends Error {
  /** 0 when it was not to be read. */
  readonly sequence: number;

  constructor(length: number, sequence: number) {
    super(`command_length ${length}`);
    this.name = 'FramingError';
    this.sequence = sequence;
  }
}

/** Cuts a stream into PDUs. Keeps one PDU and what came with it, and allocates nothing for a length that is not allowed. */
export class Framer {
  /** Longest PDU that is taken, octets. */
  limit = MAX_UNBOUND_PDU;
  #chunks: Buffer[] = [];
  #length = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#chunks.length > MAX_CHUNKS) this.#join();
  }

  /** The next whole PDU that is there. Throws FramingError. */
  next(): Buffer | undefined {
    if (this.#length < 4) return undefined;
    const head = this.#head(Math.min(HEADER, this.#length));
    const length = head.readUInt32BE(0);
    if (length < HEADER || length > this.limit) {
      throw new FramingError(length, head.length < HEADER ? 0 : head.readUInt32BE(12));
    }
    return this.#length < length ? undefined : this.#take(length);
  }

  /** The first chunk, which has at least `octets`. */
  #head(octets: number): Buffer {
    const [first] = this.#chunks;
    return first !== undefined && first.length >= octets ? first : this.#join();
  }

  #join(): Buffer {
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  #take(octets: number): Buffer {
    const first = this.#head(octets);
    this.#length -= octets;
    if (first.length === octets) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(octets);
    return first.subarray(0, octets);
  }
}
