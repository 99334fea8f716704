/** TS 27.005 3.1 <stat>: received unread, received read, stored unsent, stored sent. */
export type MessageState = 0 | 1 | 2 | 3;

export interface StoredMessage {
  state: MessageState;
  /** With the SMSC field in front. */
  readonly pdu: Uint8Array;
}

/** One message storage of the SIM or the modem: numbered places, the lowest free one is taken first. */
export class MessageMemory {
  readonly #places: (StoredMessage | undefined)[];
  readonly #base: number;
  #limit: number | undefined;

  constructor(size: number, base: number) {
    this.#places = new Array<StoredMessage | undefined>(size).fill(undefined);
    this.#base = base;
  }

  get used(): number {
    return this.#places.reduce((count, place) => (place === undefined ? count : count + 1), 0);
  }

  get total(): number {
    return this.#limit ?? this.#places.length;
  }

  get full(): boolean {
    return this.used >= this.total;
  }

  /** Holds no more than it does now, until `unlimit`. */
  limit(): void {
    this.#limit = this.used;
  }

  unlimit(): void {
    this.#limit = undefined;
  }

  /** Lowest and highest index that there may be. */
  get range(): readonly [number, number] {
    return [this.#base, this.#base + this.#places.length - 1];
  }

  inRange(index: number): boolean {
    return index >= this.#base && index < this.#base + this.#places.length;
  }

  /** The index it got, or undefined when there is no room. */
  add(message: StoredMessage): number | undefined {
    const place = this.full ? -1 : this.#places.indexOf(undefined);
    if (place < 0) return undefined;
    this.#places[place] = message;
    return place + this.#base;
  }

  get(index: number): StoredMessage | undefined {
    return this.#places[index - this.#base];
  }

  /** False when there was nothing. */
  delete(index: number): boolean {
    if (this.get(index) === undefined) return false;
    this.#places[index - this.#base] = undefined;
    return true;
  }

  *entries(): Generator<readonly [number, StoredMessage]> {
    for (const [place, message] of this.#places.entries()) {
      if (message !== undefined) yield [place + this.#base, message];
    }
  }
}
