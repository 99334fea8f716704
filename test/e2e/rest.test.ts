import { execFileSync } from 'node:child_process';
import t from 'tap';
import type { JsonObject } from '../../src/base/json.ts';
import { Daemon } from '../support/daemon.ts';
import { testFolder } from '../support/folder.ts';

const config = `
config modem 'sim0'
	option device 'sim'
	option send_interval '0'
`;

t.test('a token made on the command line sends over HTTP until it is removed', async (t) => {
  const folder = testFolder(t);
  const daemon = new Daemon({ folder, config });
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.start();
  const smsgw = (...args: readonly string[]) =>
    execFileSync(process.execPath, ['dist/smsgw.js', 'token', ...args, '--config-dir', `${folder}/config`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  const token = smsgw('create', 'backup');
  const post = (path: string, body: JsonObject) =>
    fetch(`${daemon.http}${path}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
  const message = { number: '+37060000001', text: 'backup failed', client_ref: 'r', wait: 30 };
  // The daemon sees the change of the file by itself, a moment later.
  let answer = await post('/api/v1/messages', message);
  for (const end = Date.now() + 60_000; answer.status === 401 && Date.now() < end; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    answer = await post('/api/v1/messages', message);
    // So many wrong ones lock out, and a right one still gets in.
    if (answer.status === 429) answer = new Response(null, { status: 401 });
  }
  t.match([answer.status, await answer.json()], [201, { id: 1, state: /^(?:sent|delivered)$/ }]);
  t.match((await daemon.call('sms_gateway.message', 'status', { id: 1 }))['source'], 'token:backup');
  t.equal((await fetch(`${daemon.http}/api/v1/openapi.json`)).status, 200);
  t.equal((await post('/api/v1/alerts/grafana?number=112', { alerts: [{ status: 'firing' }] })).status, 201);
  t.notOk(daemon.log.includes(token), 'no secret in the log');
  await daemon.stop();
  smsgw('remove', 'backup');
  await daemon.start();
  t.equal((await post('/api/v1/messages', message)).status, 401);
  t.equal(await daemon.stop(), 0);
});
