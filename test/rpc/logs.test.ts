import t from 'tap';
import { Bus } from '../../src/base/bus.ts';
import { createLogger } from '../../src/base/log.ts';
import type { ModemEvents, ModemStatus } from '../../src/modem/status.ts';
import { StateLog } from '../../src/rpc/state-log.ts';
import { Daemon } from '../support/daemon.ts';
import { testFolder } from '../support/folder.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { until } from '../support/outbox-rig.ts';

const base: ModemStatus = {
  ...{ name: 'gsm0', state: 'opening', since: 0, device: '/dev/ttyUSB2' },
  ...{ sent: 0, received: 0, errors: 0, reopened: 0 },
};

t.test('what becomes of a modem', async (t) => {
  const lines: string[] = [];
  const log = createLogger({ level: 'info', write: (line) => void lines.push(line.trimEnd()) });
  const bus = new Bus<ModemEvents>(log);
  const clock = new ManualClock();
  const states = new StateLog(bus, clock, log.child('modem'));
  const enter = (status: Partial<ModemStatus>) => {
    bus.emit('modem.state', { ...base, ...status });
    return lines.splice(0);
  };
  const known = { manufacturer: 'Quectel', model: 'EC25', imei: '490154203237518' };
  const ready = { ...known, state: 'ready', operator: 'Bite', registration: 'home', signal: -71 } as const;

  t.same(enter({}), []);
  t.same(enter({ ...known, state: 'pin_wrong', error: 'the SIM refused the option pin' }), [
    'info modem.gsm0: found Quectel EC25, at /dev/ttyUSB2, IMEI 490154203237518',
    'warning modem.gsm0: pin wrong: the SIM refused the option pin',
  ]);
  t.same(enter({ ...known, state: 'pin_wrong', error: 'the SIM refused the option pin' }), [], 'counted');
  t.same(enter(ready), [
    'info modem.gsm0: works again after 2 failures: pin wrong: the SIM refused the option pin',
    'info modem.gsm0: ready, network Bite, home, signal -71 dBm',
  ]);
  t.same(enter(ready), []);
  t.same(enter({ ...ready, warning: 'the SIM is nearly full' }), ['warning modem.gsm0: the SIM is nearly full']);

  for (let i = 0; i < 5; i++) {
    t.same(enter({ ...known, state: 'registering', error: 'there is no network' }), [], 'comes and goes');
    t.same(enter(ready), []);
  }
  await clock.advance(11 * 60_000);
  t.same(enter({ ...known, state: 'registering', error: 'there is no network' }), [
    'info modem.gsm0: waits for the network: there is no network',
  ]);
  t.match(enter(ready), [/ready, .*after 5 losses of the network that have no line here$/]);
  t.same(enter({ ...known, state: 'denied', error: 'the network refuses this SIM' }), [
    'warning modem.gsm0: denied: the network refuses this SIM',
  ]);
  t.match(enter(ready), [/ready/], 'the end of a fault is news at any time');

  states.stop();
  t.same(enter({ state: 'no_sim' }), []);
});

t.test('the log of a whole daemon answers whether the alarm went out', async (t) => {
  const config = `
config gateway 'gateway'
	option log_level 'debug'
	option log_text '1'

config modem 'sim0'
	option device 'sim'
	option send_interval '0'

config auto_reply 'auto_reply'
	option enabled '1'
	option msg 'thank you'
`;
  const daemon = new Daemon({ folder: testFolder(t), config, args: ['--log-time'] });
  t.teardown(() => daemon.stop('SIGKILL'));
  // With a time in front no line begins as a start without it does.
  const started = daemon.start().catch(() => undefined);
  await until(() => / info ready, version/m.test(daemon.log), 'the start');
  const time = '\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z';
  const line = (text: string) => until(() => new RegExp(`^${time} ${text}$`, 'm').test(daemon.log), text);
  await line('info modem\\.sim0: found .*');
  await line('info modem\\.sim0: ready, .*');
  const { id } = await daemon.call('sms_gateway.message', 'send', {
    number: '+37060000001',
    text: 'fire',
    report: true,
  });
  await line(`info sms: ${id} to \\+37060000001, 1 part: accepted, from rpc \\(unix\\), sha256 [0-9a-f]{16}`);
  await line(`info sms: ${id} to \\+37060000001, 1 part: sent by sim0`);
  await line(`info sms: ${id} to \\+37060000001, 1 part: delivered by sim0`);
  await line(`debug sms: ${id} text: "fire"`);
  await daemon.call('sms_gateway.simulator', 'receive', { from: '+37060000002', text: 'hello' });
  await line('info sms: \\d+ from \\+37060000002, 1 part: received by sim0');
  await line('info module\\.auto_reply: message \\d+ from \\+37060000002 is answered');
  daemon.configure(config.replace("log_text '1'", "log_text '0'"));
  await line('info config: changed: gateway');
  const before = daemon.log.length;
  await daemon.call('sms_gateway.message', 'send', { number: '+37060000001', text: 'hush hush', wait: 20 });
  await line(`info sms: \\d+ to \\+37060000001, 1 part: sent by sim0`);
  t.notMatch(daemon.log.slice(before), /hush/, 'no text without log_text');
  await daemon.stop();
  await started;
});

t.test('without a modem the log warns at the start, and a send says so', async (t) => {
  const daemon = new Daemon({ folder: testFolder(t), config: "config gateway 'gateway'\n" });
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.start();
  await until(() => /^warning no modem is configured: messages wait/m.test(daemon.log), 'the warning');
  const { warning, id } = await daemon.call('sms_gateway.message', 'send', { number: '+37060000001', text: 'x' });
  t.match(warning, /^no modem is configured/);
  t.match(await daemon.call('sms_gateway', 'status'), { oldest: { id, error: /^no modem is configured/ } });
});
