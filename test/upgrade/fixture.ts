/**
 * Writes what the next version has to load: `npm run fixtures`. The built daemon works through its functions in a new folder;
 * its config, its journal and what it shows of both go to `test/upgrade/VERSION`. Run once for each release, before its tag;
 * a fixture that is there is never written again.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { version } from '../../src/base/version.ts';
import { Daemon } from '../support/daemon.ts';
import { shownBy } from './shown.ts';

/** One modem works, the other is not there: what waits for it waits. Nobody listens where messages are forwarded to. */
const config = `
config gateway 'gateway'
	option capacity '500'
	option keep_sent '90'

config modem 'gsm0'
	option device 'sim'
	option send_interval '0'

config modem 'away'
	option device 'tcp://127.0.0.1:1'

config post_get 'post_get'
	option enabled '1'
	option password 'a-password'

config auto_reply 'auto_reply'
	option enabled '1'
	option msg 'Noted'
	option mode 'list'
	list number '+37060000003'

config forwarding_to_http 'forwarding_to_http'
	option enabled '1'
	option url '127.0.0.1:1/received'
	option message_name 'text'

config forwarding_to_sms 'forwarding_to_sms'
	option enabled '1'
	option modem 'away'
	list number '+37069000000'

config smpp 'smpp'
	option enabled '1'
	option address '127.0.0.1'
	option port '17777'

config webhook 'panel'
	option url 'http://127.0.0.1:1/panel'
	list event 'sms.received'
	list event 'sms.delivered'

config rule 'state'
	option enabled '1'
	option action 'send_status'
	option smstext 'state'
	option authorisation 'no'
	option message 'All is well'

config msg 'noon'
	option enable '1'
	option phonenumber '+37064000001'
	option message 'every day at noon'
	option hour '12'
	option modem 'away'

config group 'crew'
	option name 'crew'
	list tel '+37065000001'
	list tel '+37065000002'
`;

const target = join('test/upgrade', version);
if (existsSync(target)) throw new Error(`${target} is there: the fixture of a version is written once`);
const folder = mkdtempSync(join(tmpdir(), 'smsgw-fixture-'));
const daemon = new Daemon({ folder, config });
try {
  await daemon.start();
  await daemon.until('sms_gateway.modem', 'status', { modem: 'gsm0' }, ({ state }) => state === 'ready');
  const message = (method: string, args: Parameters<Daemon['call']>[2]) =>
    daemon.call('sms_gateway.message', method, args);
  const receive = (from: string, text: string) => daemon.call('sms_gateway.simulator', 'receive', { from, text });
  const long = 'The pump in the basement has stopped and the water is at 31 cm. '.repeat(4);
  await receive('+37060000001', 'a plain one');
  await receive('Vendor', long);
  await receive('+37060000002', 'Žalia ąžuolų 🌳 giria');
  await receive('+37060000003', 'one that is answered');
  await receive('+37060000004', 'state');
  await receive('+37060000005', 'one that is read');
  await receive('+37060000006', 'one that is deleted');
  const { messages } = await daemon.until('sms_gateway.message', 'list', { box: 'inbox' }, (list) => {
    return (list['messages'] as readonly unknown[]).length === 7;
  });
  for (const { id, text } of messages as unknown as readonly { id: number; text: string }[]) {
    if (text === 'one that is read') await message('read', { id });
    if (text === 'one that is deleted') await message('delete', { id });
  }
  await message('send', { number: '+37060000011', text: 'delivered', report: true, client_ref: 'alarm-7', wait: 30 });
  await message('send', { number: '+37060000012', text: long, wait: 30 });
  await message('send', { group: 'crew', text: 'to all of you', wait: 30 });
  await message('send', { number: '+37060000013', text: 'waits', modem: 'away', validity: 500_000, priority: 3 });
  const { id } = await message('send', { number: '+37060000014', text: 'cancelled', modem: 'away' });
  await message('cancel', { id: Number(id) });
  // What is done with the answers and the delivery reports comes by itself.
  await daemon.until('sms_gateway.message', 'list', { box: 'outbox' }, (list) => {
    const states = (list['messages'] as unknown as readonly { modem?: string; state: string }[]).map(
      ({ state }) => state,
    );
    return !states.includes('sending') && states.filter((state) => state === 'delivered').length >= 5;
  });
  const shown = await shownBy((object, method, args) => daemon.call(object, method, args));
  await daemon.stop();
  mkdirSync(target);
  copyFileSync(`${folder}/state/journal`, join(target, 'journal'));
  writeFileSync(join(target, 'config'), config);
  writeFileSync(join(target, 'shown.json'), `${JSON.stringify({ now: Date.now(), ...shown }, null, 1)}\n`);
  console.log(`${target} is written: look at it, and commit it`);
} finally {
  await daemon.stop('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
