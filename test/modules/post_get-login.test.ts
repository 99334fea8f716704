import t from 'tap';
import type { OriginFields } from '../../src/access/request-origin.ts';
import { PostGetGateway } from './post-get-gateway.ts';

const refused = { status: 401, body: 'Bad username or password\n' };
const accepted = { status: 200, body: 'Used: 0\nTotal: 1000\n' };

const login = (gateway: PostGetGateway, username: string, password: string, remoteAddress = '192.168.1.7', more = '') =>
  gateway.cgi({
    script: 'sms_total',
    query: `${new URLSearchParams({ username, password })}&${more}`,
    remoteAddress,
  });

t.test('user name and password', async (t) => {
  const gateway = await PostGetGateway.open(t, { username: 'Jürgen', password: 'pä+ss wörd&' });
  t.match(await login(gateway, 'Jürgen', 'pä+ss wörd&'), accepted);
  for (const [username, password] of [
    ['Jürgen', 'pä+ss wörd'],
    ['Jürgen', ''],
    ['jürgen', 'pä+ss wörd&'],
    ['', 'pä+ss wörd&'],
    ['', ''],
  ] as const) {
    t.match(await login(gateway, username, password), refused, `${username} ${password}`);
  }
  t.match(await gateway.cgi({ script: 'sms_total', query: '' }), refused, 'nothing');
  t.match(
    await gateway.cgi({ script: 'sms_total', query: 'username=J%FCrgen&password=p%E4%2Bss+w%F6rd%26' }),
    accepted,
    'a client that knows Latin-1 only',
  );
  t.match(JSON.parse((await login(gateway, 'x', 'x', '::1', 'format=json')).body), {
    error: { code: 'access_denied' },
  });
  t.match(await gateway.cgi({ script: 'nothing', query: '' }), refused, 'the login comes first');
  t.match(gateway.counters, { requests: 10, refused: 8 });
  t.notOk(
    gateway.log.some((line) => /p.+ss w|J.rgen/.test(line)),
    'neither shows in the log',
  );
});

t.test('a hash as the stored password', async (t) => {
  const gateway = await PostGetGateway.open(t);
  for (const password of [
    '$1$xxxxxxxx$UYCIxa628.9qXjpQCjM4a.',
    '$5$saltstring$OH4IDuTlsuTYPdED1gsuiRMyTAwNlRWyA6Xr3I4/dQ5',
    '$6$saltstring$adDbXsJjcDlq2662QPgd.tkSOVmnG9Tt3oXl4HR60SusC3AGjirnDenVZp3DGwLwqy6iYKCzannhaX9DR72nN1',
  ]) {
    await gateway.configure({ password });
    t.match(await login(gateway, 'user1', 'password', '8.8.8.8'), accepted, password);
    t.match(await login(gateway, 'user1', 'password', '8.8.8.8'), accepted, 'again');
    t.match(await login(gateway, 'user1', 'Password'), refused);
    t.match(await login(gateway, 'user1', password), refused, 'the hash is no password');
  }
  await t.rejects(gateway.configure({ password: `$5$rounds=999999999$s$${'.'.repeat(43)}` }), {
    code: 'config_invalid',
  });
});

t.test('the factory password is accepted from private addresses only', async (t) => {
  const gateway = await PostGetGateway.open(t);
  const warnings = () => gateway.log.filter((line) => line.startsWith('warning')).length;
  t.equal(warnings(), 1, 'the log warns of it');
  t.same(gateway.status, { factory_password: true }, 'and the status, for the web page');
  for (const address of [
    '127.0.0.1',
    '192.168.1.7',
    '10.0.0.1',
    '172.16.0.1',
    'fe80::1%br-lan',
    'fd00::1',
    '::ffff:10.1.1.1',
  ]) {
    t.match(await login(gateway, 'user1', 'user_pass', address), accepted, address);
  }
  for (const address of ['8.8.8.8', '2001:db8::1', '::ffff:8.8.8.8', '', 'router', '172.32.0.1']) {
    t.match(await login(gateway, 'user1', 'user_pass', address), refused, `${address} is refused`);
  }
  t.equal(warnings(), 2, 'and once of the first stranger');
  await gateway.configure({ password: 'another one' });
  t.match(await login(gateway, 'user1', 'another one', '8.8.8.8'), accepted);
  t.equal(warnings(), 2);
  t.same(gateway.status, { factory_password: false });
});

t.test('no page of another site uses the factory password', async (t) => {
  const gateway = await PostGetGateway.open(t);
  const browser = 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0';
  const own = { host: '192.168.1.1', origin: 'http://192.168.1.1', userAgent: browser };
  const cases: readonly (readonly [what: string, origin: OriginFields, allowed: readonly string[]])[] = [
    ['curl', { host: '192.168.1.1', userAgent: 'curl/8' }, ['sms_total', 'sms_delete', 'sms_send']],
    ['a form of this site', own, ['sms_total', 'sms_delete', 'sms_send']],
    ['an address typed into a browser', { host: '192.168.1.1', userAgent: browser }, ['sms_total']],
    ['Origin', { ...own, origin: 'http://evil.example' }, []],
    ['Origin of a file or a frame', { ...own, origin: 'null' }, []],
    ['Referer', { host: '192.168.1.1', referer: 'http://evil.example/page', userAgent: browser }, []],
    ['Sec-Fetch-Site', { host: '192.168.1.1', fetchSite: 'cross-site' }, []],
    ['a name that leads here', { host: 'evil.example', origin: 'http://evil.example', userAgent: browser }, []],
    ['a proxy that nobody knows', { host: '192.168.1.1', forwardedFor: '8.8.8.8', viaProxy: true }, []],
  ];
  const query = 'username=user1&password=user_pass&number=0037060000001&text=x';
  for (const [what, origin, allowed] of cases) {
    for (const script of ['sms_total', 'sms_delete', 'sms_send']) {
      const { status } = await gateway.cgi({ script, query, origin });
      t.equal(status, allowed.includes(script) ? 200 : 401, `${what}: ${script}`);
    }
  }
  t.equal(gateway.modem.parts.length, 2);
  t.equal(gateway.counters['locked_out'], 0, 'a page can lock nobody out with it');
  await gateway.configure({ password: 'another one' });
  const secret = 'username=user1&password=another+one&number=0037060000001&text=x';
  t.match(
    await gateway.cgi({ script: 'sms_send', query: secret, origin: { ...own, origin: 'http://intranet.example' } }),
    { status: 200 },
    'who knows a secret password may have pages elsewhere',
  );
});

t.test('the factory password does not send unless an option says so', async (t) => {
  const gateway = await PostGetGateway.open(t, { factory_sends: false });
  const send = (password: string) =>
    gateway.cgi({
      script: 'sms_send',
      query: `${new URLSearchParams({ username: 'user1', password })}&number=0037060000001&text=x`,
      remoteAddress: '127.0.0.1',
    });
  for (let i = 0; i < 12; i++) t.match(await send('user_pass'), refused);
  t.match(gateway.log, [/and not to send messages/, /unless option factory_sends is on/]);
  t.match(await login(gateway, 'user1', 'user_pass', '127.0.0.1'), accepted, 'and locks nobody out');
  t.equal(gateway.modem.parts.length, 0);
  await gateway.configure({ factory_sends: false, password: '$1$$arJrgjyfgHJnVPofjFPFu/' });
  t.match(await send('user_pass'), refused, 'nor where it is hashed');
  await gateway.configure({ factory_sends: true });
  t.match(await send('user_pass'), { status: 200, body: 'OK\n' });
  await gateway.configure({ factory_sends: false, password: 'secret' });
  t.match(await send('secret'), { status: 200, body: 'OK\n' }, 'any other does');
});

t.test('clients behind a trusted proxy are locked out one by one', async (t) => {
  const gateway = await PostGetGateway.open(t, { password: 'secret', max_failures: 3 });
  gateway.access.configure({ trusted_proxy: ['10.0.0.1'] });
  const attempt = (password: string, client: string, proxy = '10.0.0.1') =>
    gateway.cgi({
      script: 'sms_total',
      query: `username=user1&password=${password}`,
      remoteAddress: proxy,
      origin: { forwardedFor: client, viaProxy: true },
    });
  for (let i = 0; i < 3; i++) t.match(await attempt('x', '8.8.8.8'), refused);
  t.match(await attempt('secret', '8.8.8.8'), refused);
  t.match(await attempt('secret', '8.8.4.4'), accepted);
  t.match(await attempt('secret', '1.1.1.1, 8.8.8.8'), refused, 'what the client itself wrote counts nothing');
  for (let i = 0; i < 3; i++) await attempt('x', `192.0.2.${i}`, '10.0.0.2');
  t.match(await attempt('secret', '192.0.2.9', '10.0.0.2'), refused, 'nor what any other address says');
});

t.test('allow_from', async (t) => {
  const gateway = await PostGetGateway.open(t, { password: 'secret', allow_from: ['192.168.1.0/24', '2001:db8::1'] });
  t.match(await login(gateway, 'user1', 'secret', '192.168.1.200'), accepted);
  t.match(await login(gateway, 'user1', 'secret', '::ffff:192.168.1.200'), accepted);
  t.match(await login(gateway, 'user1', 'secret', '2001:db8::1'), accepted);
  for (const address of ['192.168.2.1', '127.0.0.1', '2001:db8::2', '']) {
    t.match(await login(gateway, 'user1', 'secret', address), refused, address);
  }
});

t.test('lock-out', async (t) => {
  const gateway = await PostGetGateway.open(t, { password: 'secret', max_failures: 3, lockout: 60 });
  const attempt = (password: string, address = '8.8.8.8') => login(gateway, 'user1', password, address);
  // All at once: none may be checked before the ones in front of it have been counted.
  const guesses = await Promise.all(['a', 'b', 'c', 'secret'].map((guess) => attempt(guess)));
  for (const answer of guesses) t.match(answer, refused);
  t.match(await attempt('secret'), refused, 'the right one comes too late');
  t.match(await attempt('secret', '8.8.4.4'), accepted, 'another address is not concerned');
  t.match(gateway.counters, { locked_out: 1 });
  t.equal(gateway.log.filter((line) => line.includes('8.8.8.8')).length, 4, 'three times debug, one warning');
  t.match(
    gateway.log.find((line) => line.startsWith('warning')),
    /3 failed logins from 8\.8\.8\.8: locked out for 60 s/,
  );
  await gateway.clock.advance(60_000);
  t.match(await attempt('secret'), accepted, 'after a while');
  t.match(gateway.counters, { locked_out: 0 });

  await gateway.configure({ password: 'secret', max_failures: 1, strict_status: true });
  t.match(await attempt('x'), { status: 401, body: refused.body });
  t.match(await attempt('x'), { status: 429, body: refused.body });

  await gateway.configure({ password: 'secret', max_failures: 0 });
  for (let i = 0; i < 20; i++) await attempt('x');
  t.match(await attempt('secret'), accepted, '0 is never');
});

t.test('a client that disconnects ends its check', async (t) => {
  const gateway = await PostGetGateway.open(t);
  const gone = new AbortController();
  gone.abort();
  t.match(await gateway.get('sms_total', '', gone.signal), { body: 'ERROR\n' });
  t.match(await gateway.get('sms_total'), accepted, 'and does not stand in the way of others');
});
