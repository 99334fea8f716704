import type { Pop3Config } from '../../config/config.ts';
import type { Notebook } from '../../store/notes.ts';
import { digest } from './mail-handler.ts';

/** A mail as the server lists it. */
export interface ListedMail {
  readonly number: number;
  readonly size: number;
  readonly uniqueId: string | undefined;
}

/**
 * What a note says of a mail. `batch`: it is read, with others. `alone`: it is read by itself. `again`: it is read by itself
 * after the system went down at it. `passed`: the gateway ended at it, and does not read it again.
 */
type Mark = 'batch' | 'alone' | 'again' | 'passed';

/** Mails that are noted at once: one write to flash before they are read, one behind. */
const BATCH = 100;

/**
 * The mails that are being read, noted before the first octet is fetched: what a mail does to the memory of this process
 * shows only in the next one. Mails of a batch that did not end are read one at a time. One at which the process ended
 * while it was read alone is passed over from then on. When the whole system went down, with its power say, the mail is
 * probably innocent: it is tried once more.
 */
export class BegunMails {
  readonly #book: Notebook;
  readonly #mailbox: string;
  /** Differs after each start of the system. */
  readonly #boot: () => Promise<string>;
  /** Keys of mails that this process has read without harm: they need no note. */
  readonly #harmless = new Set<string>();
  /** Keys of mails that an earlier process did not end. */
  readonly #suspects = new Map<string, Mark>();
  readonly #passed = new Set<string>();
  #isTakenUp = false;

  constructor(book: Notebook, { host, username }: Pop3Config, boot: () => Promise<string>) {
    this.#book = book;
    this.#mailbox = digest(host, username);
    this.#boot = boot;
  }

  isPassed(mail: ListedMail): boolean {
    return this.#passed.has(this.#key(mail));
  }

  /** Compares the notes with the mailbox; to be called before `read`. Throws GatewayError store_unavailable. */
  async compare(mails: readonly ListedMail[]): Promise<void> {
    const keys = new Set(mails.map((mail) => this.#key(mail)));
    await this.#book.erase(this.#book.entries().flatMap(([key]) => (keys.has(key) ? [] : [key])));
    for (const memory of [this.#harmless, this.#suspects, this.#passed]) {
      for (const key of memory.keys()) if (!keys.has(key)) memory.delete(key);
    }
    if (!this.#isTakenUp) await this.#takeUp();
    this.#isTakenUp = true;
  }

  async #takeUp(): Promise<void> {
    const boot = await this.#boot();
    for (const [key, note] of this.#book.entries()) {
      const [mark, noted] = note.split(' ');
      if (mark === 'batch') this.#suspects.set(key, 'alone');
      else if (mark === 'alone' && noted !== boot) this.#suspects.set(key, 'again');
      else this.#passed.add(key);
    }
    await this.#note([...this.#passed], 'passed');
  }

  /**
   * Calls `readOne` for one mail after the other, with notes about them until it has ended, and stops when it answers
   * false. Throws what `readOne` throws, GatewayError store_*.
   */
  async read<T extends ListedMail>(mails: readonly T[], readOne: (mail: T) => Promise<boolean>): Promise<void> {
    const isSuspect = (mail: T) => this.#suspects.has(this.#key(mail));
    const others = mails.filter((mail) => !isSuspect(mail));
    const batches: (readonly T[])[] = [];
    for (let at = 0; at < others.length; at += BATCH) batches.push(others.slice(at, at + BATCH));
    batches.push(...mails.filter(isSuspect).map((mail) => [mail]));
    for (const batch of batches) if (!(await this.#batch(batch, readOne))) return;
  }

  async #batch<T extends ListedMail>(mails: readonly T[], readOne: (mail: T) => Promise<boolean>): Promise<boolean> {
    const keys = mails.map((mail) => this.#key(mail)).filter((key) => !this.#harmless.has(key));
    const [first = ''] = keys;
    await this.#note(keys, this.#suspects.get(first) ?? (mails.length === 1 ? 'alone' : 'batch'));
    try {
      for (const mail of mails) {
        if (!(await readOne(mail))) return false;
        this.#harmless.add(this.#key(mail));
        this.#suspects.delete(this.#key(mail));
      }
      return true;
    } finally {
      await this.#book.erase(keys);
    }
  }

  async #note(keys: readonly string[], mark: Mark): Promise<void> {
    const boot = await this.#boot();
    const news = keys.filter((key) => this.#book.get(key)?.split(' ')[0] !== mark);
    await this.#book.write(Object.fromEntries(news.map((key) => [key, `${mark} ${boot}`])));
  }

  /** Without unique ids the number must do: it stays while the mails before it stay. */
  #key({ number, size, uniqueId }: ListedMail): string {
    return digest(this.#mailbox, uniqueId ?? `number ${number}`, `${size}`);
  }
}
