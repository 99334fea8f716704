import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { selfSigned } from '../support/certificate.ts';
import { Ledger, Member } from '../support/fleet.ts';
import { testFolder } from '../support/folder.ts';
import { freePorts } from '../support/free-port.ts';
import { Kannel, KannelConfig } from '../support/kannel.ts';
import { missingPrograms } from '../support/programs.ts';

/*
 * Kannel in front of three gateways, with the configuration of examples/kannel: one dies and comes back, one loses its
 * modem, one refuses what is too fast. The second is reached through stunnel.
 */
const MESSAGES = Number(process.env['FLEET_MESSAGES'] ?? 1000);
/** Messages that a gateway is given before, while and after it is in trouble. */
const INCOMING = 5;
const NAMES = ['vilnius-1', 'vilnius-2', 'berlin-1'] as const;
type Name = (typeof NAMES)[number];
/** A modem that is fast, with a network that tells soon. */
const LATENCY = { submit: 40, report: 100 };
/** What is more waits in Kannel, where another gateway can take it. */
const QUEUE = "\toption queue_limit '20'\n";
const LIMIT = 120_000;
/** Whether the message goes to a number that Berlin is preferred for, which is too slow even for a tenth of them. */
const isGerman = (name: string) => name.endsWith('0');

/** The configuration of the example on ports of this machine, with the pauses of a test. */
function kannelConfig(ports: Readonly<Record<Name, number>>, web: number): KannelConfig {
  const config = KannelConfig.read('examples/kannel/kannel.conf');
  config.group('core').set('sms-resend-freq', '1').set('log-level', '0');
  for (const gateway of config.gateways) {
    const name = NAMES.find((each) => each === gateway.get('smsc-id'));
    if (name === undefined) throw new Error(`what is ${gateway.get('smsc-id')}?`);
    gateway.set('host', '127.0.0.1').set('port', `${ports[name]}`);
    gateway.set('throughput', '30').set('reconnect-delay', '1');
    gateway.set('enquire-link-interval', '2');
  }
  const service = config.group('sms-service');
  service.set('get-url', (service.get('get-url') ?? '').replace('127.0.0.1:8080', `127.0.0.1:${web}`));
  return config;
}

/** Stunnel with the configuration of the example, from `accept` to `connect`. */
async function stunnel(t: Test, accept: number, connect: number, authority: string): Promise<void> {
  const config = readFileSync('examples/kannel/stunnel.conf', 'utf8')
    .replace(/^accept = .*$/m, `accept = 127.0.0.1:${accept}`)
    .replace(/^connect = .*$/m, `connect = 127.0.0.1:${connect}`)
    .replace(/^CAfile = .*$/m, `CAfile = ${authority}`)
    .replace(/^checkHost = .*$/m, 'checkHost = localhost');
  const path = `${t.testdirName}/stunnel.conf`;
  writeFileSync(path, config);
  const child = spawn('stunnel', [path], { stdio: 'ignore' });
  t.teardown(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
}

const skip = missingPrograms(['bearerbox', 'smsbox', 'stunnel'], 'kannel stunnel4');

t.test('a fleet behind Kannel', { skip, timeout: 300_000 }, async (t) => {
  const folder = testFolder(t);
  const ledger = await Ledger.open();
  t.teardown(() => ledger.close());
  const certificate = selfSigned(folder);
  const [port1 = 0, port2 = 0, port3 = 0, tls = 0, tunnel = 0, ...own] = await freePorts(8);
  const ports = { 'vilnius-1': port1, 'vilnius-2': port2, 'berlin-1': port3 };
  const config = kannelConfig({ ...ports, 'vilnius-2': tunnel }, ledger.port);
  const open = async (name: Name, smpp = '') => {
    const group = config.gateways.find((each) => each.get('smsc-id') === name);
    const options = { name, folder: `${folder}/${name}`, port: ports[name], latency: LATENCY, smpp, gateway: QUEUE };
    const member = await Member.open({ ...options, password: group?.get('smsc-password') ?? '' }, ledger);
    t.teardown(() => member.stop());
    await member.start();
    return member;
  };
  const [dying, modemless, throttled] = await Promise.all([
    open('vilnius-1'),
    open(
      'vilnius-2',
      `\toption tls_port '${tls}'\n\toption tls_cert '${certificate.file}'\n\toption tls_key '${certificate.keyFile}'\n`,
    ),
    open('berlin-1', "\toption rate '5'\n"),
  ]);
  await stunnel(t, tunnel, tls, certificate.file);
  mkdirSync(`${folder}/kannel`);
  const kannel = new Kannel(`${folder}/kannel`, config, own);
  t.teardown(() => kannel.stop());
  await kannel.start();
  await kannel.online();

  const arrive = (stage: string) => {
    for (const { name, modem } of [dying, modemless, throttled]) {
      for (let n = 0; n < INCOMING; n++) modem.receive({ from: '+37069999999', text: `${stage}-${n}-${name}` });
    }
  };
  const allReceived = (stages: number) =>
    ledger.until(
      `${stages} times ${INCOMING} arrived by each`,
      () => ledger.received.size === stages * INCOMING * NAMES.length,
      LIMIT,
    );
  arrive('before');
  await allReceived(1);

  const begun = performance.now();
  let [died, back] = [0, 0];
  const submit = async () => {
    for (let n = 0; n < MESSAGES; n++) {
      const name = `m${String(n).padStart(4, '0')}`;
      const to = `${isGerman(name) ? '+4917' : '+3706'}${String(n).padStart(7, '0')}`;
      ledger.asked(name);
      await kannel.send(to, name, ledger.reportUrl(name));
    }
  };
  const sent = (share: number) =>
    ledger.until(`${share} of the messages are sent`, () => ledger.sentCount >= share * MESSAGES, LIMIT);
  const trouble = async () => {
    await sent(0.1);
    modemless.modem.faults.add({ type: 'port_gone', ms: 4_000 });
    await sent(0.25);
    died = performance.now();
    await dying.daemon.stop('SIGKILL');
    arrive('meanwhile');
    await wait(3_000);
    await dying.start();
    back = performance.now();
  };
  await Promise.all([submit(), trouble()]);
  await ledger.until('each message is reported', () => ledger.reportedCount === MESSAGES, LIMIT);
  await kannel.online();
  arrive('after');
  await allReceived(3);
  const ended = performance.now();

  const fates = [...ledger.fates];
  const failed = fates.filter(([, { reports }]) => reports.some(({ type }) => type !== 1));
  t.same(ledger.strangers, [], 'nothing is sent that nobody asked for');
  t.same(
    fates.filter(([, { reports }]) => reports.length !== 1).map(([name, { reports }]) => [name, reports]),
    [],
    'one report of each message comes back, and is matched',
  );
  t.same(
    fates
      .filter(([name, { sends }]) => sends.length === 0 && !failed.some(([other]) => other === name))
      .map(([name]) => name),
    [],
    'each is sent, or reported as failed',
  );
  const astray = fates.filter(([name, { sends }]) =>
    sends.some(({ by }) => (by === throttled.name) !== isGerman(name)),
  );
  t.same(
    astray.map(([name]) => name),
    [],
    'German numbers leave by Berlin, which takes no others',
  );
  // What the dead gateway had taken and not answered yet is sent again by another; and it sends again itself the part
  // that was under way, when nothing shows that its modem has sent it.
  const doubled = fates.filter(([, { sends }]) => sends.length > 1);
  const unanswered = Number(config.gateways[0]?.get('max-pending-submits'));
  t.ok(doubled.length <= unanswered + 1, `at most ${unanswered + 1} are sent twice, not ${doubled.length}`);
  t.same(
    doubled.filter(([, { sends }]) => !sends.some(({ by }) => by === dying.name)).map(([name]) => name),
    [],
    'only what the dead gateway may have sent is sent twice',
  );
  for (const [text, gateways] of ledger.received) {
    t.same(gateways, [NAMES.find((name) => text.endsWith(name))], `${text} arrives once`);
  }
  const { counters } = await throttled.daemon.call('sms_gateway.module', 'status', { module: 'smpp' });
  t.ok(Number((counters as { throttled?: number }).throttled) > 0, 'Berlin has refused some for now');

  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const waits = fates.flatMap(([, { asked, sends }]) =>
    sends.map(({ by, time }) => ({ by, time, wait: time - asked })),
  );
  const longest = (all: typeof waits) => seconds(Math.max(0, ...all.map(({ wait }) => wait)));
  const after = waits.filter(({ by, time }) => by === dying.name && time > back);
  t.comment(`${MESSAGES} messages in ${seconds(ended - begun)}, ${failed.length} failed, ${doubled.length} sent twice`);
  t.comment(
    `${dying.name} sent again ${seconds(Math.min(...after.map(({ time }) => time)) - died)} after it was killed, ` +
      `longest wait ${longest(waits)}`,
  );
});
