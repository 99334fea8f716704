import { once } from 'node:events';
import { request } from 'node:http';
import t from 'tap';
import { PASSWORD, SiteRig } from './site-rig.ts';

const sessionOf = (cookie: readonly string[] | undefined): string =>
  /sms_gateway_session=([0-9a-f]{32})/.exec(cookie?.[0] ?? '')?.[1] ?? '';

t.test('the first password', async (t) => {
  const rig = await SiteRig.start(t);
  const page = await rig.send('GET', '/');
  t.match(page.body, /Choose a password/);
  t.match(page.headers['content-security-policy'], /script-src 'self'/);
  t.notMatch(page.headers['content-security-policy'], /script-src[^;]*unsafe/);
  const fields = { password: PASSWORD, again: PASSWORD };
  const strangers: readonly (readonly [string, Record<string, string>])[] = [
    ['a name that anybody can point at this machine', { Host: 'rebound.example' }],
    ['a proxy', { 'X-Forwarded-For': '192.0.2.1' }],
    ['another proxy', { Via: '1.1 proxy' }],
    ['another site', { Origin: 'http://evil.example' }],
    ['a browser that says so', { 'Sec-Fetch-Site': 'cross-site' }],
  ];
  for (const [who, headers] of strangers) {
    t.equal((await rig.form('/setup', fields, headers)).status, 403, `not from ${who}`);
    t.equal(await rig.accounts.any(), false);
  }
  t.match((await rig.send('GET', '/', '', { Host: 'rebound.example' })).body, /smsgw passwd/);
  t.match((await rig.form('/setup', { ...fields, again: 'x' })).body, /differ/);
  t.match((await rig.form('/setup', { password: 'short', again: 'short' })).body, /at least 8 characters/);
  const done = await rig.form('/setup', fields);
  t.equal(done.status, 303);
  t.match(done.headers['set-cookie'], [/HttpOnly; SameSite=Strict$/]);
  await rig.form('/setup', { password: 'taken over', again: 'taken over' });
  t.equal(await rig.accounts.check('admin', 'taken over'), undefined, 'only the first time');
});

t.test('login and logout', async (t) => {
  const rig = await SiteRig.start(t);
  await rig.addAdmin();
  const path = '/admin/sms/one';
  t.match((await rig.send('GET', path)).body, /action="\/admin\/sms\/one"/);
  t.match((await rig.send('GET', path, '', { 'Accept-Language': 'de' })).body, /lang="de"[\s\S]*Anmelden/);
  const wrong = await rig.form(path, { luci_username: '"><script>', luci_password: 'x' });
  t.equal(wrong.status, 403);
  t.notMatch(wrong.body, '<script>', 'what was typed is text');
  t.equal(wrong.headers['set-cookie'], undefined);
  const login = { luci_username: 'admin', luci_password: PASSWORD };
  t.equal((await rig.form(path, login, { Origin: 'http://evil.example' })).status, 403);
  const first = await rig.form(path, login, { Cookie: `sms_gateway_session=${'a'.repeat(32)}` });
  t.equal(first.headers.location, path, 'back to the page');
  const sid = sessionOf(first.headers['set-cookie']);
  t.not(sid, 'a'.repeat(32), 'an id that was brought along is not taken');
  const Cookie = `sms_gateway_session=${sid}`;
  const page = await rig.send('GET', path, '', { Cookie });
  t.match(page, { status: 200, headers: { 'cache-control': 'no-store' } });
  t.match(page.body, `"sessionid":"${sid}"`);
  t.equal((await rig.send('GET', '/', '', { Cookie })).headers.location, path, 'the first page');
  t.equal((await rig.send('GET', '/admin/none', '', { Cookie })).status, 404);
  const second = sessionOf((await rig.form('/', login, { Cookie })).headers['set-cookie']);
  t.not(second, sid);
  t.match((await rig.send('GET', path, '', { Cookie })).body, /luci_password/, 'a new login ends the session before');
  const other = { Cookie: `sms_gateway_session=${second}` };
  t.equal((await rig.send('POST', '/logout', '', { ...other, Origin: 'http://evil.example' })).status, 403);
  t.match((await rig.send('GET', path, '', other)).body, second);
  t.equal((await rig.send('POST', '/logout', '', other)).status, 303);
  t.match((await rig.send('GET', path, '', other)).body, /luci_password/);
  t.equal((await rig.send('POST', path, 'x'.repeat(4097))).status, 413);
  const odd = await rig.form('//evil.example/', login);
  t.not(odd.status, 303, 'no way to lead elsewhere');
});

t.test('files', async (t) => {
  const rig = await SiteRig.start(t);
  const plain = await rig.send('GET', '/pages/client.js');
  t.match(plain, {
    status: 200,
    body: 'content of pages/client.js',
    headers: { 'cache-control': 'no-cache', etag: '"abcd"' },
  });
  const kept = await rig.send('GET', '/pages/client.js?v=abcd');
  t.match(kept.headers, { 'cache-control': /immutable/, 'content-type': 'text/javascript' });
  const packed = await rig.send('GET', '/pages/client.js', '', { 'Accept-Encoding': 'br, gzip' });
  t.equal(packed.headers['content-encoding'], 'gzip');
  const refused = await rig.send('GET', '/pages/client.js', '', { 'Accept-Encoding': 'gzip;q=0' });
  t.equal(refused.headers['content-encoding'], undefined);
  t.equal((await rig.send('GET', '/pages/client.js', '', { 'If-None-Match': '"abcd"' })).status, 304);
  for (const path of [
    '/pages/../manifest.json',
    '/pages/%2e%2e/manifest.json',
    '/manifest.json',
    '/pages/',
    '/pages/__proto__',
    '/luci-static/../../config/rpcd',
  ]) {
    const sent = request({ host: '127.0.0.1', port: rig.port, path, agent: false });
    sent.end();
    const [response] = await once(sent, 'response');
    response.resume();
    t.equal(response.statusCode, 404, path);
  }
  t.equal((await rig.send('HEAD', '/pages/client.js')).body, '');
  t.equal((await rig.send('DELETE', '/')).status, 405);
});
