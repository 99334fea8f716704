import t from 'tap';
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
  t.match(gateway.log.at(-1), /^warning post_get|^warning/);
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
