import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Daemon } from '../support/daemon.ts';
import { newFolder } from '../support/folder.ts';
import { Receiver } from '../support/web-receiver.ts';

const modem = "config modem 'gsm0'\n\toption device 'sim'\n\toption send_interval '0'\n\n";

/** A daemon with a program of its own, which the text is the script of; `$HERE` is its folder. */
async function start(t: Test, script: string, config: (program: string) => string): Promise<Daemon> {
  const folder = newFolder(t);
  const program = `${folder}/program`;
  writeFileSync(program, `#!/bin/sh\nHERE='${folder}'\n${script}\n`);
  chmodSync(program, 0o755);
  const daemon = new Daemon({ folder, config: modem + config(program) });
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.start();
  return daemon;
}

/** Waits 60 s at most. */
async function until(done: () => boolean, what: string): Promise<void> {
  for (const deadline = Date.now() + 60_000; !done(); await wait(20)) {
    if (Date.now() > deadline) throw new Error(`waited 60 s for ${what}`);
  }
}

const lines = (daemon: Daemon, file = 'seen') =>
  existsSync(`${daemon.folder}/${file}`) ? readFileSync(`${daemon.folder}/${file}`, 'utf8').trimEnd().split('\n') : [];
const receive = (daemon: Daemon, text: string) =>
  daemon.call('sms_gateway.simulator', 'receive', { from: '+37060000001', text });

t.test('a daemon that is killed while a program runs runs it again', { timeout: 300_000 }, async (t) => {
  const script =
    'echo "$SMSGW_ID $SMSGW_TEXT" >>"$HERE/seen"; [ -e "$HERE/good" ] || { echo $$ >"$HERE/pid"; exec sleep 600; }';
  const daemon = await start(t, script, (path) => `config hook 'mine'\n\tlist argv '${path}'\n`);
  await receive(daemon, 'one');
  await until(() => lines(daemon).length === 1 && lines(daemon, 'pid').length === 1, 'the program runs');
  await receive(daemon, 'two');
  await daemon.until('sms_gateway.message', 'total', {}, ({ used }) => used === 2);
  await daemon.stop('SIGKILL');
  process.kill(Number(lines(daemon, 'pid')[0]));
  writeFileSync(`${daemon.folder}/good`, '');
  await daemon.start();
  await until(() => lines(daemon).length === 3, 'both are made');
  t.same(lines(daemon), ['1 one', '1 one', '2 two']);
});

t.test(
  'a stop ends the program with what it has started, and the next start runs it again',
  { timeout: 300_000 },
  async (t) => {
    const script =
      'echo "$SMSGW_ATTEMPT" >>"$HERE/seen"; [ -e "$HERE/good" ] || { sleep 600 & echo $! >"$HERE/pid"; wait; }';
    const daemon = await start(t, script, (path) => `config hook 'mine'\n\tlist argv '${path}'\n`);
    await receive(daemon, 'one');
    await until(() => lines(daemon, 'pid').length === 1, 'the program runs');
    t.equal(await daemon.stop(), 0);
    const child = `/proc/${lines(daemon, 'pid')[0]}/status`;
    await until(() => !existsSync(child) || /^State:\s*Z/m.test(readFileSync(child, 'utf8')), 'its child is gone');
    writeFileSync(`${daemon.folder}/good`, '');
    await daemon.start();
    await until(() => lines(daemon).length === 2, 'it runs again');
    t.same(lines(daemon), ['1', '1'], 'to be stopped is no failed try');
  },
);

t.test(
  'states of the modem, calls and outcomes reach a hook and a webhook; both can be tested',
  { timeout: 300_000 },
  async (t) => {
    const receiver = await Receiver.open(t);
    const events = ['sms.received', 'sms.sent', 'modem.state'].map((event) => `\tlist event '${event}'\n`).join('');
    const daemon = await start(
      t,
      'cat >>"$HERE/seen"',
      (path) =>
        `config hook 'mine'\n\tlist argv '${path}'\n${events}\nconfig webhook 'server'\n\toption url '127.0.0.1:${receiver.port}'\n${events}`,
    );
    await daemon.until('sms_gateway.modem', 'list', {}, ({ modems }) => JSON.stringify(modems).includes('"ready"'));
    await daemon.call('sms_gateway.message', 'send', { number: '+37060000002', text: 'out' });
    await receive(daemon, 'in');
    await until(() => lines(daemon).length === 3 && receiver.seen.length === 3, 'three events each');
    const kinds = (texts: readonly string[]) =>
      texts
        .map((text) => JSON.parse(text) as { event: string; text?: string; state: string })
        .map(({ event, text, state }) => `${event} ${text ?? state}`)
        .sort();
    const wanted = ['modem.state ready', 'sms.received in', 'sms.sent out'];
    t.same(kinds(lines(daemon)), wanted);
    t.same(kinds(receiver.seen.map(({ body }) => body)), wanted);
    t.match(await daemon.call('sms_gateway.module', 'test', { module: 'hooks' }), { message: 'hook mine: done' });
    t.match(await daemon.call('sms_gateway.module', 'test', { module: 'webhooks' }), { message: /answered 200/ });
    t.same(kinds(lines(daemon)).at(-1), 'test Test of the SMS gateway');
  },
);
