/** Where a message must come to. */
export type Sink =
  | 'network'
  | 'inbox'
  | 'http'
  | 'mail'
  | 'sms'
  | 'webhook'
  | 'mqtt'
  | 'smpp'
  | 'hook'
  | 'reply'
  | 'rule';

interface Open {
  readonly missing: Set<Sink>;
  readonly seen: Set<Sink>;
}

/** How many messages stay known after they are settled, so that a late copy is seen to be one. */
const REMEMBERED = 20_000;

/** Each message with its name, where it must come to, and where it has been. */
export class Ledger {
  readonly faults: string[] = [];
  /** Messages that were put in; those that came to all places, each once. */
  entered = 0;
  settled = 0;
  /** Copies, in all, at each place. */
  readonly arrivals = new Map<Sink, number>();
  /** Copies too many while something was lost or restarted, which at-least-once allows. */
  readonly repeats = new Map<Sink, number>();
  /** Places at which a second copy is allowed for now. */
  tolerated: ReadonlySet<Sink> = new Set();
  readonly #open = new Map<string, Open>();
  readonly #closed = new Set<string>();

  /** To be called before the message is handed over. */
  expect(name: string, ...sinks: readonly Sink[]): void {
    this.entered += 1;
    this.#open.set(name, { missing: new Set(sinks), seen: new Set() });
  }

  /** The message was refused: it must come nowhere. */
  refused(name: string): void {
    this.entered -= 1;
    this.#open.delete(name);
  }

  arrived(name: string, sink: Sink): void {
    this.arrivals.set(sink, (this.arrivals.get(sink) ?? 0) + 1);
    const open = this.#open.get(name);
    if (open?.missing.delete(sink)) {
      open.seen.add(sink);
      if (open.missing.size === 0) this.#close(name);
    } else if (open === undefined && !this.#closed.has(name))
      this.faults.push(`${name} came to ${sink}, and nobody sent it there`);
    else if (this.tolerated.has(sink)) this.repeats.set(sink, (this.repeats.get(sink) ?? 0) + 1);
    else this.faults.push(`${name} came to ${sink} twice`);
  }

  get open(): number {
    return this.#open.size;
  }

  /** What is missing now is lost. */
  giveUp(): void {
    for (const [name, { missing }] of this.#open)
      this.faults.push(`${name} was lost on its way to ${[...missing].join()}`);
    this.#open.clear();
  }

  #close(name: string): void {
    this.settled += 1;
    this.#open.delete(name);
    this.#closed.add(name);
    const [oldest] = this.#closed;
    if (this.#closed.size > REMEMBERED && oldest !== undefined) this.#closed.delete(oldest);
  }
}
