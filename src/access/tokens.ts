import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * API tokens: `smsgw_`, eight digits that find the section, `_`, and 256 random bits. So many bits cannot be guessed: a
 * plain SHA-256 is enough to store them by, and a check costs a router nothing.
 */
const form = /^smsgw_([0-9a-f]{8})_[A-Za-z0-9_-]{43}$/;

export interface NewToken {
  /** For the program that is to use it; kept nowhere. */
  readonly token: string;
  /** For the option `hash`. */
  readonly hash: string;
}

export function newToken(): NewToken {
  const token = `smsgw_${randomBytes(4).toString('hex')}_${randomBytes(32).toString('base64url')}`;
  return { token, hash: hashOf(token) ?? '' };
}

/** The section whose token this is; undefined for none. Compares in constant time. */
export function findToken<S extends { readonly hash: string }>(sections: readonly S[], token: string): S | undefined {
  const hash = hashOf(token);
  if (hash === undefined) return undefined;
  return sections.find((section) => idOf(section.hash) === idOf(hash) && equal(section.hash, hash));
}

/** As the option `hash` holds it; undefined for a text that has not the form of a token. */
function hashOf(token: string): string | undefined {
  const [, id] = form.exec(token) ?? [];
  return id === undefined ? undefined : `${id}:${createHash('sha256').update(token).digest('hex')}`;
}

const idOf = (hash: string): string => hash.slice(0, hash.indexOf(':'));

const equal = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
