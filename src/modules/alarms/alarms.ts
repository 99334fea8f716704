import { sleep } from '../../base/clock.ts';
import { describeError } from '../../base/errors.ts';
import type { Config } from '../../config/config.ts';
import type { GatewayModule, ModuleContext } from '../host/contract.ts';
import { HourlyCount } from '../kit/hourly-count.ts';
import { Mailer, messageIdOf } from '../kit/mailer.ts';

export type AlarmsConfig = Pick<Config, 'gateway' | 'forwarding_to_smtp'>;

/** Mails an hour to one address. */
const MAILS_PER_HOUR = 5;
/** Tries of a mail, and the pause between them, ms. */
const MAIL_TRIES = 5;
const MAIL_PAUSE_MS = 120_000;

/** Reports by SMS and mail that a limit of SMS is reached. Its own SMS have a limit of their own, and no other. */
export class Alarms implements GatewayModule {
  readonly counters = { sms: 0, mails: 0, failed: 0 };
  readonly #context: ModuleContext<AlarmsConfig>;
  readonly #mails: HourlyCount;
  readonly #sending = new Set<Promise<void>>();

  constructor(context: ModuleContext<AlarmsConfig>) {
    this.#context = context;
    this.#mails = new HourlyCount(context.clock);
  }

  async start(): Promise<void> {
    this.#context.bus.on('limit.reached', this, ({ text }) => this.#raise(text));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#sending);
  }

  async #raise(reason: string): Promise<void> {
    const { config, system } = this.#context;
    const text = `${(await system.routerName()) ?? 'SMS gateway'}: ${reason}`;
    const { alarm_number, alarm_email } = config.gateway;
    const work = [
      ...alarm_number.map((number) => this.#sms(number, text)),
      ...(config.forwarding_to_smtp.enabled ? alarm_email : []).map((address) => this.#mail(address, text)),
    ];
    for (const each of work) {
      const done = each.catch((error: unknown) => this.#failed(describeError(error)));
      this.#sending.add(done);
      void done.then(() => this.#sending.delete(done));
    }
  }

  async #sms(number: AlarmsConfig['gateway']['alarm_number'][number], text: string): Promise<void> {
    const { outbox, name } = this.#context;
    await outbox.submit({ number, source: name, priority: 3, content: { type: 'text', text } });
    this.counters.sms += 1;
  }

  async #mail(to: string, text: string): Promise<void> {
    const { config, clock, signal } = this.#context;
    if (this.#mails.of(to) >= MAILS_PER_HOUR) throw new Error(`${to} had ${MAILS_PER_HOUR} mails within the hour`);
    this.#mails.add(to);
    const smtp = config.forwarding_to_smtp;
    const mail = {
      ...{ to, text, subject: 'SMS gateway: a limit is reached', automatic: 'auto-generated' as const },
      messageId: messageIdOf(['alarm', to, text, clock.now()], smtp.senderemail),
    };
    for (let attempt = 1; ; attempt++) {
      const outcome = await new Mailer(smtp, clock).send(mail, signal);
      if (outcome.type === 'done') break;
      const reason = outcome.reason;
      if (outcome.type === 'rejected' || attempt === MAIL_TRIES) throw new Error(`no mail to ${to}: ${reason}`);
      await sleep(clock, MAIL_PAUSE_MS, signal);
    }
    this.counters.mails += 1;
  }

  #failed(reason: string): void {
    const { log, signal } = this.#context;
    if (signal.aborted) return;
    this.counters.failed += 1;
    log.warning(`an alarm is not sent, and not tried again: ${reason}`);
  }
}
