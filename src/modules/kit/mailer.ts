import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createTransport, type NodemailerError, type SMTPTransportOptions } from 'nodemailer';
import { budgets } from '../../access/budgets.ts';
import { within } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import type { DeliveryOutcome } from '../host/contract.ts';
import type { MailServer } from './mail-server.ts';
import { SmtpSocket, TOO_MUCH } from './smtp-socket.ts';
import { connectionFailure, tlsOptions } from './tls.ts';

/** A mail of plain text to one recipient. */
export interface OutgoingMail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly messageId: string;
  /** Message-ID of the mail that this one answers. */
  readonly inReplyTo?: string;
  /** RFC 3834 5: made by a program on its own, or as an answer to a mail. Other programs answer neither. */
  readonly automatic: 'auto-generated' | 'auto-replied';
}

/** For a server that does not speak TLS on its port. */
const IN_CLEAR = 'the port is wrong, or the connection begins in clear, with tls starttls or without secureconnection';
/** Deadline for one mail, in time-outs. */
const MAX_WAITS = 6;
/** Reply codes that blame the account, not the mail. RFC 4954 6. */
const accountFaults: ReadonlySet<number> = new Set([530, 534, 535, 538]);

/**
 * Sends mails through the server of the section forwarding_to_smtp, each over its own connection: routers send few.
 * The only file that imports nodemailer.
 */
export class Mailer {
  readonly #config: MailServer;
  readonly #clock: Clock;

  constructor(config: MailServer, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
  }

  /**
   * `done` when the server has accepted the mail, `rejected` on a permanent refusal (a 5xx answer to the mail or one of
   * its addresses), otherwise `retry`. Throws the signal's reason.
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
    const { senderemail, timeout } = this.#config;
    const over = new AbortController();
    const transport = createTransport(await this.#options(over));
    try {
      const sending = transport.sendMail({
        from: { name: '', address: senderemail },
        to: { name: '', address: mail.to },
        // The header lines add no recipient.
        envelope: { from: senderemail, to: [mail.to] },
        // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are removed from the header line
        subject: mail.subject.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' '),
        text: mail.text,
        messageId: mail.messageId,
        ...(mail.inReplyTo !== undefined && { inReplyTo: mail.inReplyTo, references: mail.inReplyTo }),
        headers: { 'Auto-Submitted': mail.automatic },
        disableFileAccess: true,
        disableUrlAccess: true,
        signal: AbortSignal.any([signal, over.signal]),
      });
      await within(sending, 'the mail server', { clock: this.#clock, ms: MAX_WAITS * timeout * 1000, signal });
    } catch (error) {
      throw over.signal.aborted ? over.signal.reason : error;
    } finally {
      over.abort();
      transport.close();
    }
  }

  async #options(over: AbortController): Promise<SMTPTransportOptions> {
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
      maxResponseSize: budgets.servers.smtpDialogue.limit,
      getSocket: (_, done) => {
        SmtpSocket.open({ host: smtpip, port, timeout: wait, signal: over.signal }).then(
          // nodemailer needs no more of a socket than this one has.
          (connection: Duplex) => done(null, { connection: connection as Socket }),
          (error: Error) => done(error),
        );
      },
      ...counted(() => over.abort(new Error(TOO_MUCH))),
      // Without a login many servers refuse the mail for good: one that offers no login must not get it.
      ...(username !== undefined && { auth: { user: username, pass: password ?? '' }, forceAuth: true }),
    };
  }
}

/** Options that call `tooMany` when the server answers more often than a dialogue needs. */
function counted(tooMany: () => void): Pick<SMTPTransportOptions, 'transactionLog' | 'logger'> {
  let answers = 0;
  const debug = (entry: unknown) => {
    if (entry instanceof Object && 'tnx' in entry && entry.tnx === 'server') answers += 1;
    if (answers > budgets.servers.smtpAnswers.limit) tooMany();
  };
  const silent = () => {};
  return {
    transactionLog: true,
    logger: { level: silent, trace: silent, debug, info: silent, warn: silent, error: silent, fatal: silent },
  };
}

function outcomeOf(thrown: unknown): DeliveryOutcome {
  const error: Partial<NodemailerError> = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { code, responseCode = 0, command } = error;
  const reason = `the mail server: ${connectionFailure(error, IN_CLEAR).slice(0, 300)}`;
  const ofTheMail = (code === 'EENVELOPE' || code === 'EMESSAGE') && !accountFaults.has(responseCode);
  const forGood = error.permanent ?? command !== 'CONN';
  return ofTheMail && forGood ? { type: 'rejected', reason } : { type: 'retry', reason };
}

/** TLS from the first octet, TLS by STARTTLS or no connection, or no TLS. */
type SmtpSecurity = 'implicit' | 'starttls' | 'none';

const SUBMISSIONS = 465;
const SUBMISSION = 587;

/** Port and security of the configured server, RFC 8314 3.3. */
function smtpServer(config: MailServer): { readonly port: number; readonly security: SmtpSecurity } {
  const { secureconnection, smtpport, tls } = config;
  if (!secureconnection) return { port: smtpport ?? SUBMISSION, security: 'none' };
  const implicit = tls === 'implicit' || (tls === 'auto' && smtpport === SUBMISSIONS);
  return implicit
    ? { port: smtpport ?? SUBMISSIONS, security: 'implicit' }
    : { port: smtpport ?? SUBMISSION, security: 'starttls' };
}

/** How the Message-ID of every mail from this gateway begins. */
export const OWN_MAIL = '<sms-gateway.';

/** The Message-ID of the mail that these facts describe: the same at each try, and of no other mail. RFC 5322 3.6.4. */
export function messageIdOf(facts: readonly (string | number)[], sender: string): string {
  const digest = createHash('sha256').update(JSON.stringify(facts)).digest('base64url').slice(0, 22);
  return `${OWN_MAIL}${digest}${sender.slice(sender.lastIndexOf('@'))}>`;
}
