import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import type { ModemStatus } from '../../src/modem/status.ts';
import { PacketGuard } from '../../src/modules/mqtt/packet-guard.ts';
import { Redeliveries } from '../../src/modules/mqtt/redeliveries.ts';
import { selfSigned } from '../support/certificate.ts';
import { newFolder } from '../support/folder.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ModuleRig } from '../support/module-rig.ts';
import { type Listener, Mosquitto, noMosquitto, Wire } from '../support/mosquitto.ts';
import { pass, until } from '../support/outbox-rig.ts';

const ALICE = '+37060000001';
const BOB = '+37060000002';

type Options = Readonly<Record<string, string | readonly string[]>>;

const config = (port: number, options: Options = {}, more = ''): string => {
  const all: Options = { enabled: '1', host: '127.0.0.1', port: `${port}`, ...options };
  const lines = Object.entries(all).flatMap(([key, value]) =>
    typeof value === 'string' ? [`\toption ${key} '${value}'\n`] : value.map((item) => `\tlist ${key} '${item}'\n`),
  );
  return `config mqtt 'mqtt'\n${lines.join('')}\n${more}`;
};

const family = `config group
\toption name 'family'
\tlist tel '${ALICE}'
\tlist tel '${BOB}'
`;

/** Of the broker, of the gateway, and for files. */
const folders = (t: Test) => ({ base: newFolder(t), broker: newFolder(t), rig: newFolder(t) });

async function rigOf(t: Test, text: string, folder = folders(t).rig): Promise<ModuleRig> {
  const rig = await ModuleRig.open(folder, { config: text });
  t.teardown(() => rig.close());
  return rig;
}

const details = (rig: ModuleRig) => rig.modules.status('mqtt').details;
const disconnected = (rig: ModuleRig) => until(() => details(rig)['connected'] === false, 'the connection has gone');
const connected = (rig: ModuleRig) => pass(rig.clock, 500, () => details(rig)['connected'] === true, 'it is connected');

/** A gateway that is connected to a broker, and somebody who hears everything. */
async function scene(
  t: Test,
  options: Options = {},
  more = '',
): Promise<{ readonly broker: Mosquitto; readonly rig: ModuleRig; readonly ear: Listener }> {
  const folder = folders(t);
  const broker = await Mosquitto.start(t, folder.broker);
  const ear = await broker.listen(t);
  const rig = await rigOf(t, config(broker.port, options, more), folder.rig);
  await connected(rig);
  return { broker, rig, ear };
}

const json = (text: string | undefined) => JSON.parse(text ?? 'null');

t.test('publishes', { skip: noMosquitto }, async (t) => {
  await t.test('a received message', async (t) => {
    const { rig, ear } = await scene(t);
    await rig.receive(ALICE, 'Wasserstand "hoch"\n€');
    await until(() => ear.on('sms_gateway/received').length === 1, 'it is published');
    await rig.handled('mqtt');
    const [heard] = ear.on('sms_gateway/received');
    t.equal(heard?.retained, false);
    const { id, time, received, ...rest } = json(heard?.payload);
    t.ok(id > 0);
    t.match(time, /^2026-.*Z$/);
    t.match(received, /^2026-.*Z$/);
    t.same(rest, {
      event_type: 'received',
      number: ALICE,
      text: 'Wasserstand "hoch"\n€',
      modem: 'gsm0',
      parts: 1,
      encoding: 'gsm7',
    });
    t.equal(rig.modules.status('mqtt').counters['received'], 1);
  });

  await t.test('no message that triggers a rule, unless it is wanted', async (t) => {
    const rule =
      "config rule\n\toption enabled '1'\n\toption smstext 'status'\n\toption action 'send_status'\n\toption authorisation 'no'\n\toption allowed_phone 'all'\n\toption message 'x'\n";
    const { rig, ear } = await scene(t, {}, rule);
    await rig.receive(ALICE, 'status');
    await rig.receive(ALICE, 'hello');
    await until(() => ear.on('sms_gateway/received').length > 0, 'the other is published');
    t.same(
      ear.on('sms_gateway/received').map(({ payload }) => json(payload).text),
      ['hello'],
    );
  });

  await t.test('the states of sent messages, without their texts', async (t) => {
    const { rig, ear } = await scene(t);
    await rig.store.outbox.submit({
      number: ALICE as never,
      content: { type: 'text', text: 'secret' },
      source: 'cgi',
      clientRef: 'a-1',
    });
    await until(() => ear.on('sms_gateway/sent').length === 1, 'it is published');
    const sent = json(ear.last('sms_gateway/sent'));
    t.match(sent, { number: ALICE, state: 'sent', source: 'cgi', client_ref: 'a-1', parts: 1, modem: 'gsm0' });
    t.notMatch(ear.last('sms_gateway/sent'), 'secret');
  });

  await t.test('modems, queue and availability, retained', async (t) => {
    const { broker, rig, ear } = await scene(t);
    const topics = ['sms_gateway/availability', 'sms_gateway/queue', 'sms_gateway/modem/gsm0'];
    await until(() => topics.every((topic) => ear.on(topic).length > 0), 'the states are out');
    const late = await broker.listen(t);
    await until(() => topics.every((topic) => late.on(topic).length > 0), 'the states come');
    t.ok(late.heard.every(({ retained }) => retained));
    t.match(json(late.last('sms_gateway/modem/gsm0')), { name: 'gsm0', state: 'ready', signal: -71 });
    t.same(json(late.last('sms_gateway/queue')), { waiting: 0, queued: 0, sending: 0 });
    t.equal(late.last('sms_gateway/availability'), 'online');
    await rig.close();
    await until(() => late.last('sms_gateway/availability') === 'offline', 'it says goodbye');
  });

  await t.test('the queue as it grows and shrinks', async (t) => {
    const { rig, ear } = await scene(t);
    const release = rig.modem.block();
    await rig.store.outbox.submit({ number: ALICE as never, content: { type: 'text', text: 'x' }, source: 'cgi' });
    const waiting = () => json(ear.last('sms_gateway/queue'))?.waiting;
    await pass(rig.clock, 300, () => waiting() === 1, 'one waits');
    release();
    await pass(rig.clock, 300, () => waiting() === 0, 'none waits');
  });

  await t.test('a changed signal every 30 s at most, a changed state at once', async (t) => {
    const { rig, ear } = await scene(t, { discovery: '0' });
    const topic = 'sms_gateway/modem/gsm0';
    // The broker acknowledges in order: when it has this one, nothing waits for a time-out.
    await rig.receive(ALICE, 'x');
    await rig.handled('mqtt');
    await until(() => ear.on(topic).length === 1, 'the first state');
    const status: ModemStatus = {
      ...{ name: 'gsm0', state: 'ready', since: 0, device: 'x', sent: 0, received: 0, errors: 0, reopened: 0 },
      signal: -60,
    };
    rig.statuses.set('gsm0', status);
    rig.bus.emit('modem.facts', status);
    await rig.clock.advance(29_000);
    t.equal(ear.on(topic).length, 1, 'not yet');
    await rig.clock.advance(2_000);
    await until(() => json(ear.last(topic)).signal === -60, 'then it is');
    const denied: ModemStatus = { ...status, state: 'denied' };
    rig.statuses.set('gsm0', denied);
    rig.bus.emit('modem.state', denied);
    await rig.clock.advance(1_000);
    await until(() => json(ear.last(topic)).state === 'denied', 'the state');
  });

  await t.test('"offline" as last will', async (t) => {
    const folder = folders(t);
    const broker = await Mosquitto.start(t, folder.broker);
    const ear = await broker.listen(t);
    const wire = await Wire.to(t, broker.port);
    const rig = await ModuleRig.open(folder.rig, { config: config(wire.port) });
    t.teardown(() => rig.close());
    await connected(rig);
    await until(() => ear.last('sms_gateway/availability') === 'online', 'it is online');
    wire.cut();
    await until(() => ear.last('sms_gateway/availability') === 'offline', 'the broker says so');
    await disconnected(rig);
    await connected(rig);
    await until(() => ear.last('sms_gateway/availability') === 'online', 'it is online again');
  });

  await t.test('on other topics, or not at all', async (t) => {
    const { rig, ear } = await scene(t, {
      topic: 'haus/sms',
      topic_received: 'alarm/in',
      topic_queue: '-',
      topic_sent: '~/raus',
      discovery: '0',
    });
    await rig.receive(ALICE, 'x');
    await rig.store.outbox.submit({ number: ALICE as never, content: { type: 'text', text: 'x' }, source: 'cgi' });
    await until(() => ear.on('haus/sms/raus').length === 1 && ear.on('alarm/in').length === 1, 'both come');
    const topics = [...new Set(ear.heard.map(({ topic }) => topic))].sort();
    t.same(topics, ['alarm/in', 'haus/sms/availability', 'haus/sms/modem/gsm0', 'haus/sms/raus']);
  });

  await t.test('what came while the broker was away, once it is back, and nothing is lost in a burst', async (t) => {
    const { broker, rig, ear } = await scene(t);
    for (let n = 0; n < 30; n++) {
      await rig.receive(ALICE, `message ${n}`);
      if (n === 10) {
        // What the broker has acknowledged, and has not handed on when it is killed, is lost there.
        await until(() => ear.on('sms_gateway/received').length === 11, 'the first are there');
        await broker.stop('SIGKILL');
        await ear.stop();
      }
    }
    t.match(
      rig.modules.list().find(({ name }) => name === 'mqtt'),
      { state: 'running' },
    );
    await broker.start();
    // Those before the restart may come again.
    const later = await broker.listen(t);
    await connected(rig);
    const texts = () =>
      new Set(
        [...ear.heard, ...later.heard]
          .filter(({ topic }) => topic === 'sms_gateway/received')
          .map(({ payload }) => json(payload).text),
      );
    await pass(rig.clock, 1_000, () => texts().size === 30, 'all are there');
    await rig.handled('mqtt');
  });

  await t.test('a message that was taken before the daemon was killed', async (t) => {
    const folder = folders(t);
    const broker = await Mosquitto.start(t, folder.broker);
    const rig = await ModuleRig.open(folder.rig, { config: config(broker.port) });
    await connected(rig);
    await broker.stop();
    await disconnected(rig);
    await rig.receive(ALICE, 'before');
    await until(async () => rig.store.deliveries.pending('mqtt') === 1, 'it is noted');
    const next = await rig.crash();
    t.teardown(() => next.close());
    await broker.start();
    const ear = await broker.listen(t);
    await connected(next);
    await until(() => ear.on('sms_gateway/received').length === 1, 'it is published');
  });
});

t.test('takes requests', { skip: noMosquitto }, async (t) => {
  const answers = (ear: Listener) => ear.on('sms_gateway/send/answer').map(({ payload }) => json(payload));

  await t.test('in every form', async (t) => {
    const { broker, rig, ear } = await scene(t, {}, family);
    await broker.publish('sms_gateway/send', JSON.stringify({ number: ALICE, text: 'one', client_ref: 'r1' }));
    await broker.publish('sms_gateway/send', JSON.stringify({ group: 'family', text: 'two', priority: 3 }));
    await broker.publish('sms_gateway/send', JSON.stringify({ numbers: [ALICE, BOB, ALICE], text: 'three' }));
    await broker.publish('sms_gateway/send/0037060000001', '{"four"}');
    await broker.publish('sms_gateway/send', `${BOB} five and\nsix`);
    await until(() => rig.sent.length === 7, 'all are sent');
    t.same(
      [...rig.sent].sort(),
      [
        `${ALICE} one`,
        `${ALICE} two`,
        `${BOB} two`,
        `${ALICE} three`,
        `${BOB} three`,
        `${ALICE} {"four"}`,
        `${BOB} five and\nsix`,
      ].sort(),
    );
    await until(() => answers(ear).length === 5, 'all are answered');
    t.match(answers(ear)[0], { state: 'queued', parts: 1, encoding: 'gsm7', client_ref: 'r1' });
    t.match(answers(ear)[1], {
      recipients: [
        { number: ALICE, state: 'queued' },
        { number: BOB, state: 'queued' },
      ],
    });
    t.ok((await rig.outbox()).every(({ source }) => source === 'mqtt'));
    t.notMatch(
      ear
        .on('sms_gateway/sent')
        .map(({ payload }) => payload)
        .join(),
      'mqtt:',
      'no references of its own',
    );
  });

  await t.test('and refuses others, with the error of the catalogue', async (t) => {
    const { broker, rig, ear } = await scene(t);
    const wrong: readonly [topic: string, payload: string, code: string][] = [
      ['sms_gateway/send', '{', 'parse_error'],
      ['sms_gateway/send', '', 'invalid_request'],
      ['sms_gateway/send', '{}', 'invalid_argument'],
      ['sms_gateway/send', `{"number":"${ALICE}"}`, 'invalid_argument'],
      ['sms_gateway/send', `{"number":"${ALICE}","text":"x","nummer":1}`, 'invalid_argument'],
      ['sms_gateway/send', `{"number":"${ALICE}","group":"x","text":"x"}`, 'invalid_argument'],
      ['sms_gateway/send', `{"number":"${ALICE}","text":1}`, 'invalid_argument'],
      ['sms_gateway/send', `{"number":"${ALICE}","text":"x","priority":4}`, 'invalid_argument'],
      ['sms_gateway/send', `{"number":"${ALICE}","text":"x","not_before":"tomorrow"}`, 'invalid_argument'],
      ['sms_gateway/send', `{"numbers":[],"text":"x"}`, 'invalid_argument'],
      [
        'sms_gateway/send',
        `{"numbers":${JSON.stringify(Array.from({ length: 101 }, (_, n) => `${10_000 + n}`))},"text":"x"}`,
        'too_large',
      ],
      ['sms_gateway/send', `{"number":"Bob","text":"x","client_ref":"r"}`, 'invalid_number'],
      ['sms_gateway/send', `{"group":"x","text":"x"}`, 'group_not_found'],
      ['sms_gateway/send', `{"number":"${ALICE}","text":"x","modem":"x"}`, 'modem_not_found'],
      ['sms_gateway/send', `{"number":"${ALICE}","text":""}`, 'invalid_text'],
      ['sms_gateway/send', `{"number":"${ALICE}","text":"${'x'.repeat(40_000)}"}`, 'text_too_long'],
      ['sms_gateway/send/abc', 'x', 'invalid_number'],
    ];
    for (const [topic, payload] of wrong) await broker.publish(topic, payload);
    await until(() => answers(ear).length === wrong.length, 'all are answered');
    t.same(
      answers(ear).map(({ code }) => code),
      wrong.map(([, , code]) => code),
    );
    t.ok(answers(ear).every(({ error }) => error.length > 5));
    t.equal(answers(ear).find(({ client_ref }) => client_ref === 'r')?.code, 'invalid_number');
    t.equal((await rig.outbox()).length, 0);
    t.equal(rig.modules.status('mqtt').counters['refused'], wrong.length);
  });

  await t.test('answers where the requester wants it, with its correlation data', async (t) => {
    const { broker, ear } = await scene(t);
    const { stdout } = await mosquittoRr(broker.port, 'sms_gateway/send', 'me/answers', `${ALICE} hello`);
    t.match(json(stdout), { state: 'queued', parts: 1 });
    t.equal(answers(ear).length, 0);
    // Where the answer would be a request, it goes to the usual topic.
    const five = (topic: string) => ['-V', 'mqttv5', '-D', 'publish', 'response-topic', topic];
    await broker.publish('sms_gateway/send', `${ALICE} a`, five('sms_gateway/send'));
    await broker.publish('sms_gateway/send', `${ALICE} b`, five('sms_gateway/send/123'));
    await until(() => answers(ear).length === 2, 'both are answered as usual');
    // Nor where it would be taken for news of the gateway.
    await broker.publish('sms_gateway/send', `${ALICE} c`, five('sms_gateway/received'));
    await broker.publish('sms_gateway/send', `${ALICE} d`, five('sms_gateway/modem/gsm0'));
    await until(() => answers(ear).length === 4, 'these too');
    t.same(ear.on('sms_gateway/received'), []);
  });

  await t.test('once only, whatever the topics of others look like', async (t) => {
    const { broker, rig, ear } = await scene(t);
    await broker.publish('sms_gateway/send', `${ALICE} a`);
    await until(() => answers(ear).length === 1, 'it is answered');
    await broker.publish('sms_gateway/send/answer', '{"text":"123"}');
    await broker.publish('sms_gateway/send', `${ALICE} b`);
    await until(() => answers(ear).length === 3, 'the second is answered');
    await until(() => rig.sent.length >= 2, 'both are sent');
    t.same(rig.sent, [`${ALICE} a`, `${ALICE} b`], 'an answer is no request');
  });

  await t.test('no retained ones: they would come again at each connection', async (t) => {
    const { broker, rig } = await scene(t);
    await broker.publish('sms_gateway/send', `${ALICE} retained`, ['-r']);
    await broker.publish('sms_gateway/send', `${ALICE} live`);
    await until(() => rig.sent.length > 0, 'the other is sent');
    t.same(rig.sent, [`${ALICE} live`]);
    t.match(rig.log.join('\n'), /a request on "sms_gateway\/send" is refused: it is retained/);
  });

  await t.test('bad ones in a row have one line in the log, and each its answer', async (t) => {
    const { broker, rig, ear } = await scene(t);
    for (let n = 0; n < 5; n++) await broker.publish('sms_gateway/send', `bad${n} text`);
    await until(() => answers(ear).length === 5, 'all are answered');
    const lines = () => rig.log.filter((line) => line.includes('is refused'));
    t.equal(lines().length, 1);
    t.match(lines()[0], /"bad0" is no phone number/);
    t.match(rig.modules.status('mqtt').counters, { refused: 5 });
    await rig.modules.restart('mqtt');
    t.match(lines()[1], /"bad4" is no phone number; the last of 4 since/);
  });

  await t.test('the same client_ref once', async (t) => {
    const { broker, rig, ear } = await scene(t);
    const request = JSON.stringify({ number: ALICE, text: 'x', client_ref: 'alarm-7' });
    await broker.publish('sms_gateway/send', request);
    await broker.publish('sms_gateway/send', request);
    await until(() => answers(ear).length === 2, 'both are answered');
    t.equal(answers(ear)[1]?.duplicate, true);
    t.equal((await rig.outbox()).length, 1);
  });

  await t.test('the same text again, when nobody says that it is the same', async (t) => {
    const { broker, rig } = await scene(t);
    for (let n = 0; n < 3; n++) await broker.publish('sms_gateway/send', `${ALICE} alarm`);
    await until(() => rig.sent.length === 3, 'all are sent');
  });

  for (const how of ['the connection is cut', 'the daemon is killed', 'the broker restarts'] as const) {
    await t.test(`once, when ${how} before the acknowledgement arrives`, async (t) => {
      const folder = folders(t);
      const broker = await Mosquitto.start(t, folder.broker);
      const wire = await Wire.to(t, broker.port);
      let rig = await ModuleRig.open(folder.rig, { config: config(wire.port) });
      await connected(rig);
      wire.deaf = true;
      await broker.publish('sms_gateway/send', `${ALICE} alarm`);
      await until(async () => (await rig.outbox()).length === 1, 'it is stored');
      wire.cut();
      await disconnected(rig);
      if (how === 'the broker restarts') {
        await broker.stop();
        await broker.start();
      }
      if (how === 'the daemon is killed') rig = await rig.crash();
      t.teardown(() => rig.close());
      wire.deaf = false;
      await connected(rig);
      await until(() => rig.modules.status('mqtt').counters['repeated'] === 1, 'it comes again');
      t.equal((await rig.outbox()).length, 1);
      await broker.publish('sms_gateway/send', `${ALICE} alarm`);
      await until(async () => (await rig.outbox()).length === 2, 'a new one is a new one');
    });
  }

  await t.test('those that come while the gateway is away', async (t) => {
    const { broker, rig } = await scene(t);
    const next = await rig.crash({ config: "config mqtt 'mqtt'\n\toption enabled '0'\n" });
    await broker.publish('sms_gateway/send', `${ALICE} later`);
    await next.configure(config(broker.port));
    t.teardown(() => next.close());
    await until(() => next.sent.length === 1, 'it is sent');
  });

  await t.test('when there is room again, and the broker keeps them until then', async (t) => {
    const { broker, rig, ear } = await scene(t, {}, "config gateway 'gateway'\n\toption queue_limit '1'\n");
    rig.modem.ready = false;
    await rig.store.outbox.submit({ number: BOB as never, content: { type: 'text', text: 'first' }, source: 'cgi' });
    await broker.publish('sms_gateway/send', `${ALICE} second`);
    await until(() => /requests wait at the broker/.test(rig.modules.status('mqtt').error ?? ''), 'it says so');
    // The connection works on meanwhile.
    await rig.receive(ALICE, 'in');
    await until(() => ear.on('sms_gateway/received').length === 1, 'what comes in is published');
    rig.modem.ready = true;
    rig.store.outbox.senderChanged('gsm0');
    await pass(rig.clock, 1_000, () => rig.sent.length === 2, 'both are sent');
    t.equal(rig.modules.status('mqtt').error, undefined);
  });
});

t.test(
  'a request to several that finds room for some is completed, and nobody gets it twice',
  { skip: noMosquitto },
  async (t) => {
    for (const qos of ['0', '1']) {
      const { broker, rig } = await scene(t, {}, "config gateway 'gateway'\n\toption queue_limit '2'\n");
      rig.modem.ready = false;
      await rig.store.outbox.submit({ number: BOB as never, content: { type: 'text', text: 'first' }, source: 'cgi' });
      const request = JSON.stringify({ numbers: [ALICE, BOB], text: 'second' });
      await broker.publish('sms_gateway/send', request, ['-q', qos]);
      await until(
        () => /requests wait at the broker/.test(rig.modules.status('mqtt').error ?? ''),
        'one finds no room',
      );
      rig.modem.ready = true;
      rig.store.outbox.senderChanged('gsm0');
      await pass(rig.clock, 1_000, () => rig.modules.status('mqtt').counters['requests'] === 1, 'it is complete');
      await pass(rig.clock, 1_000, () => rig.sent.length >= 3, 'all are sent');
      t.same([...rig.sent].sort(), [`${ALICE} second`, `${BOB} first`, `${BOB} second`], `QoS ${qos}`);
    }
  },
);

t.test('a broker that refuses earns no acknowledgements of nothing', async (t) => {
  const guard = new PacketGuard(new ManualClock());
  // MQTT 5.0 4.3.3: what PUBREC refuses has no PUBCOMP.
  for (let count = 0; count < 10_000; count++) {
    guard.published(2);
    guard.check(Buffer.from([0x50, 3, 0, 9, 0x97]));
  }
  t.match(guard.check(Buffer.alloc(2000 * 4, Buffer.from([0x40, 2, 0, 9]))), /more than 1000 packets a second/);
});

t.test('a broker that uses packet identifiers again at once', async (t) => {
  const rig = await rigOf(t, '');
  const surroundings = {
    ...{ outbox: rig.store.outbox, clock: rig.clock, name: 'mqtt', signal: new AbortController().signal },
    notebook: (name: string) => rig.store.notes.book(name),
  };
  const delivery = (dup = false, text = 'alarm') => ({
    ...{ topic: 'send', payload: Buffer.from(text), retain: false, dup, packetId: 1 },
  });
  const first = new Redeliveries(surroundings);
  await first.begin(false);
  const one = first.referenceOf(delivery());
  const two = first.referenceOf(delivery());
  t.not(one, two, 'without DUP it is another request');
  t.equal(first.referenceOf(delivery(true)), two, 'with DUP the last one');
  t.not(first.referenceOf(delivery(true, 'other')), two, 'another payload');
  const third = delivery();
  const three = first.referenceOf(third);
  first.confirmed(delivery());
  t.equal(first.referenceOf({ ...third, dup: true }), three);
  const again = delivery(true);
  first.referenceOf(again);
  first.confirmed(again);
  t.not(first.referenceOf(delivery(true)), three, 'the broker had the acknowledgement');
  const once = { topic: 'send', payload: Buffer.from('x'), retain: false, dup: false };
  t.not(first.referenceOf(once), first.referenceOf(once), 'with QoS 0 each is another one');

  const known = first.referenceOf(delivery());
  await rig.store.outbox.submit({
    ...{ number: ALICE as never, content: { type: 'text', text: 'x' }, source: 'mqtt' },
    ...(known !== undefined && { clientRef: `${known}/${ALICE}` }),
  });
  const next = new Redeliveries(surroundings);
  await next.begin(true);
  t.equal(next.referenceOf(delivery(true)), known, 'after a restart');
  await next.begin(false);
  t.not(next.referenceOf(delivery(true)), known, 'a new session knows nothing of it');
});

/** mosquitto_rr: a request, and its answer. */
async function mosquittoRr(port: number, topic: string, answer: string, payload: string) {
  const args = ['-h', '127.0.0.1', '-p', `${port}`, '-V', 'mqttv5', '-q', '1', '-W', '10', '-t', topic, '-e', answer];
  return promisify(execFile)('mosquitto_rr', [...args, '-m', payload]);
}

t.test('connects', { skip: noMosquitto }, async (t) => {
  const failing = async (t: Test, text: string, words: RegExp, folder: string) => {
    const rig = await rigOf(t, text, folder);
    await until(() => words.test(rig.modules.status('mqtt').error ?? ''), `it says ${words}`);
    await t.rejects(rig.modules.test('mqtt', new AbortController().signal), { message: words });
    return rig;
  };
  const withPassword = (folder: string) => {
    execFileSync('mosquitto_passwd', ['-b', '-c', `${folder}/passwd`, 'sms', 'right-one'], { stdio: 'pipe' });
    return ['allow_anonymous false', `password_file ${folder}/passwd`];
  };

  await t.test('with user name and password', async (t) => {
    const folder = folders(t);
    const broker = await Mosquitto.start(t, folder.broker, withPassword(folder.base));
    const rig = await ModuleRig.open(folder.rig, {
      config: config(broker.port, { username: 'sms', password: 'right-one' }),
    });
    t.teardown(() => rig.close());
    await connected(rig);
    const words = await rig.modules.test('mqtt', new AbortController().signal);
    t.match(words, /^127\.0\.0\.1:\d+ accepts the gateway as sms, MQTT 5, after \d+ ms$/);
    t.equal(details(rig)['connected'], true, 'the test leaves the connection alone');
  });

  await t.test('not with a wrong one, and says so; with the right one after a change', async (t) => {
    const folder = folders(t);
    const broker = await Mosquitto.start(t, folder.broker, withPassword(folder.base));
    const wrong = config(broker.port, { username: 'sms', password: 'wrong-one' });
    const rig = await failing(
      t,
      wrong,
      /refuses the login: user name or password is wrong, or the account may not connect/,
      folder.rig,
    );
    t.notMatch(rig.log.join('\n'), 'wrong-one');
    await rig.configure(config(broker.port, { username: 'sms', password: 'right-one' }));
    await connected(rig);
    t.equal(rig.modules.status('mqtt').error, undefined);
  });

  await t.test('not where nothing listens', async (t) => {
    const folder = folders(t);
    const broker = await Mosquitto.start(t, folder.broker);
    await broker.stop();
    await failing(t, config(broker.port), /nothing listens there/, folder.rig);
  });

  await t.test('over TLS, with a client certificate', async (t) => {
    const folder = folders(t);
    const server = selfSigned(folder.base);
    const lines = [
      'allow_anonymous true',
      ...[`cafile ${server.file}`, `certfile ${server.file}`, `keyfile ${server.keyFile}`, 'require_certificate true'],
    ];
    const broker = await Mosquitto.start(t, folder.broker, lines);
    const tls = { tls: '1', tls_cert: server.file, tls_key: server.keyFile };
    const rig = await ModuleRig.open(folder.rig, {
      config: config(broker.port, { ...tls, ca_file: server.file }),
    });
    t.teardown(() => rig.close());
    await connected(rig);
    t.match(await rig.modules.test('mqtt', new AbortController().signal), / over TLS, MQTT 5/);
    await rig.configure(config(broker.port, tls));
    await until(() => /self.signed certificate/.test(rig.modules.status('mqtt').error ?? ''), 'a strange certificate');
    await rig.configure(config(broker.port, { ...tls, ssl_verify: '0' }));
    await connected(rig);
    await rig.configure(config(broker.port, { tls: '1', ca_file: server.file }));
    await until(() => rig.modules.status('mqtt').error !== undefined, 'without a client certificate');
  });

  await t.test('and is still there after a file without a certificate', async (t) => {
    const folder = folders(t);
    writeFileSync(`${folder.base}/ca.pem`, 'nothing');
    const rig = await rigOf(t, config(1, { tls: '1', ca_file: `${folder.base}/ca.pem` }), folder.rig);
    t.match(rig.modules.status('mqtt'), { state: 'failed', error: /holds no certificate/ });
  });

  await t.test('to a broker that lets it publish only', async (t) => {
    const folder = folders(t);
    writeFileSync(`${folder.base}/acl`, 'topic write #\n');
    const broker = await Mosquitto.start(t, folder.broker, ['allow_anonymous true', `acl_file ${folder.base}/acl`]);
    const rig = await ModuleRig.open(folder.rig, { config: config(broker.port) });
    t.teardown(() => rig.close());
    await connected(rig);
    await rig.receive(ALICE, 'x');
    await rig.handled('mqtt');
    t.equal(rig.modules.status('mqtt').counters['received'], 1);
  });
});

for (const qos of ['1', '2'])
  t.test(`a burst of publications with QoS ${qos} is acknowledged at once`, { skip: noMosquitto }, async (t) => {
    const { rig, ear } = await scene(t, { qos });
    const texts = Array.from({ length: 1_100 }, (_, n) => `message ${n}`);
    for (const text of texts) await rig.receive(ALICE, text);
    // Not a millisecond passes here.
    await rig.handled('mqtt');
    await until(() => ear.on('sms_gateway/received').length >= texts.length, 'all are heard');
    t.equal(ear.on('sms_gateway/received').length, texts.length);
    t.match(rig.modules.status('mqtt'), { state: 'running', details: { connected: true } });
    t.notOk(rig.log.some((line) => /packets a second/.test(line)));
  });

/** Brokers that do what no broker does. */
t.test('hostile brokers', async (t) => {
  const hostile = async (t: Test, serve: (socket: Socket) => void) => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('data', () => serve(socket));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const address = server.address();
    return rigOf(t, config(typeof address === 'object' && address !== null ? address.port : 0));
  };
  const connack = Buffer.from([0x20, 3, 0, 0, 0]);
  const cases: (readonly [what: string, serve: (socket: Socket) => void, words: RegExp])[] = [
    [
      'a huge packet',
      (s) => s.write(Buffer.concat([connack, Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f])])),
      /a packet of 268435455 octets/,
    ],
    ['a length without an end', (s) => s.write(Buffer.from([0x20, 0x80, 0x80, 0x80, 0x80, 0x80])), /no MQTT/],
    [
      'packets without an end',
      (s) => s.write(Buffer.concat([connack, Buffer.alloc(4000, Buffer.from([0xd0, 0]))])),
      /more than 1000 packets a second/,
    ],
    [
      'acknowledgements of nothing',
      (s) => s.write(Buffer.concat([connack, Buffer.alloc(8000, Buffer.from([0x40, 2, 0, 9]))])),
      /more than 1000 packets a second/,
    ],
    [
      'QoS 2',
      (s) => s.write(Buffer.concat([connack, Buffer.from([0x34, 5, 0, 1, 0x61, 0, 1])])),
      /QoS that was not subscribed/,
    ],
    ['HTTP', (s) => s.end('HTTP/1.1 400 Bad Request\r\n\r\n'), /MQTT|packet|closed|connect/i],
    ['an end at once', (s) => s.destroy(), /closed the connection|ECONNRESET/],
    ['CONNACK twice', (s) => s.write(Buffer.concat([connack, connack])), /does not keep to the protocol/],
    // MQTT 5.0 3.2.2.2: bad user name or password, not authorized. MQTT 3.1.1 3.2.2.3: 4, 5.
    ...[134, 135, 4, 5].map(
      (code) =>
        [
          `a login refused with ${code}`,
          (s: Socket) => s.write(Buffer.from([0x20, 3, 0, code, 0])),
          /the broker \S+ refuses the login: user name or password is wrong, or the account may not connect/,
        ] as const,
    ),
    [
      'a refusal after the login',
      (s) => s.write(Buffer.concat([connack, Buffer.from([0xe0, 1, 135])])),
      /does not allow this account to do that/,
    ],
    [
      'a session taken over',
      (s) => s.write(Buffer.concat([connack, Buffer.from([0xe0, 1, 142])])),
      /another client with the same client id/,
    ],
  ];
  for (const [what, serve, words] of cases) {
    await t.test(what, async (t) => {
      const rig = await hostile(t, serve);
      await until(() => words.test(rig.modules.status('mqtt').error ?? ''), `it says ${words}`);
      t.equal(rig.modules.status('mqtt').state, 'running');
    });
  }

  await t.test('one that says nothing', async (t) => {
    const rig = await hostile(t, () => undefined);
    await pass(
      rig.clock,
      5_000,
      () => /took longer than 30 s/.test(rig.modules.status('mqtt').error ?? ''),
      'it says so',
    );
  });

  await t.test('one that knows only MQTT 3.1.1', async (t) => {
    let version = 0;
    const rig = await hostile(t, () => undefined);
    t.ok(rig);
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        if (chunk[0] !== 0x10) return;
        // MQTT 3.1.1 3.1.2.2: behind the name of the protocol.
        version = chunk[8] ?? 0;
        socket.write(Buffer.from([0x20, 2, 0, version === 4 ? 0 : 1]));
        if (version !== 4) socket.end();
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await rig.configure(config(port, { topic_send: '-', topic_availability: '-' }));
    await connected(rig);
    t.equal(version, 4);
    t.equal(details(rig)['protocol'], 'MQTT 3.1.1');
  });
});

/** What the documentation of Home Assistant's MQTT integration requires. */
const required: Readonly<Record<string, readonly string[]>> = {
  sensor: ['state_topic'],
  event: ['state_topic', 'event_types'],
  notify: ['command_topic'],
};

t.test('Home Assistant', { skip: noMosquitto }, async (t) => {
  const topic = 'homeassistant/device/sms-gateway/config';
  const found = async (broker: Mosquitto, t: Test) => {
    const ear = await broker.listen(t, 'homeassistant/#');
    await broker.publish('homeassistant/mark', 'x');
    await until(() => ear.on('homeassistant/mark').length === 1, 'the retained ones have come');
    return ear.heard.filter(({ retained }) => retained);
  };

  await t.test('finds the device with its entities', async (t) => {
    const { broker, rig } = await scene(t, { notify: [BOB] }, family);
    await until(async () => (await found(broker, t)).length > 0, 'it is there');
    const heard = await found(broker, t);
    t.same(
      heard.map((each) => each.topic),
      [topic],
    );
    const payload = json(heard[0]?.payload);
    t.match(payload.device, { identifiers: ['sms-gateway'], name: 'SMS Gateway', sw_version: /^\d/ });
    t.match(payload.origin, { name: 'sms-gateway', sw_version: /^\d/ });
    t.equal(payload.availability_topic, 'sms_gateway/availability');
    const components = Object.entries<Record<string, unknown>>(payload.components);
    const ids = new Set(components.map(([, component]) => component['unique_id']));
    t.equal(ids.size, components.length, 'unique ids');
    for (const [id, component] of components) {
      const fields = [...(required[String(component['platform'])] ?? ['unknown platform']), 'unique_id', 'name'];
      for (const field of fields) t.ok(component[field], `${id} has ${field}`);
      t.match(id, /^[A-Za-z0-9_-]+$/);
    }
    t.same(
      components.map(([, { platform, name }]) => `${platform} ${name}`),
      [
        ...['sensor Signal', 'sensor Operator', 'sensor Modem', 'sensor Queue', 'event Received SMS'],
        ...['notify Send SMS', 'notify SMS to family', `notify SMS to ${BOB}`],
      ],
    );
    t.match(payload.components.gsm0_signal, {
      device_class: 'signal_strength',
      unit_of_measurement: 'dBm',
      state_topic: 'sms_gateway/modem/gsm0',
    });
    // What Home Assistant makes of the template is a request.
    const template = Object.values<Record<string, string>>(payload.components).find(
      ({ name }) => name === 'SMS to family',
    )?.['command_template'];
    await broker.publish('sms_gateway/send', template?.replace('{{ value | tojson }}', '"Hallo \\"du\\""') ?? '');
    await until(() => rig.sent.length === 2, 'both get it');
    t.same([...rig.sent].sort(), [`${ALICE} Hallo "du"`, `${BOB} Hallo "du"`]);
  });

  await t.test('forgets it when the option is off', async (t) => {
    const { broker, rig } = await scene(t);
    await until(async () => (await found(broker, t)).length === 1, 'it is there');
    await rig.configure(config(broker.port, { discovery: '0' }));
    await until(async () => (await found(broker, t)).length === 0, 'it is gone');
  });

  await t.test('finds it under another prefix, and not under the old one', async (t) => {
    const { broker, rig } = await scene(t);
    await until(async () => (await found(broker, t)).length === 1, 'it is there');
    await rig.configure(config(broker.port, { discovery_prefix: 'homeassistant/two' }));
    await until(
      async () =>
        (await found(broker, t)).map((each) => each.topic).join() === 'homeassistant/two/device/sms-gateway/config',
      'it has moved',
    );
  });
});
