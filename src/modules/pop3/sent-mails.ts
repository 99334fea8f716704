import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { Pop3Config } from '../../config/config.ts';
import type { Notebook } from '../../store/notes.ts';

const DAY_MS = 86_400_000;
/** How long the notes about another mailbox are kept, in case that it becomes ours again. */
const KEEP_DAYS = 60;

export const digest = (...facts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(facts)).digest('base64url').slice(0, 22);

/**
 * Which mails have become SMS, or had their writers told why not, and are perhaps still in the mailbox. A mail is noted
 * when that is durable, and forgotten when the server has confirmed that the mail is gone: until then a cut connection, a
 * crash or a month without power cannot make a second SMS of it.
 */
export class SentMails {
  readonly #book: Notebook;
  readonly #clock: Clock;
  readonly #mailbox: string;

  constructor(book: Notebook, { host, username }: Pop3Config, clock: Clock) {
    this.#book = book;
    this.#clock = clock;
    this.#mailbox = digest(host, username);
  }

  /** What a mail of this mailbox and one outcome of it, such as a number, are known by. */
  reference(identity: string, outcome: string): string {
    return `${this.#mailbox} ${digest(identity, outcome)}`;
  }

  has(reference: string): boolean {
    return this.#book.get(reference) !== undefined;
  }

  /** Resolves when it is durable. */
  async remember(references: readonly string[]): Promise<void> {
    const news = references.filter((reference) => !this.has(reference));
    await this.#book.write(Object.fromEntries(news.map((reference) => [reference, `${this.#clock.now()}`])));
  }

  async forget(references: readonly string[]): Promise<void> {
    await this.#book.erase(references);
  }

  /** The mailbox holds no other mails than these. */
  async keepOnly(references: ReadonlySet<string>): Promise<void> {
    const gone = this.#all().filter(({ key, ours }) => ours && !references.has(key));
    await this.#book.erase(gone.map(({ key }) => key));
  }

  /** Lets go of what was noted about other mailboxes long ago. */
  async prune(): Promise<void> {
    const before = this.#clock.now() - KEEP_DAYS * DAY_MS;
    const old = this.#all().filter(({ ours, time }) => !ours && time < before);
    await this.#book.erase(old.map(({ key }) => key));
  }

  #all() {
    return this.#book
      .entries()
      .map(([key, time]) => ({ key, time: Number(time), ours: key.startsWith(`${this.#mailbox} `) }));
  }
}
