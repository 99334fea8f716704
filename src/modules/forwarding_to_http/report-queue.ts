import { sleep } from '../../clock.ts';
import { describeError } from '../../errors.ts';
import type { MessageId, OutboxMessage } from '../../store/message.ts';
import type { Notebook } from '../../store/notes.ts';
import type { DeliveryOutcome, ModuleContext } from '../module.ts';
import type { Told } from './fields.ts';
import { decodeReport, encodeReport, outcomes, reportKey } from './report.ts';

/** Hands one report over. */
export type HandReport = (told: Told) => Promise<DeliveryOutcome>;

type Context = Pick<ModuleContext<unknown>, 'name' | 'bus' | 'outbox' | 'notebook' | 'log' | 'clock' | 'signal'>;

/** Key of the note that tells when the last change that was noted came about, and which one it was. */
const MARK = 'mark';
const FIRST_WAIT_MS = 5_000;
const LAST_WAIT_MS = 30 * 60_000;
const PAGE = 1_000;

/**
 * What became of sent messages, handed over one after the other. A report is noted in the store before it is handed
 * over, and erased when that has ended, so that none is lost to a restart; one may come twice.
 */
export class ReportQueue {
  readonly #context: Context;
  readonly #hand: HandReport;
  readonly #book: Notebook;
  #noting: Promise<void> = Promise.resolve();
  #running: Promise<void> | undefined;
  /** Whether the last one could not be noted. */
  #losing = false;

  constructor(context: Context, hand: HandReport) {
    this.#context = context;
    this.#hand = hand;
    this.#book = context.notebook(`${context.name}.reports`);
  }

  /** Takes up what was noted before, and what changed while nobody listened. */
  async start(): Promise<void> {
    const { bus } = this.#context;
    bus.on('sms.delivered', this, (message) => this.#note([message]));
    bus.on('sms.failed', this, (message) => this.#note([message]));
    await this.#catchUp();
    this.#run();
  }

  async stop(): Promise<void> {
    this.#context.bus.off(this);
    await Promise.all([this.#noting, this.#running]);
  }

  /** The first start is the beginning: what was before it is not told. */
  async #catchUp(): Promise<void> {
    const mark = this.#book.get(MARK);
    if (mark === undefined) return this.#book.write({ [MARK]: `${this.#context.clock.now()}` });
    const missed = (await this.#changedSince(mark)).sort((a, b) => a.changed - b.changed);
    for (let at = 0; at < missed.length; at += PAGE) await this.#note(missed.slice(at, at + PAGE));
  }

  async #changedSince(mark: string): Promise<OutboxMessage[]> {
    const { outbox, signal } = this.#context;
    const [since, last] = mark.split(' ');
    const found: OutboxMessage[] = [];
    let after: MessageId | undefined;
    do {
      const page = await outbox.list({ limit: PAGE, ...(after !== undefined && { after }) });
      signal.throwIfAborted();
      for (const message of page.messages) {
        const told = message.changed < Number(since) || reportKey(message) === last;
        if (outcomes.has(message.state) && !told) found.push(message);
      }
      after = page.more ? page.messages.at(-1)?.id : undefined;
    } while (after !== undefined);
    return found;
  }

  /** In the order of their changes, and one call after the other, so that the mark only grows. */
  #note(messages: readonly OutboxMessage[]): Promise<void> {
    this.#noting = this.#noting.then(async () => {
      const notes = messages.map((message) => [reportKey(message), encodeReport(message)] as const);
      try {
        await this.#book.write({ ...Object.fromEntries(notes), ...this.#markAfter(messages) });
        this.#losing = false;
        this.#run();
      } catch (error) {
        if (!this.#losing) this.#context.log.warning(`delivery reports cannot be noted: ${describeError(error)}`);
        this.#losing = true;
      }
    });
    return this.#noting;
  }

  /** None when the clock was set back. */
  #markAfter(messages: readonly OutboxMessage[]): Record<string, string> {
    const [since] = (this.#book.get(MARK) ?? '').split(' ');
    const last = messages.at(-1);
    return last === undefined || last.changed < Number(since) ? {} : { [MARK]: `${last.changed} ${reportKey(last)}` };
  }

  #run(): void {
    if (this.#running === undefined && this.#first() !== undefined) this.#running = this.#work();
  }

  async #work(): Promise<void> {
    const { signal, log } = this.#context;
    try {
      await this.#handAll();
      this.#running = undefined;
      this.#run();
    } catch (error) {
      this.#running = undefined;
      if (!signal.aborted) log.error(`delivery reports: ${describeError(error)}`);
    }
  }

  async #handAll(): Promise<void> {
    const { clock, signal, log } = this.#context;
    let failures = 0;
    for (let next = this.#first(); next !== undefined; next = this.#first()) {
      const [key, told] = next;
      const outcome = await this.#hand(told);
      if (outcome.type === 'retry') {
        if (failures === 0) log.warning(`the report of message ${told.id} failed for now: ${outcome.reason}`);
        const pause = Math.min(FIRST_WAIT_MS * 2 ** failures++, LAST_WAIT_MS);
        await sleep(clock, Math.max(pause, outcome.after ?? 0), signal);
        continue;
      }
      if (outcome.type === 'rejected') log.warning(`the report of message ${told.id} was refused: ${outcome.reason}`);
      failures = 0;
      await this.#forget(key);
    }
  }

  /** Nothing goes on before: with a disk that fails, the same report would be handed over again and again. */
  async #forget(key: string): Promise<void> {
    const { clock, signal, log } = this.#context;
    for (let failures = 0; ; failures++) {
      try {
        return await this.#book.erase([key]);
      } catch (error) {
        if (failures === 0) log.warning(`the end of a delivery report could not be stored: ${describeError(error)}`);
        await sleep(clock, FIRST_WAIT_MS, signal);
      }
    }
  }

  #first(): readonly [key: string, told: Told] | undefined {
    for (const [key, text] of this.#book.entries()) {
      if (key !== MARK) return [key, decodeReport(text)];
    }
    return undefined;
  }
}
