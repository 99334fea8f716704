import { BackOff } from '../base/back-off.ts';
import { Wake } from '../base/wake.ts';
import { fromHex } from '../sms/index.ts';
import type { AtError } from './at/answer.ts';
import type { AtChannel } from './at/channel.ts';
import { busyness, isRefusal } from './at/line.ts';
import { handOver } from './hand-over.ts';
import type { MessageStorage, StoredPdu } from './message-storage.ts';
import type { Routing } from './routing.ts';
import type { SessionContext } from './session-context.ts';

/** Pauses before a sweep tries again what the last one left. */
const SWEEP_AGAIN = { first: 1_000, longest: 60_000, jitter: 0.2 };
/** Announced messages that wait to be read; what is announced beyond that, a sweep finds. */
const MAX_ANNOUNCED = 256;
/** Messages that the modem passed on directly and that are not safe yet. */
const MAX_DIRECT = 100;
/** Messages handed over at once: they share the store's sync. */
const BATCH = 16;
/** So many that are announced in one memory are listed: the modem gives them all in one answer. */
const BURST = 8;
/** ms between sweeps that the modem asks for: some say that the memory is full at every look into it. */
const FULL_INTERVAL = 10_000;
/** ms between sweeps for messages that are announced without their place. */
const UNPLACED_INTERVAL = 1_000;
/** ms after which a modem that does not list its messages counts as set up. */
const LIST_PATIENCE = 60_000;

interface Place {
  readonly memory: string;
  readonly index: number;
}
type Found = StoredPdu & Place;

/**
 * Takes received messages and reports out of the modem: read, handed over, and only then deleted. What could not be
 * handed over stays where it is, and a sweep through the memories tries again.
 */
export class Incoming {
  readonly #channel: AtChannel;
  readonly #storage: MessageStorage;
  readonly #routing: Routing;
  readonly #context: SessionContext;
  readonly #wake = new Wake();
  readonly #backoff = new BackOff(SWEEP_AGAIN);
  readonly #announced = new Map<string, Place>();
  /** How many messages each memory still held after it was last listed. */
  readonly #remaining = new Map<string, number>();
  #direct: { readonly content: 'message' | 'report'; readonly pdu: Uint8Array }[] = [];
  /** On the monotonic clock. The first sweep comes at once: there may be messages from before. */
  #nextSweep = 0;
  #lastSweep = Number.NEGATIVE_INFINITY;
  #retrying = false;
  /** When the first sweep began. */
  #firstSweep: number | undefined;
  #readable = false;
  /** A message is announced without its place, and no sweep has looked for it yet. */
  #unplaced = false;
  /** Messages taken out of the memories. */
  #taken = 0;
  /** The modem was set to pass messages on directly, as it does not store them. */
  #askedForDirect = false;
  readonly #onReadable: () => void;

  /** `onReadable` is called when the first look into a memory has succeeded, or is given up. */
  constructor(
    channel: AtChannel,
    storage: MessageStorage,
    routing: Routing,
    context: SessionContext,
    onReadable: () => void,
  ) {
    this.#onReadable = onReadable;
    this.#channel = channel;
    this.#storage = storage;
    this.#routing = routing;
    this.#context = context;
  }

  /** +CMTI or +CDSI. */
  announced(memory: string, index: number): void {
    this.#storage.include(memory);
    if (this.#announced.size < MAX_ANNOUNCED) this.#announced.set(`${memory} ${index}`, { memory, index });
    else this.#sweepIn(0);
    this.#wake.call();
  }

  /** Whether messages can be read, so that the modem is of use. */
  get readable(): boolean {
    return this.#readable;
  }

  /** +CMTI or +CDSI without a place that can be read. */
  announcedSomewhere(): void {
    this.#unplaced = true;
    this.#sweepIn(this.#lastSweep + UNPLACED_INTERVAL - this.#now());
    this.#wake.call();
  }

  /** +CMT or +CDS. */
  direct(content: 'message' | 'report', hex: string): void {
    if (this.#direct.length < MAX_DIRECT) this.#direct.push({ content, pdu: fromHex(hex) });
    else this.#context.faults.fault('direct', 'the modem passed on a message while too many wait to be stored');
    this.#wake.call();
  }

  /** The memory is full, maybe of messages that were not announced. */
  memoryFull(): void {
    const { board, faults } = this.#context;
    faults.fault('full', 'the modem says that its message memory is full: it is emptied');
    board.warn('full', 'the modem says that its message memory is full');
    this.#sweepIn(this.#lastSweep + FULL_INTERVAL - this.#now());
    this.#wake.call();
  }

  /** Works until the signal aborts or the channel ends, and then rejects. */
  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      const due = this.#nextSweep <= this.#now();
      if (due) this.#begin();
      if (this.#direct.length > 0) await this.#takeDirect(signal);
      if (this.#announced.size > 0) await this.#takeAnnounced(signal);
      if (due) await this.#sweep(signal);
      const wait = this.#announced.size > 0 ? 0 : this.#nextSweep - this.#now();
      if (wait > 0) await this.#wake.wait(this.#context.clock, wait, signal);
    }
  }

  /** A round through everything: what fails in it, a later one tries again. */
  #begin(): void {
    this.#retrying = false;
    this.#nextSweep = this.#now() + this.#context.config.sweep_interval * 1000;
  }

  async #takeAnnounced(signal: AbortSignal): Promise<void> {
    const memory = this.#burst();
    if (memory === undefined) {
      let batches = 0;
      /** Something else is due; but with each call some are taken. */
      const isOver = () => batches++ > 0 && (this.#direct.length > 0 || this.#nextSweep <= this.#now());
      await this.#takeAll(async () => (isOver() ? undefined : this.#readAnnounced(signal)), signal);
      return;
    }
    for (const [key, place] of this.#announced) if (place.memory === memory) this.#announced.delete(key);
    await this.#sweepMemory(memory, signal);
  }

  /** A memory in which many are announced, and hardly anything else lies. */
  #burst(): string | undefined {
    if (this.#announced.size < BURST || !this.#storage.lists) return undefined;
    const counts = new Map<string, number>();
    for (const { memory } of this.#announced.values()) counts.set(memory, (counts.get(memory) ?? 0) + 1);
    const [memory] =
      [...counts].find(([name, count]) => count >= BURST && count >= (this.#remaining.get(name) ?? count)) ?? [];
    return memory;
  }

  /** The next messages that are announced; undefined when none are, or many. */
  async #readAnnounced(signal: AbortSignal): Promise<readonly Found[] | undefined> {
    const places = [...this.#announced].slice(0, BATCH);
    if (places.length === 0 || this.#burst() !== undefined) return undefined;
    for (const [key] of places) this.#announced.delete(key);
    const found = await this.#channel.transaction('incoming', signal, async (line) => {
      const messages: Found[] = [];
      for (const [, place] of places) {
        const message = await this.#storage.read(line, place.memory, place.index);
        if (message !== undefined) messages.push({ ...message, ...place });
      }
      return messages;
    });
    // Not where it was announced: modems occur that name another memory. The sweep looks into all of them.
    if (found.length < places.length) this.#retry();
    return found;
  }

  /**
   * Takes what `next` gives until it gives no more: while some are being stored the next are read, and those that are safe are
   * deleted. Resolves to how many were taken.
   */
  async #takeAll(next: () => Promise<readonly Found[] | undefined>, signal: AbortSignal): Promise<number> {
    let taken = 0;
    let storing: Promise<readonly Found[]> | undefined;
    try {
      for (let found = await next(); found !== undefined; found = await next()) {
        const safe = await storing;
        storing = this.#store(found, signal);
        // It may fail while the next are read.
        storing.catch(() => undefined);
        if (safe !== undefined) taken += await this.#remove(safe, signal);
      }
    } finally {
      // What is safe is deleted, also when the line gave an error meanwhile: then this fails as well.
      const safe = await storing;
      if (safe !== undefined) taken += await this.#remove(safe, signal);
    }
    return taken;
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    this.#firstSweep ??= this.#now();
    const full: string[] = [];
    const unplaced = this.#unplaced;
    this.#unplaced = false;
    const before = this.#taken;
    for (const memory of this.#storage.memories) if (await this.#sweepMemory(memory, signal)) full.push(memory);
    if (unplaced && this.#taken === before) await this.#notStored(signal);
    this.#sayFull(full);
    if (this.#storage.memories.length === 0) this.#nowReadable();
    await this.#channel.transaction('poll', signal, (line) => this.#routing.check(line));
    this.#lastSweep = this.#now();
    if (!this.#retrying) this.#backoff.reset();
  }

  /** A memory that stays full after a sweep holds messages that were composed on it, or that cannot be stored here. */
  #sayFull(memories: readonly string[]): void {
    const { board, faults } = this.#context;
    board.warn('full', memories.length === 0 ? undefined : `the message memory ${memories.join(' and ')} is full`);
    if (memories.length === 0) faults.over('full');
    else faults.fault('full', `the message memory ${memories.join(' and ')} stays full: messages wait in the network`);
  }

  /** A message was announced and lies nowhere: the modem does not store, or loses what it stores. */
  async #notStored(signal: AbortSignal): Promise<void> {
    const { config, faults } = this.#context;
    if (config.delivery !== 'auto') {
      faults.fault(
        'not stored',
        'a message was announced and lies in no memory: the option delivery "direct" may help',
      );
      return;
    }
    if (this.#direct.length > 0 || this.#askedForDirect) return;
    this.#askedForDirect = true;
    faults.fault('not stored', 'the modem does not store its messages: it is set to pass them on directly');
    await this.#channel.transaction('incoming', signal, async (line) => {
      await this.#routing.prepare(line, config.reports, true);
      await this.#routing.adopt(line);
    });
  }

  #nowReadable(): void {
    if (this.#readable) return;
    this.#readable = true;
    this.#onReadable();
  }

  /** Resolves to whether it is still full. */
  async #sweepMemory(memory: string, signal: AbortSignal): Promise<boolean> {
    const { board, faults } = this.#context;
    try {
      const listing = await this.#channel.transaction('incoming', signal, (line) => this.#storage.list(line, memory));
      const { receiving, memories } = this.#storage;
      if (memory === receiving || receiving === undefined || !memories.includes(receiving)) this.#nowReadable();
      faults.over(`list ${memory}`);
      const entries = listing.entries.map((entry) => ({ ...entry, memory }));
      // The last entry of a listing may be cut off: it is read again by itself.
      for (const { index, whole } of entries) if (!whole) this.announced(memory, index);
      const whole = entries.filter((entry) => entry.whole);
      const taken = await this.#takeAll(async () => (whole.length > 0 ? whole.splice(0, BATCH) : undefined), signal);
      this.#remaining.set(memory, entries.length - taken);
      if (listing.use !== undefined && memory === this.#storage.receiving) {
        board.note({ storage: { ...listing.use, used: Math.max(0, listing.use.used - taken) } });
      }
      return listing.use !== undefined && listing.use.total > 0 && listing.use.used - taken >= listing.use.total;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#notListed(error, memory);
      return false;
    }
  }

  #notListed(error: AtError, memory: string): void {
    const { board, faults } = this.#context;
    const busy = busyness(error) !== undefined;
    if (busy && !this.#readable && this.#now() - (this.#firstSweep ?? 0) < LIST_PATIENCE) {
      board.enter('setting_up', 'the modem is busy, its messages are asked for again');
    } else {
      faults.fault(`list ${memory}`, `the modem does not list its memory ${memory}: ${error.message}`);
      this.#nowReadable();
    }
    this.#retry();
  }

  /** Hands them over. Resolves to those that are safe. */
  async #store(messages: readonly Found[], signal: AbortSignal): Promise<readonly Found[]> {
    // Messages stored to be sent (<stat> 2 and 3) stay.
    const received = messages.filter(({ stat }) => stat < 2);
    const results = await Promise.all(received.map((m) => handOver(m.pdu, m.whole, this.#context, signal)));
    if (results.includes('failed')) this.#retry();
    return received.filter((_, i) => results[i] === 'taken');
  }

  async #remove(done: readonly Found[], signal: AbortSignal): Promise<number> {
    if (done.length === 0) return 0;
    await this.#channel.transaction('incoming', signal, async (line) => {
      for (const { memory, index } of done) {
        if (await this.#storage.remove(line, memory, index)) continue;
        this.#context.faults.fault(`delete ${memory}`, `the modem does not delete from its memory ${memory}`);
      }
    });
    this.#taken += done.length;
    return done.length;
  }

  async #takeDirect(signal: AbortSignal): Promise<void> {
    const taken = this.#direct.splice(0);
    const results = await Promise.all(taken.map(({ pdu }) => handOver(pdu, true, this.#context, signal)));
    this.#direct.unshift(...taken.filter((_, i) => results[i] === 'failed'));
    if (results.includes('failed')) this.#retry();
    for (const result of results) {
      if (result === 'failed') continue;
      await this.#channel.transaction('incoming', signal, (line) => this.#routing.acknowledge(line));
    }
  }

  /** Something is left in the modem: an early sweep, with growing pauses while that fails. */
  #retry(): void {
    if (this.#retrying) return;
    this.#retrying = true;
    this.#sweepIn(this.#backoff.next());
  }

  #sweepIn(ms: number): void {
    this.#nextSweep = Math.min(this.#nextSweep, this.#now() + Math.max(0, ms));
  }

  #now(): number {
    return this.#context.clock.monotonic();
  }
}
