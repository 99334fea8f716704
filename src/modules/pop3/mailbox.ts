import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import type { Pop3Config } from '../../config/config.ts';
import type { Handled, MailHandler } from './mail-handler.ts';
import type { Pop3Client } from './pop3-client.ts';
import type { SentMails } from './sent-mails.ts';
import { logIn } from './server.ts';

/** Mails in one session, and how long one may take to read them: what a cut connection costs is bounded. */
const BATCH = 300;
const SESSION_MS = 600_000;
/** Servers count octets in ways of their own. */
const slack = (size: number) => size * 1.25 + 65_536;

/** What one look into the mailbox came to. */
export interface Look {
  /** Mails in the mailbox. */
  readonly mails: number;
  /** What became of those that were read. */
  readonly handled: readonly Handled[];
  readonly deleted: number;
  /** There are more mails, and this look got on. */
  readonly more: boolean;
  /** What kept it from going on; it has tidied up all the same. */
  readonly hindrance?: unknown;
}

interface Listed {
  readonly number: number;
  readonly size: number;
  readonly uniqueId: string | undefined;
}

export interface MailboxParts {
  readonly config: Pop3Config;
  readonly clock: Clock;
  readonly handler: Pick<MailHandler, 'handle'>;
  readonly sent: SentMails;
}

/**
 * Empties the mailbox, session by session: read and submit, note what was submitted, delete, have the server confirm it,
 * forget. In this order nothing is lost or sent twice, wherever it is cut.
 */
export class Mailbox {
  readonly #parts: MailboxParts;
  /** Unique ids of mails that were looked at and are to stay. */
  readonly #left = new Set<string>();
  /** Unique ids of mails at which the connection ended: they come last, so that they hold up no others. */
  readonly #suspects = new Set<string>();
  /** Unique ids of mails that are larger than the server says. */
  readonly #oversized = new Set<string>();

  constructor(parts: MailboxParts) {
    this.#parts = parts;
  }

  /** One session. Throws GatewayError as `Pop3Client`, store_*; the signal's reason. */
  async look(signal: AbortSignal): Promise<Look> {
    const client = await logIn(this.#parts.config, this.#parts.clock, signal);
    try {
      return await this.#session(client, signal);
    } finally {
      client.close();
    }
  }

  async #session(client: Pop3Client, signal: AbortSignal): Promise<Look> {
    const { sent } = this.#parts;
    const mails = await this.#list(client);
    const batch = this.#next(mails);
    const handled = new Map<Listed, Handled>();
    let hindrance: unknown;
    try {
      await this.#read(client, batch, handled, signal);
    } catch (error) {
      // The store or the outbox is full: what was submitted can be deleted. A failed connection shows at once.
      hindrance = error;
    } finally {
      await sent.remember(referencesOf(handled.values()));
    }
    signal.throwIfAborted();
    const unseen = this.#unseen(mails).length;
    const deleted = await this.#delete(client, handled);
    await client.quit();
    await sent.forget(referencesOf(deleted));
    const left = this.#unseen(mails).length - deleted.length;
    const facts = { mails: mails.length, handled: [...handled.values()], deleted: deleted.length };
    if (hindrance !== undefined) return { ...facts, more: false, hindrance };
    if (left === 0) await sent.forgetAll();
    return { ...facts, more: left > 0 && left < unseen };
  }

  async #list(client: Pop3Client): Promise<readonly Listed[]> {
    const sizes = await client.list();
    const ids = sizes.length > 0 ? await client.uniqueIds() : undefined;
    const present = new Set(ids?.values());
    for (const memory of [this.#left, this.#suspects, this.#oversized]) {
      for (const id of memory) if (!present.has(id)) memory.delete(id);
    }
    return sizes.map(({ number, size }) => ({ number, size, uniqueId: ids?.get(number) }));
  }

  #unseen(mails: readonly Listed[]): readonly Listed[] {
    return mails.filter(({ uniqueId = '' }) => !this.#left.has(uniqueId));
  }

  /** The mails of this session: those that made trouble only when there are no others, and one by one. */
  #next(mails: readonly Listed[]): readonly Listed[] {
    const unseen = this.#unseen(mails);
    const good = unseen.filter(({ uniqueId = '' }) => !this.#suspects.has(uniqueId));
    return good.length > 0 ? good.slice(0, BATCH) : unseen.slice(0, 1);
  }

  async #read(
    client: Pop3Client,
    batch: readonly Listed[],
    handled: Map<Listed, Handled>,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#parts;
    const end = clock.monotonic() + SESSION_MS;
    for (const mail of batch) {
      if (clock.monotonic() > end) return;
      signal.throwIfAborted();
      const outcome = await this.#one(client, mail);
      if (outcome !== undefined) handled.set(mail, outcome);
    }
  }

  /** Undefined for a mail that the server does not give out. */
  async #one(client: Pop3Client, { number, size, uniqueId }: Listed): Promise<Handled | undefined> {
    const most = this.#parts.config.max_size * 1024;
    if (size > most || this.#oversized.has(uniqueId ?? '')) return { type: 'ignored', reason: 'it is too large' };
    let raw: Buffer;
    try {
      raw = await client.retrieve(number, slack(most));
    } catch (error) {
      const code = error instanceof GatewayError ? error.code : undefined;
      if (code === 'peer_rejected') return undefined;
      if (uniqueId !== undefined) (code === 'too_large' ? this.#oversized : this.#suspects).add(uniqueId);
      throw error;
    }
    this.#suspects.delete(uniqueId ?? '');
    return this.#parts.handler.handle(raw, uniqueId);
  }

  /** Deletes what may go; gives what the server has let go. */
  async #delete(client: Pop3Client, handled: ReadonlyMap<Listed, Handled>): Promise<readonly Handled[]> {
    const deleted: Handled[] = [];
    for (const [{ number, uniqueId }, outcome] of handled) {
      if (outcome.type === 'ignored' && this.#parts.config.delete === 'handled') {
        if (uniqueId !== undefined) this.#left.add(uniqueId);
        continue;
      }
      try {
        await client.delete(number);
        deleted.push(outcome);
      } catch (error) {
        if (!(error instanceof GatewayError) || error.code !== 'peer_rejected') throw error;
      }
    }
    return deleted;
  }
}

const referencesOf = (handled: Iterable<Handled>): string[] =>
  [...handled].flatMap((outcome) => (outcome.type === 'sent' ? outcome.references : []));
