/** The command line with the whole daemon, as an operator meets it. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import t, { type Test } from 'tap';
import { Daemon, type DaemonOptions } from '../support/daemon.ts';

interface End {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(program: string, args: readonly string[]): Promise<End> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { env: { ...process.env, TZ: 'UTC' } }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, out, err });
    });
  });
}

async function running(t: Test, config: string, options: Partial<DaemonOptions> = {}) {
  const daemon = new Daemon({ folder: t.testdir(), config, ...options });
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.start();
  const smsgw = (...args: string[]) => run('dist/smsgw.js', ['--socket', daemon.socket, ...args]);
  return { daemon, smsgw };
}

t.test('a config that cannot be read ends the start with 78; one that does not parse shows its line', async (t) => {
  const folder = t.testdir();
  mkdirSync(`${folder}/config/sms_gateway`, { recursive: true });
  const args = ['--config-dir', `${folder}/config`, '--state-dir', `${folder}/state`, '--socket', `${folder}/s`];
  t.match(await run('dist/main.js', args), { code: 78, err: /config\/sms_gateway: not a regular file/ });
  const { smsgw } = await running(t, 'option without a section\n');
  t.match(await smsgw('status'), { code: 0, out: /sms_gateway:1: error: / });
});

t.test('status: the next try of a function, and which message waits longest', async (t) => {
  const taken = createServer();
  await once(taken.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => taken.close());
  const address = taken.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const smpp = `config smpp 'smpp'\n\toption enabled '1'\n\toption port '${port}'\n\toption username 'a'\n\toption password 'b'\n`;
  const { daemon, smsgw } = await running(t, smpp);
  const { modules } = await daemon.until('sms_gateway.module', 'list', {}, (answer) =>
    JSON.stringify(answer).includes('next_try'),
  );
  t.match(JSON.stringify(modules), /"name":"smpp".*"state":"failed".*"next_try":"\d{4}-/);
  t.match((await smsgw('status')).out, /^smpp +failed .*\(.*next try \d{4}-/m);
  const later = new Date(Date.now() + 86_400_000).toISOString();
  await daemon.call('sms_gateway.message', 'send', { number: '+37060000001', text: 'later', not_before: later });
  t.match((await smsgw('status')).out, /^Next: message 1 to \+37060000001, at /m);
  t.match(await smsgw('send', '+37060000002', 'now'), { code: 0, err: /Warning: no modem is configured/ });
  t.match((await smsgw('status')).out, /^Waits longest: message 2 .*: no modem is configured/m);
});

t.test('a device that is not there', async (t) => {
  const { daemon, smsgw } = await running(t, "config modem 'gsm0'\n\toption device '/dev/nowhere'\n");
  await daemon.until('sms_gateway.modem', 'list', {}, (answer) => JSON.stringify(answer).includes('no such device'));
  t.match(daemon.log, /^warning modem\.gsm0: cannot open \/dev\/nowhere: there is no such device/m);
  t.match(await smsgw('send', '+37060000002', 'now'), { err: /Warning: modem gsm0 is opening: .*no such device/ });
});
