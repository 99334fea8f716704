import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { JsonObject } from '../../src/base/json.ts';
import { commitPackage, loadPackage } from '../../src/config/uci-parse-lite/index.ts';
import { LineClient } from '../rpc/line-client.ts';
import { Daemon, noLimits } from '../support/daemon.ts';
import { testFolder } from '../support/folder.ts';
import { get } from '../support/form.ts';
import { numberOf, until } from '../support/outbox-rig.ts';
import { Receiver } from '../support/web-receiver.ts';

/* Commits to the config of a whole daemon at work: what a commit does not concern must not notice it. */

const ALICE = '+37061111111';
const BOSS = '+37069999999';

interface Parts {
  readonly receiver: Receiver;
  readonly reply?: string;
  readonly withSender?: boolean;
  readonly limit?: number;
  readonly more?: string;
}

const configOf = ({ receiver, reply = 'first', withSender = false, limit = 0, more = '' }: Parts) => `
config gateway 'gateway'
${noLimits}
config modem 'sim0'
	option device 'sim'
	option send_interval '0'

config sms_gateway 'forwarding_to_http'
	option enabled '1'
	option url '127.0.0.1:${receiver.port}'
	option message_name 'text'
	option id_name 'id'

config sms_gateway 'forwarding_to_sms'
	option enabled '1'
	option sender_num '${withSender ? 1 : 0}'
	option max_per_hour '${limit}'
	list number '${BOSS}'

config status 'auto_reply'
	option enabled '1'
	option msg '${reply}'
${more}`;

async function daemonOn(t: Test, config: string): Promise<Daemon> {
  const daemon = new Daemon({ folder: testFolder(t), config });
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.start();
  return daemon;
}

/** Changes options as `uci set` and `uci commit` do. */
async function commit(daemon: Daemon, ...changes: readonly [section: string, option: string, value: string][]) {
  const uci = await loadPackage(`${daemon.folder}/config`, 'sms_gateway');
  if (uci === undefined) throw new Error('there is no config');
  for (const change of changes) uci.set(...change);
  await commitPackage(`${daemon.folder}/config`, uci);
}

type Modules = Readonly<Record<string, JsonObject>>;

async function modulesOf(daemon: Daemon): Promise<Modules> {
  const { modules } = await daemon.call('sms_gateway.module', 'list');
  return Object.fromEntries((modules as readonly JsonObject[]).map((module) => [`${module.name}`, module]));
}

/** Waits until the module runs since another time than before. */
async function restarted(daemon: Daemon, name: string, before: Modules): Promise<void> {
  await daemon.until('sms_gateway.module', 'status', { module: name }, ({ state, since }) => {
    return state === 'running' && since !== before[name]?.since;
  });
}

const receive = (daemon: Daemon, text: string, from = ALICE) =>
  daemon.call('sms_gateway.simulator', 'receive', { modem: 'sim0', from, text });

async function sent(daemon: Daemon, count: number): Promise<readonly string[]> {
  const args = { modem: 'sim0', limit: 1000 };
  const { messages } = await daemon.until('sms_gateway.simulator', 'sent', args, ({ messages }) => {
    return Array.isArray(messages) && messages.length >= count;
  });
  return (messages as unknown as readonly { to: string; text: string }[]).map(({ to, text }) => `${to} ${text}`);
}

const faults = (daemon: Daemon, count: number) =>
  daemon.until('sms_gateway', 'status', {}, ({ config_errors }) => {
    return Array.isArray(config_errors) && config_errors.length === count;
  });

t.test('what a commit does not concern goes on: a slow forwarding, a long request, a subscriber', async (t) => {
  const receiver = await Receiver.open(t);
  const held: (() => void)[] = [];
  receiver.answer = (_, response) => void held.push(() => response.end());
  const more = `
config modem 'away'
	option device '/dev/does-not-exist'
	option send_interval '0'

config post_get 'post_get'
	option enabled '1'
	option factory_sends '1'
	option modem 'away'
	option send_timeout '50'
`;
  const daemon = await daemonOn(t, configOf({ receiver, more }));
  const subscriber = new LineClient(daemon.socket);
  t.teardown(() => subscriber.socket.destroy());
  subscriber.send({ jsonrpc: '2.0', id: 1, method: 'subscribe', params: ['config.changed'] });
  t.match(await subscriber.read(), { result: { patterns: ['config.changed'] } });

  await receive(daemon, 'slow');
  await until(() => held.length === 1, 'the forwarding is under way');
  t.same((await sent(daemon, 2)).toSorted(), [`${ALICE} first`, `${BOSS} slow`].toSorted());
  const answer = get(daemon.http, 'sms_send', { number: '0037060000001', text: 'long' });
  await daemon.until('sms_gateway', 'status', {}, ({ queue }) => (queue as JsonObject).queued === 1);

  const before = await modulesOf(daemon);
  await commit(daemon, ['auto_reply', 'msg', 'second']);
  await restarted(daemon, 'auto_reply', before);
  daemon.configure(configOf({ receiver, reply: 'second', withSender: true, more }));
  await restarted(daemon, 'forwarding_to_sms', before);
  for (const section of ['auto_reply', 'forwarding_to_sms']) {
    t.match(await subscriber.read(), { method: 'event', params: ['config.changed', { sections: [section] }] });
  }

  const after = await modulesOf(daemon);
  for (const name of ['post_get', 'forwarding_to_http']) t.same(after[name], before[name], name);
  t.match(after.forwarding_to_http, { pending: 1, counters: { forwarded: 0 } });
  t.equal(receiver.seen.length, 1);
  t.equal(receiver.connections.size, 1);
  held[0]?.();
  await daemon.until('sms_gateway.module', 'status', { module: 'forwarding_to_http' }, ({ pending }) => pending === 0);
  t.equal(receiver.seen.length, 1, 'it was asked once');

  await commit(daemon, ['away', 'device', 'sim']);
  t.same(await answer, { status: 200, body: 'OK\n' }, 'the request was answered when its modem came');
  t.match(await subscriber.read(), { params: ['config.changed', { sections: ['modem.away'] }] });
  t.match((await modulesOf(daemon)).post_get, { since: before.post_get?.since });
  receiver.answer = (_, response) => response.end();
  await receive(daemon, 'now', numberOf(2));
  t.same(
    (await sent(daemon, 4)).slice(2).toSorted(),
    [`${numberOf(2)} second`, `${BOSS} now\nfrom: ${numberOf(2)}`].toSorted(),
    'what was committed is in force',
  );
});

t.test('no message is lost or doubled by commits while they arrive', async (t) => {
  const receiver = await Receiver.open(t);
  const daemon = await daemonOn(t, configOf({ receiver }));
  const before = await modulesOf(daemon);
  const count = 80;
  const senders = Array.from({ length: count }, (_, i) => numberOf(i));
  const replies = new Set(['first']);
  for (const [i, sender] of senders.entries()) {
    await receive(daemon, `message ${i}`, sender);
    if (i % 4 !== 0) continue;
    const reply = `reply ${i}`;
    replies.add(reply);
    if (i % 8 === 0) {
      await commit(daemon, ['auto_reply', 'msg', reply], ['forwarding_to_sms', 'max_per_hour', `${1000 + i}`]);
    } else daemon.configure(configOf({ receiver, reply, limit: 1000 + i }));
    // A commit and those close to it count as one: this long a pause makes them many, with messages in between.
    await new Promise((resolve) => setTimeout(resolve, 120));
  }
  const texts = await sent(daemon, 2 * count);
  t.same(
    texts.filter((text) => text.startsWith(BOSS)).toSorted(),
    senders.map((_, i) => `${BOSS} message ${i}`).toSorted(),
    'each is forwarded once by a module that restarts all the time',
  );
  const answers = texts.filter((text) => !text.startsWith(BOSS)).map((text) => /^(\+\d+) (.*)$/.exec(text)?.slice(1));
  t.same(answers.map((answer) => answer?.[0]).toSorted(), senders.toSorted(), 'each is answered once');
  t.ok(answers.every((answer) => replies.has(answer?.[1] ?? '')));
  await until(() => receiver.seen.length >= count, 'the web server has them');
  t.same(
    receiver.seen.map(({ url }) => new URLSearchParams(url.slice(2)).get('text')),
    senders.map((_, i) => `message ${i}`),
    'in order, and never twice, by one that does not',
  );
  const after = await modulesOf(daemon);
  t.same(after.forwarding_to_http?.since, before.forwarding_to_http?.since);
  const restarts = daemon.log.match(/module\.forwarding_to_sms: started/g) ?? [];
  t.ok(restarts.length >= 5, `${restarts.length} restarts`);
  t.notMatch(daemon.log, /^error/m);
});

t.test('a bad value keeps the last good config of its own module only', async (t) => {
  const receiver = await Receiver.open(t);
  const daemon = await daemonOn(t, configOf({ receiver }));
  const before = await modulesOf(daemon);
  await commit(
    daemon,
    ['auto_reply', 'msg', 'not taken up'],
    ['auto_reply', 'mode', 'perhaps'],
    ['forwarding_to_sms', 'sender_num', '1'],
  );
  const { config_errors } = await faults(daemon, 1);
  t.match(config_errors, [{ section: 'auto_reply', option: 'mode', severity: 'error', line: /^\d+$/ }]);
  await restarted(daemon, 'forwarding_to_sms', before);
  t.equal((await modulesOf(daemon)).auto_reply?.since, before.auto_reply?.since);
  await receive(daemon, 'one');
  t.same((await sent(daemon, 2)).toSorted(), [`${ALICE} first`, `${BOSS} one\nfrom: ${ALICE}`].toSorted());

  daemon.configure(`${configOf({ receiver, reply: 'broken' })}\nconfig 'unfinished\n`);
  await daemon.until('sms_gateway', 'status', {}, ({ config_errors }) => {
    return /unterminated/.test(JSON.stringify(config_errors));
  });
  await receive(daemon, 'two', numberOf(2));
  t.same(
    (await sent(daemon, 4)).slice(2).toSorted(),
    [`${numberOf(2)} first`, `${BOSS} two\nfrom: ${numberOf(2)}`].toSorted(),
    'a file that does not parse changes nothing',
  );

  daemon.configure(configOf({ receiver, reply: 'good again' }));
  await faults(daemon, 0);
  await restarted(daemon, 'auto_reply', before);
  await receive(daemon, 'three', numberOf(3));
  t.same((await sent(daemon, 6)).slice(4).toSorted(), [`${BOSS} three`, `${numberOf(3)} good again`].toSorted());
  t.equal((await modulesOf(daemon)).forwarding_to_http?.since, before.forwarding_to_http?.since);
});

t.test('modules over RPC: list, status, restart, test', async (t) => {
  const receiver = await Receiver.open(t);
  const daemon = await daemonOn(t, configOf({ receiver }));
  const before = await modulesOf(daemon);
  for (const name of ['forwarding_to_http', 'forwarding_to_sms', 'auto_reply']) {
    t.match(before[name], { enabled: true, state: 'running', since: /^\d{4}-.*Z$/, pending: 0, counters: Object });
  }
  t.match(before.pop3, { enabled: false, state: 'disabled', pending: 0 });
  const call = (method: string, module: string) => daemon.call('sms_gateway.module', method, { module });

  t.match(await call('restart', 'forwarding_to_sms'), { name: 'forwarding_to_sms', state: 'running' });
  const after = await modulesOf(daemon);
  t.not(after.forwarding_to_sms?.since, before.forwarding_to_sms?.since);
  t.equal(after.auto_reply?.since, before.auto_reply?.since);
  t.match(await call('status', 'forwarding_to_http'), { state: 'running', details: {} });

  t.match(await call('test', 'forwarding_to_http'), { message: /^127\.0\.0\.1:\d+ answered 200 after \d+ ms$/ });
  t.equal(receiver.seen.length, 1, 'one real request');
  receiver.statuses(403);
  await t.rejects(call('test', 'forwarding_to_http'), { code: 'peer_rejected', message: /answered 403/ });
  await t.rejects(call('test', 'auto_reply'), { code: 'not_supported' });
  await t.rejects(call('test', 'pop3'), { code: 'module_unavailable' });
  await t.rejects(call('restart', 'pop3'), { code: 'module_unavailable' });
  for (const method of ['status', 'restart', 'test']) {
    await t.rejects(call(method, 'no_such'), { code: 'module_not_found' });
  }

  await commit(daemon, ['forwarding_to_http', 'ca_file', '/does/not/exist.pem']);
  const failed = await daemon.until('sms_gateway.module', 'status', { module: 'forwarding_to_http' }, ({ state }) => {
    return state === 'failed';
  });
  t.match(failed, { enabled: true, error: /ca_file/ });
  await receive(daemon, 'kept for later');
  await daemon.until('sms_gateway.module', 'status', { module: 'forwarding_to_http' }, ({ pending }) => pending === 1);
  await commit(daemon, ['forwarding_to_http', 'ca_file', '']);
  await until(() => receiver.seen.length === 3, 'it is forwarded when the module runs again');
});

t.test('by reload and SIGHUP, where the watch sees nothing', async (t) => {
  const receiver = await Receiver.open(t);
  const daemon = await daemonOn(t, configOf({ receiver }));
  const before = await modulesOf(daemon);
  // The config is a link to a file elsewhere, which changes there.
  const elsewhere = `${daemon.folder}/elsewhere`;
  mkdirSync(elsewhere);
  const put = (reply: string) => {
    writeFileSync(`${elsewhere}/new`, configOf({ receiver, reply }));
    renameSync(`${elsewhere}/new`, `${elsewhere}/sms_gateway`);
  };
  put('first');
  symlinkSync(`${elsewhere}/sms_gateway`, `${daemon.folder}/config/.link`);
  renameSync(`${daemon.folder}/config/.link`, `${daemon.folder}/config/sms_gateway`);
  t.match(await daemon.call('sms_gateway', 'reload'), { sections: [], config_errors: [] });
  put('by call');
  t.match(await daemon.call('sms_gateway', 'reload'), { sections: ['auto_reply'] });
  const between = await modulesOf(daemon);
  t.not(between.auto_reply?.since, before.auto_reply?.since);
  put('by signal');
  if (daemon.pid !== undefined) process.kill(daemon.pid, 'SIGHUP');
  await restarted(daemon, 'auto_reply', between);
  await receive(daemon, 'hello');
  t.same((await sent(daemon, 2)).toSorted(), [`${ALICE} by signal`, `${BOSS} hello`].toSorted());
  t.equal(await daemon.stop(), 0);
});
