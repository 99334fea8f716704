import { sleep } from '../../base/clock.ts';
import { describeError } from '../../base/errors.ts';
import type { GatewayConfig } from '../../config/config.ts';
import type { GatewayModule, ModuleContext } from '../host/contract.ts';
import { HourlyCount } from '../kit/hourly-count.ts';
import type { MailServer } from '../kit/mail-server.ts';
import { Mailer, messageIdOf } from '../kit/mailer.ts';

export interface AlarmsConfig {
  readonly numbers: GatewayConfig['alarm_number'];
  readonly addresses: GatewayConfig['alarm_email'];
  /** What sends the mails; there are none without it. */
  readonly server: MailServer | undefined;
}

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
    this.#mails = context.lasting(HourlyCount);
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
    const { numbers, addresses, server } = config;
    const work = [
      ...numbers.map((number) => this.#sms(number, text)),
      ...(server === undefined ? [] : addresses.map((address) => this.#mail(server, address, text))),
    ];
    for (const each of work) {
      const done = each.catch((error: unknown) => this.#failed(describeError(error)));
      this.#sending.add(done);
      void done.then(() => this.#sending.delete(done));
    }
  }

  async #sms(number: AlarmsConfig['numbers'][number], text: string): Promise<void> {
    const { outbox, name } = this.#context;
    await outbox.submit({ number, source: name, priority: 3, content: { type: 'text', text } });
    this.counters.sms += 1;
  }

  async #mail(server: MailServer, to: string, text: string): Promise<void> {
    const { clock, signal } = this.#context;
    if (this.#mails.of(to) >= MAILS_PER_HOUR) throw new Error(`${to} had ${MAILS_PER_HOUR} mails within the hour`);
    this.#mails.add(to);
    const mail = {
      ...{ to, text, subject: 'SMS gateway: a limit is reached', automatic: 'auto-generated' as const },
      messageId: messageIdOf(['alarm', to, text, clock.now()], server.senderemail),
    };
    for (let attempt = 1; ; attempt++) {
      const outcome = await new Mailer(server, clock).send(mail, signal);
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
