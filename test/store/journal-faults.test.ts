import fc from 'fast-check';
import t from 'tap';
import type { JsonObject } from '../../src/base/json.ts';
import { contentOf, DIRECTORY, makeJournal, type OpenedJournal, openJournal } from '../support/key-table.ts';
import { type Call, MemoryFileSystem } from '../support/memory-file-system.ts';
import { until } from '../support/outbox-rig.ts';
import { seeded } from '../support/seeded.ts';

type Model = Map<string, unknown>;

const sorted = (entries: Iterable<readonly [string, unknown]>) =>
  JSON.stringify([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));

/** Appends all at once; the model takes over what was acknowledged. Only errors of the store may come. */
async function appendAtOnce({ journal }: OpenedJournal, records: readonly JsonObject[], model: Model): Promise<number> {
  const results = await Promise.allSettled(records.map((record) => journal.append('kv', record)));
  for (const [i, result] of results.entries()) {
    const { k, v } = records[i] ?? {};
    if (result.status === 'rejected') {
      if (!/^store_/.test(String(result.reason.code))) throw result.reason;
    } else if (v === undefined) model.delete(String(k));
    else model.set(String(k), v);
  }
  return results.filter(({ status }) => status === 'rejected').length;
}

/** Groups of three, with overwrites and removals, over several compactions. */
async function work(opened: OpenedJournal, model: Model): Promise<number> {
  let refused = 0;
  for (let group = 0; group < 25; group++) {
    const records = [0, 1, 2].map((i) => ({ k: `${(group + i * i) % 5}`, v: `${group}.${i}` }));
    refused += await appendAtOnce(opened, group % 3 === 2 ? [...records, { k: '1' }] : records, model);
    // The pauses after which a journal in doubt is written again.
    if (refused > 0) await opened.clock.advance(61_000);
  }
  return refused;
}

/** Fails `once` at one call; gives whether it came to that. */
function failOnce(fs: MemoryFileSystem, code: string, at: (call: Call, number: number) => boolean): () => boolean {
  let hit = false;
  fs.fault = (call, _path, number) => {
    if (hit || !at(call, number)) return undefined;
    hit = true;
    return code;
  };
  return () => hit;
}

for (const code of ['ENOSPC', 'EIO']) {
  t.test(`${code} once, at any file call: what was refused is gone, the rest outlives a power cut`, async (t) => {
    let places = 0;
    // What a failed call has half done, and what survives of unsynced octets, differs from round to round.
    for (let round = 1; round <= 5; round++) {
      for (let at = 0; ; at++) {
        const fs = new MemoryFileSystem(seeded(round * 1_000 + at));
        const wasHit = failOnce(fs, code, (_call, number) => number === at);
        const model: Model = new Map();
        const made = makeJournal(fs, { compactFrom: 200 });
        const opened = await made.journal.open().then(
          () => made,
          (error: { code: string }) => {
            t.match(error.code, /^store_/);
            return openJournal(fs, { compactFrom: 200 });
          },
        );
        await work(opened, model);
        fs.fault = () => undefined;
        const inMemory = sorted(Object.entries(await contentOf(opened)));
        if (inMemory !== sorted(model)) t.equal(inMemory, sorted(model), `in memory, call ${at}`);
        const later = await openJournal(fs.afterPowerCut());
        const onDisk = sorted(Object.entries(await contentOf(later)));
        if (onDisk !== sorted(model)) t.equal(onDisk, sorted(model), `on the disk, call ${at} (${fs.log[at]})`);
        await opened.journal.close();
        if (!wasHit()) break;
        places += 1;
      }
    }
    t.ok(places > 400, `${places} places`);
  });
}

t.test('after a failed sync nothing is appended to that file any more', async (t) => {
  const fs = new MemoryFileSystem(() => 0);
  const opened = await openJournal(fs);
  await opened.journal.append('kv', { k: 'a', v: 1 });
  failOnce(fs, 'EIO', (call) => call === 'datasync');
  const syncs = () => fs.log.filter((call) => call === 'datasync').length;
  const before = syncs();
  await t.rejects(opened.journal.append('kv', { k: 'b', v: 2 }), { code: 'store_unavailable' });
  t.equal(opened.journal.status().error !== undefined, true, 'status says so');
  await t.rejects(opened.journal.append('kv', { k: 'c', v: 3 }), { code: 'store_unavailable' });
  t.equal(syncs() - before, 1, 'the sync is not simply repeated');
  await opened.clock.advance(1_000);
  t.equal(opened.journal.status().error, undefined);
  await opened.journal.append('kv', { k: 'd', v: 4 });
  t.same(await contentOf(await openJournal(fs.afterPowerCut())), { a: 1, d: 4 });
  t.equal(opened.log.filter((line) => line.startsWith('error')).length, 1, 'logged once');
});

t.test('what is synced takes with it what was not synced before it', async (t) => {
  const fs = new MemoryFileSystem(() => 0);
  const opened = await openJournal(fs, { sync: 5 });
  await opened.journal.append('kv', { k: 'a', v: 1 });
  opened.journal.sync = 'always';
  await opened.journal.append('kv', { k: 'b', v: 2 });
  await opened.journal.append('kv', { k: 'c', v: 3 });
  t.same(await contentOf(await openJournal(fs.afterPowerCut())), { a: 1, b: 2, c: 3 });
});

t.test(
  'sync in seconds: a sync that fails in the background is made good with all that was acknowledged',
  async (t) => {
    const fs = new MemoryFileSystem(() => 0);
    const opened = await openJournal(fs, { sync: 5 });
    await opened.journal.append('kv', { k: 'a', v: 1 });
    failOnce(fs, 'EIO', (call) => call === 'datasync');
    await opened.clock.advance(5_000);
    await t.rejects(opened.journal.append('kv', { k: 'b', v: 2 }), { code: 'store_unavailable' });
    await opened.clock.advance(1_000);
    t.same(await contentOf(await openJournal(fs.afterPowerCut())), { a: 1 });
  },
);

t.test(
  'a read-only file system: what is stored can be read, and appending begins when it can be written',
  async (t) => {
    const fs = new MemoryFileSystem();
    const first = await openJournal(fs);
    await first.journal.append('kv', { k: 'a', v: 1 });
    await first.journal.close();
    let readOnly = true;
    const { open } = fs;
    fs.open = (path, mode) =>
      readOnly && mode !== 'read'
        ? Promise.reject(Object.assign(new Error('read-only file system'), { code: 'EROFS' }))
        : open.call(fs, path, mode);
    const second = await openJournal(fs);
    t.same(await contentOf(second), { a: 1 });
    await t.rejects(second.journal.append('kv', { k: 'b', v: 2 }), { code: 'store_unavailable' });
    await second.clock.advance(30_000);
    await t.rejects(second.journal.append('kv', { k: 'b', v: 2 }), { code: 'store_unavailable' });
    readOnly = false;
    await second.clock.advance(60_000);
    await second.journal.append('kv', { k: 'b', v: 2 });
    t.same(await contentOf(second), { a: 1, b: 2 });
    await second.journal.close();
    t.same(await contentOf(await openJournal(fs)), { a: 1, b: 2 });
  },
);

t.test('lines of a write that failed half way do not come back behind shorter ones', async (t) => {
  const fs = new MemoryFileSystem(() => 0.99);
  const opened = await openJournal(fs);
  failOnce(fs, 'ENOSPC', (call) => call === 'write');
  const refused = await appendAtOnce(
    opened,
    ['a', 'b', 'c', 'd'].map((k) => ({ k, v: 'refused' })),
    new Map(),
  );
  t.equal(refused, 4);
  await opened.journal.append('kv', { k: 'e', v: 1 });
  await opened.journal.close();
  const again = await openJournal(fs);
  t.same(await contentOf(again), { e: 1 });
  t.match(again.journal.status(), { damaged: 0, torn: 0 });
});

t.test('nothing counts as stored while the directory may still name the old file', async (t) => {
  // After a power cut the names are those of the last sync of the directory.
  const fs = new MemoryFileSystem(() => 0.99);
  const opened = await openJournal(fs, { compactFrom: 300 });
  failOnce(fs, 'EIO', (call) => call === 'syncdir');
  const model: Model = new Map();
  for (let i = 0; opened.journal.status().error === undefined && i < 100; i++) {
    await appendAtOnce(opened, [{ k: `${i % 3}`, v: i }], model);
  }
  t.match(opened.journal.status().error, /EIO/);
  await t.rejects(opened.journal.append('kv', { k: 'x', v: 1 }), { code: 'store_unavailable' });
  const later = await openJournal(fs.afterPowerCut());
  t.equal(sorted(Object.entries(await contentOf(later))), sorted(model));
  await opened.clock.advance(1_000);
  await appendAtOnce(opened, [{ k: 'y', v: 1 }], model);
  const repaired = await openJournal(fs.afterPowerCut());
  t.equal(sorted(Object.entries(await contentOf(repaired))), sorted(model));
});

t.test('a bad block costs the records in it', async (t) => {
  const fs = new MemoryFileSystem();
  const first = await openJournal(fs);
  for (let i = 0; i < 100; i++) await first.journal.append('kv', { k: `${i}`, v: 'x'.repeat(200) });
  await first.journal.close();
  const { open } = fs;
  fs.open = async (path, mode) => {
    const file = await open.call(fs, path, mode);
    if (!path.endsWith('/journal')) return file;
    const isBad = (from: number, to: number) => from < 12_000 && to > 8_192;
    return {
      ...file,
      read: (buffer, position) =>
        isBad(position, position + buffer.length)
          ? Promise.reject(Object.assign(new Error('bad block'), { code: 'EIO' }))
          : file.read(buffer, position),
    };
  };
  const second = await openJournal(fs);
  const keys = [...second.table.refs.keys()];
  t.ok(keys.length >= 80 && keys.length < 100, `${keys.length} of 100 are left`);
  t.ok(keys.includes('0') && keys.includes('99'));
  await until(() => second.journal.status().compactions === 1, 'a new file is written');
  fs.open = open;
  t.equal(Object.keys(await contentOf(second)).length, keys.length);
  await second.journal.close();
});

t.test('a file that is no journal is set aside, never thrown away', async (t) => {
  for (const foreign of ['config rule\n\toption x 1\n', 'no newline at all', '\0'.repeat(5_000)]) {
    const fs = new MemoryFileSystem();
    fs.put(`${DIRECTORY}/journal`, Buffer.from(foreign));
    const opened = await openJournal(fs);
    await opened.journal.append('kv', { k: 'a', v: 1 });
    await opened.journal.close();
    t.equal(fs.content(`${DIRECTORY}/journal.corrupt`)?.toString(), foreign);
    t.same(await contentOf(await openJournal(fs)), { a: 1 });
  }
});

type Step =
  | { readonly type: 'append'; readonly records: readonly JsonObject[] }
  | { readonly type: 'restart' | 'power cut' | 'wait' }
  | { readonly type: 'fault'; readonly code: string; readonly after: number };

const record = fc.record({ k: fc.constantFrom('a', 'b', 'c', 'd'), v: fc.option(fc.string(), { nil: undefined }) });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('append'), records: fc.array(record, { maxLength: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('restart', 'power cut', 'wait') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('fault'),
      code: fc.constantFrom('ENOSPC', 'EIO', 'EROFS'),
      after: fc.integer({ min: 0, max: 12 }),
    }),
  },
);

t.test('whatever happens, it holds what a plain map would hold', () =>
  fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(), async (steps, seed) => {
      const options = { compactFrom: 150 };
      const model: Model = new Map();
      let fs = new MemoryFileSystem(seeded(seed));
      let opened = await openJournal(fs, options);
      const heal = async () => {
        fs.fault = () => undefined;
        for (let i = 0; i < 3; i++) await opened.clock.advance(61_000);
      };
      for (const step of steps) {
        if (step.type === 'append') await appendAtOnce(opened, step.records, model);
        else if (step.type === 'fault') {
          const from = fs.calls + step.after;
          failOnce(fs, step.code, (_call, number) => number >= from);
        } else await heal();
        if (step.type === 'restart' || step.type === 'power cut') {
          if (step.type === 'restart') await opened.journal.close();
          else fs = fs.afterPowerCut();
          opened = await openJournal(fs, options);
        }
        if (opened.table.refs.size !== model.size) return false;
      }
      await heal();
      return sorted(Object.entries(await contentOf(opened))) === sorted(model);
    }),
    { numRuns: 150 },
  ),
);

t.test('the journal is cut while the gateway runs: nothing is accepted until it is whole again', async (t) => {
  const path = `${DIRECTORY}/journal`;
  const fs = new MemoryFileSystem(() => 0);
  const opened = await openJournal(fs);
  await opened.journal.append('kv', { k: 'a', v: 1 });
  const cut = await fs.open(path, 'write');
  const whole = await cut.size();
  await opened.journal.append('kv', { k: 'b', v: 2 });
  await cut.truncate(whole + 5);
  await t.rejects(opened.journal.append('kv', { k: 'c', v: 3 }), {
    code: 'store_unavailable',
    message: /was cut to \d+ of its \d+ octets/,
  });
  await opened.clock.advance(1_000);
  await until(() => opened.journal.status().error === undefined, 'it is written again');
  t.equal(opened.journal.status().lost, 1);
  await opened.journal.append('kv', { k: 'd', v: 4 });
  t.ok(
    opened.log.some((line) => line.startsWith('error') && line.includes('was cut')),
    'an alarm in the log',
  );
  await opened.journal.close();
  t.same(await contentOf(await openJournal(fs.afterPowerCut())), { a: 1, d: 4 }, 'what was behind the cut is gone');
});

t.test('the journal is deleted or replaced while the gateway runs', async (t) => {
  const path = `${DIRECTORY}/journal`;
  for (const act of ['deleted', 'replaced'] as const) {
    for (const notice of ['an append', 'the system', 'the stop'] as const) {
      const fs = new MemoryFileSystem(() => 0);
      const opened = await openJournal(fs);
      await opened.journal.append('kv', { k: 'a', v: 1 });
      const other = act === 'replaced' ? Buffer.from('something else') : undefined;
      if (notice === 'the system') fs.meddle(path, other);
      else {
        await fs.remove(path);
        if (other !== undefined) fs.put(path, other);
      }
      if (notice === 'an append') {
        await t.rejects(opened.journal.append('kv', { k: 'b', v: 2 }), { code: 'store_unavailable' }, 'not accepted');
      }
      if (notice !== 'the stop') {
        await until(() => opened.journal.status().error !== undefined, 'status says so');
        await opened.clock.advance(1_000);
        await until(() => opened.journal.status().error === undefined, 'it is written again');
        t.equal(opened.journal.status().lost, 1);
        await opened.journal.append('kv', { k: 'c', v: 3 });
      }
      await opened.journal.close();
      t.ok(
        opened.log.some((line) => line.startsWith('error') && line.includes(path)),
        'an alarm in the log',
      );
      const later = await openJournal(fs.afterPowerCut());
      t.same(await contentOf(later), { a: 1, ...(notice === 'the stop' ? {} : { c: 3 }) }, `${act}, ${notice}`);
      const found = act === 'replaced' ? 'something else' : undefined;
      t.equal(fs.content(`${path}.found`)?.toString(), found, 'what stood there is kept');
    }
  }
});
