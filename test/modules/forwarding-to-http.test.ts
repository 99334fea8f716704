import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { formEncoded } from '../../src/modules/kit/http-request.ts';
import { newFolder } from '../support/folder.ts';
import { heldDisk } from '../support/held-disk.ts';
import { MemoryFileSystem } from '../support/memory-file-system.ts';
import { ModuleRig } from '../support/module-rig.ts';
import { numberOf, pass, until } from '../support/outbox-rig.ts';
import { refused } from '../support/scripted-sender.ts';
import { Receiver } from '../support/web-receiver.ts';
import { configWith, NAME, names, rigWith } from './http-forwarder.ts';

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

t.test('a signature has the time at which the request goes, however long the disk takes', async (t) => {
  const server = await Receiver.open(t);
  const { fileSystem, hold } = heldDisk();
  const config = { url: `127.0.0.1:${server.port}`, hmac_secret: 'geheim', ...names };
  const rig = await rigWith(t, config, '', fileSystem);
  const store = hold();
  const received = rig.receive('+370000000000', 'late');
  await until(() => server.connections.size === 1, 'the module is ready');
  await rig.clock.advance(400_000);
  store();
  await received;
  await until(() => server.seen.length === 1, 'it is handed over');
  const time = /^t=(\d+),/.exec(String(server.seen[0]?.headers['x-signature']))?.[1];
  t.equal(Number(time), Math.floor(rig.clock.now() / 1000));
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
  await pass(rig.clock, 5_000, () => server.seen.length === 3, 'after a restart it is handed over');
  t.match(server.seen[2]?.url, new RegExp(`&Text=(undelivered|expired)&id=${second}$`));
});

t.test(
  'reports are delivered once, even when the disk fails, and not for the time before they were switched on',
  async (t) => {
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
      return `/?Text=failed&id=${id}`;
    };
    const told = [await fail(), await fail()];
    await until(() => server.seen.length === 2, 'they are told');
    await rig.configure(on.replace("reports '1'", "reports '0'"));
    await fail();
    await until(async () => (await rig.store.outbox.pendingOutcomes.next()) === undefined, 'it is asked about');
    await rig.configure(on);

    let broken = false;
    fileSystem.fault = (call) => (broken && call === 'write' ? 'EIO' : undefined);
    server.answer = (_, response) => {
      broken = true;
      response.end();
    };
    told.push(await fail());
    await until(() => /could not be stored/.test(rig.log.join('\n')), 'the disk fails after it was told');
    await rig.clock.advance(60_000);
    t.same(
      server.seen.map(({ url }) => url),
      told,
    );
    broken = false;
  },
);
