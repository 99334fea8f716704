import { type Clock, systemClock } from '../base/clock.ts';
import { InputMemory, MemoryPool } from '../base/memory-pool.ts';
import { budgets, limitsOf } from './budgets.ts';

const limits = limitsOf(budgets.memory);

/** The memory that all doors share: what each kind of work may take of it. */
export class Memory {
  /** Listings: what they are made of, and their text until the client has read it. */
  readonly answers: MemoryPool;
  /** Requests to send, until all their messages are stored or refused. */
  readonly work: MemoryPool;
  /** Messages that are being stored, of whatever source. */
  readonly storing: MemoryPool;
  readonly input = new InputMemory(limits.input);
  #isScarce = () => false;

  constructor(clock: Clock = systemClock) {
    const isScarce = () => this.isScarce();
    const { waiting } = limits;
    const common = { waiting, clock, isScarce };
    this.answers = new MemoryPool({ what: 'listings', limit: limits.answers, waitMs: limits.answersWaitMs, ...common });
    this.work = new MemoryPool({ what: 'sends', limit: limits.work, waitMs: limits.workWaitMs, ...common });
    // What has been let in is not refused for want of memory.
    this.storing = new MemoryPool({ what: 'messages', limit: limits.storing, waitMs: limits.storingWaitMs, clock });
  }

  /** Whether the process is short of memory: who can come later is to come later. */
  isScarce(): boolean {
    return this.#isScarce();
  }

  /** Takes the word of whoever watches the process. */
  watchedBy(watch: { isScarce(): boolean }): void {
    this.#isScarce = () => watch.isScarce();
  }
}
