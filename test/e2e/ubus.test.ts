import { execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import type { JsonObject } from '../../src/base/json.ts';
import { messageType } from '../../src/rpc/ubus/message.ts';
import { ScriptedUbusd, shown } from '../rpc/scripted-ubusd.ts';
import { Daemon } from '../support/daemon.ts';
import { newFolder, testFolder } from '../support/folder.ts';
import { until } from '../support/outbox-rig.ts';

const gateway = "config gateway 'gateway'\n";
const modem = "config modem 'sim0'\n\toption device 'sim'\n\toption send_interval '0'\n";
const objects = ['', '.cgi', '.message', '.modem', '.module', '.simulator'].map((name) => `sms_gateway${name}`);

function daemonOn(t: Test, path: string): Daemon {
  const daemon = new Daemon({ folder: testFolder(t), config: gateway + modem, args: ['--ubus', path] });
  t.teardown(() => daemon.stop('SIGKILL'));
  return daemon;
}

t.test('--ubus registers the objects, and takes them away at the end', async (t) => {
  const path = join(newFolder(t), 'ubus.sock');
  const ubusd = new ScriptedUbusd(path);
  await ubusd.listen();
  t.teardown(() => ubusd.stop());
  const daemon = daemonOn(t, path);
  const started = daemon.start();
  await ubusd.greet();
  for (const [i, name] of objects.entries()) await ubusd.register(name, i + 1);
  await started;
  ubusd.invoke(1, 'version', {}, { seq: 5, peer: 6 });
  t.match(shown(await ubusd.next()), { type: messageType.data, seq: 5, peer: 6, object: 1, data: { version: /\d/ } });
  t.match(shown(await ubusd.next()), { type: messageType.status, status: 0 });
  daemon.configure(gateway);
  for (let removed = 0; removed === 0; ) {
    // Events come in between.
    const message = await ubusd.next();
    ubusd.grant(message, { object: 6 });
    if (message.type === messageType.removeObject) removed = Number(shown(message)['object']);
  }
  const code = daemon.stop();
  const gone = new Set<unknown>();
  while (gone.size < objects.length - 1) {
    const message = await ubusd.next();
    ubusd.grant(message, { object: 1 });
    if (message.type === messageType.removeObject) gone.add(shown(message)['object']);
  }
  t.equal(await code, 0);
});

t.test('an option without its path', async (t) => {
  for (const option of ['--ubus', '--socket', '--state-dir', '--config-dir']) {
    const { status, stderr } = spawnSync(process.execPath, ['dist/main.js', option, ''], { encoding: 'utf8' });
    t.equal(status, 64, option);
    t.match(stderr, `${option} wants a path`);
  }
});

const programs = ['ubusd', 'ubus'].every((program) => spawnSync('which', [program]).status === 0);

t.test('the real ubusd and ubus', { skip: programs ? false : 'no ubusd and ubus here' }, async (t) => {
  const path = join(newFolder(t), 'ubus.sock');
  const startUbusd = async () => {
    const child = spawn('ubusd', ['-s', path], { stdio: 'ignore' });
    t.teardown(() => child.kill('SIGKILL'));
    await until(() => existsSync(path), 'ubusd listens');
    return child;
  };
  const run = async (...args: string[]) => (await promisify(execFile)('ubus', ['-s', path, ...args])).stdout;
  const ubus = (...args: string[]) => run('-S', ...args);
  const call = async (object: string, method: string, args: JsonObject = {}) =>
    JSON.parse(await ubus('-t', '30', 'call', object, method, JSON.stringify(args)));
  /** What the command prints, line by line. */
  const follow = (...args: string[]) => {
    const lines: string[] = [];
    const child = spawn('ubus', ['-s', path, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
    child.stdout.setEncoding('utf8').on('data', (text: string) => lines.push(...text.split('\n').filter(Boolean)));
    t.teardown(() => child.kill('SIGKILL'));
    return lines;
  };

  let ubusd = await startUbusd();
  const daemon = daemonOn(t, path);
  await daemon.start();
  await ubus('-t', '20', 'wait_for', ...objects);
  t.same((await ubus('list', 'sms_gateway*')).trim().split('\n'), objects);
  t.match(await run('-v', 'list', 'sms_gateway.message'), /"read":\{"id":"Integer","mark":"Boolean"\}/);

  const events = follow('listen', 'sms_gateway.*');
  const notifications = follow('subscribe', 'sms_gateway');
  await t.test('messages and events', async (t) => {
    await until(async () => {
      // Until both commands are listening, whenever that is.
      await daemon.call('sms_gateway.simulator', 'receive', { from: '+37060000001', text: 'hello' });
      await new Promise((resolve) => setTimeout(resolve, 50));
      return [events, notifications].every((lines) => lines.some((line) => line.includes('sms.received')));
    }, 'an event and a notification');
    const last = (lines: readonly string[]) => JSON.parse(lines.find((line) => line.includes('sms.received')) ?? '');
    t.match(last(events), { 'sms_gateway.sms.received': { number: '+37060000001', text: 'hello', box: 'inbox' } });
    t.match(last(notifications), { 'sms.received': { number: '+37060000001', text: 'hello', box: 'inbox' } });
    const text = 'žąsis 🦆 "{}"\n';
    const sent = await call('sms_gateway.message', 'send', { number: '+37060000002', text, flash: false, wait: 20 });
    t.match(sent, { state: /^(sent|delivered)$/, encoding: 'ucs2' });
    t.match(await call('sms_gateway.message', 'read', { id: sent.id }), { text, number: '+37060000002' });
    await t.rejects(ubus('call', 'sms_gateway.message', 'read', '{"id":true}'), { code: 2 });
    await t.rejects(ubus('call', 'sms_gateway.message', 'read', '{"id":999999}'), { code: 4 });
    await t.rejects(ubus('call', 'sms_gateway.message', 'nosuch'), { code: 3 });
  });

  await t.test('a restart of ubusd', async (t) => {
    ubusd.kill();
    await until(() => ubusd.exitCode !== null || ubusd.signalCode !== null, 'it is gone');
    ubusd = await startUbusd();
    await ubus('-t', '30', 'wait_for', ...objects);
    t.match(await call('sms_gateway', 'version'), { version: /\d/ });
  });
  t.equal(await daemon.stop(), 0);
  t.equal(await ubus('list'), '');
});
