import type { Json, JsonObject } from './json.ts';
import { isJsonObject } from './json.ts';

/** What stands in the place of a secret. */
const MASK = '***';
/** Shorter texts are no secrets, and would tear holes into every line. */
const MIN_LENGTH = 4;
/** Digits of a PIN are in many numbers: up to this length they count between quotes only. */
const SHORT_NUMBER = 8;

/**
 * Hides the secrets of the config in whatever leaves: log lines, errors, states. A server may send them back, in one of
 * the forms in which it got them. Those of the config before stay known, as work in flight still uses them.
 */
export class Redactor {
  #secrets: ReadonlySet<string> = new Set();
  #pattern: RegExp | undefined;

  /** Takes the secrets that are in force now. */
  set(secrets: Iterable<string>): void {
    const next = new Set([...secrets].filter((secret) => secret.length >= MIN_LENGTH));
    const forms = new Set([...this.#secrets, ...next].flatMap(formsOf));
    this.#secrets = next;
    // Longer forms first: one secret may begin another.
    const ordered = [...forms].sort((a, b) => b.length - a.length);
    this.#pattern = ordered.length === 0 ? undefined : new RegExp(ordered.join('|'), 'g');
  }

  hide(text: string): string {
    return this.#pattern === undefined ? text : text.replace(this.#pattern, MASK);
  }

  /**
   * The table with the secrets hidden in all texts, but for fields of these names: what stands there are words of our own, and
   * one that is a secret by chance would be no word any more, and show which of them the secret is.
   */
  hideIn(table: JsonObject, ownWords: ReadonlySet<string>): JsonObject {
    if (this.#pattern === undefined) return table;
    const entries = Object.entries(table).map(([name, value]) => {
      return [name, this.#hideInValue(value, ownWords, ownWords.has(name))] as const;
    });
    return Object.fromEntries(entries);
  }

  #hideInValue(value: Json | undefined, ownWords: ReadonlySet<string>, isOwn: boolean): Json | undefined {
    if (typeof value === 'string') return isOwn ? value : this.hide(value);
    if (Array.isArray(value)) return value.map((element) => this.#hideInValue(element, ownWords, isOwn) ?? null);
    return isJsonObject(value) ? this.hideIn(value, ownWords) : value;
  }
}

/** The secret as texts may have it, as regular expressions. */
function formsOf(secret: string): readonly string[] {
  if (/^\d+$/.test(secret) && secret.length <= SHORT_NUMBER) return [`(?<=["'])${secret}(?=["'])`];
  const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '');
  const url = encodeURIComponent(secret);
  const forms = [secret, JSON.stringify(secret).slice(1, -1), url, url.replaceAll('%20', '+'), base64];
  return forms.map((form) => form.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'));
}
