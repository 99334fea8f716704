import { createHmac } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { formEncoded } from '../../src/modules/forwarding_to_http/fields.ts';
import { selfSigned } from '../support/certificate.ts';
import { newFolder } from '../support/folder.ts';
import { freePorts } from '../support/mail/free-port.ts';
import { MemoryFileSystem } from '../support/memory-file-system.ts';
import { ModuleRig } from '../support/module-rig.ts';
import { numberOf, pass, until } from '../support/outbox-rig.ts';
import { refused } from '../support/scripted-sender.ts';
import { Receiver } from '../support/web-receiver.ts';

const NAME = 'forwarding_to_http';

type Options = Readonly<Record<string, string>>;

function configWith(options: Options, more = ''): string {
  const lines = Object.entries({ enabled: '1', ...options }).map(([name, value]) => `\toption ${name} '${value}'\n`);
  return `config sms_gateway '${NAME}'\n${lines.join('')}${more}`;
}

async function rigWith(t: Test, options: Options, more = ''): Promise<ModuleRig> {
  const rig = await ModuleRig.open(newFolder(t), { config: configWith(options, more) });
  t.teardown(() => rig.close());
  return rig;
}

const pending = (rig: ModuleRig) => rig.store.deliveries.pending(NAME);
const names = { number_name: 'Sender', message_name: 'Text' };
const seedFields = {
  ...names,
  ...{ extra_name1: 'Name', extra_value1: 'RUT240', extra_name2: 'Code', extra_value2: 'RUT240 06E000' },
};
const seedQuery = 'Sender=%2B370000000000&Text=Hello%21&Name=RUT240&Code=RUT240%2006E000';

t.test("the seed's example", async (t) => {
  const server = await Receiver.open(t);
  const rig = await rigWith(t, { url: `127.0.0.1:${server.port}`, ...seedFields });
  await rig.receive('+370000000000', 'Hello!');
  await until(() => server.seen.length === 1, 'it is handed over');
  t.match(server.seen[0], { method: 'GET', url: `/?${seedQuery}`, body: '' });
  await rig.handled(NAME);
  t.match(rig.modules.list().find(({ name }) => name === NAME)?.counters, { forwarded: 1 });
  await until(() => server.connections.size === 0, 'no connection stays open');
});

t.test('pairs are escaped as curl does, whatever a stranger sends', async (t) => {
  t.equal(
    formEncoded([['a b', "AZaz09-._~ !*'()&=+%#\n\0"]]),
    'a%20b=AZaz09-._~%20%21%2A%27%28%29%26%3D%2B%25%23%0A%00',
  );
  t.equal(
    formEncoded([
      ['€', '🙂ą'],
      ['lone', '\ud83d'],
    ]),
    '%E2%82%AC=%F0%9F%99%82%C4%85&lone=%EF%BF%BD',
  );
  const units = fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), { maxLength: 7 });
  fc.assert(
    fc.property(units, (fields) => {
      const encoded = formEncoded(fields);
      t.match(encoded, /^(?:[A-Za-z0-9\-._~=&]|%[0-9A-F]{2})*$/);
      t.same(
        [...new URLSearchParams(encoded)].filter(([name, value]) => name + value !== ''),
        fields.filter(([name, value]) => name + value !== ''),
      );
    }),
    { numRuns: 50 },
  );
  const server = await Receiver.open(t);
  const rig = await rigWith(t, { url: `127.0.0.1:${server.port}`, ...names });
  await rig.receive('A&B=1', 'x=1&Sender=+37060000001#\r\nHost: evil');
  await rig.handled(NAME);
  t.same(new URLSearchParams(server.seen[0]?.url?.slice(2)).getAll('Sender'), ['A&B=1']);
});

t.test('listed senders only, and messages for a rule', async (t) => {
  const server = await Receiver.open(t);
  const options = { url: `127.0.0.1:${server.port}`, message_name: 'Text' };
  const listed = await rigWith(t, { ...options, mode: 'list' }, "\tlist number '0037062222222'\n");
  await listed.receive('+37061111111', 'no');
  await listed.receive('+37062222222', 'yes');
  await listed.receive('062222222', 'national');
  await listed.handled(NAME);
  t.same(
    server.seen.map(({ url }) => url),
    ['/?Text=yes', '/?Text=national'],
  );
  const rule = `config rule\n\toption enabled '1'\n\toption action 'send_status'\n\toption smstext 'status'\n`;
  for (const every_sms of ['0', '1']) {
    const rig = await rigWith(t, { ...options, every_sms }, `${rule}\toption authorisation 'no'\n`);
    await rig.receive('+37061111111', 'Status');
    await rig.handled(NAME);
  }
  t.same(
    server.seen.slice(2).map(({ url }) => url),
    ['/?Text=Status'],
    'once, with every_sms',
  );
});

t.test('a binary message shows its octets', async (t) => {
  const server = await Receiver.open(t);
  const rig = await rigWith(t, { url: `127.0.0.1:${server.port}`, message_name: 'Text' });
  await rig.receive('+37061111111', '', { binary: { dcs: 0x04, data: Buffer.from('00ff7f', 'hex') } });
  await rig.handled(NAME);
  t.equal(server.seen[0]?.url, '/?Text=Binary%20message%3A%2000FF7F');
});

t.test('the URL keeps its path and its own query', async (t) => {
  const server = await Receiver.open(t);
  const rig = await rigWith(t, { url: `http://127.0.0.1:${server.port}/in/sms.php?key=a%20b`, ...seedFields });
  await rig.receive('+370000000000', 'Hello!');
  await until(() => server.seen.length === 1, 'it is handed over');
  t.equal(server.seen[0]?.url, `/in/sms.php?key=a%20b&${seedQuery}`);
});

t.test('POST, as a form and as JSON', async (t) => {
  const server = await Receiver.open(t);
  const url = `127.0.0.1:${server.port}/sms`;
  const form = await rigWith(t, { url, method: 'post', ...seedFields });
  await form.receive('+370000000000', 'Hello!');
  await until(() => server.seen.length === 1, 'the form is handed over');
  t.match(server.seen[0], {
    method: 'POST',
    url: '/sms',
    body: seedQuery,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  const json = await rigWith(t, {
    ...{ url, method: 'post', format: 'json', ...names },
    ...{ time_name: 'time', modem_name: 'modem', id_name: 'id' },
  });
  await json.receive('+370000000000', 'Ąžuolas "🙂"\n', { time: Date.UTC(2026, 0, 2, 3, 4, 5) });
  await until(() => server.seen.length === 2, 'the JSON is handed over');
  t.equal(server.seen[1]?.headers['content-type'], 'application/json');
  t.same(JSON.parse(server.seen[1]?.body ?? ''), {
    ...{ Sender: '+370000000000', Text: 'Ąžuolas "🙂"\n' },
    ...{ time: '2026-01-02T03:04:05.000Z', modem: 'gsm0', id: '1' },
  });
});

t.test('Base64 and a signature', async (t) => {
  const server = await Receiver.open(t);
  const url = `127.0.0.1:${server.port}`;
  const rig = await rigWith(t, { url, message_encode_b64: '1', hmac_secret: 'geheim', ...names });
  await rig.receive('+370000000000', 'Ąž🙂');
  await until(() => server.seen.length === 1, 'it is handed over');
  const { url: path = '', headers } = server.seen[0] ?? {};
  const query = path.slice(path.indexOf('?') + 1);
  t.equal(Buffer.from(new URLSearchParams(query).get('Text') ?? '', 'base64').toString(), 'Ąž🙂');
  const [, time, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers?.['x-signature'])) ?? [];
  t.equal(signature, createHmac('sha256', 'geheim').update(`${time}.${query}`).digest('hex'));
  t.notMatch(rig.log.join(), /geheim/);
});

t.test('a server that answers 500 nine times gets it the tenth time, over a restart too', async (t) => {
  const server = await Receiver.open(t);
  server.statuses(...new Array<number>(9).fill(500));
  let rig = await rigWith(t, { url: `127.0.0.1:${server.port}`, id_name: 'id', ...names });
  await rig.receive('+370000000000', 'Hello!');
  await pass(rig.clock, 60_000, () => server.seen.length === 4, 'four tries');
  rig = await rig.crash();
  t.teardown(() => rig.close());
  await pass(rig.clock, 60_000, () => pending(rig) === 0, 'it is taken');
  t.equal(server.seen.length, 10);
  t.equal(new Set(server.seen.map(({ url }) => url)).size, 1, 'with the same id each time');
});

t.test('what a status means', async (t) => {
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
    await pass(rig.clock, 10_000, () => server.seen.length === before + 2, `${status} is tried again`);
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
    await pass(rig.clock, 10_000, () => server.seen.length === 6, 'six tries');
    t.same(new Set(texts()), new Set(['a']), 'the next ones wait');
    up = true;
    await pass(rig.clock, 10_000, () => pending(rig) === 1, 'all but one are taken');
    t.same(
      texts().filter((text) => text !== 'a' && text !== 'bad'),
      ['b', 'c'],
    );
    t.equal(texts().filter((text) => text === 'bad').length, 4);
    const before = server.seen.length;
    await rig.receive('+37061111111', 'd');
    await until(() => texts().slice(before).includes('d'), 'new ones are taken at once');
    server.answer = (_, response) => response.end();
    await pass(rig.clock, 60_000, () => pending(rig) === 0, 'it is still tried');
    t.equal(texts().at(-1), 'bad');
  },
);

t.test('Retry-After is kept', async (t) => {
  const server = await Receiver.open(t);
  let asked = 0;
  server.answer = (_, response) =>
    (asked++ === 0 ? response.writeHead(503, { 'Retry-After': '7200' }) : response).end();
  const rig = await rigWith(t, { url: `127.0.0.1:${server.port}`, ...names });
  await rig.receive('+370000000000', 'Hello!');
  await until(() => server.seen.length === 1, 'the first try');
  await rig.clock.advance(7_100_000);
  t.equal(server.seen.length, 1);
  await pass(rig.clock, 60_000, () => pending(rig) === 0, 'it is taken');
  t.equal(server.seen.length, 2);
});

t.test('retry_hours ends it', async (t) => {
  const server = await Receiver.open(t);
  server.answer = (_, response) => response.writeHead(500).end();
  const rig = await rigWith(t, { url: `127.0.0.1:${server.port}`, retry_hours: '1', ...names });
  await rig.receive('+370000000000', 'Hello!');
  await until(() => server.seen.length === 1, 'the first try');
  await pass(rig.clock, 60_000, () => pending(rig) === 0, 'it is given up');
  t.match(rig.log.join('\n'), /the server answered 500/);
  t.ok(server.seen.length > 3);
});

t.test('after a long time without power, what has grown old is not given up before the network is there', async (t) => {
  const folder = newFolder(t);
  const [port = 0] = await freePorts(1);
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
  await pass(rig.clock, 10_000, () => /ECONNRESET|socket hang up/.test(rig.log.join('\n')), 'it is reset');
  for (const junk of [
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n',
    `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`,
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

t.test('test makes one real request', async (t) => {
  const server = await Receiver.open(t);
  const rig = await rigWith(t, { url: `127.0.0.1:${server.port}`, ...names });
  const { signal } = new AbortController();
  t.match(await rig.modules.test(NAME, signal), /^127\.0\.0\.1:\d+ answered 200 after \d+ ms$/);
  server.statuses(403);
  await t.rejects(rig.modules.test(NAME, signal), { code: 'peer_rejected', message: /answered 403/ });
});

t.test('delivery reports too', async (t) => {
  const server = await Receiver.open(t);
  const config = { url: `127.0.0.1:${server.port}`, delivery_reports: '1', id_name: 'id', ...names };
  let rig = await rigWith(t, config);
  const number = '+37060000001' as never;
  /** Sends a message and lets a report with this TP-ST come for it. */
  const send = async (status: number) => {
    const { outbox } = rig.store;
    const content = { type: 'text', text: 'out' } as const;
    const { id } = await outbox.submit({ number, content, source: 'test', report: true });
    const { partStates } = await outbox.settled(id, new AbortController().signal);
    const mr = partStates[0]?.mr ?? -1;
    await outbox.report({ modem: 'gsm0', mr, number, status, discharged: rig.clock.now() });
    return id;
  };
  const first = await send(0);
  await until(() => server.seen.length === 1, 'the report is handed over');
  t.equal(server.seen[0]?.url, `/?Sender=%2B37060000001&Text=delivered&id=${first}`);

  server.answer = (_, response) => response.writeHead(500).end();
  const second = await send(0x46);
  await until(() => server.seen.length === 2, 'it is tried');
  server.statuses();
  rig = await rig.crash();
  t.teardown(() => rig.close());
  await until(() => server.seen.length === 3, 'after a restart it is handed over');
  t.match(server.seen[2]?.url, new RegExp(`&Text=(undelivered|expired)&id=${second}$`));
});

t.test('what became of messages while the module was off, or the disk full, is told too', async (t) => {
  const server = await Receiver.open(t);
  const on = configWith({
    url: `127.0.0.1:${server.port}`,
    delivery_reports: '1',
    message_name: 'Text',
    id_name: 'id',
  });
  const fileSystem = new MemoryFileSystem();
  const rig = await ModuleRig.open(newFolder(t), { config: on, fileSystem });
  t.teardown(() => rig.close());
  const fail = async () => {
    rig.modem.will(refused);
    const content = { type: 'text', text: 'out' } as const;
    const { id } = await rig.store.outbox.submit({ number: numberOf(1), content, source: 'test' });
    await rig.store.outbox.settled(id, new AbortController().signal);
    return id;
  };
  const told = (ids: readonly number[]) => ids.map((id) => `/?Text=failed&id=${id}`);
  const first = [await fail()];
  await until(() => server.seen.length === 1, 'it is told');
  await rig.configure(on.replace("enabled '1'", "enabled '0'"));
  const missed = [await fail(), await fail(), await fail()];
  await rig.configure(on);
  await until(() => server.seen.length === 4, 'what was missed is told');
  t.same(
    server.seen.map(({ url }) => url),
    told([...first, ...missed]),
    'each once, though all at the same time',
  );

  let full = false;
  fileSystem.fault = (call) => (full && call === 'write' ? 'EIO' : undefined);
  server.answer = (_, response) => {
    full = true;
    response.end();
  };
  const last = await fail();
  await until(() => /could not be stored/.test(rig.log.join('\n')), 'the disk fails after it was told');
  await rig.clock.advance(4_000);
  t.same(
    server.seen.slice(4).map(({ url }) => url),
    told([last]),
    'and it is told once',
  );
  full = false;
});
