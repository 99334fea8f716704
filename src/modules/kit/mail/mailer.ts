import { createTransport, type NodemailerError, type SMTPTransportOptions } from 'nodemailer';
import { type Clock, sleep } from '../../../base/clock.ts';
import { GatewayError } from '../../../base/errors.ts';
import type { ForwardingToSmtpConfig } from '../../../config/config.ts';
import type { DeliveryOutcome } from '../../host/contract.ts';
import { smtpServer } from './smtp-account.ts';
import { tlsOptions } from './tls-options.ts';

/** A mail of plain text to one recipient. */
export interface OutgoingMail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly messageId: string;
  /** Message-ID of the mail that this one answers. */
  readonly inReplyTo?: string;
  /** RFC 3834 5: made by a program on its own, or as an answer. No program answers to either. */
  readonly automatic: 'auto-generated' | 'auto-replied';
}

/** Handing in one mail takes no longer than this many times the time-out. */
const MAX_WAITS = 6;
/** The account is at fault with these, not the mail. RFC 4954 6. */
const accountFaults: ReadonlySet<number> = new Set([530, 534, 535, 538]);

/** Hands mails in at the server of the section forwarding_to_smtp. A connection for each: routers send few. */
export class Mailer {
  readonly #config: ForwardingToSmtpConfig;
  readonly #clock: Clock;

  constructor(config: ForwardingToSmtpConfig, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
  }

  /**
   * `done` when the server has taken the mail, `rejected` when it never will (a 5xx answer to the mail or one of its
   * addresses), otherwise `retry`. Rejects with the signal's reason.
   */
  async send(mail: OutgoingMail, signal: AbortSignal): Promise<DeliveryOutcome> {
    try {
      await this.#handIn(mail, signal);
      return { type: 'done' };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof GatewayError) return { type: 'retry', reason: error.message };
      return outcomeOf(error);
    }
  }

  async #handIn(mail: OutgoingMail, signal: AbortSignal): Promise<void> {
    const { senderemail } = this.#config;
    const transport = createTransport(await this.#options());
    const over = new AbortController();
    const stop = AbortSignal.any([signal, over.signal]);
    const deadline = MAX_WAITS * this.#config.timeout * 1000;
    const late = sleep(this.#clock, deadline, stop).then(() => {
      throw new GatewayError('timeout', 'the mail server is too slow');
    });
    try {
      await Promise.race([
        late,
        transport.sendMail({
          from: { name: '', address: senderemail },
          to: { name: '', address: mail.to },
          // Nobody but the recipient gets it, whatever the header lines say.
          envelope: { from: senderemail, to: [mail.to] },
          // biome-ignore lint/suspicious/noControlCharactersInRegex: a header line holds none
          subject: mail.subject.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' '),
          text: mail.text,
          messageId: mail.messageId,
          ...(mail.inReplyTo !== undefined && { inReplyTo: mail.inReplyTo, references: mail.inReplyTo }),
          headers: { 'Auto-Submitted': mail.automatic },
          disableFileAccess: true,
          disableUrlAccess: true,
          signal: stop,
        }),
      ]);
    } finally {
      over.abort();
      late.catch(() => {});
      transport.close();
    }
  }

  async #options(): Promise<SMTPTransportOptions> {
    const { smtpip, username, password, timeout } = this.#config;
    const { port, security } = smtpServer(this.#config);
    const wait = timeout * 1000;
    return {
      ...{ host: smtpip, port, secure: security === 'implicit' },
      // nodemailer would send in clear where a server offers no STARTTLS.
      ...{ requireTLS: security === 'starttls', ignoreTLS: security === 'none' },
      ...{
        dnsTimeout: wait,
        connectionTimeout: wait,
        greetingTimeout: wait,
        socketTimeout: wait,
        socketCloseTimeout: 0,
      },
      tls: await tlsOptions(smtpip, this.#config),
      maxResponseSize: 64 * 1024,
      // A server that offers no login must not get the mail without one, only to reject it for good.
      ...(username !== undefined && { auth: { user: username, pass: password ?? '' }, forceAuth: true }),
    };
  }
}

function outcomeOf(thrown: unknown): DeliveryOutcome {
  const error: Partial<NodemailerError> = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { message = '', code, responseCode = 0, command } = error;
  const reason = `the mail server: ${message.slice(0, 300)}`;
  const ofTheMail = (code === 'EENVELOPE' || code === 'EMESSAGE') && !accountFaults.has(responseCode);
  const forGood = error.permanent ?? command !== 'CONN';
  return ofTheMail && forGood ? { type: 'rejected', reason } : { type: 'retry', reason };
}
