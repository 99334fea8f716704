import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import t from 'tap';
import { createLogger } from '../../src/base/log.ts';
import { nodeFileSystem } from '../../src/store/journal/file-system.ts';
import { currentFormat, type Format } from '../../src/store/journal/format.ts';
import { Journal, type RecordRef } from '../../src/store/journal/journal.ts';
import { lockDirectory } from '../../src/store/journal/lock.ts';
import { testFolder } from '../support/folder.ts';
import { contentOf, DIRECTORY, KeyTable, makeJournal, openJournal } from '../support/key-table.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MemoryFileSystem } from '../support/memory-file-system.ts';
import { until } from '../support/outbox-rig.ts';

const PATH = `${DIRECTORY}/journal`;

/** A file with records a=0 … of which some were overwritten or removed. */
async function sample(count = 12): Promise<{ readonly file: Buffer; readonly applied: readonly string[] }> {
  const fs = new MemoryFileSystem();
  const { journal, table } = await openJournal(fs);
  for (let i = 0; i < count; i++) await journal.append('kv', { k: `key${i % 5}`, v: `väärtus ${i}\n` });
  await journal.append('kv', { k: 'key3' });
  await journal.close();
  return { file: Buffer.from(fs.content(PATH) ?? ''), applied: table.applied };
}

t.test('what was appended is there after a restart, in its order', async (t) => {
  const fs = new MemoryFileSystem();
  const first = await openJournal(fs);
  const [one, two] = await first.journal.appendAll([
    { table: 'kv', record: { k: 'a', v: 1 } },
    { table: 'kv', record: { k: 'b', v: 'ä "quoted"\n\u2028' } },
  ]);
  t.ok(one && two);
  await first.journal.append('kv', { k: 'a', v: 2 });
  t.same(await contentOf(first), { a: 2, b: 'ä "quoted"\n\u2028' });
  await first.journal.close();
  await t.rejects(first.journal.append('kv', { k: 'c', v: 3 }), { code: 'stopping' });
  const second = await openJournal(fs);
  t.same(await contentOf(second), { a: 2, b: 'ä "quoted"\n\u2028' });
  t.same(second.table.applied, first.table.applied);
});

t.test('who appends hears when it is on its way to the disk, and only then', async (t) => {
  const fs = new MemoryFileSystem();
  const { journal } = await openJournal(fs);
  const heard: string[] = [];
  const append = (k: string, also = () => {}) => {
    const underWay = () => {
      heard.push(k);
      also();
    };
    return journal.appendAll([{ table: 'kv', record: { k, v: 1 } }], { underWay });
  };
  await new Promise((resolve) => {
    const others = () => {
      resolve(Promise.all([append('b'), append('c')]));
      t.same(heard, ['a'], 'those that come meanwhile wait');
    };
    void append('a', others);
  });
  t.same(heard, ['a', 'b', 'c']);
  await fs.remove(PATH);
  await t.rejects(append('d'), { code: 'store_unavailable' });
  t.same(heard, ['a', 'b', 'c'], 'nothing is written to a file that is gone');
});

t.test('one that fails when it hears so holds up nobody', async (t) => {
  const folder = testFolder(t);
  const program = `
    import { systemClock } from '${import.meta.resolve('../../src/base/clock.ts')}';
    import { createLogger } from '${import.meta.resolve('../../src/base/log.ts')}';
    import { Journal } from '${import.meta.resolve('../../src/store/journal/journal.ts')}';
    process.on('uncaughtException', (error) => console.log('uncaught:', error.message));
    const log = createLogger({ clock: systemClock, level: 'error', write: console.log });
    const journal = new Journal({ directory: '${folder}', clock: systemClock, log });
    journal.register({ name: 'kv', apply: ({ k }) => console.log(k), live: () => [] });
    await journal.open();
    const entry = (k) => [{ table: 'kv', record: { k } }];
    const underWay = () => { throw new Error('failed'); };
    await Promise.all([journal.appendAll(entry('a'), { underWay }), journal.appendAll(entry('b'))]);
    await journal.close();`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', program],
    { encoding: 'utf8', timeout: 60_000 },
  );
  t.equal(stdout, 'uncaught: failed\na\nb\n', stderr);
});

t.test('one sync serves all that wait', async (t) => {
  const fs = new MemoryFileSystem();
  const { journal, table } = await openJournal(fs);
  const before = fs.log.filter((call) => call === 'datasync').length;
  await Promise.all(Array.from({ length: 100 }, (_, i) => journal.append('kv', { k: `${i}`, v: i })));
  t.ok(fs.log.filter((call) => call === 'datasync').length - before <= 2);
  t.same(
    table.applied,
    Array.from({ length: 100 }, (_, i) => `${i}=${i}`),
  );
});

t.test('many records are read as one by one, whichever, in few reads; a bad block costs its own', async (t) => {
  const fs = new MemoryFileSystem();
  const { journal } = await openJournal(fs);
  const appended: RecordRef[] = [];
  for (let n = 0; n < 60; n++) {
    // Some beside each other in a line, some far from the next.
    const entries = Array.from({ length: 1 + (n % 3) }, (_, i) => ({ table: 'kv', record: { k: `${n} ${i}`, v: n } }));
    appended.push(...(await journal.appendAll(entries)));
    if (n % 20 === 0) await journal.append('kv', { k: 'far', v: 'x'.repeat(9_000) });
  }
  const reads = () => fs.log.filter((call) => call === 'read').length;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...appended)), async (refs) => {
      t.same(await journal.readEach(refs), await Promise.all(refs.map((ref) => journal.read(ref))));
    }),
    { numRuns: 50 },
  );
  const before = reads();
  await journal.readEach(appended);
  t.ok(reads() - before <= 4, 'neighbours are one read');
  const [first, second, ...others] = [...new Map(appended.map((ref) => [ref.offset, ref])).values()];
  if (first === undefined || second === undefined) throw new Error('no records');
  const content = fs.content(PATH);
  content?.fill(0, second.offset, second.offset + second.length);
  fs.put(PATH, content ?? Buffer.alloc(0));
  const there = await journal.readEach([first, second, ...others]);
  t.same(
    there.map((record) => record !== undefined),
    [true, false, ...others.map(() => true)],
  );
});

t.test('a listing whose read fails once goes on, though the file is compacted away meanwhile', async (t) => {
  const fs = new MemoryFileSystem();
  const { open } = fs;
  let failing: Promise<void> | undefined;
  fs.open = async (path, mode) => {
    const file = await open.call(fs, path, mode);
    let closed = false;
    const check = (code: string, wrong: boolean) => {
      if (wrong) throw Object.assign(new Error(code), { code });
    };
    return {
      ...file,
      read: async (buffer, position) => {
        const held = failing;
        failing = undefined;
        await held;
        check('EIO', held !== undefined);
        check('EBADF', closed);
        return file.read(buffer, position);
      },
      size: async () => {
        check('EBADF', closed);
        return file.size();
      },
      close: async () => {
        closed = true;
        await file.close();
      },
    };
  };
  const { journal, table } = await openJournal(fs, { compactFrom: 2_000 });
  for (const k of ['a', 'b', 'c']) await journal.append('kv', { k, v: `value of ${k}` });
  let fail = () => {};
  failing = new Promise((resolve) => {
    fail = resolve;
  });
  const listing = journal.readEach([...table.refs.values()]);
  const { compactions } = journal.status();
  for (let n = 0; journal.status()['compactions'] === compactions; n++) await journal.append('kv', { k: 'e', v: n });
  fail();
  t.match(await listing, [{ k: 'a' }, { k: 'b' }, { k: 'c' }]);
  await journal.close();
});

t.test('a record that compaction could not read is no other record afterwards', async (t) => {
  const fs = new MemoryFileSystem();
  const { journal, table } = await openJournal(fs, { compactFrom: 2_000 });
  for (const k of ['a', 'b', 'c', 'd']) await journal.append('kv', { k, v: `value of ${k}` });
  for (const k of ['b', 'd']) {
    const { offset = 0 } = table.refs.get(k) ?? {};
    fs.content(PATH)?.write('#', offset + 20);
  }
  const { compactions } = journal.status();
  for (let n = 0; journal.status()['compactions'] === compactions; n++) await journal.append('kv', { k: 'e', v: n });
  const lost = ['b', 'd'];
  const all = [...table.refs];
  for (const refs of [all, [...all].reverse(), [...all, ...all]]) {
    const records = await journal.readEach(refs.map(([, ref]) => ref));
    t.same(
      records.map((record) => record?.['k']),
      refs.map(([k]) => (lost.includes(k) ? undefined : k)),
    );
  }
  await journal.close();
});

t.test('sync in seconds: the system has it at once, the disk in time', async (t) => {
  const fs = new MemoryFileSystem(() => 0);
  const { journal, clock } = await openJournal(fs, { sync: 5 });
  await journal.append('kv', { k: 'a', v: 1 });
  const soon = await openJournal(fs.afterPowerCut());
  t.same(await contentOf(soon), {}, 'a power cut within the seconds loses it');
  await clock.advance(5_000);
  const later = await openJournal(fs.afterPowerCut());
  t.same(await contentOf(later), { a: 1 });
});

t.test('a file cut off at any octet loads up to there', async (t) => {
  const { file, applied } = await sample();
  const lines = file.toString().split(/(?<=\n)/);
  for (let length = 0; length <= file.length; length++) {
    const fs = new MemoryFileSystem();
    fs.put(PATH, file.subarray(0, length));
    const loaded = await openJournal(fs);
    let end = 0;
    const whole = lines.filter((line) => {
      end += Buffer.byteLength(line);
      return end <= length;
    });
    const expected = applied.slice(0, Math.max(0, whole.length - 2));
    if (loaded.table.applied.join() !== expected.join()) {
      t.same(loaded.table.applied, expected, `cut off at ${length}`);
    }
    await loaded.journal.append('kv', { k: 'new', v: 1 });
    await loaded.journal.close();
    const again = await openJournal(fs);
    if (again.table.refs.get('new') === undefined) t.fail(`after a cut at ${length} nothing can be added`);
    await again.journal.close();
  }
  t.ok(file.length > 500, `${file.length} lengths`);
});

t.test('a flipped bit costs the line it lies in, and is reported', async (t) => {
  const { file, applied } = await sample(6);
  let reported = 0;
  for (let bit = 0; bit < file.length * 8; bit++) {
    const fs = new MemoryFileSystem();
    const hit = Buffer.from(file);
    hit[bit >> 3] = (hit[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    fs.put(PATH, hit);
    const { table, journal } = await openJournal(fs);
    const foreign = table.applied.filter((record) => !applied.includes(record));
    const lost = applied.length - table.applied.length;
    if (foreign.length > 0 || lost > 1) t.fail(`bit ${bit}: ${lost} lost, ${foreign.join()}`);
    const { damaged, torn } = journal.status();
    if (lost > 0 && damaged === 0 && torn === 0 && fs.content(`${DIRECTORY}/journal.corrupt`) === undefined) {
      t.fail(`bit ${bit}: a lost record was not reported`);
    }
    if (lost > 0) reported += 1;
    await journal.close();
  }
  t.ok(reported > 100, `${reported} flips hit a record`);
});

t.test('a damaged record lies in the side file afterwards, the others go on', async (t) => {
  const { file, applied } = await sample(6);
  const fs = new MemoryFileSystem();
  const hit = Buffer.from(file.toString().replace('väärtus 2', 'väärtuz 2'));
  fs.put(PATH, hit);
  const { journal, table, log } = await openJournal(fs);
  t.same(
    table.applied,
    applied.filter((record) => !record.includes('väärtus 2')),
  );
  t.match(log.join('\n'), /1 damaged record is put into journal\.corrupt/);
  await until(() => journal.status().compactions === 1, 'a new file is written');
  t.equal(journal.status().damaged, 1, 'what was found is still known');
  t.same(journal.warnings, [
    '1 damaged record is put into journal.corrupt: the flash gives back what was not written; replace it, and keep the file',
  ]);
  await journal.close();
  t.match(fs.content(`${DIRECTORY}/journal.corrupt`)?.toString(), /väärtuz 2/);
  t.notMatch(fs.content(PATH)?.toString(), /väärtuz/);
  const again = await openJournal(fs);
  t.equal(again.journal.status().damaged, 0, 'the next process finds a whole file');
  t.same(again.journal.warnings, []);
  await again.journal.close();
});

t.test('message numbers never come again', async (t) => {
  const fs = new MemoryFileSystem();
  const first = await openJournal(fs, { compactFrom: 1 });
  let last = 0;
  for (let i = 0; i < 40; i++) {
    last = first.journal.nextId();
    await first.journal.append('kv', { k: 'same', v: i, id: last });
    await first.journal.append('kv', { k: 'same' });
  }
  await first.journal.close();
  const second = await openJournal(fs);
  t.ok(second.journal.nextId() > last, 'after compaction');
  await second.journal.close();
  const content = fs.content(PATH)?.toString() ?? '';
  fs.put(PATH, Buffer.from(content.replace(/^.*\n/, 'x'.repeat(40))));
  const third = await openJournal(fs);
  t.ok(third.journal.nextId() > last, 'after damage to the head of the file');
});

t.test('compaction', async (t) => {
  const fs = new MemoryFileSystem();
  const opened = await openJournal(fs, { compactFrom: 2_000 });
  const { journal } = opened;
  const expected: Record<string, number> = {};
  // Appends and reads go on while the file is rewritten again and again.
  for (let i = 0; i < 2_000; i++) {
    const k = `key${i % 7}`;
    expected[k] = i;
    await Promise.all([journal.append('kv', { k, v: i }), i % 50 === 0 ? contentOf(opened) : undefined]);
  }
  t.ok((journal.status().compactions as number) > 5);
  t.ok((journal.status().size as number) < 10_000, 'the file stays short');
  t.same(await contentOf(opened), expected);
  await journal.close();
  t.same(await contentOf(await openJournal(fs)), expected);
});

t.test('a dead record does not come back with a live one that shares its line', async (t) => {
  const fs = new MemoryFileSystem();
  const { journal } = await openJournal(fs, { compactFrom: 300 });
  const together = ['a', 'b', 'c'].map((k) => ({ table: 'kv', record: { k, v: 1 } }));
  await journal.appendAll(together);
  await journal.append('kv', { k: 'b' });
  for (let i = 0; i < 50; i++) await journal.append('kv', { k: 'd', v: i });
  t.ok((journal.status().compactions as number) > 1);
  await journal.close();
  t.same(await contentOf(await openJournal(fs)), { a: 1, c: 1, d: 49 });
});

t.test('a file of many blocks, with long lines and with none', async (t) => {
  const fs = new MemoryFileSystem();
  const { journal } = await openJournal(fs, { compactFrom: 8 << 20 });
  for (let i = 0; i < 9; i++) await journal.append('kv', { k: `${i}`, v: `${i}`.repeat(100_000) });
  await journal.close();
  const file = fs.content(PATH) ?? Buffer.alloc(0);
  const half = file.indexOf('\n', 500_000) + 1;
  fs.put(PATH, Buffer.concat([file.subarray(0, half), Buffer.alloc(3 << 20), Buffer.from('\n'), file.subarray(half)]));
  const loaded = await openJournal(fs);
  t.same([...loaded.table.refs.keys()].join(''), '012345678');
  t.equal((await contentOf(loaded))['8'], '8'.repeat(100_000));
  t.equal(loaded.journal.status().damaged, 1);
});

t.test('the size limit', async (t) => {
  const fs = new MemoryFileSystem();
  const { journal } = await openJournal(fs, { maximum: 2_000 });
  let error: unknown;
  for (let i = 0; i < 100 && error === undefined; i++) {
    error = await journal.append('kv', { k: `${i}`, v: 'x'.repeat(50) }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
  }
  t.match(error, { code: 'store_full' });
  for (let i = 0; i < 20; i++) await journal.appendAll([{ table: 'kv', record: { k: `${i}` } }], { makesRoom: true });
  await t.rejects(journal.append('kv', { k: 'much', v: 'x'.repeat(2 << 20) }), { code: 'too_large' });
  // The refusal starts a compaction, which runs beside.
  const again = () => journal.append('kv', { k: 'again', v: 1 });
  await until(
    () =>
      again().then(
        () => true,
        () => false,
      ),
    'there is room again',
  );
});

t.test('short reads and writes are gone on with', async (t) => {
  const fs = new MemoryFileSystem();
  fs.chunk = 7;
  const first = await openJournal(fs);
  await first.journal.append('kv', { k: 'a', v: 'x'.repeat(200) });
  await first.journal.close();
  t.same(await contentOf(await openJournal(fs)), { a: 'x'.repeat(200) });
});

t.test('a file of an earlier version is upgraded, one of a later version is left alone', async (t) => {
  const { file } = await sample(3);
  const fs = new MemoryFileSystem();
  fs.put(PATH, file);
  const upgrade = ({ table, record }: { table: string; record: Record<string, unknown> }) => ({
    table,
    record: record.v === undefined ? record : { ...record, v: `new ${record.v}` },
  });
  const format = { version: 2, upgrades: new Map([[1, upgrade]]) } as unknown as Format;
  const upgraded = await openJournal(fs, { format });
  t.match(await contentOf(upgraded), { key0: 'new väärtus 0\n' });
  await upgraded.journal.append('kv', { k: 'key9', v: 'as it is' });
  await upgraded.journal.close();
  const again = await openJournal(fs, { format });
  t.match(await contentOf(again), { key0: 'new väärtus 0\n', key9: 'as it is' }, 'upgraded once');
  await again.journal.close();
  const before = fs.content(PATH);
  await t.rejects(makeJournal(fs, { format: currentFormat }).journal.open(), {
    code: 'store_unavailable',
    message: /version 2, this program reads up to 1/,
  });
  t.equal(fs.content(PATH), before);
});

t.test('on a real directory', async (t) => {
  const log = createLogger({ level: 'error', write: () => undefined });
  const open = async (directory: string) => {
    const clock = new ManualClock();
    const journal = new Journal({ directory, clock, log });
    const table = new KeyTable();
    journal.register(table);
    await journal.open();
    return { journal, table, clock };
  };

  t.test('it is made when it is missing, with everything that leads there', async (t) => {
    const directory = `${testFolder(t)}/not/yet/there`;
    const { journal } = await open(directory);
    await journal.append('kv', { k: 'a', v: 1 });
    await journal.close();
    const again = await open(directory);
    const ref = again.table.refs.get('a');
    t.same(ref && (await again.journal.read(ref)), { k: 'a', v: 1 });
    await again.journal.close();
  });

  t.test('a file that is written through is the same under another name, and closes whole', async (t) => {
    const directory = testFolder(t);
    const file = await nodeFileSystem.open(`${directory}/journal.new`, 'create');
    await file.writeThrough(Buffer.from('one\n'), 0);
    await nodeFileSystem.rename(`${directory}/journal.new`, `${directory}/journal`);
    await file.writeThrough(Buffer.from('two\n'), 4);
    t.equal(readFileSync(`${directory}/journal`, 'utf8'), 'one\ntwo\n');
    t.same(readdirSync(directory), ['journal']);
    await file.close();
    const open = readdirSync('/proc/self/fd').map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        // The one by which the listing was made.
        return '';
      }
    });
    t.notOk(open.some((path) => path.startsWith(directory)));
  });

  t.test('a file stands in its place', async (t) => {
    await t.rejects(open(`${testFolder(t, { state: 'a file' })}/state`), { code: 'store_unavailable' });
  });

  t.test('a second gateway is refused, also one of another process; a dead one holds nothing', async (t) => {
    const folder = testFolder(t);
    const directory = `${folder}/state`;
    mkdirSync(directory);
    const script = `${folder}/holder.ts`;
    const lock = new URL('../../src/store/journal/lock.ts', import.meta.url).pathname;
    writeFileSync(
      script,
      `import { lockDirectory } from ${JSON.stringify(lock)};\n` +
        `await lockDirectory(${JSON.stringify(directory)});\nconsole.log('locked');\nsetInterval(() => {}, 1000);\n`,
    );
    const holder = spawn(process.execPath, ['--import=tsx', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.teardown(() => holder.kill('SIGKILL'));
    await once(createInterface({ input: holder.stdout }), 'line');
    await t.rejects(open(directory), { code: 'store_locked' });
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    const { journal } = await open(directory);
    await t.rejects(open(directory), { code: 'store_locked' });
    await journal.close();
  });

  t.test('another user of the machine cannot take the lock: there is no name outside the directory', async (t) => {
    const directory = `${testFolder(t)}/state`;
    mkdirSync(directory);
    const { dev, ino } = statSync(directory, { bigint: true });
    const squatter = createServer().listen(`\0sms_gateway/${dev}/${ino}`);
    await once(squatter, 'listening');
    t.teardown(() => squatter.close());
    const { journal } = await open(directory);
    t.equal(readdirSync(directory).filter((name) => name.startsWith('lock.')).length, 1);
    await journal.close();
    t.same(readdirSync(directory), ['journal'], 'nothing is left of it');
  });

  t.test('of many that start at once at most one gets the directory', async (t) => {
    const directory = testFolder(t);
    for (let round = 0; round < 5; round++) {
      const results = await Promise.allSettled(Array.from({ length: 4 }, () => lockDirectory(directory)));
      const holders = results.filter((result) => result.status === 'fulfilled');
      t.ok(holders.length <= 1, `${holders.length} have it`);
      for (const { value } of holders) await value();
    }
    await (await lockDirectory(directory))();
  });

  t.test(
    'the whole directory is deleted while it runs: all is stored again, in a new one that is locked',
    async (t) => {
      const directory = `${testFolder(t)}/state`;
      const { journal, clock } = await open(directory);
      await journal.append('kv', { k: 'a', v: 1 });
      rmSync(directory, { recursive: true });
      await t.rejects(journal.append('kv', { k: 'b', v: 2 }), { code: 'store_unavailable' });
      await clock.advance(1_000);
      await until(() => journal.status().error === undefined, 'it is made good');
      await t.rejects(open(directory), { code: 'store_locked' });
      await journal.close();
      const again = await open(directory);
      t.same([...again.table.refs.keys()], ['a']);
      await again.journal.close();
    },
  );

  const modes: readonly (readonly [
    directory: number,
    journal: number,
    link: boolean,
    foreign: boolean,
    refused: boolean,
  ])[] = [
    [0o777, 0o666, false, false, false],
    [0o755, 0o644, false, false, false],
    [0o700, 0o660, false, false, false],
    [0o755, 0o600, false, true, false],
    [0o777, 0o600, false, true, true],
    [0o1777, 0o600, false, false, true],
    [0o700, 0o600, true, false, true],
  ];
  for (const [mode, fileMode, link, foreign, refused] of modes) {
    const what = `mode ${mode.toString(8)}, journal ${fileMode.toString(8)}${link ? ', a link' : ''}${foreign ? ', shared' : ''}`;
    t.test(`who else may get at it: ${what}`, async (t) => {
      const directory = `${testFolder(t)}/state`;
      const first = await open(directory);
      await first.journal.append('kv', { k: 'a', v: 1 });
      await first.journal.close();
      if (link) {
        renameSync(`${directory}/journal`, `${directory}/../elsewhere`);
        symlinkSync('../elsewhere', `${directory}/journal`);
      } else chmodSync(`${directory}/journal`, fileMode);
      if (foreign) writeFileSync(`${directory}/letter.txt`, '');
      chmodSync(directory, mode);
      if (refused) return void (await t.rejects(open(directory), { code: 'store_unavailable' }));
      const { journal, table } = await open(directory);
      t.same([...table.refs.keys()], ['a']);
      t.equal(statSync(`${directory}/journal`).mode & 0o777, 0o600);
      t.equal(statSync(directory).mode & 0o777, foreign ? mode : 0o700);
      await journal.close();
    });
  }
});

t.test('a journal that fills up', async (t) => {
  const v = 'x'.repeat(1_000);
  await t.test('of dead records: it is compacted, and nobody is refused', async (t) => {
    const fs = new MemoryFileSystem();
    const { journal, log } = await openJournal(fs, { maximum: 100_000, compactFrom: 1 << 30 });
    for (let n = 0; n < 500; n++) await journal.append('kv', { k: `${n % 5}`, v });
    t.ok((fs.content(PATH)?.length ?? 0) <= 100_000);
    t.same(journal.warnings, []);
    t.notOk(log.some((line) => line.startsWith('warning')));
  });

  await t.test('of live ones: an alarm, then new work is refused, then what came in; changes are taken', async (t) => {
    const { journal, log, clock } = await openJournal(new MemoryFileSystem(), { maximum: 100_000 });
    const fill = async (reserved: boolean): Promise<number> => {
      for (let n = 0; ; n++) {
        const entry = { table: 'kv', record: { k: `${reserved} ${n}`, v } };
        const error = await journal.appendAll([entry], { reserved }).then(
          () => undefined,
          (thrown: { code: string }) => thrown.code,
        );
        if (error === undefined) {
          if (n === 65 && !reserved) t.match(journal.warnings.join(), /[89][0-9] % full/, 'before anybody is refused');
          continue;
        }
        t.equal(error, 'store_full');
        return n;
      }
    };
    const work = await fill(false);
    t.ok(work > 65 && work < 75, `${work} of new work`);
    t.equal(log.filter((line) => line.startsWith('warning the journal is')).length, 1, 'one line');
    t.ok((await fill(true)) > 20, 'the rest is for what comes in');
    const gone = Array.from({ length: work }, (_, n) => ({ table: 'kv', record: { k: `false ${n}` } }));
    for (const entry of gone) await journal.appendAll([entry], { makesRoom: true });
    await clock.advance(1_000);
    await journal.append('kv', { k: 'again', v });
    await until(() => journal.warnings.length === 0, 'the alarm ends');
  });
});
