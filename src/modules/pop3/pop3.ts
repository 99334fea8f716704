import { backOffPause } from '../../base/back-off.ts';
import { sleep } from '../../base/clock.ts';
import { describeError, GatewayError } from '../../base/errors.ts';
import { FaultLog } from '../../base/fault-log.ts';
import type { JsonObject } from '../../base/json.ts';
import { Mutex } from '../../base/mutex.ts';
import { counted, printable } from '../../base/printable.ts';
import type { Pop3Config } from '../../config/config.ts';
import { LimitReached } from '../../store/outbox/ceilings.ts';
import type { GatewayModule, ModuleContext } from '../host/contract.ts';
import type { MailServer } from '../kit/mail-server.ts';
import { Mailer } from '../kit/mailer.ts';
import { BegunMails } from './begun-mails.ts';
import { FailureReplies } from './failure-replies.ts';
import { MailHandler, SentMails } from './mail-handler.ts';
import { type Look, Mailbox } from './mailbox.ts';
import { logIn, serverName } from './pop3-client.ts';

export interface EmailToSmsConfig {
  readonly pop3: Pop3Config;
  /** What sends the replies to mails that are not sent; there are none without it. */
  readonly server: MailServer | undefined;
}

const MINUTE_MS = 60_000;
const unitMs = { min: MINUTE_MS, hour: 60 * MINUTE_MS, day: 24 * 60 * MINUTE_MS } as const;
/** Pauses after failures, ms. */
const pauses = { first: MINUTE_MS, longest: 60 * MINUTE_MS };

/** Reads a mailbox and sends its mails as SMS. */
export class EmailToSms implements GatewayModule {
  readonly #context: ModuleContext<EmailToSmsConfig>;
  readonly #config: Pop3Config;
  readonly #mailbox: Mailbox;
  readonly #handler: MailHandler;
  readonly #sent: SentMails;
  readonly #replies: FailureReplies | undefined;
  readonly #faults: FaultLog;
  /** One session at a time: a POP3 server locks the mailbox. */
  readonly #sessions = new Mutex();
  #running: Promise<void> = Promise.resolve();
  #ignored = 0;
  #deleted = 0;
  #failures = 0;
  #checked: number | undefined;
  #mails: number | undefined;
  #error: string | undefined;
  #undeletable: Look['undeletable'];
  #passed: Look['passed'] = [];

  constructor(context: ModuleContext<EmailToSmsConfig>) {
    const { clock, notebook, system } = context;
    const { pop3: config, server } = context.config;
    this.#context = context;
    this.#config = config;
    this.#faults = new FaultLog(context.log);
    this.#sent = new SentMails(notebook('pop3'), config, clock);
    const replies = { context, book: notebook('pop3 replies') };
    this.#replies =
      server && new FailureReplies({ ...replies, sender: server.senderemail, mailer: new Mailer(server, clock) });
    this.#handler = new MailHandler({ context, config, sent: this.#sent, replies: this.#replies });
    const begun = new BegunMails(notebook('pop3 begun'), config, () => system.bootId());
    const room = (octets: number) => context.access.memory.work.enter(octets, context.signal);
    this.#mailbox = new Mailbox({ config, clock, handler: this.#handler, sent: this.#sent, begun, room });
  }

  get counters(): Readonly<Record<string, number>> {
    return {
      sent: this.#handler.submitted,
      ignored: this.#ignored,
      deleted: this.#deleted,
      failures: this.#failures,
      replied: this.#replies?.replied ?? 0,
    };
  }

  async start(): Promise<void> {
    this.#replies?.start(this);
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#running, this.#sessions.idle()]);
    await this.#replies?.stop();
    try {
      await this.#mailbox.close();
    } catch (error) {
      this.#context.log.warning(
        `cannot store which mails were deleted, mails that come back may be sent again: ${describeError(error)}`,
      );
    }
  }

  status(): JsonObject {
    return {
      server: serverName(this.#config),
      ...(this.#checked !== undefined && { checked: new Date(this.#checked).toISOString() }),
      ...(this.#mails !== undefined && { mails: this.#mails }),
      ...(this.#undeletable !== undefined && { undeletable: this.#undeletable.mails }),
      ...(this.#passed.length > 0 && { passed: this.#passed.length }),
      ...(this.#error !== undefined && { error: this.#error }),
    };
  }

  async test(signal: AbortSignal): Promise<string> {
    const either = AbortSignal.any([signal, this.#context.signal]);
    return this.#sessions.run(async () => {
      const client = await logIn(this.#config, this.#context.clock, either);
      try {
        const mails = await client.list();
        await client.quit();
        return `logged in at ${serverName(this.#config)}; mails in the mailbox: ${mails.length}`;
      } finally {
        client.close();
      }
    });
  }

  /** Reads the mailbox at the configured interval. Never rejects. */
  async #run(): Promise<void> {
    const { signal, clock, health } = this.#context;
    let failures = 0;
    while (!signal.aborted) {
      const outcome = await this.#check();
      failures = outcome === 'well' || outcome === 'more' ? 0 : failures + 1;
      try {
        if (outcome === 'more') continue;
        const pause = this.#pause(outcome, failures);
        if (outcome !== 'well') health.triedAgain('read', clock.now() + pause);
        await sleep(clock, pause, signal);
      } catch {
        return;
      }
    }
  }

  /** Pause before the next session, ms. */
  #pause(outcome: 'well' | 'failed' | 'refused', failures: number): number {
    const interval = this.#config[this.#config.time] * unitMs[this.#config.time];
    const pause = backOffPause(pauses, failures, Math.random);
    switch (outcome) {
      case 'well':
        return interval;
      case 'failed':
        return Math.min(interval, pause);
      case 'refused':
        // Servers lock accounts after too many wrong passwords.
        return Math.max(interval, pause);
    }
  }

  async #check(): Promise<'well' | 'more' | 'failed' | 'refused'> {
    const { signal, clock } = this.#context;
    try {
      await this.#sent.prune();
      const look = await this.#sessions.run(() => this.#mailbox.look(signal));
      this.#count(look);
      if (look.hindrance !== undefined) throw look.hindrance;
      this.#checked = clock.now();
      this.#works();
      return look.more ? 'more' : 'well';
    } catch (error) {
      if (!signal.aborted) this.#fails(error);
      return error instanceof GatewayError && error.code === 'access_denied' ? 'refused' : 'failed';
    } finally {
      this.#replies?.settle();
    }
  }

  #count({ mails, handled, deleted, undeletable, passed, whole }: Look): void {
    this.#mails = mails - deleted;
    // A session that could not read all mails does not know of those that it left out.
    if (whole || undeletable !== undefined) this.#show(undeletable);
    this.#showPassed(passed);
    this.#deleted += deleted;
    const reasons = handled.flatMap((outcome) => (outcome.type === 'sent' ? [] : [outcome.reason]));
    this.#ignored += reasons.length;
    if (handled.length === 0) return;
    const why = [...new Set(reasons)].map((reason) => `${reasons.filter((r) => r === reason).length} as ${reason}`);
    const rest = why.length > 0 ? `, not sent ${why.join(', ')}` : '';
    this.#context.log.info(
      `of ${counted(handled.length, 'mail')} ${handled.length - reasons.length} sent${rest}; ${deleted} deleted`,
    );
  }

  /** Mails that cannot be deleted are sent once. They show as a failure, as the mailbox fills. */
  #show(undeletable: Look['undeletable']): void {
    const { log, health } = this.#context;
    const before = this.#undeletable;
    this.#undeletable = undeletable;
    if (undeletable === undefined) {
      health.succeeded('delete');
      if (before !== undefined) log.info('the mails that could not be deleted are gone');
      return;
    }
    const text = `mails that cannot be deleted from the mailbox: ${undeletable.mails}; ${undeletable.reason}`;
    health.failed('delete', text);
    if (before === undefined) log.warning(`${text}; each is sent once, and stays`);
  }

  /** Mails that the gateway does not dare to read show as a failure until their owner has taken them away. */
  #showPassed(passed: Look['passed']): void {
    const { log, health } = this.#context;
    const names = (mails: Look['passed']) => mails.map(({ uniqueId, number, size }) => `${uniqueId ?? number} ${size}`);
    const before = names(this.#passed);
    this.#passed = passed;
    for (const { uniqueId, number, size } of passed.filter(
      (mail) => !names([mail]).some((name) => before.includes(name)),
    )) {
      log.warning(
        `a mail is passed over: the gateway ended while it was read; it stays in the mailbox as number ${number}, ` +
          `${size} octets${uniqueId === undefined ? '' : `, unique id ${printable(uniqueId)}`}`,
      );
    }
    if (passed.length === 0) health.succeeded('pass');
    else health.failed('pass', `mails passed over, as the gateway ended while they were read: ${passed.length}`);
  }

  #works(): void {
    this.#context.health.succeeded('read');
    this.#faults.over('read', 'the mailbox can be read again');
    this.#error = undefined;
  }

  #fails(error: unknown): void {
    const limited = error instanceof LimitReached;
    const reason = limited ? error.limit : describeError(error);
    if (!limited) this.#failures += 1;
    const text = limited
      ? `mails wait in the mailbox at ${serverName(this.#config)}: ${reason}`
      : `the mailbox at ${serverName(this.#config)} cannot be read: ${reason}`;
    this.#context.health.failed('read', text);
    this.#faults.fault('read', text);
    this.#error = reason;
  }
}
