import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import t, { type Test } from 'tap';
import { newFolder } from '../support/folder.ts';
import { ModuleRig } from '../support/module-rig.ts';
import { Mosquitto, noMosquitto } from '../support/mosquitto.ts';
import { pass, until } from '../support/outbox-rig.ts';

type Options = Readonly<Record<string, string>>;

const config = (port: number, options: Options = {}): string => {
  const all = { enabled: '1', host: '127.0.0.1', port: `${port}`, discovery: '0', ...options };
  const lines = Object.entries(all).map(([key, value]) => `\toption ${key} '${value}'\n`);
  return `config mqtt 'mqtt'\n${lines.join('')}`;
};

async function rigOf(t: Test, folder: string, text: string, modems: readonly string[] = []): Promise<ModuleRig> {
  const rig = await ModuleRig.open(folder, { config: text, modems });
  t.teardown(() => rig.close());
  return rig;
}

const connections = (rig: ModuleRig) => rig.modules.status('mqtt').counters['connections'] ?? 0;

/** What the broker gives to somebody who comes now, by topic. */
async function kept(broker: Mosquitto, t: Test): Promise<Readonly<Record<string, string>>> {
  const ear = await broker.listen(t);
  await broker.publish('mark', 'x');
  await until(() => ear.on('mark').length === 1, 'the retained ones have come');
  await ear.stop();
  return Object.fromEntries(ear.heard.flatMap(({ retained, topic, payload }) => (retained ? [[topic, payload]] : [])));
}

/** Waits until the broker keeps something under these topics, and under no others. */
const keeps = (broker: Mosquitto, t: Test, topics: readonly string[]) =>
  until(
    async () =>
      Object.keys(await kept(broker, t))
        .sort()
        .join() === [...topics].sort().join(),
    `${topics}`,
  );

const STATES = ['sms_gateway/availability', 'sms_gateway/modem/gsm0', 'sms_gateway/queue'];

t.test('the broker keeps no state that the config wants no more', { skip: noMosquitto }, async (t) => {
  const broker = await Mosquitto.start(t, newFolder(t));
  await broker.publish('sms_gateway/other', 'somebody else', ['-r']);
  const others = ['sms_gateway/other'];
  const folder = newFolder(t);
  const rig = await rigOf(t, folder, config(broker.port));
  await keeps(broker, t, [...others, ...STATES]);

  await rig.configure(config(broker.port, { retain: '0' }));
  await keeps(broker, t, others);
  await until(() => connections(rig) === 1, 'it is connected');
  await rig.configure(config(broker.port, { topic: 'house/sms' }));
  await keeps(broker, t, [...others, 'house/sms/availability', 'house/sms/modem/gsm0', 'house/sms/queue']);
  await rig.configure(config(broker.port, { topic_modem: '-', topic_queue: '-' }));
  await keeps(broker, t, [...others, 'sms_gateway/availability']);
  t.equal((await kept(broker, t))['sms_gateway/availability'], 'online');
  await rig.configure(config(broker.port, { topic_availability: '-' }));
  await keeps(broker, t, [...others, 'sms_gateway/modem/gsm0', 'sms_gateway/queue']);
});

t.test('nor what was changed while the gateway, or the broker, was away', { skip: noMosquitto }, async (t) => {
  const broker = await Mosquitto.start(t, newFolder(t));
  const folder = newFolder(t);
  const first = await rigOf(t, folder, config(broker.port), ['gsm1']);
  await keeps(broker, t, [...STATES, 'sms_gateway/modem/gsm1']);
  await first.close();
  const second = await rigOf(t, folder, config(broker.port));
  await keeps(broker, t, STATES);
  await broker.stop();
  await until(() => second.modules.status('mqtt').details['connected'] === false, 'the broker is away');
  await second.configure(config(broker.port, { retain: '0' }));
  await broker.start();
  await pass(second.clock, 500, () => connections(second) === 1, 'it is connected');
  await keeps(broker, t, []);
  const third = await second.crash();
  t.teardown(() => third.close());
  await until(() => connections(third) === 1, 'it is connected');
  const ear = await broker.listen(t);
  await third.modules.restart('mqtt');
  await until(() => ear.last('sms_gateway/availability') === 'online', 'it is connected again');
  t.notOk(
    ear.heard.some(({ payload }) => payload === ''),
    'what was taken back is forgotten',
  );
});

t.test('a broker that retains nothing is asked once to forget', async (t) => {
  const retained: string[] = [];
  let connections = 0;
  let holds = 0;
  const server = createServer((socket) => {
    const connection = ++connections;
    socket.on('error', () => undefined);
    socket.on('data', (packet) => {
      const [head = 0] = packet;
      if (head >> 4 === 1) socket.write(Buffer.from([0x20, 3, 0, 0, 0]));
      if (head >> 4 !== 3) return;
      // In front of the payload: the topic, a packet identifier, no properties (MQTT 5.0 3.3).
      const end = 4 + packet.readUInt16BE(2);
      if ((head & 1) === 0) {
        holds = connection;
        socket.write(Buffer.from([0x40, 2, ...packet.subarray(end, end + 2)]));
        return;
      }
      retained.push(packet.subarray(end + 3, 2 + (packet[1] ?? 0)).toString());
      // DISCONNECT with the reason code that it retains nothing, MQTT 5.0 3.14.2.1.
      socket.end(Buffer.from([0xe0, 2, 154, 0]));
    });
  }).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const options = { topic_send: '-', topic_modem: '-', topic_queue: '-' };
  const rig = await rigOf(t, newFolder(t), config(port, options));
  const error = () => rig.modules.status('mqtt').error;
  await until(() => error()?.includes('see the option retain') === true, 'it says what to do');
  await rig.configure(config(port, { ...options, retain: '0' }));
  await pass(rig.clock, 500, () => holds === 3, 'the next connection but one holds');
  t.same(retained, ['online', '']);
});
