import { createLogger } from '../../src/base/log.ts';
import { Deliveries } from '../../src/store/deliveries/deliveries.ts';
import { Inbox, type InboxPolicy } from '../../src/store/inbox/inbox.ts';
import { Journal } from '../../src/store/journal/journal.ts';
import type { InboxMessage } from '../../src/store/message.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryFileSystem } from './memory-file-system.ts';

export interface InboxRigOptions {
  readonly policy?: Partial<InboxPolicy>;
  readonly compactFrom?: number;
  /** Size limit of the journal, octets. */
  readonly maximum?: number;
  readonly clock?: ManualClock;
}

/** An inbox with its deliveries, on a disk in memory and a clock that stands still. */
export class InboxRig {
  readonly fs: MemoryFileSystem;
  readonly clock: ManualClock;
  readonly journal: Journal;
  readonly inbox: Inbox;
  readonly deliveries: Deliveries;
  /** Messages as they were announced. */
  readonly shown: InboxMessage[] = [];
  /** Whether the process is short of memory. */
  isScarce = false;
  readonly log: string[] = [];
  readonly #options: InboxRigOptions;

  constructor(fs = new MemoryFileSystem(), options: InboxRigOptions = {}) {
    this.fs = fs;
    this.#options = options;
    this.clock = options.clock ?? new ManualClock();
    const { clock } = this;
    const log = createLogger({ level: 'debug', write: (line) => void this.log.push(line.trimEnd()) });
    this.journal = new Journal({
      ...{ directory: '/state', clock, log, fileSystem: fs },
      ...(options.compactFrom !== undefined && { compactFrom: options.compactFrom }),
      ...(options.maximum !== undefined && { maximum: options.maximum }),
    });
    const policy = { capacity: 100, evict: false, partTimeoutHours: 24, ...options.policy };
    const isScarce = () => this.isScarce;
    this.inbox = new Inbox({ journal: this.journal, clock, log, policy, isScarce });
    this.inbox.onMessage = (message) => void this.shown.push(message);
    this.deliveries = new Deliveries({ journal: this.journal, inbox: this.inbox, clock, log, random: () => 0.5 });
  }

  static async open(fs?: MemoryFileSystem, options?: InboxRigOptions): Promise<InboxRig> {
    const rig = new InboxRig(fs, options);
    await rig.open();
    return rig;
  }

  async open(): Promise<void> {
    await this.journal.open();
    this.inbox.start();
    this.deliveries.start();
  }

  /** Resolves when what it completed was announced, too. */
  async accept(pdu: Uint8Array, modem = 'gsm0'): Promise<'stored' | 'duplicate'> {
    const result = await this.inbox.accept({ modem, pdu, received: this.clock.now() });
    await this.clock.advance(0);
    return result;
  }

  async acceptAll(pdus: readonly Uint8Array[]): Promise<void> {
    for (const pdu of pdus) await this.accept(pdu);
  }

  async texts(): Promise<readonly string[]> {
    return (await this.inbox.list({ limit: 1000 })).messages.map(({ text }) => text);
  }

  async close(): Promise<void> {
    await this.inbox.stop();
    this.deliveries.stop();
    await this.journal.close();
  }

  /** Stops and starts in order. */
  async restart(options: InboxRigOptions = {}): Promise<InboxRig> {
    await this.close();
    return InboxRig.open(this.fs, { ...this.#options, clock: this.clock, ...options });
  }
}
