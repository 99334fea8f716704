import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Daemon } from '../support/daemon.ts';
import { testFolder } from '../support/folder.ts';
import { get, post } from '../support/form.ts';
import { missingPrograms } from '../support/programs.ts';

/*
 * The main job, as a user has it: a daemon from the bundle, cgi-bin URLs in front of it, a modem on a byte stream
 * behind it.
 */
const simulated = `
config modem 'sim0'
	option device 'sim'
	option send_interval '0'

config post_get 'post_get'
	option enabled '1'
	option factory_sends '1'

config group
	option name 'alarm'
	list tel '0037060000001'
	list tel '0037060000002'
`;

async function daemonOn(t: Test, config: string): Promise<Daemon> {
  const daemon = new Daemon({ folder: testFolder(t), config });
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.start();
  return daemon;
}

const sent = async (daemon: Daemon): Promise<readonly { to: string; text: string }[]> => {
  const { messages } = await daemon.call('sms_gateway.simulator', 'sent');
  return messages as unknown as { to: string; text: string }[];
};

t.test('an SMS leaves by a URL, and one that arrives is listed, read, counted and deleted', async (t) => {
  const daemon = await daemonOn(t, simulated);
  t.same(await get(daemon.http, 'sms_send', { number: '0037060000001', text: 'Labas, ąčę €' }), {
    status: 200,
    body: 'OK\n',
  });
  const group = { group: 'alarm', text: 'x'.repeat(500) };
  t.same(await post(daemon.http, 'sms_send', group), { status: 200, body: 'OK\n4/4\n' });
  t.match(await sent(daemon), [
    { to: '+37060000001', text: 'Labas, ąčę €' },
    { to: '+37060000001', text: 'x'.repeat(500) },
    { to: '+37060000002', text: 'x'.repeat(500) },
  ]);

  const delivered = await daemon.until('sms_gateway.message', 'list', { state: 'delivered' }, ({ messages }) => {
    return Array.isArray(messages) && messages.length === 3;
  });
  t.match(delivered.messages, [{ box: 'outbox' }, {}, {}], 'the network reports them, as the modem has `reports` on');

  await daemon.call('sms_gateway.simulator', 'receive', { from: '+37061111111', text: 'first\nsecond line' });
  await daemon.until('sms_gateway.message', 'total', {}, ({ used }) => used === 1);
  t.equal((await get(daemon.http, 'sms_total', {})).body, 'Used: 1\nTotal: 1000\n');
  const list = (await get(daemon.http, 'sms_list', {})).body;
  t.match(
    list,
    /^Index: 0\nDate: \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\nSender: \+37061111111\nText: first\nsecond line\nStatus: unread\n-{30}\n$/,
  );
  t.match((await get(daemon.http, 'sms_read', { number: '0' })).body, /\nStatus: unread\nText: first\nsecond line\n$/);
  t.match((await get(daemon.http, 'sms_list', { state: 'unread' })).body, /^$/);
  t.equal((await get(daemon.http, 'sms_delete', { number: '0' })).body, 'OK\n');
  t.equal((await get(daemon.http, 'sms_list', {})).body, '');
});

t.test('a daemon that is killed has every message when it is back', async (t) => {
  const daemon = await daemonOn(t, simulated);
  await daemon.call('sms_gateway.simulator', 'receive', { from: '+37061111111', text: 'kept' });
  await daemon.until('sms_gateway.message', 'total', {}, ({ used }) => used === 1);
  const { id } = await daemon.call('sms_gateway.message', 'send', { number: '+37060000001', text: 'out', wait: 10 });
  await daemon.stop('SIGKILL');
  await daemon.start();
  const { messages } = await daemon.call('sms_gateway.message', 'list');
  t.match(messages, [
    { box: 'inbox', index: 0, number: '+37061111111', text: 'kept' },
    { box: 'outbox', id, number: '+37060000001', text: 'out' },
  ]);
  t.same(await sent(daemon), [], 'what the network took is not sent again');
  t.equal(await daemon.stop(), 0, 'SIGTERM ends it in order');
});

t.test('a message in the queue is sent after a restart', async (t) => {
  const daemon = await daemonOn(t, simulated.replace("'sim'", "'/dev/does-not-exist'"));
  const { id, state } = await daemon.call('sms_gateway.message', 'send', { number: '+37060000001', text: 'later' });
  t.equal(state, 'queued');
  await daemon.stop('SIGKILL');
  daemon.configure(simulated);
  await daemon.start();
  await daemon.until('sms_gateway.message', 'status', { id: id as number }, (message) => message.state !== 'queued');
  t.match(await sent(daemon), [{ to: '+37060000001', text: 'later' }]);
});

t.test('bad input gets the documented answer and changes nothing', async (t) => {
  const daemon = await daemonOn(t, simulated);
  const cases: readonly [script: string, parameters: Record<string, string>, status: number, body: RegExp][] = [
    ['sms_send', { password: 'wrong', number: '0037060000001', text: 'x' }, 401, /^Bad username or password\n$/],
    ['sms_send', { number: 'nonsense', text: 'x' }, 200, /^WRONG_NUMBER\n$/],
    ['sms_send', { number: '0037060000001' }, 200, /^"text" parameter is required\n$/],
    ['sms_send', { text: 'x' }, 200, /^"number" or "group" parameter is required\n$/],
    ['sms_send', { group: 'nobody', text: 'x' }, 200, /^Group not found\n$/],
    ['sms_read', { number: '77' }, 200, /\n$/],
    ['sms_list', { state: 'odd' }, 200, /^Unknown state argument\n$/],
  ];
  for (const [script, parameters, status, body] of cases) {
    const answer = await post(daemon.http, script, parameters);
    t.equal(answer.status, status, `${script} ${JSON.stringify(parameters)}`);
    t.match(answer.body, body);
  }
  const long = await post(daemon.http, 'sms_send', { number: '0037060000001', text: 'x'.repeat(39_016) });
  t.match(long.body, /^ERROR/, 'text of more than 255 parts');
  t.same(await sent(daemon), []);
  await t.rejects(daemon.call('sms_gateway.message', 'send', { number: 5, text: 'x' }), { code: 'invalid_argument' });
  await t.rejects(daemon.call('sms_gateway.message', 'no_such'), { code: 'method_not_found' });
});

t.test('a commit takes up what changed, and a bad value keeps the last good one', async (t) => {
  const daemon = await daemonOn(t, simulated);
  daemon.configure(simulated.replace("option enabled '1'", "option enabled '1'\n\toption password 'other_pass'"));
  await daemon.until('sms_gateway.module', 'list', {}, () => /changed: post_get/.test(daemon.log));
  t.equal((await get(daemon.http, 'sms_total', {})).status, 401);
  t.equal((await get(daemon.http, 'sms_total', { password: 'other_pass' })).status, 200);
  daemon.configure(simulated.replace("option enabled '1'", "option enabled 'perhaps'"));
  const { config_errors } = await daemon.until('sms_gateway', 'status', {}, (status) => {
    return Array.isArray(status.config_errors) && status.config_errors.length > 0;
  });
  t.match(config_errors, [{ section: 'post_get', option: 'enabled', line: 7 }]);
  t.equal((await get(daemon.http, 'sms_total', { password: 'other_pass' })).status, 200);
});

const skip = missingPrograms(['socat'], 'socat');

t.test('a message crosses a real pty to the simulator program and back', { skip }, async (t) => {
  const folder = testFolder(t);
  const tty = `${folder}/tty`;
  const simulator = spawn(
    process.execPath,
    ['dist/simulator.js', '--listen', 'tcp:127.0.0.1:0', '--control', 'tcp:127.0.0.1:0'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const [line, control] = await addressesOf(simulator);
  const socat = spawn('socat', [`TCP:${line}`, `PTY,link=${tty},raw,echo=0`], { stdio: 'ignore' });
  t.teardown(() => {
    socat.kill();
    simulator.kill();
  });
  for (const end = Date.now() + 60_000; !existsSync(tty); await wait(20)) {
    if (Date.now() > end) throw new Error('socat made no pty');
  }
  const daemon = new Daemon({ folder, config: simulated.replace("'sim'", `'${tty}'`) });
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.start();

  const texts = ['plain ASCII', 'Žąsis ėda grūdą, ñandú, {[€]}', 'emoji 🙂👍🏽 and 漢字', '0123456789'.repeat(100)];
  for (const text of texts) {
    const { state } = await daemon.call('sms_gateway.message', 'send', { number: '+37060000001', text, wait: 20 });
    t.match(state, /^(sent|delivered)$/);
  }
  const { sent } = (await order(control, { sent: true })) as { sent: { to: string; text: string }[] };
  t.same(
    sent.map(({ to, text }) => ({ to, text })),
    texts.map((text) => ({ to: '+37060000001', text })),
  );
  for (const text of texts) await order(control, { receive: { from: '+37062222222', text } });
  // The total counts a message whose parts are still coming, the list does not.
  const { messages } = await daemon.until('sms_gateway.message', 'list', { box: 'inbox' }, ({ messages }) => {
    return Array.isArray(messages) && messages.length === texts.length;
  });
  t.same((messages as unknown as { text: string }[]).map(({ text }) => text).sort(), [...texts].sort());
});

/** Where the simulator program listens: its line and its control socket. */
async function addressesOf(simulator: ChildProcess): Promise<readonly [string, string]> {
  if (simulator.stdout === null) throw new Error('the simulator has no output');
  let line: string | undefined;
  let control: string | undefined;
  for await (const text of createInterface({ input: simulator.stdout })) {
    line ??= /^listening on (\S+)$/.exec(text)?.[1];
    control ??= /^control on (\S+)$/.exec(text)?.[1];
    if (line !== undefined && control !== undefined) return [line, control];
  }
  throw new Error('the simulator ended');
}

/** One order on the simulator's control socket. */
async function order(address: string, request: object): Promise<unknown> {
  const [host = '', port = ''] = address.split(':');
  const peer = connect(Number(port), host);
  try {
    peer.write(`${JSON.stringify(request)}\n`);
    const [text] = await once(createInterface({ input: peer }), 'line');
    return JSON.parse(text);
  } finally {
    peer.destroy();
  }
}
