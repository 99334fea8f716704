import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { securityDocs, securityFile } from '../../scripts/security-docs.ts';
import { AddressList, parseAddress, privateAddresses, subscriberNetwork } from '../../src/access/address.ts';
import { parseCryptHash, verifyCrypt } from '../../src/access/crypt.ts';
import { FailedLogins } from '../../src/access/failed-logins.ts';
import { equalSecrets, MAX_ROUNDS, StoredPassword } from '../../src/access/password.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** From "Unix crypt using SHA-256 and SHA-512" (Drepper, 2008); the MD5 and odd-length rows from crypt(3) of glibc. */
const hashes = [
  ['Hello world!', '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5'],
  ['Hello world!', '$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA'],
  ['This is just a test', '$5$rounds=5000$toolongsaltstrin$Un/5jzAHMgOGZ5.mWJpuVolil07guHPvOW8mGRcvxa5'],
  [
    'a very much longer text to encrypt.  This one even stretches over morethan one line.',
    '$5$rounds=1400$anotherlongsalts$Rx.j8H.h8HjEDGomFU8bDkXm3XIUnzyxf12oP84Bnq1',
  ],
  [
    'we have a short salt string but not a short password',
    '$5$rounds=77777$short$JiO1O3ZpDAxGJeaDIuqCoEFysAe1mZNJRs3pw0KQRd/',
  ],
  ['a short string', '$5$rounds=123456$asaltof16chars..$gP3VQ/6X7UUEW3HkBn2w1/Ptq2jxPyzV/cZKmF/wJvD'],
  ['the minimum number is still observed', '$5$rounds=1000$roundstoolow$yfvwcWrQ8l/K0DAWyuPMDNHpIVlTQebY9l/gL972bIC'],
  [
    'Hello world!',
    '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
  ],
  [
    'Hello world!',
    '$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.',
  ],
  [
    'we have a short salt string but not a short password',
    '$6$rounds=77777$short$WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0',
  ],
  [
    'the minimum number is still observed',
    '$6$rounds=1000$roundstoolow$kUMsbe306n21p9R.FRkW3IGn.S9NPN0x50YhH1xhLsPuWGsUSklZt58jaTfF4ZEQpyUNGc0dqbpBYYBaHHrsX.',
  ],
  ['', '$1$abcdefgh$M55TzYaaccxVGbptZWaxX/'],
  ['password', '$1$xxxxxxxx$UYCIxa628.9qXjpQCjM4a.'],
  ['user_pass', '$1$$arJrgjyfgHJnVPofjFPFu/'],
  ['0123456789abcdef0', '$1$a$nVjlfxAPBLEGCfsLb5HwZ0'],
  ['März €', '$1$saltsalt$LuOH2rQbJ5JF/W.J42uhr0'],
  ['', '$5$s$u9jS/E6rlpZoj8KCMVhpLKJh2MrO5hc9UBdfKCcvVU7'],
  ['x'.repeat(33), '$5$s$s6IeOwquSsMjor1PPe4AetjN0iZXxAQsPPqdJhqLmJ7'],
  ['x'.repeat(64), '$6$s$nSCSbGsc7RTMo8pzrY3sUpFbEHdS.O3NRegf2LeybzqOLT5xTCw8IdMPAh9q5d9JSNxt1C/pBde6V3qfUdXAl0'],
  ['x'.repeat(65), '$6$s$RbSbXRmJ82AzvEfE5M7ezplqSeH7scTIPrnb5bJyoMmYLq3gESw5AEsT/qOS97ONUeHMrFnSpwtm51uNr0X0z1'],
] as const;

t.test('crypt hashes', async (t) => {
  for (const [password, stored] of hashes) {
    const hash = parseCryptHash(stored);
    if (hash === undefined) {
      t.fail(`not read: ${stored}`);
      continue;
    }
    t.equal(await verifyCrypt(hash, Buffer.from(password)), true, stored);
    if (hash.rounds <= 5000)
      t.equal(await verifyCrypt(hash, Buffer.from(`${password}.`)), false, `${stored} with a dot`);
  }

  t.test('a text that is not a hash is a plain password', async (t) => {
    const [, md5 = ''] = hashes[12] ?? [];
    for (const text of [
      '',
      'user_pass',
      '$1$',
      `${md5}x`,
      md5.slice(0, -1),
      `$9${md5.slice(2)}`,
      '$5$rounds=x$s$',
      `x${md5}`,
    ]) {
      t.equal(parseCryptHash(text), undefined, text);
    }
  });

  t.test('rounds below 1000 count as 1000, absent rounds as 5000', async (t) => {
    const [, stored = ''] = hashes[6] ?? [];
    const low = parseCryptHash(stored.replace('rounds=1000', 'rounds=10'));
    t.match(low, { rounds: 1000 });
    t.ok(low !== undefined && (await verifyCrypt(low, Buffer.from('the minimum number is still observed'))));
    t.match(parseCryptHash(hashes[0][1]), { rounds: 5000, scheme: 'sha256', salt: 'saltstring' });
  });

  t.test('costly hashes and passwords are refused', async (t) => {
    const costly = hashes[1][1].replace('rounds=10000', `rounds=${MAX_ROUNDS + 1}`);
    t.throws(() => new StoredPassword(costly), { code: 'config_invalid' });
    const hash = parseCryptHash(hashes[0][1]);
    t.equal(hash !== undefined && (await verifyCrypt(hash, Buffer.alloc(60_000))), false, 'nor can a long password');
  });

  t.test('other work gets its turn, and an abort ends the check', async (t) => {
    const hash = parseCryptHash(hashes[5][1]);
    if (hash === undefined) return t.fail('not read');
    const abort = new AbortController();
    const verified = verifyCrypt(hash, Buffer.from('a short string'), abort.signal);
    setImmediate(() => abort.abort(new Error('given up')));
    await t.rejects(verified);
  });
});

t.test('stored passwords', async (t) => {
  const plain = new StoredPassword('secret word');
  t.equal(await plain.matches('secret word'), true);
  for (const wrong of ['', 'secret', 'secret word ', 'Secret word']) t.equal(await plain.matches(wrong), false, wrong);

  const hashed = new StoredPassword(hashes[7][1]);
  for (const [password, right] of [
    ['Hello world', false],
    ['Hello world!', true],
    ['Hello world', false],
    ['Hello world!', true],
    [hashes[7][1], false],
  ] as const) {
    t.equal(await hashed.matches(password), right, password);
  }
  t.equal(JSON.stringify([plain, hashed]), '[{},{}]', 'gives nothing away');

  t.test('once it is known, a wrong password costs no more than the right one', async (t) => {
    // With an aborted signal a crypt of more than a thousand rounds rejects: so one shows whether it was begun.
    const aborted = AbortSignal.abort(new Error('a crypt was begun'));
    const stored = new StoredPassword(hashes[8][1]);
    await t.rejects(stored.matches('wrong', aborted), { code: 'ABORT_ERR' });
    await t.rejects(stored.matches('Hello world!', aborted), { code: 'ABORT_ERR' }, 'the right one, too');
    t.equal(await stored.matches('Hello world!'), true);
    t.equal(await stored.matches('Hello world!', aborted), true);
    t.equal(await stored.matches('wrong', aborted), false);
  });

  t.test('equalSecrets is equality', async () => {
    fc.assert(fc.property(fc.string(), fc.string(), (a, b) => equalSecrets(a, a) && equalSecrets(a, b) === (a === b)));
  });
});

t.test('addresses', async (t) => {
  const cases: readonly (readonly [given: string, address: string | undefined, isPrivate: boolean, network: string])[] =
    [
      ['127.0.0.1', '127.0.0.1', true, '127.0.0.1'],
      ['10.1.2.3', '10.1.2.3', true, '10.1.2.3'],
      ['172.15.255.255', '172.15.255.255', false, '172.15.255.255'],
      ['172.16.0.0', '172.16.0.0', true, '172.16.0.0'],
      ['172.31.255.255', '172.31.255.255', true, '172.31.255.255'],
      ['172.32.0.0', '172.32.0.0', false, '172.32.0.0'],
      ['192.168.1.1', '192.168.1.1', true, '192.168.1.1'],
      ['192.169.1.1', '192.169.1.1', false, '192.169.1.1'],
      ['169.254.1.1', '169.254.1.1', true, '169.254.1.1'],
      ['100.64.0.1', '100.64.0.1', false, '100.64.0.1'],
      ['0.0.0.0', '0.0.0.0', false, '0.0.0.0'],
      ['::1', '::1', true, '0:0:0:0'],
      ['[::1]', '::1', true, '0:0:0:0'],
      ['fe80::1%eth0', 'fe80::1', true, 'fe80:0:0:0'],
      ['febf::1', 'febf::1', true, 'febf:0:0:0'],
      ['fec0::1', 'fec0::1', false, 'fec0:0:0:0'],
      ['FD12:3456::1', 'fd12:3456::1', true, 'fd12:3456:0:0'],
      ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2:3:4:5:6', false, '2001:db8:1:2'],
      ['2001:0db8:0001:0002::9', '2001:0db8:0001:0002::9', false, '2001:db8:1:2'],
      ['::ffff:10.0.0.1', '10.0.0.1', true, '10.0.0.1'],
      ['::ffff:8.8.8.8', '8.8.8.8', false, '8.8.8.8'],
      ['::FFFF:0808:808', '8.8.8.8', false, '8.8.8.8'],
      ['0:0:0:0:0:ffff:192.168.0.1', '192.168.0.1', true, '192.168.0.1'],
      ['1::ffff:10.0.0.1', '1::ffff:10.0.0.1', false, '1:0:0:0'],
      ['', undefined, false, ''],
      ['localhost', undefined, false, ''],
      ['10.0.0.256', undefined, false, ''],
      ['10.0.0.1, 8.8.8.8', undefined, false, ''],
      ['127.0.0.1:80', undefined, false, ''],
    ];
  for (const [given, address, isPrivate, network] of cases) {
    t.equal(parseAddress(given), address, given);
    if (address === undefined) continue;
    t.equal(privateAddresses.has(address), isPrivate, `${given} private`);
    t.equal(subscriberNetwork(address), network, `${given} network`);
  }

  t.test('lists', async (t) => {
    const list = new AddressList(['192.0.2.0/24', ' 198.51.100.7 ', '2001:db8::/32', '::1', '::ffff:203.0.113.9']);
    for (const inside of ['192.0.2.255', '198.51.100.7', '2001:db8:ffff::1', '::1', '203.0.113.9']) {
      t.ok(list.has(inside), inside);
    }
    for (const outside of ['192.0.3.0', '198.51.100.8', '2001:db9::', '::2', '203.0.113.8', 'unknown', '']) {
      t.notOk(list.has(outside), outside);
    }
    for (const bad of ['', 'x', '1.2.3.4/33', '::1/129', '1.2.3.4/', '1.2.3.4/8/8', 'example.org']) {
      t.throws(() => new AddressList([bad]), RangeError, bad);
    }
    t.ok(new AddressList(['0.0.0.0/0']).has('8.8.8.8'));
  });
});

t.test('failed logins', async (t) => {
  const clock = new ManualClock();
  const failed = new FailedLogins(clock, { maxFailures: 3, lockout: 60 });
  t.same(
    [1, 2, 3, 4].map(() => failed.failed('192.0.2.1')),
    [false, false, true, false],
    'reports the lock-out once',
  );
  t.equal(failed.isLocked('192.0.2.1'), true);
  t.equal(failed.isLocked('192.0.2.2'), false);
  t.equal(failed.locked, 1);
  await clock.advance(59_999);
  t.equal(failed.isLocked('192.0.2.1'), true);
  await clock.advance(1);
  t.equal(failed.isLocked('192.0.2.1'), false, 'after the time');

  failed.failed('192.0.2.1');
  failed.failed('192.0.2.1');
  failed.succeeded('192.0.2.1');
  failed.failed('192.0.2.1');
  t.equal(failed.isLocked('192.0.2.1'), false, 'a login forgives');

  failed.failed('2001:db8::1');
  failed.failed('2001:db8::2');
  failed.failed('2001:db8::3');
  t.equal(failed.isLocked('2001:db8::4'), true, 'a /64 is one client');
  t.equal(failed.isLocked('2001:db8:0:1::4'), false);

  for (let i = 0; i < 5000; i++) failed.failed(`10.0.${i >> 8}.${i & 255}`);
  for (let i = 0; i < 3; i++) failed.failed('192.0.2.9');
  t.equal(failed.isLocked('192.0.2.9'), true, 'works with a full table');
  t.equal(failed.isLocked('2001:db8::4'), true, 'which forgets the least guilty ones');
  await clock.advance(60_000);
  t.equal(failed.locked, 0, 'all after their time');

  t.test('an own login forgives nothing that was tried with another account', async (t) => {
    const failed = new FailedLogins(clock, { maxFailures: 3, lockout: 60 });
    for (let i = 0; i < 3; i++) {
      failed.failed('192.0.2.1', 'victim');
      failed.succeeded('192.0.2.1', 'own');
    }
    t.equal(failed.isLocked('192.0.2.1'), true);
    failed.failed('192.0.2.2', 'own');
    failed.failed('192.0.2.2', 'own');
    failed.succeeded('192.0.2.2', 'own');
    failed.failed('192.0.2.2', 'own');
    t.equal(failed.isLocked('192.0.2.2'), false, 'and everything that was tried with its own');
  });

  const never = new FailedLogins(clock, { maxFailures: 0, lockout: 60 });
  for (let i = 0; i < 100; i++) never.failed('192.0.2.1');
  t.equal(never.isLocked('192.0.2.1'), false, '0 is never');
});

t.test('docs/security.md is up to date', async (t) => {
  const page = readFileSync(securityFile, 'utf8');
  t.equal(page, securityDocs(page), 'run: npm run docs');
});
