import { GatewayError } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import type { AppendOptions, Journal, LiveRecord, Table } from './journal/journal.ts';

/** Notes a book may hold, and characters a key or a value may have: they all stay in memory. */
const MAX_NOTES = 10_000;
const MAX_LENGTH = 1_000;

/** Short texts under keys that a module, or several together, keep over restarts. */
export interface Notebook {
  get(key: string): string | undefined;
  /** Keys and texts, in the order in which they were written. */
  entries(): readonly (readonly [key: string, text: string])[];
  /** Resolves when all are durable; all are or none. Throws GatewayError store_*, too_large. */
  write(notes: Readonly<Record<string, string>>): Promise<void>;
  /** Forgets what is there of these; resolves when that is durable. Throws GatewayError store_unavailable. */
  erase(keys: Iterable<string>): Promise<void>;
}

/** The notebooks of the modules, kept in the journal. */
export class Notes implements Table {
  readonly name = 'note';
  readonly #journal: Journal;
  readonly #books = new Map<string, Map<string, string>>();

  /** Registers its table with the journal, which is not yet open. */
  constructor(journal: Journal) {
    this.#journal = journal;
    journal.register(this);
  }

  book(name: string): Notebook {
    const present = () => this.#books.get(name) ?? new Map<string, string>();
    return {
      get: (key) => present().get(key),
      entries: () => [...present()],
      write: async (notes) => {
        check(present().size, notes);
        await this.#append(
          Object.entries(notes).map(([k, v]) => ({ b: name, k, v })),
          { reserved: true },
        );
      },
      erase: async (keys) => {
        const there = [...keys].filter((key) => present().has(key));
        await this.#append(
          there.map((k) => ({ b: name, k })),
          { makesRoom: true },
        );
      },
    };
  }

  apply({ b, k, v }: JsonObject): void {
    if (typeof b !== 'string' || typeof k !== 'string') return;
    const book = this.#books.get(b) ?? new Map<string, string>();
    book.delete(k); // so that the map stays in the order of writing
    if (typeof v === 'string') book.set(k, v);
    if (book.size === 0) this.#books.delete(b);
    else this.#books.set(b, book);
  }

  *live(): Iterable<LiveRecord> {
    for (const [b, book] of this.#books) for (const [k, v] of book) yield { record: { b, k, v } };
  }

  async #append(records: readonly JsonObject[], options: AppendOptions): Promise<void> {
    if (records.length === 0) return;
    await this.#journal.appendAll(
      records.map((record) => ({ table: this.name, record })),
      options,
    );
  }
}

function check(present: number, notes: Readonly<Record<string, string>>): void {
  const entries = Object.entries(notes);
  if (present + entries.length > MAX_NOTES) throw new GatewayError('too_large', `more than ${MAX_NOTES} notes`);
  if (entries.some((entry) => entry.some((text) => text.length > MAX_LENGTH))) {
    throw new GatewayError('too_large', `a note of more than ${MAX_LENGTH} characters`);
  }
}
