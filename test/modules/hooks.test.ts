import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { distrust } from '../../src/system/trusted-program.ts';
import { newFolder } from '../support/folder.ts';
import { ModuleRig } from '../support/module-rig.ts';
import { numberOf, until } from '../support/outbox-rig.ts';
import { refused } from '../support/scripted-sender.ts';

const ALICE = '+37060000001';
const BOB = '+37060000002';

type Options = Readonly<Record<string, string | readonly string[]>>;

function hook(name: string, argv: readonly string[], options: Options = {}): string {
  const lines = Object.entries({ argv, ...options }).flatMap(([option, value]) =>
    typeof value === 'string' ? [`option ${option} '${value}'`] : value.map((item) => `list ${option} '${item}'`),
  );
  return `config hook '${name}'\n${lines.map((line) => `\t${line}\n`).join('')}\n`;
}

/** Every event, for hooks that want all. */
const all = ['sms.received', 'sms.sent', 'sms.delivered', 'sms.failed', 'modem.state', 'call.incoming'];

/** A program in the folder. What it knows as `$HERE` is the folder. */
function program(folder: string, text: string, name = 'program'): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\nHERE='${folder}'\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

function shipped(folder: string, name: string): string {
  const path = join(folder, name);
  copyFileSync(join(import.meta.dirname, 'hook-scripts', name), path);
  chmodSync(path, 0o755);
  return path;
}

async function open(t: Test, folder: string, config: string): Promise<ModuleRig> {
  const rig = await ModuleRig.open(folder, { config });
  t.teardown(() => rig.close());
  return rig;
}

const seen = (folder: string, file = 'seen'): readonly string[] =>
  existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8').trimEnd().split('\n') : [];
const sees = (folder: string, count: number, file = 'seen') =>
  until(() => seen(folder, file).length >= count && seen(folder, file)[0] !== '', `${count} lines in ${file}`);
const pending = (rig: ModuleRig) => rig.store.deliveries.pending('hooks');
const submit = (rig: ModuleRig, n: number, text = `text ${n}`) =>
  rig.store.outbox.submit({
    ...{ number: numberOf(n), source: 'test', report: true },
    content: { type: 'text', text },
  });
const logged = (rig: ModuleRig, pattern: RegExp) =>
  until(() => rig.log.some((line) => pattern.test(line)), `${pattern}`);
const modem = (state: 'ready' | 'no_sim', error?: string) => ({
  ...{ name: 'gsm0', state, since: 0, device: 'x', sent: 0, received: 0, errors: 0, reopened: 0 },
  ...(error !== undefined && { error }),
});

t.test('the event is JSON on stdin, and variables under the same names', async (t) => {
  const folder = newFolder(t);
  const path = program(folder, 'cat >>"$HERE/json"\nenv >"$HERE/env"\npwd >"$HERE/seen"\necho "$@" >>"$HERE/seen"');
  const rig = await open(t, folder, hook('mine', [path, 'one two', '$(id); `id`']));
  const text = 'Žąsis "says" $(reboot)\n`x` 😀';
  await rig.receive(ALICE, text);
  await rig.handled('hooks');
  t.same(seen(folder), ['/', 'one two $(id); `id`']);
  const json = readFileSync(`${folder}/json`, 'utf8');
  t.ok(json.endsWith('}\n'));
  const event = JSON.parse(json);
  t.match(event, {
    ...{ version: 1, event: 'sms.received', event_id: 'sms.received.1', modem: 'gsm0', id: 1, number: ALICE, text },
    ...{ state: 'unread', parts: 1, encoding: 'ucs2', time: /^20\d\d-.*Z$/, message_time: /^20\d\d-.*Z$/ },
  });
  const env = readFileSync(`${folder}/env`, 'utf8');
  t.match(env, `SMSGW_TEXT=${text}\n`);
  t.match(env, 'SMSGW_EVENT=sms.received\n');
  t.match(env, 'SMSGW_ATTEMPT=1\n');
  t.match(env, 'PATH=/usr/sbin:/usr/bin:/sbin:/bin\n');
  t.notMatch(env, /^HOME=/m, 'the environment of the gateway stays its own');
  t.match(rig.modules.status('hooks').counters, { run: 1, failed: 0, rejected: 0 });
});

t.test("an eventhandler of smsd gets smsd's arguments and file", async (t) => {
  const folder = newFolder(t);
  const path = shipped(folder, 'smsd-eventhandler');
  const rig = await open(t, folder, hook('smsd', [path], { event: all, style: 'smsd' }));
  await rig.receive(ALICE, 'first line\n\nthird: line ü');
  await sees(folder, 3);
  const [head = '', ...rest] = seen(folder);
  t.match(head, /^RECEIVED\|37060000001\|\d\d-\d\d-\d\d \d\d:\d\d:\d\d\|gsm0\|first line$/);
  t.same(rest, ['', 'third: line ü']);
  await submit(rig, 2, 'Hello');
  await sees(folder, 4);
  await rig.store.outbox.report({ modem: 'gsm0', mr: 0, number: numberOf(2), status: 0, discharged: 0 });
  await sees(folder, 5);
  rig.modem.will(refused);
  await submit(rig, 3, 'Lost');
  await sees(folder, 6);
  rig.bus.emit('call.incoming', { modem: 'gsm0', number: BOB });
  await sees(folder, 7);
  rig.bus.emit('modem.state', modem('no_sim', 'the tray is empty'));
  await sees(folder, 8);
  const number = (n: number) => numberOf(n).slice(1);
  t.match(seen(folder).slice(3), [
    `SENT|${number(2)}|2|Hello`,
    `REPORT|${number(2)}|2`,
    new RegExp(`^FAILED\\|${number(3)}\\|.*unassigned number.*\\|Lost$`),
    'CALL|37060000002|missed',
    /^ALARM \d{4}-\d\d-\d\d \d\d:\d\d:\d\d 1 gsm0 modem gsm0 is no_sim: the tray is empty$/,
  ]);
  await rig.handled('hooks');
});

t.test('the file of a message is private, and gone afterwards', async (t) => {
  const folder = newFolder(t);
  const path = program(
    folder,
    'ls -l "$2" >"$HERE/seen"; ls -ld "$(dirname "$2")" >>"$HERE/seen"; echo "$2" >>"$HERE/seen"; cat "$2" >>"$HERE/seen"',
  );
  const rig = await open(t, folder, hook('smsd', [path], { style: 'smsd' }));
  await rig.receive('a\nTo: x', 'From: forged', { alphanumeric: true });
  await rig.handled('hooks');
  const [file = '', directory = '', name = ''] = seen(folder);
  t.match(file, /^-rw-------/);
  t.ok(seen(folder).includes('From: a\\u000aTo: x'), 'a name makes no header line');
  t.match(directory, /^drwx------/);
  t.match(name, /\/gsm0\.1$/);
  t.notOk(existsSync(name));
  t.notOk(existsSync(join(name, '..')));
});

t.test("a RunOnReceive script of gammu-smsd gets gammu's variables", async (t) => {
  const folder = newFolder(t);
  const rig = await open(t, folder, hook('gammu', [shipped(folder, 'gammu-receive')], { style: 'gammu' }));
  await rig.receive(ALICE, 'temp $(x) "5"');
  await rig.receive(BOB, 'flash', { flash: true });
  await rig.receive(BOB, '', { binary: { dcs: 4, data: Uint8Array.of(1, 2, 255) } });
  await rig.handled('hooks');
  t.same(seen(folder), [
    `${ALICE} temp $(x) "5"`,
    'gsm0 -1 temp $(x) "5"',
    `${BOB} flash`,
    'gsm0 0 flash',
    `${BOB} `,
    'no decoded parts, ids 3',
  ]);
});

t.test('exit code 75 and a signal: run again later, also after a crash, in order', async (t) => {
  for (const end of ['exit 75', 'kill -9 $$']) {
    const folder = newFolder(t);
    const path = program(folder, `echo "$SMSGW_TEXT $SMSGW_ATTEMPT" >>"$HERE/seen"; [ -e "$HERE/good" ] || ${end}`);
    const rig = await ModuleRig.open(folder, { config: hook('mine', [path]) });
    await rig.receive(ALICE, 'one');
    await logged(rig, /message 1 to mine failed, again in/);
    await rig.receive(ALICE, 'two');
    await until(() => pending(rig) === 2, 'both wait');
    t.same(seen(folder), ['one 1'], end);
    t.match(rig.modules.status('hooks').error, end === 'exit 75' ? 'exit code 75' : 'killed');
    writeFileSync(`${folder}/good`, '');
    const after = await rig.crash();
    t.teardown(() => after.close());
    after.deliveriesTakeNoTime();
    await after.clock.advance(60_000);
    await after.handled('hooks');
    t.same(seen(folder), ['one 1', 'one 2', 'two 1'], end);
  }
});

t.test('another exit code is final after some attempts', async (t) => {
  const folder = newFolder(t);
  const path = program(folder, 'echo "$SMSGW_ATTEMPT" >>"$HERE/seen"; echo "no such room" >&2; exit 3');
  const rig = await open(t, folder, hook('mine', [path], { attempts: '2' }));
  await rig.receive(ALICE, 'one');
  await sees(folder, 1);
  await logged(rig, /failed, again in/);
  rig.deliveriesTakeNoTime();
  await rig.clock.advance(60_000);
  await rig.handled('hooks');
  t.same(seen(folder), ['1', '2']);
  t.ok(rig.log.some((line) => /message 1 to mine rejected: exit code 3, 2 times/.test(line)));
  t.ok(rig.log.some((line) => /hook mine: no such room/.test(line)));
  t.match(rig.modules.status('hooks').counters, { run: 0, failed: 1, rejected: 1 });
  t.match(rig.modules.status('hooks').details, {
    hooks: [{ section: 'mine', program: path, last_result: 'exit code 3' }],
  });
});

t.test('a program that hangs is killed with what it has started', async (t) => {
  const folder = newFolder(t);
  const path = program(folder, 'sleep 600 & echo $! >>"$HERE/seen"; echo $$ >>"$HERE/seen"; wait');
  const rig = await open(t, folder, hook('mine', [path], { timeout: '7', retry_hours: '0' }));
  await rig.receive(ALICE, 'one');
  await sees(folder, 2);
  await until(() => rig.clock.waits(7_000), 'the deadline is set');
  await rig.clock.advance(7_000);
  await until(() => seen(folder).every((pid) => !isAlive(Number(pid))), 'both are gone');
  await rig.clock.advance(2_000);
  await logged(rig, /killed after 7 s/);
});

function isAlive(pid: number): boolean {
  try {
    // A process that has ended and was not waited for is a zombie.
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

t.test('a program that leaves a child behind is done, and its child lives on', async (t) => {
  const folder = newFolder(t);
  const path = program(folder, 'sleep 600 & echo $! >"$HERE/seen"; exit 0');
  const rig = await open(t, folder, hook('mine', [path]));
  await rig.receive(ALICE, 'one');
  await sees(folder, 1);
  const child = Number(seen(folder)[0]);
  t.teardown(() => process.kill(child));
  await until(async () => {
    await rig.clock.advance(600);
    return pending(rig) === 0;
  }, 'the delivery is over');
  t.ok(isAlive(child));
});

t.test('of a megabyte of output the log gets some lines, and no control characters', async (t) => {
  const folder = newFolder(t);
  const path = program(folder, `printf '\\033[2Jevil\\n'; head -c 1000000 /dev/zero | tr '\\0' 'x' | fold -w 100`);
  const rig = await open(t, folder, hook('mine', [path]));
  await rig.receive(ALICE, 'one');
  await rig.handled('hooks');
  const lines = rig.log.filter((line) => /hook mine: /.test(line));
  t.equal(lines.length, 21);
  t.match(lines[0], '\\u001b[2Jevil');
  t.match(lines.at(-1), /and \d+ lines or more/);
  t.ok(rig.log.join('').length < 20_000);
});

t.test('a program that reads nothing, and a very long message', async (t) => {
  const folder = newFolder(t);
  const path = program(folder, 'exec <&-; printf %s "$SMSGW_TEXT" | wc -c >"$HERE/seen"');
  const rig = await open(t, folder, hook('mine', [path]));
  await rig.receive(ALICE, 'ü'.repeat(10_000));
  await rig.handled('hooks');
  t.same(
    seen(folder).map((line) => line.trim()),
    ['20000'],
  );
});

t.test('never two programs at once', async (t) => {
  const folder = newFolder(t);
  const text =
    'mkdir "$HERE/lock" 2>/dev/null || echo "two" >>"$HERE/clash"; sleep 0.1; rmdir "$HERE/lock"; echo done >>"$HERE/seen"';
  const path = program(folder, text);
  const rig = await open(t, folder, hook('a', [path]) + hook('b', [path]));
  for (const each of ['1', '2', '3']) await rig.receive(ALICE, each);
  await rig.handled('hooks');
  t.equal(seen(folder).length, 6);
  t.notOk(existsSync(`${folder}/clash`));
});

t.test('filters', async (t) => {
  const folder = newFolder(t);
  const path = program(folder, 'echo "$1 $SMSGW_EVENT $SMSGW_NUMBER $SMSGW_TEXT" >>"$HERE/seen"');
  const of = (name: string, options: Options) => hook(name, [path, name], options);
  const rule = `config rule 'r'\n\toption enabled '1'\n\toption smstext 'status'\n\toption action 'send_status'\n\toption authorisation 'no'\n\n`;
  const modems = "config modem 'gsm0'\n\toption device 'sim'\n\nconfig modem 'gsm1'\n\toption device 'sim'\n\n";
  const config =
    modems +
    rule +
    of('off', { enabled: '0' }) +
    of('number', { number: [ALICE, 'SHOP'], event: ['sms.received', 'call.incoming', 'sms.failed'] }) +
    of('contains', { text: ['alarm', 'FIRE  door'] }) +
    of('prefix', { text: ['alarm'], match: 'prefix' }) +
    of('exact', { text: ['alarm'], match: 'exact' }) +
    of('modem', { modem: ['gsm1'] }) +
    of('rules', { every_sms: '1', text: ['status'] });
  const rig = await ModuleRig.open(folder, { config, modems: ['gsm1'] });
  t.teardown(() => rig.close());
  const after = async (step: () => Promise<void> | void) => {
    const before = seen(folder).length;
    await step();
    await rig.receive('+1999', 'mark 1', { modem: 'gsm1' });
    await until(() => seen(folder).some((line, at) => at >= before && line.includes('mark')), 'the mark');
    await rig.handled('hooks');
    return seen(folder)
      .slice(before)
      .filter((line) => !line.includes('mark'))
      .flatMap(
        (line) =>
          /^(\w+) sms\.|^(\w+) call\./
            .exec(line)
            ?.slice(1)
            .filter((name) => name !== undefined) ?? [],
      );
  };
  const comes = (text: string, from = BOB, arriving = {}) => after(() => rig.receive(from, text, arriving));
  t.same(await comes('hello'), []);
  t.same(await comes('hello', ALICE), ['number']);
  t.same(await comes('hello', '37060000001'), ['number'], 'the same subscriber');
  t.same(await comes('hello', 'Shop', { alphanumeric: true }), ['number']);
  t.same(await comes('hello', 'Shop2', { alphanumeric: true }), []);
  t.same(await comes('An ALARM'), ['contains']);
  t.same(await comes(' Alarm  now '), ['contains', 'prefix']);
  t.same(await comes('alarms'), ['contains']);
  t.same(await comes('ALARM'), ['contains', 'prefix', 'exact']);
  t.same(await comes('fire\ndoor'), ['contains']);
  t.same(await comes('hello', BOB, { modem: 'gsm1' }), ['modem']);
  t.same(await comes('status', ALICE), ['rules'], 'a message of a rule is its own');
  t.same(await after(() => rig.bus.emit('call.incoming', { modem: 'gsm0', number: ALICE })), ['number']);
  t.same(await after(() => rig.bus.emit('call.incoming', { modem: 'gsm0' })), [], 'a hidden number');
  rig.modem.will(refused);
  t.same(
    await after(async () => {
      await submit(rig, 77);
    }),
    [],
    'another recipient',
  );
});

t.test('an expression that would take for ever is only a text', async (t) => {
  const folder = newFolder(t);
  const path = program(folder, 'echo "$SMSGW_ID" >>"$HERE/seen"');
  const rig = await open(t, folder, hook('mine', [path], { text: ['(a+)+$', '.*'] }));
  await rig.receive(ALICE, `${'a'.repeat(400)}!`);
  await rig.receive(ALICE, 'x (A+)+$ y');
  await rig.handled('hooks');
  t.same(seen(folder), ['2']);
});

t.test('a program that others can change does not run', async (t) => {
  const folder = newFolder(t);
  const good = program(folder, 'true', 'good');
  t.equal(await distrust(good), undefined);
  t.equal(await distrust('/bin/sh'), undefined);
  symlinkSync(good, join(folder, 'link'));
  t.equal(await distrust(join(folder, 'link')), undefined);
  const bad = program(folder, 'touch "$HERE/ran"', 'bad');
  for (const mode of [0o777, 0o775, 0o757]) {
    chmodSync(bad, mode);
    t.match(await distrust(bad), /other users can write to/, mode.toString(8));
  }
  symlinkSync(bad, join(folder, 'link to bad'));
  t.match(await distrust(join(folder, 'link to bad')), /other users can write to/);
  chmodSync(bad, 0o644);
  t.match(await distrust(bad), /must not be run/);
  t.match(await distrust(join(folder, 'absent')), /there is no program/);
  t.match(await distrust(folder), /is no file/);
  mkdirSync(join(folder, 'open'));
  chmodSync(join(folder, 'open'), 0o777);
  const inOpen = program(folder, 'true', 'open/program');
  t.match(await distrust(inOpen), /can replace/);
  chmodSync(join(folder, 'open'), 0o1777);
  t.equal(await distrust(inOpen), undefined, 'as in /tmp');
  if (process.getuid?.() === 0) {
    chownSync(inOpen, 12_345, 0);
    t.match(await distrust(inOpen), /belongs to user 12345/);
    chmodSync(join(folder, 'open'), 0o755);
    symlinkSync(good, join(folder, 'open/link'));
    symlinkSync('open/link', join(folder, 'link to link'));
    t.equal(await distrust(join(folder, 'link to link')), undefined);
    lchownSync(join(folder, 'open/link'), 12_345, 0);
    t.match(await distrust(join(folder, 'link to link')), /the link .* belongs to that user/);
    lchownSync(join(folder, 'open/link'), 0, 0);
    chownSync(join(folder, 'open'), 12_345, 0);
    t.match(await distrust(join(folder, 'open/link')), /user 12345 can replace/, 'the link, between look and start');
    chownSync(join(folder, 'open'), 0, 50);
    t.equal(await distrust(join(folder, 'open/link')), undefined);
    chmodSync(join(folder, 'open'), 0o775);
    t.match(await distrust(join(folder, 'open/link')), /group 50 can replace/);
  }
  symlinkSync('ring', join(folder, 'ring'));
  t.match(await distrust(join(folder, 'ring')), /more than 40 links/);

  chmodSync(bad, 0o777);
  const rig = await open(t, folder, hook('mine', [bad]));
  t.match(rig.modules.status('hooks').error, /other users can write to/);
  await rig.receive(ALICE, 'one');
  await logged(rig, /message 1 to mine failed, again in/);
  t.notOk(existsSync(`${folder}/ran`));
  chmodSync(bad, 0o755);
  rig.deliveriesTakeNoTime();
  await rig.clock.advance(60_000);
  await rig.handled('hooks');
  t.ok(existsSync(`${folder}/ran`), 'once it is put right it runs');
  t.equal(rig.modules.status('hooks').error, undefined);
});

t.test('what waits finds its section again, or is over', async (t) => {
  const folder = newFolder(t);
  const path = program(folder, 'echo "$1 $SMSGW_TEXT" >>"$HERE/seen"; [ -e "$HERE/good" ] || exit 75');
  const unnamed = (name: string) => hook(name, [path, name]).replace(`hook '${name}'`, 'hook');
  const rig = await open(t, folder, unnamed('a') + hook('gone', [path, 'gone']));
  await rig.receive(ALICE, 'one');
  await sees(folder, 2);
  await until(() => pending(rig) === 2 && rig.log.filter((line) => /again in/.test(line)).length === 2, 'both wait');
  writeFileSync(`${folder}/good`, '');
  await rig.configure(unnamed('new') + unnamed('a'));
  rig.deliveriesTakeNoTime();
  await rig.clock.advance(60_000);
  await rig.handled('hooks');
  t.same([...seen(folder)].sort(), ['a one', 'a one', 'gone one']);
  t.ok(rig.log.some((line) => /to gone rejected: there is no such hook any more/.test(line)));
});

t.test('module test runs each program with a test', async (t) => {
  const folder = newFolder(t);
  const good = program(folder, 'echo "$SMSGW_EVENT $1" >>"$HERE/seen"', 'good');
  const bad = program(folder, 'exit 4', 'bad');
  const rig = await open(t, folder, hook('one', [good]) + hook('two', [good], { style: 'smsd' }));
  const never = new AbortController().signal;
  t.equal(await rig.modules.test('hooks', never), 'hook one: done\nhook two: done');
  t.same(seen(folder), ['test ', 'test TEST']);
  await rig.configure(hook('one', [good]) + hook('bad', [bad]));
  await t.rejects(rig.modules.test('hooks', never), {
    code: 'peer_rejected',
    message: 'hook one: done\nfailed: hook bad: exit code 4',
  });
});
