import { GatewayError, throwUncaught } from '../../base/errors.ts';
import { storeError } from './file-system.ts';
import type { Entry, RecordRef } from './format.ts';
import type { JournalState } from './state.ts';

interface Waiting {
  readonly entries: readonly Entry[];
  readonly line: Buffer;
  /** See AppendOptions. */
  readonly underWay: (() => void) | undefined;
  resolve(refs: readonly RecordRef[]): void;
  reject(error: GatewayError): void;
}

/** Those of one that waits alone need not be put together. */
function linesOf(group: readonly Waiting[]): Buffer {
  const [first] = group;
  return first !== undefined && group.length === 1 ? first.line : Buffer.concat(group.map(({ line }) => line));
}

/** What goes wrong in it keeps nobody from waiting for the disk. */
function tell(underWay: (() => void) | undefined): void {
  try {
    underWay?.();
  } catch (error) {
    throwUncaught(error);
  }
}

/** Longest group, octets. */
const MAX_GROUP = 1 << 20;

/** Stores lines: one write, which ends when the disk has it, for all that wait. Those that come meanwhile form the next group. */
export class GroupCommit {
  readonly #state: JournalState;
  /** Takes over the entries of one stored line. */
  readonly #stored: JournalState['apply'];
  #queue: Waiting[] = [];
  #queued = 0;
  #cancelSync: (() => void) | undefined;
  /** Octets stored and syncs made since the start. */
  written = 0;
  syncs = 0;

  constructor(state: JournalState, stored: JournalState['apply']) {
    this.#state = state;
    this.#stored = stored;
  }

  /** Octets that wait. */
  get queued(): number {
    return this.#queued;
  }

  add(entries: readonly Entry[], line: Buffer, underWay?: () => void): Promise<readonly RecordRef[]> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ entries, line, underWay, resolve, reject });
      this.#queued += line.length;
      if (this.#queue.length === 1) void this.#state.writing.run(() => this.#flush());
    });
  }

  /** Stores and syncs all that is left. Never rejects. */
  async close(): Promise<void> {
    this.#cancelSync?.();
    await this.#state.writing.run(() => this.#flush());
    await this.#state.writing.run(() => this.#sync());
  }

  /** Never rejects: each of those that wait hears of its own failure. */
  async #flush(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#takeGroup();
      try {
        await this.#store(group);
      } catch (error) {
        for (const waiting of group) waiting.reject(storeError(error));
      }
    }
  }

  #takeGroup(): readonly Waiting[] {
    let length = 0;
    const tooMany = this.#queue.findIndex((waiting) => {
      length += waiting.line.length;
      return length > MAX_GROUP;
    });
    const group = this.#queue.splice(0, tooMany === -1 ? this.#queue.length : Math.max(1, tooMany));
    for (const { line } of group) this.#queued -= line.length;
    return group;
  }

  async #store(group: readonly Waiting[]): Promise<void> {
    const { end, outage, sync } = this.#state;
    if (outage.error === undefined) this.#state.noticeLoss();
    if (outage.error !== undefined) throw outage.error;
    if (end === undefined) throw new GatewayError('store_unavailable', 'there is no journal file');
    let offset = end.size;
    try {
      const added = end.add(linesOf(group), sync === 'always');
      for (const { underWay } of group) tell(underWay);
      await added;
    } catch (error) {
      if (end.soundness === 'doubtful') outage.begin(error);
      throw error;
    }
    this.written += end.size - offset;
    if (sync === 'always') this.syncs += 1;
    else
      this.#cancelSync ??= this.#state.clock.after(sync * 1000, () => void this.#state.writing.run(() => this.#sync()));
    for (const { entries, line, resolve } of group) {
      resolve(this.#stored(entries, offset, line.length));
      offset += line.length;
    }
  }

  async #sync(): Promise<void> {
    const { end, outage } = this.#state;
    this.#cancelSync?.();
    this.#cancelSync = undefined;
    if (end === undefined || !end.unsynced) return;
    try {
      await end.sync();
      this.syncs += 1;
    } catch (error) {
      outage.begin(error);
    }
  }
}
