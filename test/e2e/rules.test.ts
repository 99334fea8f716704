import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { Daemon } from '../support/daemon.ts';
import { newFolder } from '../support/folder.ts';
import { until } from '../support/outbox-rig.ts';

const ALICE = '+37060000001';

t.test('auto reply and rules in a whole daemon, which is killed in the middle of a command', async (t) => {
  const folder = newFolder(t);
  writeFileSync(`${folder}/job`, `#!/bin/sh\necho $$ >>${folder}/runs\nexec sleep 1000\n`, { mode: 0o755 });
  const config = (reply: string) => `
config gateway 'gateway'
	option admin_password 'Geheim7'

config modem 'sim0'
	option device 'sim'
	option send_interval '0'

config auto_reply 'auto_reply'
	option enabled '1'
	option delete_msg '1'
	option msg '${reply}'

config rule 'status'
	option enabled '1'
	option action 'send_status'
	option smstext 'status'
	option message 'signal %ss'

config rule 'job'
	option enabled '1'
	option action 'command'
	option smstext 'run job'
	option command 'job'

config command
	option name 'job'
	list argv '${folder}/job'
`;
  const daemon = new Daemon({ folder: `${folder}/daemon`, config: config('We are closed.') });
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.start();
  const receive = (text: string) => daemon.call('sms_gateway.simulator', 'receive', { from: ALICE, text });
  const answers = async (count: number) => {
    const { messages } = await daemon.until('sms_gateway.simulator', 'sent', {}, ({ messages }) => {
      return Array.isArray(messages) && messages.length >= count;
    });
    return (messages as unknown as readonly { to: string; text: string }[]).map(({ to, text }) => `${to} ${text}`);
  };

  await receive('Are you open?');
  t.strictSame(await answers(1), [`${ALICE} We are closed.`]);
  await receive('Geheim7 STATUS');
  t.match((await answers(2))[1], /^\+37060000001 signal -?\d+ dBm$/);
  daemon.configure(config('Back soon.'));
  await daemon.call('sms_gateway', 'reload');
  await receive('And now?');
  t.strictSame((await answers(3))[2], `${ALICE} Back soon.`);
  await daemon.until('sms_gateway.message', 'total', {}, ({ used }) => used === 0);

  await receive('Geheim7 run job');
  const runs = () =>
    (existsSync(`${folder}/runs`) ? readFileSync(`${folder}/runs`, 'utf8').match(/\d+\n/g) : null) ?? [];
  await until(() => runs().length === 1, 'the command runs');
  await daemon.stop('SIGKILL');
  process.kill(Number(runs()[0]), 'SIGKILL');
  await daemon.start();
  await receive('Geheim7 status');
  t.match((await answers(1))[0], /signal/, 'what comes later is done');
  t.equal(runs().length, 1, 'what was begun is not begun again');
  t.notMatch(daemon.log, /Geheim7/);
  t.equal(await daemon.stop(), 0);
});

t.test('rules are obeyed while the inbox is full of junk, over a kill', async (t) => {
  const folder = newFolder(t);
  writeFileSync(`${folder}/job`, `#!/bin/sh\necho $$ >>${folder}/runs\nexec sleep 1000\n`, { mode: 0o755 });
  // With the password more than the 70 characters that UCS2 has room for.
  const longText = 'ąčęė '.repeat(20).trim();
  const config = `
config gateway 'gateway'
	option admin_password 'Geheim7'
	option capacity '10'

config modem 'sim0'
	option device 'sim'
	option send_interval '0'

config auto_reply 'auto_reply'
	option enabled '1'
	option delete_msg '0'
	option msg 'We are closed.'

config rule 'status'
	option enabled '1'
	option action 'send_status'
	option smstext 'status'
	option message 'signal %ss'

config rule 'long'
	option enabled '1'
	option action 'send_status'
	option smstext '${longText}'
	option message 'long %ss'

config rule 'job'
	option enabled '1'
	option action 'command'
	option smstext 'run job'
	option command 'job'

config command
	option name 'job'
	list argv '${folder}/job'
`;
  const daemon = new Daemon({ folder: `${folder}/daemon`, config });
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.start();
  const receive = (text: string, from = ALICE) => daemon.call('sms_gateway.simulator', 'receive', { from, text });
  const answered = (pattern: RegExp) =>
    daemon.until('sms_gateway.simulator', 'sent', {}, ({ messages }) => pattern.test(JSON.stringify(messages)));
  const inbox = async () => (await daemon.call('sms_gateway', 'status'))['store'] as { inbox: object };
  for (let n = 0; n < 10; n++) await receive(`junk ${n}`, `+4670000000${n}`);
  await daemon.until('sms_gateway.message', 'total', {}, ({ used }) => used === 10);
  await receive('junk that has no room', '+46700000099');
  const { warnings } = await daemon.until('sms_gateway', 'status', {}, ({ warnings }) =>
    /part of a message stays/.test(JSON.stringify(warnings)),
  );
  t.match(warnings, [/^1 received part of a message stays on the modem/]);

  await receive('Geheim7 status');
  await answered(/signal -\d+ dBm/);
  await receive(`Geheim7 ${longText}`);
  await answered(/long -\d+ dBm/);
  await receive('Geheim7 run job');
  const runs = () =>
    (existsSync(`${folder}/runs`) ? readFileSync(`${folder}/runs`, 'utf8').match(/\d+\n/g) : null) ?? [];
  await until(() => runs().length === 1, 'the command runs');
  t.match(await inbox(), { inbox: { used: 10, unread: 10, incomplete: 0, left_on_modem: 1 } });
  await daemon.stop('SIGKILL');
  process.kill(Number(runs()[0]), 'SIGKILL');
  await daemon.start();
  t.match(await inbox(), { inbox: { used: 10, unread: 10, incomplete: 0 } });
  const { messages } = await daemon.call('sms_gateway.message', 'list', { box: 'inbox' });
  t.notMatch(JSON.stringify(messages), /Geheim7/, 'what was for a rule is not shown');
  // From another phone: the same octets within the same second are the same message.
  await receive('Geheim7 status', '+37062222222');
  await answered(/signal -\d+ dBm/);
  t.equal(runs().length, 1, 'what was begun is not begun again');
  t.match(daemon.log, /warning store: the inbox holds \d+ of 10 messages, soon/);
  t.match(daemon.log, /warning store: the inbox is full with 10 messages, new ones stay on the modem/);
  t.notMatch(daemon.log, /Geheim7/);
  t.equal(await daemon.stop(), 0);
});
