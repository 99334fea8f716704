import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { createLogger } from '../../src/base/log.ts';
import { LiveConfig } from '../../src/config/live-config.ts';
import { commitPackage, UciPackage } from '../../src/config/uci-parse-lite/index.ts';
import { ConfigWatch } from '../../src/config/watch.ts';
import { testFolder } from '../support/folder.ts';
import { ManualClock } from '../support/manual-clock.ts';

const silent = createLogger({ level: 'error', write: () => {} });
const FILE = 'sms_gateway';

interface Changes {
  count: number;
  /** How many of the changes are not taken up. */
  refuse: number;
}

/** Waits, for a while that suits a slow machine. A timer of its own keeps the process alive. */
async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 60_000; !condition(); ) {
    if (Date.now() > deadline) throw new Error('it did not come about');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function watching(t: Test, directory: string, clock: Clock = systemClock): Changes {
  const changes = { count: 0, refuse: 0 };
  const changed = async () => {
    changes.count++;
    return changes.count > changes.refuse;
  };
  const watch = new ConfigWatch({ directory, file: FILE, clock, log: silent, changed });
  watch.start();
  t.teardown(() => watch.stop());
  return changes;
}

/** Long enough for an event that should not come, were it to come, and its settling. */
const quiet = () => new Promise((resolve) => setTimeout(resolve, 500));

t.test('a commit counts once, other files not at all', async (t) => {
  const directory = testFolder(t, { [FILE]: '' });
  const clock = new ManualClock();
  const changes = watching(t, directory, clock);
  const settling = () => clock.pending === 2;
  const uci = new UciPackage(FILE);
  for (let i = 0; i < 5; i++) await commitPackage(directory, uci);
  await until(settling);
  await quiet();
  await clock.advance(200);
  t.equal(changes.count, 1);

  for (const name of ['network', `${FILE}-opkg`, `${FILE}.apk-new`, `.${FILE}.uci-abcdef`]) {
    writeFileSync(join(directory, name), '');
  }
  await quiet();
  t.notOk(settling());

  writeFileSync(join(directory, FILE), 'in place');
  await until(settling);
  await clock.advance(200);
  t.equal(changes.count, 2);
  rmSync(join(directory, FILE));
  await until(settling);
  await clock.advance(200);
  t.equal(changes.count, 3);
});

t.test('a directory that is replaced, or missing for a while', async (t) => {
  const base = testFolder(t, { config: { [FILE]: 'old' } });
  const directory = join(base, 'config');
  const changes = watching(t, directory);

  renameSync(directory, join(base, 'gone'));
  mkdirSync(directory);
  writeFileSync(join(directory, FILE), 'new');
  await until(() => changes.count >= 1);
  await quiet();
  const seen = changes.count;
  writeFileSync(join(directory, FILE), 'newer');
  await until(() => changes.count >= seen + 1);

  rmSync(directory, { recursive: true });
  await quiet();
  const before = changes.count;
  mkdirSync(directory);
  writeFileSync(join(directory, FILE), 'back');
  await until(() => changes.count >= before + 1);
});

t.test('a directory that cannot be watched is logged once, and when it is back', async (t) => {
  const directory = join(testFolder(t), 'config');
  const clock = new ManualClock();
  const lines: string[] = [];
  const log = createLogger({ level: 'info', write: (line) => void lines.push(line) });
  const changes = { count: 0, refuse: 0 };
  const watch = new ConfigWatch({ directory, file: FILE, clock, log, changed: async () => ++changes.count > 0 });
  watch.start();
  t.teardown(() => watch.stop());
  await clock.advance(120_000);
  t.match(lines, [/^warning cannot watch .*config for changes, trying again: ENOENT/]);
  t.equal(lines.length, 1);

  mkdirSync(directory);
  await clock.advance(31_000);
  t.match(lines[1], /^info watching .*config again after \d+ failures\n$/);
  t.equal(changes.count, 1, 'the file may have changed meanwhile');
});

t.test('a directory that changes without an event is seen by the check', async (t) => {
  const base = testFolder(t);
  const clock = new ManualClock();
  const changes = watching(t, join(base, 'config'), clock);
  t.equal(clock.pending, 1, 'waits to try again');
  await clock.advance(60_000);
  t.equal(changes.count, 0);
  mkdirSync(join(base, 'config'));
  await clock.advance(31_000);
  t.equal(changes.count, 1);
});

t.test('stopped, it leaves nothing behind', async (t) => {
  const directory = testFolder(t, { [FILE]: '' });
  const clock = new ManualClock();
  const watch = new ConfigWatch({ directory, file: FILE, clock, log: silent, changed: async () => t.fail('stopped') });
  watch.start();
  watch.stop();
  t.equal(clock.pending, 0);
  writeFileSync(join(directory, FILE), 'new');
  await quiet();
});

t.test('a change that could not be taken up is tried again', async (t) => {
  const directory = testFolder(t, { [FILE]: '' });
  const clock = new ManualClock();
  const changes = watching(t, directory, clock);
  changes.refuse = 3;
  writeFileSync(join(directory, FILE), 'x');
  await until(() => clock.waits(200));
  await clock.advance(200);
  t.equal(changes.count, 1);
  await clock.advance(1_000);
  t.equal(changes.count, 2, 'after a second');
  await clock.advance(60_000);
  t.equal(changes.count, 4, 'more and more rarely, until it is');
  await clock.advance(600_000);
  t.equal(changes.count, 4, 'and then no more');
});

t.test('a file that is there and cannot be read is worth another try', async (t) => {
  const directory = testFolder(t);
  const file = join(directory, FILE);
  writeFileSync(file, "config gateway 'gateway'\n\toption capacity '20'\n");
  const config = await LiveConfig.load(directory, silent);
  t.equal(config.tryAgain, false);
  rmSync(file);
  // open(2) fails, as it does without descriptors.
  symlinkSync(FILE, file);
  await config.reload(async () => undefined);
  t.equal(config.tryAgain, true);
  t.equal(config.current.gateway.capacity, 20, 'what was in force stays in force');
  rmSync(file);
  writeFileSync(file, 'no uci file');
  await config.reload(async () => undefined);
  t.equal(config.tryAgain, false, 'what it says may be wrong: that is no reason');
});
