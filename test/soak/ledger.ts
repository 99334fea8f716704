/** Where a message must come to. */
const sinks = ['network', 'inbox', 'http', 'mail', 'sms', 'webhook', 'mqtt', 'smpp', 'hook', 'reply', 'rule'] as const;
export type Sink = (typeof sinks)[number];

const bitOf = Object.fromEntries(sinks.map((sink, at) => [sink, 1 << at])) as Readonly<Record<Sink, number>>;

interface Waiting {
  readonly reached: () => boolean;
  readonly resolve: () => void;
}

/** How many of those that came last count as on their way: whoever handed them over may not know yet that they came. */
const JUST_CAME = 32;

/**
 * Each message with its name, where it must come to, and where it has been. A name is a letter and the message's own number:
 * sets of bits by number know of every message of the run, so that a copy is seen to be one however late it comes.
 */
export class Ledger {
  readonly faults: string[] = [];
  /** Messages that were put in; those that came to all places, each once. */
  entered = 0;
  settled = 0;
  /** Copies, in all, at each place. */
  readonly arrivals = new Map<Sink, number>();
  /** Copies too many of messages that were on their way when something was lost or restarted, which at-least-once allows. */
  readonly repeats = new Map<Sink, number>();
  #missing = new Uint16Array(1024);
  #seen = new Uint16Array(1024);
  /** Where a second copy is allowed. */
  #allowed = new Uint16Array(1024);
  /** The same for those that are put in now. */
  #allowedNow = 0;
  /** Called with each arrival. */
  onArrival: () => void = () => {};
  readonly #open = new Set<string>();
  #justCame: string[] = [];
  #waiting: Waiting[] = [];
  #progress = 0;

  /** To be called before the message is handed over. */
  expect(name: string, ...places: readonly Sink[]): void {
    const number = numberOf(name);
    this.#reserve(number);
    this.entered += 1;
    this.#open.add(name);
    this.#missing[number] = bitsOf(places);
    this.#allowed[number] = this.#allowedNow;
  }

  /** The message was refused: it must come nowhere. */
  refused(name: string): void {
    this.entered -= 1;
    this.#missing[numberOf(name)] = 0;
    this.#close(name);
  }

  /** Something was lost: messages that are on their way now, or have just come, may come to these places twice. */
  allow(places: readonly Sink[]): void {
    for (const name of [...this.#open, ...this.#justCame]) {
      const number = numberOf(name);
      this.#allowed[number] = (this.#allowed[number] ?? 0) | bitsOf(places);
    }
  }

  /** Something is being restarted: so may those that are put in from now on, until the next call. */
  allowFromNow(places: readonly Sink[]): void {
    this.allow(places);
    this.#allowedNow = bitsOf(places);
  }

  arrived(name: string, sink: Sink): void {
    this.#progress += 1;
    this.onArrival();
    this.arrivals.set(sink, (this.arrivals.get(sink) ?? 0) + 1);
    const number = numberOf(name);
    const bit = bitOf[sink];
    const missing = this.#missing[number] ?? 0;
    const seen = this.#seen[number] ?? 0;
    if ((missing & bit) !== 0) {
      this.#missing[number] = missing & ~bit;
      this.#seen[number] = seen | bit;
      if (missing !== bit) return;
      this.settled += 1;
      this.#close(name);
    } else if ((seen & bit) === 0) this.faults.push(`${name} came to ${sink}, and nobody sent it there`);
    else if (((this.#allowed[number] ?? 0) & bit) !== 0) this.repeats.set(sink, (this.repeats.get(sink) ?? 0) + 1);
    else this.faults.push(`${name} came to ${sink} twice`);
  }

  /** Messages that are not at all their places yet. */
  get open(): number {
    return this.#open.size;
  }

  /** Arrivals so far. */
  get progress(): number {
    return this.#progress;
  }

  /** Resolves as soon as no more than so many messages are open. */
  async downTo(open: number): Promise<void> {
    await this.#until(() => this.open <= open);
  }

  /** Resolves as soon as so many are settled, and when what is missing is given up. */
  async upTo(settled: number): Promise<void> {
    await this.#until(() => this.settled >= settled);
  }

  async #until(reached: () => boolean): Promise<void> {
    if (!reached()) await new Promise<void>((resolve) => this.#waiting.push({ reached, resolve }));
  }

  /** What is missing now is lost. */
  giveUp(): void {
    for (const name of this.#open) {
      const missing = this.#missing[numberOf(name)] ?? 0;
      this.#missing[numberOf(name)] = 0;
      const places = sinks.filter((sink) => (missing & bitOf[sink]) !== 0);
      this.faults.push(`${name} was lost on its way to ${places.join()}`);
    }
    this.#open.clear();
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  #close(name: string): void {
    this.#open.delete(name);
    if (this.#justCame.push(name) > JUST_CAME) this.#justCame.shift();
    this.#wake();
  }

  #wake(): void {
    const due = this.#waiting.filter(({ reached }) => reached());
    if (due.length === 0) return;
    this.#waiting = this.#waiting.filter((waiting) => !due.includes(waiting));
    for (const { resolve } of due) resolve();
  }

  #reserve(number: number): void {
    if (number < this.#missing.length) return;
    const grown = (bits: Uint16Array) => {
      const more = new Uint16Array(Math.max(number + 1, 2 * bits.length));
      more.set(bits);
      return more;
    };
    this.#missing = grown(this.#missing);
    this.#seen = grown(this.#seen);
    this.#allowed = grown(this.#allowed);
  }
}

const bitsOf = (places: readonly Sink[]): number => places.reduce((bits, sink) => bits | bitOf[sink], 0);
const numberOf = (name: string): number => Number(name.slice(1));
