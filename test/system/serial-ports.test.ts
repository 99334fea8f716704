import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { buildSync } from 'esbuild';
import t from 'tap';
import { holdersOf, missingPort, portFault, portNames } from '../../src/system/serial-ports.ts';
import { testFolder } from '../support/folder.ts';
import { missingPrograms } from '../support/programs.ts';

t.test('a device that is not there', async (t) => {
  const root = testFolder(t, { dev: { file: '' } });
  t.match(
    await portFault('/dev/ttyUSB7', root),
    /^\/dev\/ttyUSB7 does not exist, and \/dev\/serial\/by-id is empty: is the modem plugged in/,
  );
  t.equal(await missingPort('/dev/file', root), '/dev/file is no serial port');
  const byId = `${root}/dev/serial/by-id`;
  mkdirSync(byId, { recursive: true });
  for (const i of [0, 1, 2, 3, 4]) symlinkSync('../../ttyUSB0', `${byId}/usb-Huawei-if0${i}`);
  t.equal((await portNames(root)).length, 5);
  t.match(
    await missingPort('/dev/file/x', root),
    /^\/dev\/file\/x does not exist; there is: \/dev\/serial\/by-id\/usb-Huawei-if00, .*-if03 and 1 more in \/dev\/serial\/by-id$/,
  );
  t.equal(await portFault('/dev/null'), undefined);
});

const onlyRoot = process.getuid?.() !== 0 && 'needs root, to make a device and to become another user';

t.test('a denied device names the group to join', { skip: onlyRoot }, async (t) => {
  // Another user gets into no folder of the project.
  const root = mkdtempSync(join(tmpdir(), 'ports-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  chmodSync(root, 0o755);
  for (const folder of ['dev', 'etc']) mkdirSync(`${root}/${folder}`, { mode: 0o755 });
  writeFileSync(`${root}/etc/group`, 'root:x:0:\nmodemfolk:x:4711:\n', { mode: 0o644 });
  execFileSync('mknod', ['-m', '0660', `${root}/dev/ttyUSB0`, 'c', '1', '3']);
  chownSync(`${root}/dev/ttyUSB0`, 0, 4711);
  t.equal(await portFault('/dev/ttyUSB0', root), undefined, 'root may');
  const built = { bundle: true, platform: 'node', format: 'cjs', outfile: `${root}/ports.js` } as const;
  buildSync({ entryPoints: ['src/system/serial-ports.ts'], ...built });
  chmodSync(`${root}/ports.js`, 0o644);
  const fault = () =>
    execFileSync(
      process.execPath,
      ['-e', `require('${root}/ports.js').portFault('/dev/ttyUSB0', '${root}').then((text) => console.log(text))`],
      { uid: 65_534, gid: 65_534, cwd: '/', encoding: 'utf8' },
    );
  t.match(
    fault(),
    /^cannot open \/dev\/ttyUSB0, permission denied: put user (\S+) in its group modemfolk \(usermod -aG modemfolk \1\), and start the gateway again$/m,
  );
  chmodSync(`${root}/dev/ttyUSB0`, 0o600);
  t.match(fault(), /permission denied: it has mode 0600, wanted 0660 with a group that user /);
});

const skip = missingPrograms(['socat'], 'socat');

t.test('who has a port open', { skip }, async (t) => {
  const folder = testFolder(t);
  const pty = spawn('socat', ['-d', '-d', `pty,link=${folder}/tty,raw,echo=0`, 'stdio'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  t.teardown(() => pty.kill('SIGKILL'));
  await until(async () => existsSync(`${folder}/tty`));
  const reader = spawn('cat', [`${folder}/tty`], { stdio: 'ignore' });
  t.teardown(() => reader.kill('SIGKILL'));
  const cat = `cat (${reader.pid})`;
  await until(async () => (await holdersOf(`${folder}/tty`)).includes(cat));
  const before = await holdersOf(`${folder}/tty`);
  reader.kill('SIGKILL');
  await until(async () => !(await holdersOf(`${folder}/tty`)).includes(cat));
  t.same(await holdersOf(`${folder}/nothing`), []);
  t.ok(before.every((holder) => /^\S+ \(\d+\)$/.test(holder)));
});

async function until(done: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await done())) {
    if (Date.now() > end) throw new Error('it did not come to it');
    await wait(20);
  }
}
