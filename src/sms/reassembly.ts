import type { Concatenation } from './information-elements.ts';

/** A part that waits for the others of its message; its octets may be stored elsewhere. */
export interface PartRecord {
  /** From 1 to the total of its set, as `concatenationOf` guarantees. */
  readonly sequence: number;
  /** Equal for two parts exactly when they are one part that came twice: a digest of the TPDU. */
  readonly fingerprint: string;
  /** TP-SCTS, ms since the epoch. */
  readonly time: number;
}

/**
 * Parts with one key and one sender may belong together: same reference, kind of reference and total. The service
 * centre is left out because it can differ between the parts of one message.
 */
export function groupKey({ bits, reference, total }: Concatenation): string {
  return `${bits}:${reference}:${total}`;
}

/** The parts of one message that have arrived so far. */
export class PartSet {
  readonly total: number;
  readonly #parts = new Map<number, PartRecord>();

  constructor(total: number) {
    this.total = total;
  }

  get complete(): boolean {
    return this.#parts.size === this.total;
  }

  /** Sequence numbers still awaited. */
  get missing(): readonly number[] {
    return Array.from({ length: this.total }, (_, at) => at + 1).filter((sequence) => !this.#parts.has(sequence));
  }

  get(sequence: number): PartRecord | undefined {
    return this.#parts.get(sequence);
  }

  /** A `collision` is another message's part under the same reference: it is not taken and needs a set of its own. */
  add(part: PartRecord): 'added' | 'duplicate' | 'collision' {
    const present = this.#parts.get(part.sequence);
    if (present !== undefined) return present.fingerprint === part.fingerprint ? 'duplicate' : 'collision';
    this.#parts.set(part.sequence, part);
    return 'added';
  }

  /** Milliseconds between a time and the nearest part. */
  distance(time: number): number {
    let distance = Number.POSITIVE_INFINITY;
    for (const part of this.#parts.values()) distance = Math.min(distance, Math.abs(part.time - time));
    return distance;
  }
}

export interface Placement {
  readonly set: PartSet;
  readonly outcome: 'added' | 'duplicate';
}

/**
 * Adds a part to one of the sets of its key, oldest first: a known part is a duplicate; of the sets that miss this part
 * the one nearest in time takes it, the newest of equals. Undefined when a new set must be opened for it.
 */
export function placePart(sets: readonly PartSet[], part: PartRecord): Placement | undefined {
  const holder = sets.find((set) => set.get(part.sequence)?.fingerprint === part.fingerprint);
  if (holder) return { set: holder, outcome: 'duplicate' };
  let nearest: PartSet | undefined;
  for (const set of sets) {
    if (set.get(part.sequence) !== undefined) continue;
    if (nearest === undefined || set.distance(part.time) <= nearest.distance(part.time)) nearest = set;
  }
  if (nearest?.add(part) !== 'added') return undefined;
  return { set: nearest, outcome: 'added' };
}
