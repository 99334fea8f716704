import { sleep } from '../../clock.ts';
import { describeError } from '../../errors.ts';
import { isJsonObject } from '../../json.ts';
import type { MessageId, OutboxMessage, OutboxState } from '../../store/message.ts';
import type { Notebook } from '../../store/notes.ts';
import type { DeliveryOutcome, ModuleContext } from '../module.ts';
import type { Told } from './fields.ts';

/** Hands one report over. `since`: when there was first something to tell. */
export type HandReport = (
  told: Told,
  since: { readonly received: number; readonly time: number },
) => Promise<DeliveryOutcome>;

type Context = Pick<ModuleContext<unknown>, 'name' | 'bus' | 'outbox' | 'notebook' | 'log' | 'clock' | 'signal'>;

/** What became of a message; there is nothing to add to these. */
const outcomes: ReadonlySet<OutboxState> = new Set(['delivered', 'undelivered', 'expired', 'failed', 'unknown']);

/** Key of the note that holds the time of the last change that was noted. */
const MARK = 'mark';
const FIRST_WAIT_MS = 5_000;
const LAST_WAIT_MS = 30 * 60_000;
/** The store may be full for a while; then the outbox has the change all the same, and a restart finds it. */
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
    const { outbox, clock, signal } = this.#context;
    const mark = this.#book.get(MARK);
    if (mark === undefined) return this.#book.write({ [MARK]: `${clock.now()}` });
    let after: MessageId | undefined;
    do {
      const page = await outbox.list({ limit: PAGE, ...(after !== undefined && { after }) });
      signal.throwIfAborted();
      await this.#note(page.messages.filter(({ state, changed }) => outcomes.has(state) && changed > Number(mark)));
      after = page.more ? page.messages.at(-1)?.id : undefined;
    } while (after !== undefined);
  }

  /** One after the other, so that the mark only grows. */
  #note(messages: readonly OutboxMessage[]): Promise<void> {
    this.#noting = this.#noting.then(async () => {
      const last = Number(this.#book.get(MARK) ?? 0);
      const notes = messages.map((message) => [`${message.id}/${message.state}`, JSON.stringify(reportOf(message))]);
      if (notes.length === 0) return;
      const mark = Math.max(last, ...messages.map(({ changed }) => changed));
      try {
        await this.#book.write({ ...Object.fromEntries(notes), [MARK]: `${mark}` });
        this.#run();
      } catch (error) {
        this.#context.log.warning(`a delivery report could not be noted: ${describeError(error)}`);
      }
    });
    return this.#noting;
  }

  #run(): void {
    this.#running ??= this.#work()
      .catch((error: unknown) => {
        if (!this.#context.signal.aborted) this.#context.log.error(`reports: ${describeError(error)}`);
      })
      .finally(() => {
        this.#running = undefined;
        if (!this.#context.signal.aborted && this.#first() !== undefined) this.#run();
      });
  }

  async #work(): Promise<void> {
    const { clock, signal, log } = this.#context;
    let wait = FIRST_WAIT_MS;
    for (let next = this.#first(); next !== undefined; next = this.#first()) {
      const [key, told] = next;
      const outcome = await this.#hand(told, { received: told.time, time: told.time });
      if (outcome.type === 'retry') {
        await sleep(clock, Math.max(wait, outcome.after ?? 0), signal);
        wait = Math.min(wait * 2, LAST_WAIT_MS);
        continue;
      }
      if (outcome.type === 'rejected') log.warning(`the report of message ${told.id} was refused: ${outcome.reason}`);
      wait = FIRST_WAIT_MS;
      await this.#book.erase([key]);
    }
  }

  #first(): readonly [key: string, told: Told] | undefined {
    for (const [key, text] of this.#book.entries()) {
      if (key !== MARK) return [key, toldOf(text)];
    }
    return undefined;
  }
}

function reportOf({ number, state, changed, modem, id }: OutboxMessage): Told {
  return { number, text: state, time: changed, modem: modem ?? '', id };
}

function toldOf(text: string): Told {
  const value: unknown = JSON.parse(text);
  const { number, text: state, time, modem, id } = isJsonObject(value) ? value : {};
  return { number: `${number}`, text: `${state}`, time: Number(time), modem: `${modem}`, id: Number(id) };
}
