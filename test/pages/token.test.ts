import { createHash, webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { findToken } from '../../src/access/tokens.ts';

interface TokenModule {
  sha256(text: string): string;
  make(): { readonly token: string; readonly hash: string };
}

const path = join(import.meta.dirname, '../../files/www/luci-static/resources/sms_gateway/token.js');
/** As LuCI evaluates a module: its body is that of a function. */
const load = new Function('baseclass', 'crypto', readFileSync(path, 'utf8')) as (
  baseclass: { extend(members: TokenModule): TokenModule },
  crypto: Pick<typeof webcrypto, 'getRandomValues'>,
) => TokenModule;
// Without HTTPS a page has no more of it than this.
const { sha256, make } = load(
  { extend: (members) => members },
  { getRandomValues: (array) => webcrypto.getRandomValues(array) },
);

const ascii = (length: number) => 'abcdefghijklmnopqrstuvwxyz'.repeat(10).slice(0, length);

t.test('SHA-256 of the pages', async (t) => {
  const right = (text: string) => createHash('sha256').update(text, 'ascii').digest('hex');
  // FIPS 180-4 has these as examples.
  t.equal(sha256('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  t.equal(sha256(''), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  for (let length = 0; length < 200; length++) t.equal(sha256(ascii(length)), right(ascii(length)), `${length} octets`);
  const texts = fc.string({ unit: 'binary-ascii', maxLength: 300 });
  fc.assert(fc.property(texts, (text) => sha256(text) === right(text)));
});

t.test('tokens of the pages are those that the service knows', async (t) => {
  const made = Array.from({ length: 50 }, make);
  for (const { token, hash } of made) {
    t.match(hash, /^[0-9a-f]{8}:[0-9a-f]{64}$/);
    t.equal(findToken([{ hash }], token)?.hash, hash, token);
  }
  t.equal(new Set(made.map(({ token }) => token)).size, 50);
});
