import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { Daemon } from '../support/daemon.ts';
import { newFolder } from '../support/folder.ts';
import { Mosquitto, noMosquitto } from '../support/mosquitto.ts';
import { until } from '../support/outbox-rig.ts';

const COUNT = 60;

/** Kills and restarts in the middle of a burst: each request is one SMS, and each state is published. */
t.test('a burst of requests', { skip: noMosquitto }, async (t) => {
  const broker = await Mosquitto.start(t, newFolder(t));
  const daemon = new Daemon({
    folder: newFolder(t),
    config: `
config gateway 'gateway'
\toption log_level 'debug'
config modem 'modem0'
\toption device 'sim'
\toption send_interval '0'
config mqtt 'mqtt'
\toption enabled '1'
\toption host '127.0.0.1'
\toption port '${broker.port}'
`,
  });
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.start();
  const connected = () =>
    daemon.until('sms_gateway.module', 'status', { module: 'mqtt' }, ({ details }) => {
      return typeof details === 'object' && details !== null && 'connected' in details && details.connected === true;
    });
  await connected();
  const ear = await broker.listen(t, 'sms_gateway/sent', 'keeper');
  const stored = async () => {
    const { messages } = await daemon.call('sms_gateway.message', 'list', { box: 'outbox', limit: 1000 });
    return Array.isArray(messages) ? messages.map(({ number, text }) => `${number} ${text}`) : [];
  };
  const requests = Array.from({ length: COUNT }, (_, n) => `+3706${String(n).padStart(7, '0')} alarm`);
  const publishing = (async () => {
    for (const request of requests) await broker.publish('sms_gateway/send', request);
  })();

  await until(async () => (await stored()).length >= COUNT / 4, 'a part has come');
  await daemon.stop('SIGKILL');
  await wait(50);
  await daemon.start();
  await publishing;
  await until(async () => (await stored()).length >= COUNT, 'the rest has come');
  t.same((await stored()).sort(), [...requests].sort(), 'each once');

  // The broker goes in the middle of what is published.
  await broker.stop();
  await ear.stop();
  await broker.start();
  const later = await broker.listen(t, 'sms_gateway/sent', 'keeper');
  await broker.publish('sms_gateway/send', '+37069999999 last');
  const published = () =>
    new Set(
      [...ear.heard, ...later.heard]
        .map(({ payload }) => JSON.parse(payload))
        .filter(({ state }) => state !== 'failed')
        .map(({ number }) => number),
    );
  // One that was being sent when the daemon was killed may wait for evidence.
  await until(() => published().size >= COUNT && published().has('+37069999999'), 'the states are published');
  const { queue } = await daemon.call('sms_gateway', 'status');
  t.match(queue, { failed: 0, expired: 0 });
  t.equal((await stored()).length, COUNT + 1);
  t.equal(await daemon.stop(), 0);
  await until(() => /Client sms-gateway\S* disconnected/.test(broker.log), 'it says goodbye');
});
