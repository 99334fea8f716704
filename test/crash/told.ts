/** One text that a client sent, and what it was told. */
export interface Send {
  /** What its text says again and again, `out0000012`: each of its parts is known by it. */
  readonly name: string;
  readonly recipients: readonly string[];
  readonly parts: number;
  /** Repeated with the same reference until it is acknowledged; without one it is tried once. */
  readonly clientRef: string | undefined;
  acknowledged: boolean;
  /** Of each recipient's message, once it is known. */
  ids: readonly number[];
}

/** One message that was sent to the gateway. */
export interface Arrival {
  readonly text: string;
  readonly name: string;
  readonly parts: number;
  /** A delete was asked for; `done` when it was acknowledged. */
  deleted: 'no' | 'asked' | 'done';
  /** Under which it was shown. */
  shown?: { readonly id: number; readonly index: number };
}

/** What everybody was told, over all kills. */
export class Told {
  readonly sends: Send[] = [];
  /** By text. */
  readonly arrivals = new Map<string, Arrival>();
  /** What contradicts something that was told before. */
  readonly contradictions: string[] = [];
  readonly #indexes = new Map<number, string>();
  #count = 0;

  /** Not given before. */
  nextName(kind: 'in' | 'out'): string {
    this.#count += 1;
    return `${kind}${String(this.#count).padStart(7, '0')}`;
  }

  acknowledge(send: Send, ids: readonly number[]): void {
    if (send.acknowledged && send.ids.join() !== ids.join()) {
      this.contradictions.push(`${send.name} was accepted as ${send.ids.join()} and again as ${ids.join()}`);
    }
    send.acknowledged = true;
    send.ids = ids;
  }

  /** The inbox shows a text; gives the message that it is. */
  show(text: string, id: number, index: number): Arrival | undefined {
    const arrival = this.arrivals.get(text);
    if (arrival === undefined) {
      this.contradictions.push(`nobody sent: ${text.slice(0, 20)}`);
      return undefined;
    }
    const { name, shown } = arrival;
    if (shown !== undefined && (shown.id !== id || shown.index !== index)) {
      this.contradictions.push(`${name} was shown as ${shown.id} at ${shown.index} and as ${id} at ${index}`);
    }
    const other = this.#indexes.get(index);
    if (other !== undefined && other !== name)
      this.contradictions.push(`index ${index} was of ${other} and of ${name}`);
    this.#indexes.set(index, name);
    arrival.shown = { id, index };
    return arrival;
  }
}

/** The name again and again, so that it stands in each of the parts. */
export function textOf(name: string, parts: number): string {
  // 153 characters a part, and 11 with its blank each time.
  return parts === 1 ? name : `${name} `.repeat(Math.floor((parts * 153) / 11)).trimEnd();
}
