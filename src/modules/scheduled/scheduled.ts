import { describeError, GatewayError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { PhoneNumber } from '../../base/phone-number.ts';
import type { MsgConfig } from '../../config/config.ts';
import type { MessageId } from '../../store/message.ts';
import { LimitReached } from '../../store/outbox/ceilings.ts';
import { localTime, type TimeZone } from '../../system/time-zone.ts';
import type { GatewayModule, ModuleContext } from '../host/contract.ts';
import { type Rule, rulesOf } from './rule.ts';
import { Marks, type Slot, Timetable } from './timetable.ts';
import { isClockSet, wake } from './wall-clock.ts';

/** Sends messages at the times that the config names. */
export class Scheduled implements GatewayModule {
  readonly counters = { sent: 0, failed: 0, missed: 0 };
  readonly #context: ModuleContext<readonly MsgConfig[]>;
  readonly #rules: readonly Rule[];
  readonly #marks: Marks;
  #zone: TimeZone | undefined;
  /** Once the clock is set. */
  #timetable: Timetable | undefined;
  /** Rules whose slot the outbox cannot take now, which the log says once. */
  readonly #waiting = new Set<Rule>();
  #running = Promise.resolve();

  constructor(context: ModuleContext<readonly MsgConfig[]>) {
    this.#context = context;
    this.#rules = rulesOf(context.config);
    this.#marks = new Marks(context.notebook(context.name), context.log);
  }

  async start(): Promise<void> {
    this.#zone = await this.#context.system.timeZone();
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    await this.#running;
  }

  status(): JsonObject {
    return {
      time_zone: this.#zone?.name,
      clock: this.#timetable === undefined ? 'not set' : 'set',
      rules: this.#rules.map((rule) => ({ section: rule.msg.section, ...this.#nextOf(rule) })),
    };
  }

  #nextOf(rule: Rule): JsonObject {
    const next = this.#timetable?.nextOf(rule);
    if (next === undefined || this.#zone === undefined) return {};
    const local = new Date(localTime(this.#zone, next)).toISOString();
    return { next: new Date(next).toISOString(), next_local: local.slice(0, 16).replace('T', ' ') };
  }

  async #run(): Promise<void> {
    const { clock, log, signal } = this.#context;
    while (!signal.aborted) {
      let next: number | undefined;
      try {
        next = await this.#look();
      } catch (error) {
        log.error(`cannot find out which messages are due, will try again: ${describeError(error)}`);
      }
      await wake(clock, next, signal);
    }
  }

  /** Sends the messages that are due. Resolves to the time of the next slot; undefined without one. */
  async #look(): Promise<number | undefined> {
    const { clock, system, log } = this.#context;
    const zone = await system.timeZone();
    this.#zone = zone;
    const now = clock.now();
    const latest = this.#timetable === undefined ? this.#marks.latest : now;
    if (!isClockSet(now, latest, system.uptime())) return undefined;
    this.#timetable ??= new Timetable(this.#rules, zone, await this.#marks.settle(this.#rules, now), now);
    const { due, missed } = this.#timetable.look(now, zone);
    for (const { rule, instant } of missed) {
      log.warning(`${rule.msg.section}: missed ${new Date(instant).toISOString()}`);
      this.counters.missed += 1;
      this.#timetable.settle(rule, now);
      this.#waiting.delete(rule);
    }
    for (const slot of due) if (await this.#fire(slot)) this.#timetable.settle(slot.rule, slot.instant);
    return this.#timetable.next(now);
  }

  /** Whether the slot is finished. Otherwise it is submitted again until it is too late. */
  async #fire(slot: Slot): Promise<boolean> {
    const { log, health, signal } = this.#context;
    const { section } = slot.rule.msg;
    const { submitted, refused, postponed } = await submitSlot(slot, this.#context);
    if (postponed !== undefined) {
      if (!this.#waiting.has(slot.rule) && !signal.aborted) log.warning(`${section}: cannot be sent now: ${postponed}`);
      this.#waiting.add(slot.rule);
      health.failed(section, `${section}: cannot be sent now: ${postponed}`);
      return false;
    }
    this.#waiting.delete(slot.rule);
    for (const reason of refused) log.error(`${section}: not sent: ${reason}`);
    const refusal = refused.at(-1);
    if (refusal === undefined) health.succeeded(section);
    else health.failed(section, `${section}: not sent: ${refusal}`);
    this.counters.sent += submitted;
    if (submitted > 0) {
      const due = new Date(slot.instant).toISOString();
      log.info(`${section}: due ${due}, submitted to ${submitted} ${submitted === 1 ? 'number' : 'numbers'}`);
    }
    this.counters.failed += refused.length;
    await this.#marks.mark(slot);
    return true;
  }
}

/** The outcome of a slot. */
interface SlotOutcome {
  /** Number of recipients whose message is in the outbox. */
  readonly submitted: number;
  /** Reasons of permanent refusals. */
  readonly refused: readonly string[];
  /** Why messages are not in the outbox yet. The slot is submitted again; the client references prevent repetitions. */
  readonly postponed?: string;
}

type SubmitContext = Pick<ModuleContext<unknown>, 'name' | 'outbox' | 'shared' | 'signal'>;

/** Submits the message of a rule to all recipients. */
async function submitSlot(
  { rule, instant }: Slot,
  { name, outbox, shared, signal }: SubmitContext,
): Promise<SlotOutcome> {
  const recipients = recipientsOf(rule.msg, shared.groups);
  const refused: string[] = recipients.length === 0 ? ['it has no recipient'] : [];
  const { modem } = rule.msg;
  let batch: MessageId | undefined;
  let submitted = 0;
  let limited: string | undefined;
  for (const number of recipients) {
    if (signal.aborted) return { submitted, refused, postponed: 'stopping' };
    try {
      const { id } = await outbox.submit({
        ...{ number, source: name, content: { type: 'text', text: rule.text } },
        clientRef: `${rule.id}/${new Date(instant).toISOString()}/${number}`,
        ...(modem !== undefined && { modem }),
        ...(batch !== undefined && { batch }),
      });
      batch ??= recipients.length > 1 ? id : undefined;
      submitted += 1;
    } catch (error) {
      const reason = describeError(error);
      if (error instanceof LimitReached && error.whose === 'recipient') {
        // The others get it now.
        limited = reason;
        continue;
      }
      if (error instanceof GatewayError && error.mapping.retry) return { submitted, refused, postponed: reason };
      refused.push(`${number}: ${reason}`);
    }
  }
  return { submitted, refused, ...(limited !== undefined && { postponed: limited }) };
}

/** The numbers of the rule, without repetitions. */
function recipientsOf(
  { phonenumber, group }: MsgConfig,
  groups: SubmitContext['shared']['groups'],
): readonly PhoneNumber[] {
  if (group === undefined) return phonenumber === undefined ? [] : [phonenumber];
  return [...new Set(groups.find(({ name }) => name === group)?.tel)];
}
