/** Octets that a disk writes as one, unless the power goes in the middle of them. */
export const SECTOR = 512;

/** What becomes of the writes that no flush has made safe when the power goes. */
export type CutKind =
  /** All of them are gone. */
  | 'dropped'
  /** All of them are there. */
  | 'kept'
  /** Those up to a moment are there; the sector that was being written is half new. */
  | 'torn'
  /** Of each sector any version since the last flush is there, whatever the order they were written in. */
  | 'disordered';

export const cutKinds: readonly CutKind[] = ['dropped', 'kept', 'torn', 'disordered'];

interface Write {
  readonly offset: number;
  readonly data: Buffer;
}

/** A disk with a cache that forgets: what was written is safe when a flush after it has ended, and not before. */
export class VolatileDisk {
  /** As whoever reads sees it. */
  readonly #seen: Buffer;
  /** As the last flush left it. */
  readonly #safe: Buffer;
  #writes: Write[] = [];
  #flushes = 0;

  /** `size`: octets, a multiple of SECTOR. */
  constructor(size: number) {
    this.#seen = Buffer.alloc(size);
    this.#safe = Buffer.alloc(size);
  }

  get size(): number {
    return this.#seen.length;
  }

  get flushes(): number {
    return this.#flushes;
  }

  read(offset: number, length: number): Buffer {
    return this.#seen.subarray(offset, offset + length);
  }

  /** Gives the octets written: none beyond the end. */
  write(offset: number, data: Buffer): number {
    const count = data.copy(this.#seen, offset);
    this.#writes.push({ offset, data: Buffer.from(data.subarray(0, count)) });
    return count;
  }

  /** Begins to make safe what was written up to now; the result does it. */
  flush(): () => void {
    const last = this.#writes.at(-1);
    return () => {
      const count = last === undefined ? 0 : this.#writes.indexOf(last) + 1;
      for (const { offset, data } of this.#writes.splice(0, count)) data.copy(this.#safe, offset);
      this.#flushes += 1;
    };
  }

  /** The power goes and comes back. Gives how many writes were not safe. */
  cut(kind: CutKind, random: () => number): number {
    const unsafe = this.#writes.length;
    if (kind === 'disordered') this.#disorder(random);
    else {
      const end = { dropped: 0, kept: unsafe, torn: Math.floor(random() * unsafe) }[kind];
      for (const { offset, data } of this.#writes.slice(0, end)) data.copy(this.#safe, offset);
      if (kind === 'torn') this.#tear(this.#writes[end], random);
    }
    this.#writes = [];
    this.#safe.copy(this.#seen);
    return unsafe;
  }

  #disorder(random: () => number): void {
    const versions = new Map<number, Buffer[]>();
    for (const { offset, data } of this.#writes) {
      for (let at = 0; at < data.length; at += SECTOR) {
        const known = versions.get(offset + at) ?? [];
        versions.set(offset + at, [...known, data.subarray(at, at + SECTOR)]);
      }
    }
    for (const [offset, each] of versions) each[Math.floor(random() * (each.length + 1))]?.copy(this.#safe, offset);
  }

  /** Only so many octets of the write are there. */
  #tear(write: Write | undefined, random: () => number): void {
    if (write === undefined) return;
    const { offset, data } = write;
    const octets = Math.floor(random() * data.length);
    const sector = octets - (octets % SECTOR);
    // A file system survives lost and disordered sectors of its own, not half ones: those are for the content of files.
    const end = isText(data.subarray(sector, sector + SECTOR)) ? octets : sector;
    data.copy(this.#safe, offset, 0, end);
  }
}

/** Whether a sector holds lines of text, and zeros after them. */
function isText(sector: Buffer): boolean {
  const zeros = sector.indexOf(0);
  const end = zeros < 0 ? sector.length : zeros;
  const printable = (octet: number) => octet === 0x0a || (octet >= 0x20 && octet !== 0x7f);
  return end > 0 && sector.subarray(0, end).every(printable) && sector.subarray(end).every((octet) => octet === 0);
}
