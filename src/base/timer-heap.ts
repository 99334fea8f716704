/** Longest span that a timer of Node takes: 2^31 - 1 ms, about 24 days. */
const LONGEST = 2_147_483_647;

interface Timer {
  /** When it is due, by `performance.now`. */
  readonly at: number;
  /** Of two that are due at the same moment, the one that was set first. */
  readonly turn: number;
  readonly callback: () => void;
  /** In the heap; -1 when it is not there. */
  place: number;
}

const isBefore = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.turn < b.turn);

/**
 * Timers that are mostly cancelled: each message has some deadlines, and hardly one is ever reached. They wait in a heap for one
 * timer of Node, which does not keep the process alive. Node's own cost three to four times as much to set and to cancel.
 */
export class TimerHeap {
  /** Each timer stands before those at twice its place, plus one and two. */
  readonly #heap: Timer[] = [];
  #turns = 0;
  #node: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #armedFor = Number.POSITIVE_INFINITY;

  /** Calls back once after `ms`, each in a turn of the event loop of its own. The result cancels it. */
  after(ms: number, callback: () => void): () => void {
    const timer: Timer = {
      at: performance.now() + Math.max(0, ms || 0),
      turn: this.#turns++,
      callback,
      place: this.#heap.length,
    };
    this.#heap.push(timer);
    this.#rise(timer);
    if (timer.at < this.#armedFor) this.#arm();
    return () => this.#remove(timer);
  }

  /** One that was cancelled may have been the first: then Node's timer finds nothing due, and waits for the next. */
  #arm(): void {
    // Of a timer that does not keep the process alive Node would keep the list of its length until that has passed.
    this.#node?.ref();
    clearTimeout(this.#node);
    clearImmediate(this.#immediate);
    const [first] = this.#heap;
    this.#armedFor = first?.at ?? Number.POSITIVE_INFINITY;
    if (first === undefined) return;
    const left = Math.ceil(first.at - performance.now());
    const fire = () => this.#fire();
    // Many may be due: a timer of Node takes a millisecond at least.
    if (left > 0) this.#node = setTimeout(fire, Math.min(left, LONGEST)).unref();
    else this.#immediate = setImmediate(fire);
  }

  #fire(): void {
    const [first] = this.#heap;
    try {
      if (first === undefined || first.at > performance.now()) return;
      this.#remove(first);
      first.callback();
    } finally {
      this.#arm();
    }
  }

  #remove(timer: Timer): void {
    if (timer.place === -1) return;
    const { place } = timer;
    timer.place = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === timer) return;
    this.#put(last, place);
    this.#rise(last);
    this.#sink(last);
  }

  #put(timer: Timer, place: number): void {
    timer.place = place;
    this.#heap[place] = timer;
  }

  #rise(timer: Timer): void {
    while (timer.place > 0) {
      const above = this.#heap[(timer.place - 1) >> 1];
      if (above === undefined || isBefore(above, timer)) return;
      const { place } = timer;
      this.#put(timer, above.place);
      this.#put(above, place);
    }
  }

  #sink(timer: Timer): void {
    for (;;) {
      const left = this.#heap[2 * timer.place + 1];
      const right = this.#heap[2 * timer.place + 2];
      const first = right !== undefined && left !== undefined && isBefore(right, left) ? right : left;
      if (first === undefined || isBefore(timer, first)) return;
      const { place } = timer;
      this.#put(timer, first.place);
      this.#put(first, place);
    }
  }
}
