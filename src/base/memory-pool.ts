import { onAbort } from './abort.ts';
import type { Clock } from './clock.ts';
import { GatewayError } from './errors.ts';
import type { JsonObject } from './json.ts';
import { Mutex } from './mutex.ts';

/** Octets that somebody holds of a pool, until `release`. */
export interface Lease {
  /** From now on it holds so many. Never refused: whoever has begun must be able to end. */
  resize(octets: number): void;
  /** Once is enough, and more do no harm. */
  release(): void;
}

export interface PoolOptions {
  /** What would be too much, for the error: `answers`. */
  readonly what: string;
  /** Octets. Something larger comes in when it is alone. */
  readonly limit: number;
  /** Longest wait for room. */
  readonly waitMs: number;
  /** How many may wait; any number when absent. */
  readonly waiting?: number;
  readonly clock: Clock;
  /** Nobody new comes in while the whole process is short of memory. */
  readonly isScarce?: () => boolean;
}

interface Waiter {
  readonly octets: number;
  enter(lease: Lease): void;
}

/** Memory that work of one kind may take at once, whichever door it comes by. Who finds no room waits in order. */
export class MemoryPool {
  readonly #options: PoolOptions;
  readonly #waiters = new Set<Waiter>();
  #used = 0;
  #refused = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** For `status`. */
  usage(): JsonObject {
    return { used: this.#used, limit: this.#options.limit, waiting: this.#waiters.size, refused: this.#refused };
  }

  /** Room at once, or undefined. */
  take(octets: number): Lease | undefined {
    return this.#waiters.size === 0 && this.#fits(octets) ? this.#lease(octets) : undefined;
  }

  /**
   * Waits for room. Throws queue_full when none comes in time, when too many wait already, and while the process is short
   * of memory; the signal's reason when it aborts. Later the signal changes nothing: work goes on when its client has gone,
   * and a client that comes and goes must not have more of it than one that stays.
   */
  async enter(octets: number, signal?: AbortSignal): Promise<Lease> {
    const { isScarce, what, clock, waitMs, waiting = Number.POSITIVE_INFINITY } = this.#options;
    signal?.throwIfAborted();
    if (isScarce?.() === true) throw this.#refuse('the gateway is short of memory, try again later');
    const free = this.take(octets);
    if (free !== undefined) return free;
    if (this.#waiters.size >= waiting) throw this.#refuse(`too many ${what} at once, try again later`);
    return new Promise((resolve, reject) => {
      const settle = (lease: Lease | undefined, error?: unknown) => {
        this.#waiters.delete(waiter);
        cancel();
        removeAbort();
        if (lease !== undefined) resolve(lease);
        else {
          reject(error);
          // A smaller one behind it may fit.
          this.#letIn();
        }
      };
      const waiter: Waiter = { octets, enter: settle };
      this.#waiters.add(waiter);
      const cancel = clock.after(waitMs, () =>
        settle(undefined, this.#refuse(`too many ${what} at once, waited ${waitMs / 1000} s for room`)),
      );
      const removeAbort = signal === undefined ? () => {} : onAbort(signal, () => settle(undefined, signal.reason));
    });
  }

  #refuse(why: string): GatewayError {
    this.#refused += 1;
    return new GatewayError('queue_full', why);
  }

  #fits(octets: number): boolean {
    return this.#used === 0 || this.#used + octets <= this.#options.limit;
  }

  #lease(octets: number): Lease {
    let held = octets;
    this.#used += held;
    let over = false;
    const resize = (to: number) => {
      if (over) return;
      this.#used += to - held;
      held = to;
      this.#letIn();
    };
    return {
      resize,
      release: () => {
        resize(0);
        over = true;
      },
    };
  }

  #letIn(): void {
    for (const waiter of this.#waiters) {
      if (!this.#fits(waiter.octets)) return;
      waiter.enter(this.#lease(waiter.octets));
    }
  }
}

/** Octets that a character takes at most. */
const CHARACTER = 2;

/**
 * The memory of one answer, from when it begins to be made until the client has read it. Whoever makes the first large part
 * of it waits for room. Further parts, as in a batch, wait for nobody: two answers that are half done never wait for each
 * other. But they are made one after the other.
 */
export class AnswerRoom {
  readonly #turn = new Mutex();
  #lease: Lease | undefined;
  #removeAbort = () => {};
  #kept = 0;
  #making = 0;
  #full = false;
  #over = false;

  /** Makes a part of about so many octets. Throws too_large after `fill`; as `MemoryPool.enter`, and as `work`. */
  make<T>(pool: MemoryPool, octets: number, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return this.#turn.run(async () => {
      if (this.#full) throw new GatewayError('too_large', 'the answer would be too large, ask for less at once');
      this.#making = octets;
      try {
        if (this.#lease === undefined) {
          this.#lease = await pool.enter(octets, signal);
          this.#removeAbort = onAbort(signal, () => this.release());
        }
        this.#settle();
        return await work();
      } finally {
        this.#making = 0;
        this.#settle();
      }
    });
  }

  /** So many characters are ready, and wait to be read. */
  keep(characters: number): void {
    this.#kept += characters * CHARACTER;
    this.#settle();
  }

  /** A large part did not fit the answer: others would be made for nothing. */
  fill(): void {
    this.#full = true;
  }

  /** The client has read it, or never will; what is still being made counts until it is. */
  release(): void {
    this.#over = true;
    this.#settle();
  }

  #settle(): void {
    if (!this.#over) this.#lease?.resize(this.#kept + this.#making);
    else if (this.#making > 0) this.#lease?.resize(this.#making);
    else {
      this.#removeAbort();
      this.#lease?.release();
      this.#lease = undefined;
    }
  }
}

/** Makes a large answer, or a part of it, in its room. Without one it counts for as long as it is made. */
export async function makeAnswer<T>(
  room: AnswerRoom | undefined,
  pool: MemoryPool,
  octets: number,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  if (room !== undefined) return room.make(pool, octets, signal, work);
  const lease = await pool.enter(octets, signal);
  try {
    return await work();
  } finally {
    lease.release();
  }
}

/** What has come on one connection and is not answered yet. */
export interface InputShare {
  /** It holds so many octets now. They may be too many: then `drop` has been called when this returns. */
  set(octets: number): void;
  /** The connection has ended, or everything is answered. */
  close(): void;
}

interface Holder {
  octets: number;
  /** Lets go of what has come, and ends the connection. */
  readonly drop: () => void;
}

/**
 * What clients have sent and was not answered yet, parts of messages above all, over all connections of all doors. When it
 * is too much, the connection that holds the most goes: who holds less than the limit divided by all connections that
 * there can be is never disturbed.
 */
export class InputMemory {
  readonly #limit: number;
  readonly #holders = new Set<Holder>();
  #used = 0;
  #dropped = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** For `status`. */
  usage(): JsonObject {
    return { used: this.#used, limit: this.#limit, dropped: this.#dropped };
  }

  /** `drop` is called at most once, and `close` need not follow it. */
  open(drop: () => void): InputShare {
    const holder: Holder = { octets: 0, drop };
    this.#holders.add(holder);
    return {
      set: (octets) => {
        if (!this.#holders.has(holder)) return;
        this.#used += octets - holder.octets;
        holder.octets = octets;
        while (this.#used > this.#limit) this.#dropLargest();
      },
      close: () => this.#forget(holder),
    };
  }

  #dropLargest(): void {
    let largest: Holder | undefined;
    for (const holder of this.#holders) if (holder.octets > (largest?.octets ?? 0)) largest = holder;
    if (largest === undefined) return;
    this.#forget(largest);
    this.#dropped += 1;
    largest.drop();
  }

  #forget(holder: Holder): void {
    if (this.#holders.delete(holder)) this.#used -= holder.octets;
  }
}
