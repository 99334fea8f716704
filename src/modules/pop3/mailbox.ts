import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import type { Lease } from '../../base/memory-pool.ts';
import type { Pop3Config } from '../../config/config.ts';
import { LimitReached } from '../../store/outbox/ceilings.ts';
import type { BegunMails, ListedMail } from './begun-mails.ts';
import type { Handled, MailHandler, SentMails } from './mail-handler.ts';
import type { Pop3Client } from './pop3-client.ts';
import { logIn } from './pop3-client.ts';

/** Limits of a session: new mails, and ms for reading them. They bound the work that a broken connection repeats. */
const BATCH = 300;
const SESSION_MS = 600_000;
/** Octets that an octet of a mail takes while it is read: the parser, its parts, and their texts. */
const COST = 6;
/** Octets allowed for a mail: servers count them in different ways. */
const slack = (size: number) => size * 1.25 + 65_536;

/** The result of one session. */
export interface Look {
  /** Mails in the mailbox. */
  readonly mails: number;
  /** The outcomes of the mails that are new. */
  readonly handled: readonly Handled[];
  readonly deleted: number;
  /** Mails that are not read: the gateway ended while it read them. They stay. */
  readonly passed: readonly ListedMail[];
  /** Mails that the server did not delete, and why. */
  readonly undeletable?: { readonly mails: number; readonly reason: string };
  /** Every mail was looked at, but for those that are passed over. */
  readonly whole: boolean;
  /** Further mails wait, and this session has handled some. */
  readonly more: boolean;
  /** The error that stopped the reading. Mails handled before it were deleted. */
  readonly hindrance?: unknown;
}

/** A handled mail, while it is in the mailbox and for one session longer. */
interface Known {
  readonly outcome: Handled;
  readonly uniqueId: string | undefined;
  /** The server has confirmed the deletion. */
  gone: boolean;
}

/** A mail of this session. */
interface Seen {
  readonly identity: string;
  readonly outcome: Handled;
  /** It was handled in an earlier session. */
  readonly again: boolean;
}

/** A handled mail that stays in the mailbox and is not fetched again. */
interface Settled {
  readonly size: number;
  readonly identity: string;
  /** Why the server did not delete it; absent where the config keeps it. */
  readonly undeletable?: string;
}

export interface MailboxParts {
  readonly config: Pop3Config;
  readonly clock: Clock;
  readonly handler: Pick<MailHandler, 'read' | 'handle'>;
  readonly sent: SentMails;
  /** Waits for room in the memory. Throws queue_full. */
  readonly room: (octets: number) => Promise<Lease>;
  readonly begun: BegunMails;
}

const CAME_BACK = 'the server confirms their deletion, and lists them again';

/**
 * Empties the mailbox. The order of a session: read and submit, note the submitted mails, delete, have the server confirm
 * it, forget the notes. A break at any point loses no mail and sends none twice. A mail is recognised by its content and
 * not by its unique id: some servers give new ids in each session, or delete nothing.
 */
export class Mailbox {
  readonly #parts: MailboxParts;
  /** By identity. */
  readonly #known = new Map<string, Known>();
  /** By unique id. */
  readonly #settled = new Map<string, Settled>();
  /** Unique ids of the last session and of this one. */
  #before: ReadonlySet<string> = new Set();
  #present: ReadonlySet<string> = new Set();
  /** Unique ids of mails at which the connection ended: they come last, so that they do not delay others. */
  readonly #suspects = new Set<string>();
  /** Unique ids of mails that are larger than the server says. */
  readonly #oversized = new Set<string>();
  /** Unique ids of mails to a number that has had enough, and when they are looked at again, by the monotonic clock. */
  readonly #postponed = new Map<string, number>();

  constructor(parts: MailboxParts) {
    this.#parts = parts;
  }

  /**
   * Notes the mails deleted in the last session: whether they are really gone, the next session shows, perhaps after a
   * restart.
   */
  async close(): Promise<void> {
    const gone = [...this.#known.values()].filter((known) => known.gone);
    await this.#parts.sent.remember(gone.flatMap(({ outcome }) => referencesOf(outcome)));
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
    const { sent, begun } = this.#parts;
    const mails = await this.#list(client);
    await begun.compare(mails);
    const passed = mails.filter((mail) => begun.isPassed(mail));
    const open = mails.filter((mail) => !passed.includes(mail) && this.#settledAs(mail) === undefined);
    const seen = new Map<ListedMail, Seen>();
    let hindrance: unknown;
    try {
      await this.#read(client, this.#next(open.filter((mail) => !this.#isPostponed(mail))), seen, signal);
    } catch (error) {
      // The store or the outbox is full: submitted mails can still be deleted. A failed connection shows below.
      hindrance = error;
    }
    const news = [...seen.values()].flatMap(({ outcome }) => referencesOf(outcome)).filter((name) => !sent.has(name));
    await sent.remember(news);
    const fresh = [...seen.values()].filter(({ again }) => !again);
    for (const [{ uniqueId }, { identity, outcome, again }] of seen) {
      if (!again) this.#known.set(identity, { outcome, uniqueId, gone: false });
    }
    signal.throwIfAborted();
    const staying = await this.#delete(client, mails, seen);
    const unconfirmed = await refusalOf(() => client.quit());
    if (unconfirmed !== undefined) {
      // RFC 1939 6: some deleted messages not removed. The next session shows which.
      for (const [mail, { identity }] of seen) {
        if (!staying.has(mail)) staying.set(mail, this.#settle(mail, identity, unconfirmed));
      }
    }
    const deleted = [...seen].filter(([mail]) => !staying.has(mail)).map(([, { identity }]) => identity);
    for (const identity of deleted) {
      const known = this.#known.get(identity);
      if (known !== undefined) known.gone = true;
    }
    // Notes from before this session stay until the mail is no longer listed: the server may delete nothing, and the
    // gateway may restart between two sessions.
    const over = new Set(deleted.flatMap((identity) => this.#referencesOf(identity)));
    await sent.forget(news.filter((reference) => over.has(reference)));
    const whole = hindrance === undefined && seen.size === open.length;
    if (whole) await this.#forgetOthers(mails, seen);
    const reasons = [...staying.values()].filter((reason) => reason !== undefined);
    return {
      mails: mails.length,
      handled: fresh.map(({ outcome }) => outcome),
      deleted: deleted.length,
      passed,
      whole,
      more:
        hindrance === undefined && fresh.length > 0 && open.some((mail) => !seen.has(mail) && !this.#isPostponed(mail)),
      ...(reasons[0] !== undefined && { undeletable: { mails: reasons.length, reason: reasons[0] } }),
      ...(hindrance !== undefined && { hindrance }),
    };
  }

  async #list(client: Pop3Client): Promise<readonly ListedMail[]> {
    const sizes = await client.list();
    const ids = sizes.length > 0 ? await client.uniqueIds() : undefined;
    const present = new Set(ids?.values());
    this.#before = this.#present;
    this.#present = present;
    for (const memory of [this.#settled, this.#suspects, this.#oversized, this.#postponed]) {
      for (const id of memory.keys()) if (!present.has(id)) memory.delete(id);
    }
    return sizes.map(({ number, size }) => ({ number, size, uniqueId: ids?.get(number) }));
  }

  /** Undefined for a mail that must be fetched. The size is compared as well: servers reuse unique ids. */
  #settledAs({ uniqueId = '', size }: ListedMail): Settled | undefined {
    const settled = this.#settled.get(uniqueId);
    return settled?.size === size ? settled : undefined;
  }

  #isPostponed({ uniqueId = '' }: ListedMail): boolean {
    return (this.#postponed.get(uniqueId) ?? 0) > this.#parts.clock.monotonic();
  }

  /** The mails to read in this session. Mails at which a connection ended wait for the others, and come one by one. */
  #next(open: readonly ListedMail[]): readonly ListedMail[] {
    const good = open.filter(({ uniqueId = '' }) => !this.#suspects.has(uniqueId));
    return good.length > 0 ? good : open.slice(0, 1);
  }

  async #read(
    client: Pop3Client,
    mails: readonly ListedMail[],
    seen: Map<ListedMail, Seen>,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, begun } = this.#parts;
    const end = clock.monotonic() + SESSION_MS;
    let fresh = 0;
    await begun.read(mails, async (mail) => {
      if (clock.monotonic() > end || fresh >= BATCH) return false;
      signal.throwIfAborted();
      const result = await this.#one(client, mail);
      if (result !== undefined) seen.set(mail, result);
      if (result?.again === false) fresh += 1;
      return true;
    });
  }

  /** Undefined for a mail that the server refuses to send, or whose number has had enough for now. */
  async #one(client: Pop3Client, mail: ListedMail): Promise<Seen | undefined> {
    const { size, uniqueId } = mail;
    const { config, room } = this.#parts;
    const most = config.max_size * 1024;
    if (size > most || this.#oversized.has(uniqueId ?? '')) {
      const identity = `too large ${size}`;
      const outcome = { type: 'ignored', reason: 'it is too large' } as const;
      return { identity, outcome, again: this.#known.has(identity) };
    }
    const lease = await room(size * COST);
    try {
      return await this.#fetch(client, mail, lease);
    } finally {
      lease.release();
    }
  }

  async #fetch(client: Pop3Client, { number, uniqueId }: ListedMail, lease: Lease): Promise<Seen | undefined> {
    const { clock, config, handler } = this.#parts;
    let raw: Buffer;
    try {
      raw = await client.retrieve(number, slack(config.max_size * 1024));
    } catch (error) {
      const code = error instanceof GatewayError ? error.code : undefined;
      if (code === 'peer_rejected') return undefined;
      if (uniqueId !== undefined) (code === 'too_large' ? this.#oversized : this.#suspects).add(uniqueId);
      throw error;
    }
    this.#suspects.delete(uniqueId ?? '');
    lease.resize(raw.length * COST);
    const fetched = await handler.read(raw);
    const known = this.#known.get(fetched.identity);
    // A mail that was listed beside the known one in the last session is another mail, even with equal octets.
    const twin = uniqueId !== undefined && uniqueId !== known?.uniqueId && this.#before.has(uniqueId);
    if (known !== undefined && !twin) return { identity: fetched.identity, outcome: known.outcome, again: true };
    try {
      return { identity: fetched.identity, outcome: await handler.handle(fetched, uniqueId), again: false };
    } catch (error) {
      if (!(error instanceof LimitReached) || error.whose !== 'recipient') throw error;
      if (uniqueId !== undefined) this.#postponed.set(uniqueId, clock.monotonic() + error.after);
      return undefined;
    }
  }

  /** Marks mails for deletion. Returns the mails that stay, with the reason where the server did not delete them. */
  async #delete(
    client: Pop3Client,
    mails: readonly ListedMail[],
    seen: ReadonlyMap<ListedMail, Seen>,
  ): Promise<Map<ListedMail, string | undefined>> {
    const staying = new Map<ListedMail, string | undefined>();
    for (const mail of mails) {
      const settled = this.#settledAs(mail);
      const result = seen.get(mail);
      if (settled?.undeletable !== undefined) {
        const reason = (await refusalOf(() => client.delete(mail.number))) ?? settled.undeletable;
        staying.set(mail, this.#settle(mail, settled.identity, reason));
      } else if (result?.outcome.type === 'ignored' && this.#parts.config.delete === 'handled') {
        staying.set(mail, this.#settle(mail, result.identity));
      } else if (result !== undefined) {
        const back = this.#known.get(result.identity)?.gone === true ? CAME_BACK : undefined;
        const reason = (await refusalOf(() => client.delete(mail.number))) ?? back;
        if (reason !== undefined) staying.set(mail, this.#settle(mail, result.identity, reason));
      }
    }
    return staying;
  }

  /** Remembers that the mail is not fetched again. Returns the reason. */
  #settle({ uniqueId, size }: ListedMail, identity: string, undeletable?: string): string | undefined {
    if (uniqueId !== undefined) {
      this.#settled.set(uniqueId, { size, identity, ...(undeletable !== undefined && { undeletable }) });
    }
    return undeletable;
  }

  /** Drops the notes about mails that are gone. Called when all mails of the mailbox were seen. */
  async #forgetOthers(mails: readonly ListedMail[], seen: ReadonlyMap<ListedMail, Seen>): Promise<void> {
    const present = new Set(mails.map((mail) => seen.get(mail)?.identity ?? this.#settledAs(mail)?.identity ?? ''));
    for (const identity of this.#known.keys()) if (!present.has(identity)) this.#known.delete(identity);
    await this.#parts.sent.keepOnly(new Set([...present].flatMap((identity) => this.#referencesOf(identity))));
  }

  #referencesOf(identity: string): readonly string[] {
    const outcome = this.#known.get(identity)?.outcome;
    return outcome === undefined ? [] : referencesOf(outcome);
  }
}

/** The text of the server's refusal; undefined when it accepts. Throws all other errors. */
async function refusalOf(command: () => Promise<void>): Promise<string | undefined> {
  try {
    await command();
    return undefined;
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'peer_rejected') return error.message;
    throw error;
  }
}

const referencesOf = (outcome: Handled): readonly string[] => (outcome.type === 'ignored' ? [] : outcome.references);
