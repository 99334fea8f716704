import { isPermanent } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import { counted } from '../../base/printable.ts';
import { actionRow } from '../../config/schema/rule.ts';
import type { InboxMessage } from '../../store/message.ts';
import {
  type Delivery,
  type DeliveryEvent,
  type DeliveryOutcome,
  type DeliveryRequest,
  type GatewayModule,
  noReceipts,
} from '../host/contract.ts';
import type { HourlyCount } from '../kit/hourly-count.ts';
import { comparable, matchingRule, type RuleMatch } from '../kit/received-message.ts';
import { carryOut, distrustCommand } from './actions.ts';
import { Authorisation, tooLate } from './authorisation.ts';
import { type Execution, Pulses, type Result, type RulesContext, sendAnswer } from './execution.ts';
import { RulesMemory } from './memory.ts';

/** One target for all rules: they are carried out one after the other, in the order of their messages. */
const TARGET = 'rule';

/** Does what received messages of certain texts ask for: the SMS Utilities rules. */
export class Rules implements GatewayModule {
  readonly counters = { executed: 0, failed: 0, refused: 0 };
  readonly #context: RulesContext;
  readonly #authorisation: Authorisation;
  readonly #executions: HourlyCount;
  readonly #pulses: Pulses;
  #lastRefusal = '';

  constructor(context: RulesContext) {
    const memory = context.lasting(RulesMemory);
    this.#context = context;
    this.#authorisation = new Authorisation(context, memory);
    this.#executions = memory.executions;
    this.#pulses = new Pulses(context);
  }

  async start(): Promise<void> {
    const { bus, config, log } = this.#context;
    bus.on('sms.received', this, (message) => this.#look(message));
    const used = new Set(config.rules.flatMap(({ command }) => command ?? []));
    for (const command of config.commands.filter(({ name }) => used.has(name))) {
      const reason = await distrustCommand(this.#context, command);
      if (reason !== undefined) log.warning(`command ${command.name} does not run, and rules cannot use it: ${reason}`);
    }
  }

  async stop(): Promise<void> {
    await this.#pulses.stop();
  }

  deliveriesFor(event: DeliveryEvent): readonly DeliveryRequest[] {
    return event.kind === 'message' && this.#context.isRuleMessage(event.message) ? [{ target: TARGET }] : [];
  }

  async deliver(delivery: Delivery, signal: AbortSignal, commit: () => Promise<void>): Promise<DeliveryOutcome> {
    if (delivery.kind !== 'message') return noReceipts;
    const { message } = delivery;
    // Only here a message still has its secret. The rules may have changed since it came.
    const original = (await this.#context.inbox.original(message.id)) ?? message;
    const match = matchingRule(original, this.#context.shared, this.#context.isFrom);
    if (match === undefined) return { type: 'rejected', reason: 'no rule is meant by it any more' };
    const refusal = await this.#refusal(match, message, signal);
    if (refusal !== undefined) return this.#refuse(`rule ${match.rule.section} refuses ${message.number}: ${refusal}`);
    return this.#execute({ rule: match.rule, args: match.args, message, signal, commit, pulses: this.#pulses });
  }

  /** Somebody may have a secret, and is not allowed to use it. */
  #look(message: InboxMessage): void {
    if (message.masked !== true || this.#context.isRuleMessage(message)) return;
    this.#warn(
      `a message from ${message.number} triggers no rule, and has a secret or a word in its place, which is hidden`,
    );
  }

  status(): JsonObject {
    const rules = this.#context.shared.rules.filter(({ enabled }) => enabled).length;
    return { rules, locked_out: this.#authorisation.lockedOut };
  }

  async #refusal(match: RuleMatch, message: InboxMessage, signal: AbortSignal): Promise<string | undefined> {
    const { clock, system } = this.#context;
    const { rule } = match;
    switch (await this.#authorisation.check(match, message, signal)) {
      case 'wrong':
        return `wrong ${rule.authorisation}`;
      case 'locked_out':
        return 'too many wrong secrets';
      case 'no_secret':
        return `there is no ${rule.authorisation} to compare with`;
      case 'right':
        break;
    }
    if (this.#executions.of(countKey({ rule, message })) >= rule.max_per_hour) {
      return `carried out ${counted(rule.max_per_hour, 'time')} within the hour`;
    }
    return tooLate(rule, message.time, { now: clock.now(), uptime: system.uptime() });
  }

  async #execute(execution: Execution): Promise<DeliveryOutcome> {
    const { rule, message } = execution;
    const about = `rule ${rule.section} (${rule.action}) for ${message.number}`;
    try {
      const result = await carryOut(this.#context, execution);
      this.#executions.add(countKey(execution));
      this.#note(about, result);
      if (result.answer !== undefined && (rule.reply || actionRow(rule.action)?.asks)) {
        await sendAnswer(this.#context, execution, 'result', result.answer);
      }
      return { type: 'done' };
    } catch (error) {
      if (!isPermanent(error)) throw error;
      return { type: 'rejected', reason: `${about}: ${error.message}` };
    }
  }

  #refuse(text: string): DeliveryOutcome {
    this.counters.refused += 1;
    this.#warn(text);
    return { type: 'done' };
  }

  /** Somebody who tries again and again fills no log. */
  #warn(text: string): void {
    const { log } = this.#context;
    if (text === this.#lastRefusal) log.debug(text);
    else log.warning(text);
    this.#lastRefusal = text;
  }

  #note(about: string, { failed, summary }: Result): void {
    const { log } = this.#context;
    this.#lastRefusal = '';
    this.counters[failed ? 'failed' : 'executed'] += 1;
    if (failed) log.warning(`${about} failed: ${summary}`);
    else log.info(`${about}: ${summary}`);
  }
}

/** By its text, which no other rule has: the name of an unnamed rule changes when others come and go. */
const countKey = ({ rule, message }: Pick<Execution, 'rule' | 'message'>): string =>
  `${message.number} ${comparable(rule.smstext)}`;
