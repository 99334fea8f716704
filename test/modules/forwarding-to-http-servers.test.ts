import type { IncomingMessage, ServerResponse } from 'node:http';
import t from 'tap';
import { verdict } from '../../src/modules/kit/exchange.ts';
import { selfSigned } from '../support/certificate.ts';
import { newFolder } from '../support/folder.ts';
import { freePort } from '../support/free-port.ts';
import { ModuleRig } from '../support/module-rig.ts';
import { pass, until } from '../support/outbox-rig.ts';
import { Receiver } from '../support/web-receiver.ts';
import { configWith, NAME, names, passBetween, pending, rigWith } from './http-forwarder.ts';

t.test('a server that answers 500 nine times gets it the tenth time, over a restart too', async (t) => {
  const server = await Receiver.open(t);
  server.statuses(...new Array<number>(9).fill(500));
  let rig = await rigWith(t, { url: `127.0.0.1:${server.port}`, id_name: 'id', ...names });
  await rig.receive('+370000000000', 'Hello!');
  await passBetween(rig, 60_000, () => server.seen.length === 4, 'four tries');
  rig = await rig.crash();
  t.teardown(() => rig.close());
  await passBetween(rig, 60_000, () => pending(rig) === 0, 'it is taken');
  t.equal(server.seen.length, 10);
  t.equal(new Set(server.seen.map(({ url }) => url)).size, 1, 'with the same id each time');
});

t.test('outcomes by status', async (t) => {
  const server = await Receiver.open(t);
  const rig = await rigWith(t, { url: `127.0.0.1:${server.port}`, ...names });
  for (const status of [400, 404, 410, 304]) {
    server.statuses(status);
    await rig.receive('+370000000000', `refused with ${status}`);
    await rig.handled(NAME);
  }
  t.equal(server.seen.length, 4, 'these are not tried again');
  for (const status of [408, 425, 429, 503]) {
    server.statuses(status);
    const before = server.seen.length;
    await rig.receive('+370000000000', `later with ${status}`);
    await passBetween(rig, 10_000, () => server.seen.length === before + 2, `${status} is tried again`);
    await rig.handled(NAME);
  }
  const own = await rigWith(t, { url: `127.0.0.1:${server.port}`, ...names }, "\tlist success_codes '404'\n");
  server.statuses(404);
  await own.receive('+370000000000', 'hi');
  await own.handled(NAME);
  t.match(own.modules.list().find(({ name }) => name === NAME)?.counters, { forwarded: 1, rejected: 0 });
});

t.test(
  'the order holds when a server fails, but one message that it cannot bear holds up no others for long',
  async (t) => {
    const server = await Receiver.open(t);
    const texts = () => server.seen.map(({ url }) => url.slice('/?Text='.length));
    const rig = await rigWith(t, { url: `127.0.0.1:${server.port}`, message_name: 'Text' });
    let up = false;
    server.answer = ({ url = '' }, response) => response.writeHead(up ? (url.endsWith('bad') ? 500 : 200) : 503).end();
    for (const text of ['a', 'bad', 'b', 'c']) await rig.receive('+37061111111', text);
    await passBetween(rig, 10_000, () => server.seen.length === 6, 'six tries');
    t.same(new Set(texts()), new Set(['a']), 'the next ones wait');
    up = true;
    await passBetween(rig, 10_000, () => pending(rig) === 1, 'all but one are taken');
    t.same(
      texts().filter((text) => text !== 'a' && text !== 'bad'),
      ['b', 'c'],
    );
    t.equal(texts().filter((text) => text === 'bad').length, 4);
    const before = server.seen.length;
    await rig.receive('+37061111111', 'd');
    await until(() => texts().slice(before).includes('d'), 'new ones are taken at once');
    server.answer = (_, response) => response.end();
    await passBetween(rig, 60_000, () => pending(rig) === 0, 'it is still tried');
    t.equal(texts().at(-1), 'bad');
  },
);

t.test('a refused forward shows as the error of the module until one is accepted', async (t) => {
  const server = await Receiver.open(t);
  const rig = await rigWith(t, { url: `http://anna:geheim@127.0.0.1:${server.port}/?key=k3y`, ...names });
  const shown = () => rig.modules.list().find(({ name }) => name === NAME);
  for (const [status, error] of [
    [401, /answered 401/],
    [200, undefined],
    [503, /answered 503/],
  ] as const) {
    server.statuses(status);
    await rig.receive('+370000000000', `${status}`);
    await until(() => server.seen.at(-1)?.url.endsWith(`Text=${status}`) === true, 'it is asked');
    if (error === undefined) await until(() => shown()?.error === undefined, 'the error goes');
    else await until(() => error.test(shown()?.error ?? ''), 'the error shows');
    t.equal(shown()?.state, 'running');
    t.notMatch(JSON.stringify(shown()), /anna|geheim|k3y/);
  }
  await passBetween(rig, 10_000, () => pending(rig) === 0, 'it is taken');
  await until(() => shown()?.error === undefined, 'the error goes');
});

t.test('Retry-After is kept', async (t) => {
  const server = await Receiver.open(t);
  let asked = 0;
  server.answer = (_, response) =>
    (asked++ === 0 ? response.writeHead(503, { 'Retry-After': '1800' }) : response).end();
  const rig = await rigWith(t, { url: `127.0.0.1:${server.port}`, ...names });
  await rig.receive('+370000000000', 'Hello!');
  await until(() => server.seen.length === 1, 'the first try');
  rig.deliveriesTakeNoTime();
  await rig.clock.advance(1_790_000);
  t.equal(server.seen.length, 1);
  await passBetween(rig, 10_000, () => pending(rig) === 0, 'it is taken');
  t.equal(server.seen.length, 2);

  const now = Date.UTC(2026, 0, 1);
  for (const [retryAfter, ms] of [
    ['5', 5_000],
    [' 3600 ', 3_600_000],
    ['86400', 3_600_000],
    ['999999999', 3_600_000],
    [new Date(now + 60_000).toUTCString(), 60_000],
    [new Date(now + 30 * 24 * 3_600_000).toUTCString(), 3_600_000],
    [new Date(now - 60_000).toUTCString(), undefined],
    ['-5', undefined],
    ['soon', undefined],
  ] as const) {
    const outcome = verdict({ status: 503, retryAfter }, ['200-299'], now);
    t.equal('after' in outcome ? outcome.after : undefined, ms, retryAfter);
  }
});

t.test('retry_hours ends it', async (t) => {
  const server = await Receiver.open(t);
  server.answer = (_, response) => response.writeHead(500).end();
  const rig = await rigWith(t, { url: `127.0.0.1:${server.port}`, retry_hours: '1', ...names });
  await rig.receive('+370000000000', 'Hello!');
  await until(() => server.seen.length === 1, 'the first try');
  await passBetween(rig, 60_000, () => pending(rig) === 0, 'it is given up');
  t.match(rig.log.join('\n'), /the server answered 500/);
  t.ok(server.seen.length > 3);
});

t.test('after a long power cut old messages are not rejected before the network is up', async (t) => {
  const folder = newFolder(t);
  const port = await freePort();
  const config = configWith({ url: `127.0.0.1:${port}`, retry_hours: '1', ...names });
  const before = await ModuleRig.open(folder, { config });
  await before.receive('+370000000000', 'Hello!');
  await until(() => /cannot be reached/.test(before.log.join('\n')), 'nobody listens');
  await before.close();
  await before.clock.advance(5 * 24 * 3_600_000);
  const rig = await ModuleRig.open(folder, { config, clock: before.clock });
  t.teardown(() => rig.close());
  await until(() => /cannot be reached/.test(rig.log.join('\n')), 'still nobody');
  t.equal(pending(rig), 1);
  const server = await Receiver.open(t, { port });
  await pass(rig.clock, 10_000, () => pending(rig) === 0, 'it ends');
  t.equal(server.seen.length, 1);
});

t.test('redirects', async (t) => {
  const server = await Receiver.open(t);
  const tls = await Receiver.open(t, { tls: selfSigned(newFolder(t)) });
  const rig = await rigWith(t, { url: `127.0.0.1:${server.port}/old`, method: 'post', ...names });
  const redirect = (status: number, location: string) => (request: IncomingMessage, response: ServerResponse) =>
    request.url === '/old' ? response.writeHead(status, { Location: location }).end() : response.end();
  for (const status of [301, 302, 307, 308]) {
    server.answer = redirect(status, '/new');
    await rig.receive('+370000000000', `${status}`);
    await rig.handled(NAME);
    t.match(server.seen.at(-1), { method: 'POST', url: '/new', body: `Sender=%2B370000000000&Text=${status}` });
  }
  server.answer = redirect(303, '/done');
  await rig.receive('+370000000000', '303');
  await rig.handled(NAME);
  t.match(server.seen.at(-1), { method: 'GET', url: '/done', body: '' });
  server.answer = redirect(302, `https://127.0.0.1:${tls.port}/secure`);
  await rig.receive('+370000000000', 'up');
  await rig.handled(NAME);
  t.match(tls.seen, [{ url: '/secure' }], 'from HTTP to HTTPS');
  tls.answer = (_, response) => response.writeHead(302, { Location: `http://127.0.0.1:${server.port}/plain` }).end();
  const secure = await rigWith(t, { url: `https://127.0.0.1:${tls.port}`, ...names });
  const before = server.seen.length;
  await secure.receive('+370000000000', 'down');
  await secure.handled(NAME);
  t.equal(server.seen.length, before, 'never from HTTPS to HTTP');
  server.answer = (_, response) => response.writeHead(302, { Location: '/old' }).end();
  await rig.receive('+370000000000', 'round and round');
  await rig.handled(NAME);
  t.equal(server.seen.length, before + 6);
});

t.test('certificates', async (t) => {
  const certificate = selfSigned(newFolder(t));
  const server = await Receiver.open(t, { tls: certificate });
  const url = `127.0.0.1:${server.port}`;
  const send = async (options: Record<string, string>) => {
    const rig = await rigWith(t, { url, use_https_protocol: '1', retry_hours: '0', ...names, ...options });
    await rig.receive('+370000000000', 'Hello!');
    await rig.handled(NAME);
    return rig;
  };
  await send({});
  t.equal(server.seen.length, 1, 'ignore takes it');
  const refused = await send({ verify_cert: 'verify' });
  t.equal(server.seen.length, 1, 'verify refuses it');
  t.match(refused.log.join('\n'), /self-signed certificate/);
  await send({ verify_cert: 'verify', ca_file: certificate.file });
  t.equal(server.seen.length, 2, 'a CA file accepts it');
  const missing = await rigWith(t, { url, ca_file: '/does/not/exist.pem', ...names });
  t.match(
    missing.modules.list().find(({ name }) => name === NAME),
    { state: 'failed', error: /ca_file/ },
  );
  const junk = await rigWith(t, { url, ca_file: certificate.keyFile, ...names });
  t.match(
    junk.modules.list().find(({ name }) => name === NAME),
    { state: 'failed', error: /holds no certificate/ },
    'a key is no certificate',
  );
});

t.test('a server that is slow, resets, or sends without end', async (t) => {
  const server = await Receiver.open(t);
  const rig = await rigWith(t, { url: `127.0.0.1:${server.port}`, timeout: '5', ...names });
  const hanging: ServerResponse[] = [];
  server.answer = (_, response) => void hanging.push(response);
  await rig.receive('+370000000000', 'slow');
  await until(() => hanging.length === 1, 'it hangs');
  await rig.clock.advance(5_000);
  await until(() => /did not answer in 5 s/.test(rig.log.join('\n')), 'the time is over');
  server.answer = (request) => request.socket.resetAndDestroy();
  await passBetween(rig, 10_000, () => /ECONNRESET|socket hang up/.test(rig.log.join('\n')), 'it is reset');
  for (const junk of [
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n',
    '220 smtp.example.com ESMTP\r\n',
    '',
  ]) {
    const before = server.seen.length;
    server.answer = ({ socket }) => socket.end(junk);
    await pass(rig.clock, 10_000, () => server.seen.length > before, 'the next try');
    await until(() => server.connections.size === 0, 'nothing stays open');
  }
  t.equal(pending(rig), 1);
  let ended = false;
  server.answer = (_, response) => {
    response.on('close', () => {
      ended = true;
    });
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(16_384)));
    };
    response.on('drain', more);
    more();
  };
  await pass(rig.clock, 10_000, () => pending(rig) === 0, 'it is taken');
  await until(() => ended, 'the endless body is cut off');
});

t.test('the module stops in the middle of a request', async (t) => {
  const server = await Receiver.open(t);
  server.answer = () => undefined;
  const rig = await rigWith(t, { url: `127.0.0.1:${server.port}`, ...names });
  await rig.receive('+370000000000', 'Hello!');
  await until(() => server.seen.length === 1, 'a request is under way');
  await rig.modules.restart(NAME);
  await until(() => server.seen.length === 2, 'it is made again');
  t.equal(server.connections.size, 1, 'the first one has ended');
  t.equal(pending(rig), 1);
});
