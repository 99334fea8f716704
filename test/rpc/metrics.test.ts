import { spawnSync } from 'node:child_process';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { Daemon } from '../support/daemon.ts';
import { testFolder } from '../support/folder.ts';
import { until } from '../support/outbox-rig.ts';
import { missingPrograms } from '../support/programs.ts';

const config = (more = '') => `
config gateway 'gateway'
${more}
config modem 'gsm0'
	option device 'sim'
	option send_interval '0'

config auto_reply 'auto_reply'
	option enabled '1'
	option msg 'thanks'
`;

const fetch = (url: string): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    get(url, async (response) => resolve({ status: response.statusCode ?? 0, body: await text(response) })).on(
      'error',
      reject,
    );
  });

/** The value of a sample. */
const sample = (body: string, name: string): number | undefined => {
  const line = body.split('\n').find((each) => each.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
};

t.test('metrics and health of a whole daemon', async (t) => {
  const daemon = new Daemon({ folder: testFolder(t), config: config() });
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.start();
  await daemon.until('sms_gateway.modem', 'status', { modem: 'gsm0' }, ({ state }) => state === 'ready');
  await daemon.call('sms_gateway.message', 'send', { number: '+37060000001', text: 'out', wait: 20, modem: 'gsm0' });
  await daemon.call('sms_gateway.simulator', 'receive', { from: '+37060000002', text: 'in', modem: 'gsm0' });
  await daemon.until('sms_gateway.message', 'total', {}, ({ used }) => used === 1);
  const { status, body } = await fetch(`${daemon.http}/metrics`);
  t.equal(status, 200);
  t.equal(sample(body, 'sms_gateway_received_total{modem="gsm0"}'), 1);
  t.ok((sample(body, 'sms_gateway_sent_total{modem="gsm0"}') ?? 0) >= 1);
  t.ok((sample(body, 'sms_gateway_send_seconds_count') ?? 0) >= 1);
  t.equal(sample(body, 'sms_gateway_modem_ready{modem="gsm0"}'), 1);
  t.equal(sample(body, 'sms_gateway_inbox_messages'), 1);
  t.equal(sample(body, 'sms_gateway_inbox_incomplete_messages'), 0);
  t.equal(sample(body, 'sms_gateway_inbox_left_on_modem_parts'), 0);
  t.equal(sample(body, 'sms_gateway_store_fault'), 0);
  t.equal(sample(body, 'sms_gateway_module_enabled{module="auto_reply"}'), 1);
  t.notMatch(body, /37060000/, 'no numbers and no texts');

  const health = await fetch(`${daemon.http}/health`);
  t.equal(health.status, 200);
  t.match(JSON.parse(health.body), { status: 'ok', problems: [] });
  t.match(await daemon.call('sms_gateway', 'health'), { healthy: true, problems: [] });
  t.match((await daemon.call('sms_gateway', 'metrics'))['text'], /^# HELP sms_gateway_info /);

  await t.test('promtool', { skip: missingPrograms(['promtool'], 'prometheus') }, async (t) => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' });
    t.equal(status, 0, `${stdout}${stderr}`);
  });

  daemon.configure(config("\tlist monitor_from '192.0.2.1'\n"));
  await until(async () => (await fetch(`${daemon.http}/health`)).status === 403, 'the client is refused');
});

t.test('a gateway whose modem cannot work is not healthy', async (t) => {
  const modem = "config modem 'gsm0'\n\toption device '/dev/does-not-exist'\n";
  const daemon = new Daemon({ folder: testFolder(t), config: modem });
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.start();
  const { status, body } = await fetch(`${daemon.http}/health`);
  t.equal(status, 503);
  t.match(JSON.parse(body), { status: 'failing', problems: [/^modem gsm0 is /] });
});
