import { copyFileSync, mkdtempSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { createLogger } from '../../src/base/log.ts';
import { type PhoneNumber, parsePhoneNumber } from '../../src/base/phone-number.ts';
import { type FileSystem, nodeFileSystem } from '../../src/store/journal/file-system.ts';
import { Journal } from '../../src/store/journal/journal.ts';
import type { MessageId, OutboxMessage } from '../../src/store/message.ts';
import { Outbox, type OutboxPolicy, type SubmitRequest } from '../../src/store/outbox/outbox.ts';
import { ManualClock, onClock } from './manual-clock.ts';
import type { ScriptedSender } from './scripted-sender.ts';

export const policy: OutboxPolicy = {
  queueLimit: 10_000,
  validitySeconds: 48 * 3600,
  ambiguous: 'resend',
  keepDays: 30,
  keepCount: 1000,
  transliterate: false,
  nationalTables: [],
};

export interface RigOptions {
  readonly policy?: Partial<OutboxPolicy>;
  readonly clock?: ManualClock;
  readonly fileSystem?: FileSystem;
  readonly compactFrom?: number;
  /** Octets that the journal may grow to. */
  readonly maximum?: number;
}

/** The tests' number `n`. */
export function numberOf(n: number): PhoneNumber {
  const number = parsePhoneNumber(`+3706${String(n).padStart(7, '0')}`);
  if (number === undefined) throw new Error('no number');
  return number;
}

/** Waits for real I/O until `check` holds, at most `limit` ms; the manual clock stands still meanwhile. */
export async function until(check: () => boolean | Promise<boolean>, what: string, limit = 60_000): Promise<void> {
  const end = Date.now() + limit;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`waited ${limit / 1000} s in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Real time that a slow machine may need for days of many timers, ms. */
const STEPS_LIMIT = 300_000;

/** Lets time pass in steps of `ms`, with real I/O in between, until `check` holds. */
export async function pass(clock: ManualClock, ms: number, check: () => boolean | Promise<boolean>, what: string) {
  const step = async () => {
    if (await check()) return true;
    await clock.advance(ms);
    return false;
  };
  await until(step, what, STEPS_LIMIT);
}

/** An outbox on a real journal, with a clock that stands still. */
export class OutboxRig {
  readonly base: string;
  readonly directory: string;
  readonly clock: ManualClock;
  readonly options: RigOptions;
  readonly journal: Journal;
  readonly outbox: Outbox;
  readonly log: string[] = [];
  /** `sent 1`, `delivered 1`, `failed 2`, … as the callbacks tell. */
  readonly events: string[] = [];
  readonly #senders: ScriptedSender[] = [];
  /** Octets of the journal that the disk has for sure. */
  #synced = 0;

  static async open(base: string, options: RigOptions = {}, directory = join(base, 'a')): Promise<OutboxRig> {
    const rig = new OutboxRig(base, directory, options);
    await rig.journal.open();
    rig.outbox.start();
    return rig;
  }

  private constructor(base: string, directory: string, options: RigOptions) {
    this.base = base;
    this.directory = directory;
    this.options = options;
    this.clock = options.clock ?? new ManualClock();
    const log = createLogger({ level: 'debug', write: (line) => void this.log.push(line) });
    const { clock } = this;
    this.journal = new Journal({
      directory,
      clock,
      log,
      fileSystem: this.#watching(options.fileSystem ?? onClock(nodeFileSystem, clock)),
      ...(options.compactFrom !== undefined && { compactFrom: options.compactFrom }),
      ...(options.maximum !== undefined && { maximum: options.maximum }),
    });
    const tell = (event: string) => (message: OutboxMessage) => void this.events.push(`${event} ${message.id}`);
    this.outbox = new Outbox({
      journal: this.journal,
      clock,
      log,
      random: () => 0.5,
      policy: { ...policy, ...options.policy },
      onSent: tell('sent'),
      onDelivered: tell('delivered'),
      onFailed: tell('failed'),
    });
  }

  attach(sender: ScriptedSender, limits = { interval: 0, daily: 0 }): ScriptedSender {
    this.#senders.push(sender);
    this.outbox.attach(sender, limits);
    return sender;
  }

  submit(n: number, text: string, more: Partial<SubmitRequest> = {}): Promise<OutboxMessage> {
    return this.outbox.submit({ number: numberOf(n), content: { type: 'text', text }, source: 'test', ...more });
  }

  async get(id: MessageId): Promise<OutboxMessage> {
    const message = await this.outbox.get(id);
    if (message === undefined) throw new Error(`no message ${id}`);
    return message;
  }

  settled(id: MessageId): Promise<OutboxMessage> {
    return this.outbox.settled(id, AbortSignal.timeout(60_000));
  }

  async state(id: MessageId): Promise<string> {
    return (await this.get(id)).state;
  }

  /**
   * What a new process finds after this one was killed now, or, after a power cut, without what was not yet synced.
   * The senders of the old one are attached to none.
   */
  async crash(options: RigOptions = this.options, powerCut = false): Promise<OutboxRig> {
    const directory = mkdtempSync(join(this.base, 'crash-'));
    copyFileSync(join(this.directory, 'journal'), join(directory, 'journal'));
    if (powerCut) truncateSync(join(directory, 'journal'), this.#synced);
    await this.close();
    return OutboxRig.open(this.base, { clock: this.clock, ...options }, directory);
  }

  async close(): Promise<void> {
    for (const sender of this.#senders) sender.ready = false;
    await this.outbox.close();
    await this.journal.close();
  }

  #watching(fileSystem: FileSystem): FileSystem {
    return {
      ...fileSystem,
      open: async (path, mode) => {
        const file = await fileSystem.open(path, mode);
        if (mode === 'write') this.#synced = await file.size();
        const datasync = async () => {
          const size = await file.size();
          await file.datasync();
          this.#synced = size;
        };
        const writeThrough = async (buffer: Uint8Array, position: number) => {
          const count = await file.writeThrough(buffer, position);
          this.#synced = position + count;
          return count;
        };
        return { ...file, writeThrough, datasync };
      },
    };
  }
}
