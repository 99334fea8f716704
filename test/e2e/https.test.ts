import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import t from 'tap';
import { selfSigned } from '../support/certificate.ts';
import { Daemon } from '../support/daemon.ts';
import { testFolder } from '../support/folder.ts';
import { until } from '../support/outbox-rig.ts';

const config = (more: string) => `
config gateway 'gateway'
${more}
config post_get 'post_get'
	option enabled '1'
	option username 'user1'
	option password 'secret word'
`;

t.test('the built-in web server over TLS', async (t) => {
  const folder = testFolder(t, { first: {}, second: {} });
  const first = selfSigned(`${folder}/first`);
  const second = selfSigned(`${folder}/second`);
  const files = `\toption http_cert '${first.file}'\n\toption http_key '${first.keyFile}'\n`;
  const daemon = new Daemon({ folder: `${folder}/daemon`, config: config(files) });
  await daemon.start();
  t.teardown(() => daemon.stop());
  t.match(daemon.http, /^https:/);
  const port = Number(new URL(daemon.http).port);

  const get = async (path: string, ca: string, method = 'GET') => {
    const sent = request({ host: '127.0.0.1', port, path, ca, agent: false, method });
    sent.end();
    const [response] = await once(sent, 'response');
    return { status: response.statusCode as number, headers: response.headers, body: await text(response) };
  };
  const total = '/cgi-bin/sms_total?username=user1&password=secret%20word';
  t.match((await get(total, first.cert)).body, /^Used: 0/);
  t.equal((await get('/', first.cert)).status, 200, 'the pages');
  const cookies = (await get('/logout', first.cert, 'POST')).headers['set-cookie'];
  t.match(cookies, [/; Secure$/], 'cookies do not leave over HTTP');

  const plain = connect(port, '127.0.0.1');
  plain.on('error', () => undefined);
  plain.end(`GET ${total} HTTP/1.0\r\n\r\n`);
  t.notMatch(await text(plain).catch(() => ''), /Used/, 'nothing in clear');
  const old = connectTls({ port, host: '127.0.0.1', ca: first.cert, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' });
  await t.rejects(once(old, 'secureConnect'), 'TLS 1.1 is refused');

  // A connection that is kept over the change.
  const kept = connectTls({ port, host: '127.0.0.1', ca: first.cert });
  await once(kept, 'secureConnect');
  writeFileSync(first.keyFile, second.key);
  writeFileSync(first.file, second.cert);
  await until(async () => (await get(total, second.cert).catch(() => undefined))?.status === 200, 'it is taken up');
  kept.write(`GET ${total} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  t.match(await text(kept), /Used: 0/, 'an open connection goes on');

  writeFileSync(first.file, 'nonsense');
  await until(async () => /stays in use/.test(JSON.stringify(await daemon.call('sms_gateway', 'status'))), 'it shows');
  t.equal((await get(total, second.cert)).status, 200, 'the old one stays in use');
  t.match(daemon.log, /warning.*http.*the one before stays in use/);

  daemon.configure(config(''));
  await until(() => /serving http:\/\/127/.test(daemon.log), 'without it the server speaks HTTP');
});

t.test('without a good certificate nothing is served in clear', async (t) => {
  const folder = testFolder(t);
  const daemon = new Daemon({ folder, config: config(`\toption http_cert '${folder}/missing.pem'\n`) });
  await daemon.start();
  t.teardown(() => daemon.stop());
  const port = Number(new URL(daemon.http).port);
  const plain = connect(port, '127.0.0.1');
  plain.on('error', () => undefined);
  plain.end('GET /cgi-bin/sms_total HTTP/1.0\r\n\r\n');
  t.notMatch(await text(plain).catch(() => ''), /HTTP/);
  t.match(daemon.log, /ENOENT.*missing\.pem.*nobody is served with it/);
  const { cert, key } = selfSigned(folder);
  writeFileSync(`${folder}/missing.pem`, cert + key, { mode: 0o600 });
  await until(async () => {
    const socket = connectTls({ port, host: '127.0.0.1', ca: cert });
    return once(socket, 'secureConnect').then(
      () => {
        socket.destroy();
        return true;
      },
      () => false,
    );
  }, 'one that comes later is taken up');
});

t.test('a certificate that is not there yet leaves the server as it is', async (t) => {
  const folder = testFolder(t);
  const missing = `\toption http_cert '${folder}/later.pem'\n`;
  const daemon = new Daemon({ folder, config: config('') });
  await daemon.start();
  t.teardown(() => daemon.stop());
  const port = Number(new URL(daemon.http).port);
  const inClear = async () => (await fetch(`http://127.0.0.1:${port}/health`)).status;
  daemon.configure(config(missing));
  await until(async () => /later\.pem/.test(JSON.stringify(await daemon.call('sms_gateway', 'status'))), 'it shows');
  t.equal(await inClear(), 503, 'whoever set the path wrong can set it right');
  daemon.configure(config(''));
  await until(async () => !/later\.pem/.test(JSON.stringify(await daemon.call('sms_gateway', 'status'))), 'taken back');
  t.equal(await inClear(), 503);
  daemon.configure(config(missing));
  await until(() => daemon.log.match(/later\.pem/g)?.length === 2, 'and set again');
  const { cert, key } = selfSigned(folder);
  writeFileSync(`${folder}/later.pem`, cert + key, { mode: 0o600 });
  await until(() => daemon.log.includes('serving https'), 'it is taken up');
  await t.rejects(inClear());
});
