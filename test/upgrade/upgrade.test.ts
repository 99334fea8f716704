/**
 * State and config of every released version, as `npm run fixtures` wrote them, in the gateway of today; and what the future
 * wrote.
 */
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import type { JsonObject } from '../../src/base/json.ts';
import { version } from '../../src/base/version.ts';
import { Gateway } from '../../src/gateway.ts';
import { currentFormat, encodeHeader } from '../../src/store/journal/format.ts';
import { Daemon } from '../support/daemon.ts';
import { newFolder } from '../support/folder.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { shownBy } from './shown.ts';

const here = new URL('.', import.meta.url).pathname;
const versions = readdirSync(here).filter((name) => /^\d+\.\d+\.\d+$/.test(name));

t.test('the version that is released next has its fixture', async (t) => {
  t.ok(versions.includes(version), `npm run fixtures writes test/upgrade/${version}`);
});

for (const released of versions) {
  t.test(`state and config of ${released}`, async (t) => {
    const folder = newFolder(t);
    mkdirSync(`${folder}/config`);
    mkdirSync(`${folder}/state`, { mode: 0o700 });
    const from = join(here, released);
    copyFileSync(`${from}/config`, `${folder}/config/sms_gateway`);
    copyFileSync(`${from}/journal`, `${folder}/state/journal`);
    for (const file of ['config/sms_gateway', 'state/journal']) chmodSync(`${folder}/${file}`, 0o600);
    const { now, ...shown } = JSON.parse(readFileSync(`${from}/shown.json`, 'utf8'));
    // On the day on which it was written: in real time its messages have expired, and no modem comes up.
    const clock = new ManualClock(now);
    const lines: string[] = [];
    const socket = join(tmpdir(), `smsgw-upgrade-${process.pid}.sock`);
    const options = {
      configDirectory: `${folder}/config`,
      stateDirectory: `${folder}/state`,
      socket,
      pagesDirectory: `${folder}/www`,
    };
    const sink = { level: 'info', write: (line: string) => void lines.push(line) } as const;
    const gateway = await Gateway.start(options, { sink: { ...sink }, clock }, new AbortController().signal);
    t.teardown(async () => {
      let stopped = false;
      const done = gateway.stop().then(() => {
        stopped = true;
      });
      while (!stopped) await clock.advance(1_000);
      await done;
    });
    const call = async (object: string, method: string, args: JsonObject = {}): Promise<JsonObject> => {
      const peer = connect(socket);
      peer.end(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'call', params: [object, method, args] })}\n`);
      return JSON.parse(await text(peer)).result;
    };
    t.same(await shownBy(call), shown);
    const { config_errors, store } = await call('sms_gateway', 'status');
    t.same(config_errors, [], 'every option is known');
    t.match(store, { journal: { damaged: 0, torn: 0 } });
    t.same(
      lines.filter((line) => /^error|store: .*(?:damaged|applied)/.test(line)),
      [],
    );
  });
}

t.test('a journal of the version after this one is refused untouched', async (t) => {
  const folder = newFolder(t);
  const daemon = new Daemon({ folder, config: '' });
  await daemon.start();
  await daemon.call('sms_gateway.message', 'send', { number: '+37060000001', text: 'hello' });
  await daemon.stop();
  const path = `${folder}/state/journal`;
  const lines = readFileSync(path).subarray(encodeHeader(currentFormat, 0).length);
  const next = { ...currentFormat, version: currentFormat.version + 1 };
  const newer = Buffer.concat([encodeHeader(next, 1), lines]);
  writeFileSync(path, newer);
  await t.rejects(daemon.start(), /ended with 74/);
  const said = new RegExp(`the journal is of version ${next.version}, .* reads up to ${currentFormat.version}`);
  t.match(daemon.complaints, said);
  t.match(daemon.complaints, `install the version that wrote it again, or move ${path} away`, 'it says what to do');
  t.same(readFileSync(path), newer);
  t.same(readdirSync(`${folder}/state`), ['journal']);
});

t.test('a config of a later version loads, with a warning for what is not known', async (t) => {
  const config = `
config gateway 'gateway'
	option log_level 'info'
	option telepathy '1'

config post_get 'post_get'
	option enabled '1'
	option colour 'green'

config teleport 'new_function'
	option enabled '1'
`;
  const daemon = new Daemon({ folder: newFolder(t), config });
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.start();
  const { config_errors } = await daemon.call('sms_gateway', 'status');
  for (const name of ['telepathy', 'colour', 'teleport']) t.match(JSON.stringify(config_errors), name);
  const { modules } = await daemon.call('sms_gateway.module', 'list');
  t.match(modules, [{ name: 'post_get', enabled: true, state: 'running' }], 'what is known works');
  t.equal(await daemon.stop(), 0);
});
