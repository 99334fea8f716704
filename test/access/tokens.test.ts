import { createHash } from 'node:crypto';
import t from 'tap';
import { findToken, newToken } from '../../src/access/tokens.ts';
import { token as section } from '../../src/config/schema/token.ts';

t.test('a token finds its own section, and no other text does', async (t) => {
  const made = Array.from({ length: 20 }, newToken);
  const sections = made.map(({ hash }) => ({ hash }));
  for (const [i, { token }] of made.entries()) t.equal(findToken(sections, token), sections[i]);
  const [first = newToken()] = made;
  const { token, hash } = first;
  const last = token.endsWith('A') ? 'B' : 'A';
  const wrong = [
    '',
    hash,
    token.slice(0, -1),
    `${token}A`,
    `${token.slice(0, -1)}${last}`,
    ` ${token}`,
    token.toUpperCase(),
    newToken().token,
    // The digits of one and the secret of another.
    `${token.slice(0, 15)}${newToken().token.slice(15)}`,
  ];
  for (const text of wrong) t.equal(findToken(sections, text), undefined, text.slice(0, 20));
  t.equal(findToken([{ hash: '' }, { hash: 'x' }], token), undefined, 'a section without a good hash');
});

t.test('the config holds the first digits and the SHA-256 of the whole', async (t) => {
  const { token, hash } = newToken();
  t.match(hash, section.options.hash.pattern);
  t.equal(hash, `${token.slice(6, 14)}:${createHash('sha256').update(token).digest('hex')}`);
  t.not(newToken().token, token);
});
