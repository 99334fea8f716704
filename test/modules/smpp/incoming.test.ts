import t from 'tap';
import { joinParts, toUserData } from '../../../src/sms/index.ts';
import { numberOf, pass, until } from '../../support/outbox-rig.ts';
import { messageOf, type Received, type SmppClient } from './client.ts';
import { SmppGateway, section } from './gateway.ts';
import { ids } from './octets.ts';

const ALICE = numberOf(1);
const LONG = '0123456789'.repeat(30);
const CYRILLIC = 'Привет, мир. '.repeat(20);

const textOf = (received: Received): string => messageOf(received).text.toString('latin1');
const pending = ({ rig }: SmppGateway) => rig.store.deliveries.pending('smpp');
const account = (name: string, options: Readonly<Record<string, string | readonly string[]>> = {}) =>
  section('smpp_account', name, { username: name, password: 'secret', ...options });
const as = (id: string) => ({ id, password: 'secret' });

/** Takes what is delivered, and answers it. */
async function take(client: SmppClient, status = 0): Promise<string> {
  const received = await client.asked('deliver_sm');
  client.answer(received, status);
  return textOf(received);
}

t.test('a received message as a deliver_sm', async (t) => {
  const gateway = await SmppGateway.open(t);
  const client = await gateway.bound('bind_receiver');
  const next = async () => {
    const received = await client.asked('deliver_sm');
    client.answer(received);
    return messageOf(received);
  };
  await gateway.rig.receive(ALICE, 'Labas @ €');
  t.match(await next(), {
    ...{ source: `1.1.${ALICE.slice(1)}`, destination: '0.0.', esmClass: 0, dataCoding: 0 },
    text: Buffer.from('Labas \0 \x1be'),
  });
  await gateway.rig.receive('Bankas', 'ąčę');
  t.match(await next(), { source: '5.0.Bankas', dataCoding: 8, text: Buffer.from('ąčę', 'utf16le').swap16() });
  await gateway.rig.receive(ALICE, '', { binary: { dcs: 4, data: Buffer.from([0, 1, 0xff]) } });
  t.match(await next(), { dataCoding: 4, text: Buffer.from([0, 1, 0xff]) });

  await gateway.rig.receive(ALICE, LONG);
  const long = await next();
  t.equal(long.text.length, 0);
  t.equal(long.tlvs.get(0x424)?.toString('latin1'), LONG, 'whole, in message_payload');
  await gateway.rig.receive(ALICE, 'x'.repeat(254));
  t.equal((await next()).text.length, 254, 'short_message holds 254 octets');
  await until(() => pending(gateway) === 0, 'all are delivered');
  t.match(gateway.rig.modules.status('smpp'), {
    counters: { delivered: 5 },
    details: { sessions: [{ delivered: 5 }] },
  });
});

t.test('a long message in parts with a header, for clients of SMPP 3.3 and where the option says so', async (t) => {
  for (const [options, version] of [
    [{}, 0x33],
    [{ long_messages: 'parts' }, 0x34],
  ] as const) {
    const gateway = await SmppGateway.open(t, options);
    const client = await gateway.bound('bind_receiver', { version });
    for (const text of [LONG, CYRILLIC]) {
      await gateway.rig.receive(ALICE, text);
      const parts: ReturnType<typeof messageOf>[] = [];
      do {
        const received = await client.asked('deliver_sm');
        parts.push(messageOf(received));
        client.answer(received);
      } while (parts.length < (parts[0]?.text[4] ?? 0));
      t.ok(parts.length > 1 && parts.every(({ esmClass, tlvs }) => esmClass === 0x40 && tlvs.size === 0));
      const joined = joinParts(
        parts.map(({ text, dataCoding }) => ({
          dcs: dataCoding,
          userData: toUserData(text.subarray(1, 6), text.subarray(6)),
        })),
      );
      t.equal(joined, text);
      await until(() => pending(gateway) === 0, 'it is delivered');
    }
    await gateway.close();
  }
});

t.test('a long message in parts with sar_* parameters', async (t) => {
  const sar = { long_messages: 'sar' };
  const gateway = await SmppGateway.open(t, {}, account('php', sar) + account('other'));
  const php = await gateway.bound('bind_receiver', as('php'));
  const other = await gateway.bound('bind_receiver', as('other'));
  for (const text of [LONG, CYRILLIC]) {
    await gateway.rig.receive(ALICE, text);
    const parts: ReturnType<typeof messageOf>[] = [];
    do {
      const received = await php.asked('deliver_sm');
      parts.push(messageOf(received));
      php.answer(received);
    } while (parts.length < (parts[0]?.tlvs.get(0x20e)?.[0] ?? 0));
    t.ok(parts.length > 1 && parts.every(({ esmClass, tlvs }) => esmClass === 0 && !tlvs.has(0x424)));
    t.same(
      parts.map(({ tlvs }) => tlvs.get(0x20f)?.[0]),
      parts.map((_, at) => at + 1),
    );
    t.equal(new Set(parts.map(({ tlvs }) => tlvs.get(0x20c)?.toString('hex'))).size, 1, 'one reference');
    const joined = Buffer.concat(parts.map((part) => part.text));
    t.equal(text === LONG ? joined.toString('latin1') : joined.swap16().toString('utf16le'), text);
    const whole = await other.asked('deliver_sm');
    other.answer(whole);
    t.ok(messageOf(whole).tlvs.has(0x424), 'another account has it as section smpp says');
  }
});

t.test('each account has its alphabet', async (t) => {
  const gateway = await SmppGateway.open(
    t,
    { default_alphabet: 'latin1' },
    account('a', { default_alphabet: 'gsm' }) + account('b'),
  );
  const clients = [await gateway.bound('bind_receiver', as('a')), await gateway.bound('bind_receiver', as('b'))];
  await gateway.rig.receive(ALICE, 'é@');
  for (const [at, octets] of [Buffer.from([5, 0]), Buffer.from('é@', 'latin1')].entries()) {
    const received = await clients[at]?.asked('deliver_sm');
    t.match(received && messageOf(received), { dataCoding: 0, text: octets });
  }
});

t.test('a window of several deliver_sm for an account, over its sessions', async (t) => {
  const gateway = await SmppGateway.open(t, {}, account('wide', { deliver_window: '4' }));
  const { rig } = gateway;
  const texts = Array.from({ length: 9 }, (_, n) => `${n}`);
  for (const text of texts) await rig.receive(ALICE, text);
  await until(() => pending(gateway) === 18, 'they wait');
  const client = await gateway.bound('bind_receiver', as('wide'));
  await until(() => client.waiting === 4, 'four come without an answer');
  await client.request('enquire_link');
  t.equal(client.waiting, 4, 'and no more');
  const first = await Promise.all([0, 1, 2, 3].map(() => client.asked('deliver_sm')));
  t.same(first.map(textOf), texts.slice(0, 4), 'in order');
  for (const received of first.reverse()) client.answer(received);
  for (const text of texts.slice(4)) t.equal(await take(client), text);
  await until(() => pending(gateway) === 9, 'all are delivered');
  const narrow = await gateway.bound('bind_receiver');
  for (const text of texts) t.equal(await take(narrow), text);
  await until(() => pending(gateway) === 0, 'all are delivered');
  t.match(rig.store.deliveries.counters('smpp'), { done: 18, retried: 0 });
});

t.test('the alphabet of data_coding 0', async (t) => {
  const cases = [
    ['latin1', 'déjà', 0, Buffer.from('déjà', 'latin1')],
    ['latin1', 'ąx', 8, Buffer.from('ąx', 'utf16le').swap16()],
    ['ascii', 'plain', 0, Buffer.from('plain')],
    ['ascii', 'déjà', 3, Buffer.from('déjà', 'latin1')],
  ] as const;
  for (const [alphabet, text, dataCoding, octets] of cases) {
    const gateway = await SmppGateway.open(t, { default_alphabet: alphabet });
    const client = await gateway.bound();
    await gateway.rig.receive(ALICE, text);
    t.match(messageOf(await client.asked('deliver_sm')), { dataCoding, text: octets }, `${alphabet} ${text}`);
    await gateway.close();
  }
});

t.test('while no receiver is bound messages wait, and then come in order, over a crash too', async (t) => {
  const gateway = await SmppGateway.open(t);
  const transmitter = await gateway.bound('bind_transmitter');
  for (const text of ['1', '2', '3']) await gateway.rig.receive(ALICE, text);
  await until(() => pending(gateway) === 3, 'they wait');
  t.equal(transmitter.waiting, 0, 'a transmitter gets nothing');
  await gateway.crash();
  await gateway.rig.receive(ALICE, '4');
  await until(() => pending(gateway) === 4, 'one more waits');
  const client = await gateway.bound('bind_receiver');
  for (const text of ['1', '2', '3', '4']) {
    t.equal(await take(client), text);
    t.equal(client.waiting, 0, 'one at a time');
  }
  await until(() => pending(gateway) === 0, 'all are delivered');
  t.match(gateway.rig.store.deliveries.counters('smpp'), { done: 4, retried: 0 });
});

t.test('sessions of one account take turns; each account gets all', async (t) => {
  const gateway = await SmppGateway.open(t, {}, account('other') + account('deaf', { receive: '0' }));
  const clients = [await gateway.bound('bind_receiver'), await gateway.bound(), await gateway.bound('bind_receiver')];
  const other = await gateway.bound('bind_receiver', as('other'));
  const deaf = await gateway.bound('bind_receiver', as('deaf'));
  const texts = Array.from({ length: 6 }, (_, n) => `${n}`);
  for (const text of texts) await gateway.rig.receive(ALICE, text);
  for (const [n, text] of texts.entries()) {
    const client = clients[n % 3];
    t.equal(client && (await take(client)), text, `session ${n % 3}`);
  }
  for (const text of texts) t.equal(await take(other), text);
  t.equal(deaf.waiting, 0);
});

t.test('the accounts that get a message', async (t) => {
  const accounts =
    account('second', { receive_modem: ['gsm1'] }) +
    account('baltic', { sender_prefix: ['+370', '371'] }) +
    account('off', { enabled: '0' });
  const rule = section('rule', 'r', { enabled: '1', smstext: 'status', action: 'send_status', authorisation: 'no' });
  const modems = "config modem 'gsm0'\n\toption device 'sim'\nconfig modem 'gsm1'\n\toption device 'sim'\n";
  const gateway = await SmppGateway.open(t, {}, `${accounts}${rule}${modems}`, { modems: ['gsm1'] });
  const { rig } = gateway;
  const wants = async (from: string, text: string, modem = 'gsm0') => {
    await rig.receive(from, text, { modem });
    await until(() => rig.received.at(-1)?.text === text, 'it is received');
    const message = rig.received.at(-1);
    const requests = message && rig.modules.running('smpp')?.deliveriesFor?.({ kind: 'message', message });
    return requests?.map(({ target }) => target);
  };
  t.same(await wants('+37060000001', 'a'), ['admin', 'baltic']);
  t.same(await wants('+37160000001', 'b'), ['admin', 'baltic']);
  t.same(await wants('+48600000001', 'c'), ['admin']);
  t.same(await wants('Bankas', 'd', 'gsm1'), ['admin', 'second']);
  t.same(await wants('+48600000001', 'status'), [], 'a message that a rule takes');
});

t.test('outcomes by the status of deliver_sm_resp', async (t) => {
  const gateway = await SmppGateway.open(t, { response_timeout: '5' });
  const { rig } = gateway;
  const client = await gateway.bound();
  const counters = () => rig.store.deliveries.counters('smpp');
  await rig.receive(ALICE, 'dropped');
  await take(client, 0x65);
  await rig.receive(ALICE, 'refused');
  await take(client, 0x66);
  await until(() => counters().rejected === 2, 'both are given up');

  for (const status of [0x64, 0x14, 0x58, 0x08, 0x03]) {
    const { retried } = counters();
    await rig.receive(ALICE, `${status}`);
    t.equal(await take(client, status), `${status}`);
    await until(() => counters().retried === retried + 1, 'it is to be tried again');
    await rig.clock.advance(4_000);
    t.equal(client.waiting, 0, 'not at once');
    await pass(rig.clock, 1_000, () => client.waiting > 0, 'it comes again');
    t.equal(await take(client), `${status}`, `after status ${status}`);
    await until(() => pending(gateway) === 0, 'it is delivered');
  }

  const { retried } = counters();
  await rig.receive(ALICE, 'unanswered');
  const late = await client.asked('deliver_sm');
  await rig.clock.advance(5_000);
  await until(() => counters().retried === retried + 1, 'no answer came');
  client.answer(late);
  await pass(rig.clock, 1_000, () => client.waiting > 0, 'it comes again');
  t.equal(await take(client), 'unanswered', 'a late answer is ignored');
  await until(() => pending(gateway) === 0, 'it is delivered');
});

t.test('a refused message lets others pass, a full client gets them in order', async (t) => {
  const gateway = await SmppGateway.open(t);
  const { rig } = gateway;
  const client = await gateway.bound();
  for (const text of ['bad', '1', '2']) await rig.receive(ALICE, text);
  t.equal(await take(client, 0x64), 'bad');
  for (const text of ['1', '2']) t.equal(await take(client), text, 'without any time going by');
  await until(() => pending(gateway) === 1, 'only one waits');

  const again = await gateway.bound();
  await pass(rig.clock, 1_000, () => client.waiting + again.waiting > 0, 'it comes again');
  const taken = client.waiting > 0 ? client : again;
  t.equal(await take(taken, 0x14), 'bad', 'a bind ends the pause');
  await rig.receive(ALICE, '3');
  await rig.clock.advance(5_000);
  t.equal(client.waiting + again.waiting, 0, 'who is full is asked for no other');
  await pass(rig.clock, 1_000, () => client.waiting + again.waiting > 0, 'it comes again');
  for (const text of ['bad', '3']) {
    await until(() => client.waiting + again.waiting > 0, 'something comes');
    t.equal(await take(client.waiting > 0 ? client : again), text);
  }
});

t.test('a receiver that disconnects or binds', async (t) => {
  const gateway = await SmppGateway.open(t);
  const { rig } = gateway;
  const [one, two] = [await gateway.bound(), await gateway.bound()];
  await rig.receive(ALICE, 'a');
  t.equal(textOf(await one.asked('deliver_sm')), 'a');
  one.destroy();
  t.equal(textOf(await two.asked('deliver_sm')), 'a', 'at once to the other one');
  two.destroy();
  await until(() => pending(gateway) === 1, 'and then it waits');
  const three = await gateway.bound();
  t.equal(await take(three, 0x64), 'a');
  await until(() => rig.store.deliveries.counters('smpp').retried === 1, 'it is to be tried again');
  const four = await gateway.bound();
  const received = await Promise.race([three.asked('deliver_sm'), four.asked('deliver_sm')]);
  t.equal(textOf(received), 'a', 'a bind ends the pause');
});

t.test('a stop waits for the answer, so that no message is sent twice', async (t) => {
  const gateway = await SmppGateway.open(t);
  const { rig } = gateway;
  const client = await gateway.bound();
  await rig.receive(ALICE, 'a');
  const received = await client.asked('deliver_sm');
  const stopped = rig.modules.restart('smpp');
  client.answer(received);
  client.answer(await client.asked('unbind'));
  await Promise.all([stopped, client.closed]);
  await until(() => pending(gateway) === 0, 'it counts as delivered');
  t.match(rig.store.deliveries.counters('smpp'), { done: 1 });
});

t.test('messages for an account that is removed from the config are rejected', async (t) => {
  const gateway = await SmppGateway.open(t, {}, account('old'));
  const { rig } = gateway;
  await rig.receive(ALICE, 'a');
  await until(() => pending(gateway) === 2, 'it waits');
  await rig.configure(section('smpp', 'smpp', { enabled: '1', port: `${gateway.port}` }));
  await gateway.running();
  await rig.clock.advance(3_600_000);
  await until(() => rig.store.deliveries.counters('smpp').rejected === 1, 'one is given up within the hour');
  const client = await gateway.bound();
  t.equal(await take(client), 'a');
});

t.test('answers to unknown requests are ignored', async (t) => {
  const gateway = await SmppGateway.open(t);
  const client = await gateway.bound();
  client.answer({ id: ids.deliver_sm, status: 0, sequence: 1, body: Buffer.alloc(0) });
  await gateway.rig.receive(ALICE, 'a');
  t.equal(await take(client), 'a');
});
