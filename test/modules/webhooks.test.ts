import { spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { fillTemplate } from '../../src/modules/webhooks/request.ts';
import { selfSigned } from '../support/certificate.ts';
import { newFolder } from '../support/folder.ts';
import { heldDisk } from '../support/held-disk.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ModuleRig } from '../support/module-rig.ts';
import { numberOf, until } from '../support/outbox-rig.ts';
import { missingPrograms } from '../support/programs.ts';
import { refused } from '../support/scripted-sender.ts';
import { Receiver } from '../support/web-receiver.ts';

const ALICE = '+37060000001';

type Options = Readonly<Record<string, string | readonly string[]>>;

function webhook(name: string, url: string, options: Options = {}): string {
  const lines = Object.entries<string | readonly string[]>({ url, ...options }).flatMap(([option, value]) =>
    typeof value === 'string' ? [`option ${option} '${value}'`] : value.map((item) => `list ${option} '${item}'`),
  );
  return `config webhook '${name}'\n${lines.map((line) => `\t${line}\n`).join('')}\n`;
}

const all = ['sms.received', 'sms.sent', 'sms.delivered', 'sms.failed', 'modem.state', 'call.incoming'];

async function open(t: Test, config: string, folder = newFolder(t)): Promise<ModuleRig> {
  const rig = await ModuleRig.open(folder, { config });
  t.teardown(() => rig.close());
  return rig;
}

const urlOf = ({ port }: Receiver, path = '/in') => `http://127.0.0.1:${port}${path}`;
const asked = (receiver: Receiver, count: number) => until(() => receiver.seen.length >= count, `${count} requests`);
const bodies = (receiver: Receiver) => receiver.seen.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
const submit = (rig: ModuleRig, n: number, text: string, tag = {}) =>
  rig.store.outbox.submit({
    ...{ number: numberOf(n), source: 'test', report: true, ...tag },
    content: { type: 'text', text },
  });

t.test('each kind of event has its word in the body, and one shape', async (t) => {
  const receiver = await Receiver.open(t);
  const rig = await open(t, webhook('all', urlOf(receiver), { event: all }));
  await rig.receive(ALICE, 'Žąsis "x"');
  await asked(receiver, 1);
  await submit(rig, 2, 'Hello', { clientRef: 'order 7' });
  await asked(receiver, 2);
  await rig.store.outbox.report({ modem: 'gsm0', mr: 0, number: numberOf(2), status: 0, discharged: 0 });
  await asked(receiver, 3);
  rig.modem.will(refused);
  await submit(rig, 3, 'Lost');
  await asked(receiver, 4);
  rig.bus.emit('call.incoming', { modem: 'gsm0' });
  await asked(receiver, 5);
  const facts = { name: 'gsm0', since: 0, device: 'x', sent: 0, received: 0, errors: 0, reopened: 0 };
  rig.bus.emit('modem.state', { ...facts, state: 'no_sim', error: 'the tray is empty' });
  await asked(receiver, 6);
  const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
  const common = { version: 1, time: iso, modem: 'gsm0' };
  t.match(bodies(receiver), [
    { ...common, event: 'sms.received', id: 1, number: ALICE, text: 'Žąsis "x"', state: 'unread', message_time: iso },
    { ...common, event: 'sms.sent', id: 2, number: numberOf(2), text: 'Hello', state: 'sent', client_ref: 'order 7' },
    {
      ...common,
      event: 'sms.delivered',
      id: 2,
      number: numberOf(2),
      text: 'Hello',
      state: 'delivered',
      source: 'test',
    },
    { ...common, event: 'sms.failed', id: 3, text: 'Lost', state: 'failed', error: /unassigned number/ },
    { ...common, event: 'call.incoming', number: undefined, id: undefined },
    { ...common, event: 'modem.state', state: 'no_sim', error: 'the tray is empty' },
  ]);
  t.equal(new Set(bodies(receiver).map(({ event_id }) => event_id)).size, 6);
  const [first] = receiver.seen;
  t.match(first, { method: 'POST', url: '/in', headers: { 'content-type': 'application/json' } });
  t.equal(first?.headers['x-event-id'], bodies(receiver)[0]?.['event_id']);
  await rig.handled('webhooks');
  t.match(rig.modules.status('webhooks').counters, { delivered: 6, rejected: 0 });
});

t.test('the signature is the one that openssl makes', { skip: missingPrograms(['openssl'], 'openssl') }, async (t) => {
  const receiver = await Receiver.open(t);
  const secret = 'Geheim ü';
  const rig = await open(
    t,
    webhook('post', urlOf(receiver), { hmac_secret: secret }) +
      webhook('get', urlOf(receiver, '/get?own=1'), { hmac_secret: secret, method: 'get' }),
  );
  await rig.receive(ALICE, 'ž & "x"');
  await asked(receiver, 2);
  for (const { method, url, body, headers } of receiver.seen) {
    const [, time, digest] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(`${headers['x-signature']}`) ?? [];
    const signed = method === 'GET' ? url.slice(url.indexOf('?') + 1) : body;
    const args = ['dgst', '-sha256', '-hmac', secret, '-hex'];
    const { stdout } = spawnSync('openssl', args, { input: `${time}.${signed}`, encoding: 'utf8' });
    t.equal(stdout.trim().split(/[= ]+/).at(-1), digest, method);
    t.equal(Number(time), Math.floor(rig.clock.now() / 1000));
  }
  const get = receiver.seen.find(({ method }) => method === 'GET');
  const query = new URLSearchParams(get?.url.slice(5));
  t.same([query.get('own'), query.get('text'), query.get('event')], ['1', 'ž & "x"', 'sms.received']);
});

t.test('whoever redirects gets no signature of a query of his own', async (t) => {
  const receiver = await Receiver.open(t);
  const rig = await open(t, webhook('get', urlOf(receiver, '/in?own=1'), { hmac_secret: 'secret', method: 'get' }));
  for (const [status, location, query] of [
    [302, '/new?from=them', 'from=them'],
    [303, '/new', ''],
    [307, '?x=1', 'x=1'],
  ] as const) {
    const before = receiver.seen.length;
    receiver.answer = ({ url }, response) =>
      url?.includes('own=1') ? response.writeHead(status, { Location: location }).end() : response.end();
    await rig.receive(ALICE, `${status}`);
    await asked(receiver, before + 2);
    const { url = '', headers = {} } = receiver.seen.at(-1) ?? {};
    t.equal(url.split('?')[1] ?? '', query);
    t.equal(headers['x-signature'], undefined, `${status}`);
    t.match(headers, { 'x-event-id': /./ });
  }
});

t.test('behind a redirect a body keeps its signature, until 303 takes it away', async (t) => {
  const receiver = await Receiver.open(t);
  const rig = await open(t, webhook('post', urlOf(receiver), { hmac_secret: 'secret' }));
  for (const [status, isSigned] of [
    [302, true],
    [308, true],
    [303, false],
  ] as const) {
    const before = receiver.seen.length;
    receiver.answer = ({ url }, response) =>
      url === '/in' ? response.writeHead(status, { Location: '/new?x=1' }).end() : response.end();
    await rig.receive(ALICE, `${status}`);
    await asked(receiver, before + 2);
    const { body = '', headers = {} } = receiver.seen.at(-1) ?? {};
    const [, time, digest] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(`${headers['x-signature']}`) ?? [];
    const made = createHmac('sha256', 'secret').update(`${time}.${body}`).digest('hex');
    t.equal(digest, isSigned ? made : undefined, `${status}`);
    t.equal(body.includes('"text"'), isSigned);
  }
});

t.test('a webhook whose URL is corrected is tried at once', async (t) => {
  const receiver = await Receiver.open(t);
  const rig = await open(t, webhook('one', 'http://127.0.0.1:1/'));
  await rig.receive(ALICE, 'waits');
  await until(() => rig.store.deliveries.nextTry('webhooks') !== undefined, 'the first try fails');
  await rig.configure(webhook('one', urlOf(receiver)));
  await asked(receiver, 1);
  t.match(bodies(receiver), [{ text: 'waits' }]);
});

t.test(
  'the check in the docs takes a request, and none that was changed',
  { skip: missingPrograms(['python3'], 'python3') },
  async (t) => {
    const receiver = await Receiver.open(t);
    const config = webhook('one', urlOf(receiver), { hmac_secret: 'secret' });
    // The example compares with the time of day.
    const rig = await ModuleRig.open(newFolder(t), { config, clock: new ManualClock(Date.now()) });
    t.teardown(() => rig.close());
    await rig.receive(ALICE, 'Žąsis');
    await asked(receiver, 1);
    const [, example = ''] = /```python\n(.*?)```/s.exec(readFileSync('docs/hooks.md', 'utf8')) ?? [];
    const { body = '', headers = {} } = receiver.seen[0] ?? {};
    const check = (text: string) => {
      const script = `${example}\nimport sys\nprint(is_genuine(sys.argv[1], sys.stdin.buffer.read(), b"secret"))`;
      return spawnSync('python3', ['-c', script, `${headers['x-signature']}`], { input: text, encoding: 'utf8' })
        .stdout;
    };
    t.equal(check(body), 'True\n');
    t.equal(check(body.replace('Žąsis', 'Žąsis!')), 'False\n');
  },
);

t.test('method, headers, form and template', async (t) => {
  const receiver = await Receiver.open(t);
  const header = ['X-Api-Key: abc', 'Content-Type: text/x-own'];
  const rig = await open(
    t,
    webhook('a', urlOf(receiver, '/a'), { method: 'put', format: 'form', header }) +
      webhook('b', urlOf(receiver, '/b').replace('//', '//me:pw@'), {
        ...{ method: 'patch', format: 'template', body: '{"text":"{{number}}: {{ text }} {{error}} {{nothing}}"}' },
      }) +
      webhook('c', urlOf(receiver, '/c'), { format: 'template', content_type: 'text/plain', body: '{{text}}' }),
  );
  const text = 'a "b" \\ & <c>\nd';
  await rig.receive(ALICE, text);
  await asked(receiver, 3);
  const [a, b, c] = ['/a', '/b', '/c'].map((path) => receiver.seen.find(({ url }) => url === path));
  t.match(a, { method: 'PUT', headers: { 'x-api-key': 'abc', 'content-type': 'text/x-own' } });
  t.equal(new URLSearchParams(a?.body).get('text'), text);
  t.match(b, { method: 'PATCH', headers: { 'content-type': 'application/json', authorization: 'Basic bWU6cHc=' } });
  t.same(JSON.parse(b?.body ?? ''), { text: `${ALICE}: ${text}  {{nothing}}` });
  t.match(c, { method: 'POST', body: text, headers: { 'content-type': 'text/plain' } });
});

t.test('a text cannot leave its place in a template', async (t) => {
  const fields = (text: string) => ({ version: 1, event: 'sms.received', text });
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const json = JSON.parse(fillTemplate('{"a":"{{text}}","b":1}', fields(text), 'application/cloud+json')) as object;
      const form = new URLSearchParams(
        fillTemplate('a={{text}}&b=1', fields(text), 'application/x-www-form-urlencoded'),
      );
      const xml = fillTemplate('<a b="{{text}}">', fields(text), 'text/xml');
      t.same(json, { a: text, b: 1 });
      return [...form.keys()].join() === 'a,b' && form.get('a') === text && (xml.match(/[<>"]/g) ?? []).length === 4;
    }),
  );
  t.equal(fillTemplate('{{text}}', fields('$& {{event}} $1'), 'text/plain'), '$& {{event}} $1');
  t.equal(fillTemplate('x{{json}}', fields('a'), 'text/plain'), 'x{"version":1,"event":"sms.received","text":"a"}');
});

t.test('each target keeps its order and its pauses; none waits for another', async (t) => {
  const good = await Receiver.open(t);
  const bad = await Receiver.open(t);
  bad.statuses(503, 503);
  const rig = await ModuleRig.open(newFolder(t), {
    config: webhook('good', urlOf(good)) + webhook('bad', urlOf(bad)),
  });
  rig.deliveriesTakeNoTime();
  for (const text of ['1', '2', '3']) await rig.receive(ALICE, text);
  await asked(good, 3);
  await until(() => rig.log.some((line) => /to bad failed, again in/.test(line)), 'the failure is stored');
  await until(() => rig.store.deliveries.pending('webhooks') === 3, 'three wait');
  t.match(rig.modules.status('webhooks'), { error: 'the server answered 503' });
  const after = await rig.crash();
  t.teardown(() => after.close());
  await after.clock.advance(60_000);
  await asked(bad, 2);
  await until(() => after.log.some((line) => /cannot deliver to bad/.test(line)), 'it fails again');
  await until(async () => {
    await after.clock.advance(5_000);
    return bad.seen.length === 5;
  }, 'the rest follows');
  await after.handled('webhooks');
  t.same(
    bodies(bad).map(({ text }) => text),
    ['1', '1', '1', '2', '3'],
  );
  t.same(
    bodies(good).map(({ text }) => text),
    ['1', '2', '3'],
    'not again',
  );
  t.equal(after.modules.status('webhooks').error, undefined);
});

t.test('an outcome and a call wait over a crash, also when the message is gone', async (t) => {
  const receiver = await Receiver.open(t);
  receiver.statuses(500);
  const rig = await ModuleRig.open(newFolder(t), {
    config: webhook('all', urlOf(receiver), { event: ['sms.sent', 'call.incoming'] }),
  });
  rig.deliveriesTakeNoTime();
  const { id } = await submit(rig, 4, 'Hello');
  await until(() => rig.log.some((line) => /to all failed, again in/.test(line)), 'the failure is stored');
  rig.bus.emit('call.incoming', { modem: 'gsm0', number: ALICE });
  await until(() => rig.store.deliveries.pending('webhooks') === 2, 'both wait');
  await rig.store.outbox.delete(id);
  const after = await rig.crash();
  t.teardown(() => after.close());
  // The start after the crash may not have come to the delivery yet.
  await until(async () => {
    await after.clock.advance(60_000);
    return after.store.deliveries.pending('webhooks') === 0;
  }, 'both are made');
  const [first, again, call] = bodies(receiver);
  t.equal(first?.['text'], 'Hello');
  const { text: _, message_time: __, parts: ___, encoding: ____, source: _____, ...rest } = first ?? {};
  t.same(again, rest, 'the note is what is left');
  t.match(call, { event: 'call.incoming', number: ALICE });
});

t.test('refusals, and answers that end it', async (t) => {
  const receiver = await Receiver.open(t);
  const rig = await open(t, webhook('one', urlOf(receiver), { success_codes: ['200', '418'], retry_hours: '1' }));
  receiver.statuses(404, 418);
  await rig.receive(ALICE, '1');
  await rig.receive(ALICE, '2');
  await rig.handled('webhooks');
  t.match(rig.modules.status('webhooks').counters, { delivered: 1, rejected: 1 });
  t.match(rig.modules.status('webhooks').details, { webhooks: [{ section: 'one', last_result: 'delivered' }] });
});

t.test('TLS with an authority of its own; a certificate that nobody knows is refused', async (t) => {
  const folder = newFolder(t);
  const tls = selfSigned(folder);
  const receiver = await Receiver.open(t, { tls });
  const url = urlOf(receiver).replace('http:', 'https:');
  const rig = await open(
    t,
    webhook('known', url, { ca_file: tls.file }) +
      webhook('any', url, { ssl_verify: '0' }) +
      webhook('strict', url) +
      webhook('broken', url, { ca_file: join(folder, 'absent.pem') }),
    folder,
  );
  await rig.receive(ALICE, '1');
  await asked(receiver, 2);
  await until(
    () => ['strict', 'broken'].every((name) => rig.log.some((line) => line.includes(`to ${name} failed`))),
    'both fail',
  );
  await until(() => rig.store.deliveries.pending('webhooks') === 2, 'the others are delivered');
  t.ok(rig.log.some((line) => /absent\.pem holds no certificate/.test(line)));
});

t.test('messages and webhooks that follow each other go over one connection to a server', async (t) => {
  const receiver = await Receiver.open(t);
  const rig = await open(t, webhook('one', urlOf(receiver)) + webhook('two', urlOf(receiver), { event: 'sms.sent' }));
  for (let n = 1; n <= 3; n++) {
    await rig.receive(ALICE, `message ${n}`);
    await asked(receiver, n);
    await until(() => rig.store.deliveries.pending('webhooks') === 0, 'it is made');
    await rig.clock.advance(500);
  }
  await submit(rig, 2, 'Hello');
  await asked(receiver, 4);
  t.same([receiver.opened, receiver.connections.size], [1, 1]);
  await rig.clock.advance(1_000);
  await until(() => receiver.connections.size === 0, 'it is closed when nothing comes');
});

t.test('a connection is opened while the message is stored, unless authorities are to be read for it', async (t) => {
  const tls = selfSigned(newFolder(t));
  for (const own of [false, true]) {
    const receiver = await Receiver.open(t, { tls });
    const url = urlOf(receiver).replace('http:', 'https:');
    const { fileSystem, hold } = heldDisk();
    const config = webhook('one', url, own ? { ca_file: tls.file } : { ssl_verify: '0' });
    const rig = await ModuleRig.open(newFolder(t), { config, fileSystem });
    t.teardown(() => rig.close());
    const store = hold();
    const received = rig.receive(ALICE, 'Hello');
    if (own) await wait(50);
    else await until(() => receiver.connections.size === 1, 'it is open');
    t.same([receiver.opened, receiver.seen.length], [own ? 0 : 1, 0]);
    store();
    await received;
    await asked(receiver, 1);
    t.equal(receiver.opened, 1);
  }
});

t.test('module test makes a request of its own', async (t) => {
  const receiver = await Receiver.open(t);
  const rig = await open(t, webhook('one', urlOf(receiver)) + webhook('two', urlOf(receiver, '/two')));
  const never = new AbortController().signal;
  t.match(
    await rig.modules.test('webhooks', never),
    /^webhook one: 127\.0\.0\.1:\d+ answered 200 after \d+ ms\nwebhook two: /,
  );
  t.match(bodies(receiver), [{ event: 'test' }, { event: 'test' }]);
  receiver.statuses(500, 200);
  await t.rejects(rig.modules.test('webhooks', never), {
    code: 'peer_rejected',
    message:
      /^(?:failed: .* answered 500 .*\nwebhook two: .* answered 200|webhook one: .* answered 200 .*\nfailed: .* answered 500)/,
  });
  await rig.configure(webhook('gone', 'http://127.0.0.1:1/'));
  await t.rejects(rig.modules.test('webhooks', never), {
    message: 'failed: webhook gone: 127.0.0.1:1 cannot be reached: connect ECONNREFUSED',
  });
});
