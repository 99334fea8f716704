import t from 'tap';
import { contentOf, makeJournal, openJournal } from '../support/key-table.ts';
import { MemoryFileSystem } from '../support/memory-file-system.ts';
import { seeded } from '../support/seeded.ts';

/* The journal when the power goes, the process is killed, or the disk fails, at any of its file calls. */

/** Appends, overwrites, removes and compacts; gives what was acknowledged, in order. */
async function work(opened: Awaited<ReturnType<typeof openJournal>>, acknowledged: string[]): Promise<void> {
  const { journal } = opened;
  for (let i = 0; i < 16; i++) {
    const record = { k: `k${i % 3}`, v: i };
    await journal.append('kv', record).then(
      () => acknowledged.push(`k${i % 3}=${i}`),
      () => undefined,
    );
  }
}

const sorted = (record: Record<string, unknown>) => Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));

const stateOf = (records: readonly string[]): Record<string, number> =>
  Object.fromEntries(records.map((record) => [record.split('=')[0], Number(record.split('=')[1])]));

/** Works on a new disk until it crashes at file call `at`; undefined when it does not come to that. */
async function workUntil(at: number, random: () => number) {
  const fs = new MemoryFileSystem(random);
  fs.fault = (_call, _path, number) => (number === at ? 'crash' : undefined);
  const acknowledged: string[] = [];
  const made = makeJournal(fs, { compactFrom: 200 });
  await made.journal.open().then(
    () => work(made, acknowledged),
    () => undefined,
  );
  await made.journal.close();
  if (!fs.crashed) return undefined;
  // The one append that was under way may be there as well.
  const next = `k${acknowledged.length % 3}=${acknowledged.length}`;
  const allowed = [stateOf(acknowledged), stateOf([...acknowledged, next])].map((state) =>
    JSON.stringify(sorted(state)),
  );
  return { fs, allowed };
}

t.test('a power cut at any file call loses nothing that was acknowledged', async (t) => {
  const random = seeded(1);
  let cuts = 0;
  for (let round = 0; round < 6; round++) {
    for (let at = 0; ; at++) {
      const crashed = await workUntil(at, random);
      if (crashed === undefined) break;
      cuts += 1;
      const after = await openJournal(crashed.fs.afterPowerCut());
      const found = JSON.stringify(sorted(await contentOf(after)));
      if (!crashed.allowed.includes(found)) t.fail(`cut at call ${at} of round ${round}: ${found}`);
      await after.journal.close();
    }
  }
  t.ok(cuts > 200, `${cuts} power cuts`);
});

t.test('what the next process finds after a kill at any file call, a power cut does not take back', async (t) => {
  const random = seeded(2);
  let kills = 0;
  for (let round = 0; round < 6; round++) {
    for (let at = 0; ; at++) {
      const killed = await workUntil(at, random);
      if (killed === undefined) break;
      kills += 1;
      const disk = killed.fs.afterKill();
      const next = await openJournal(disk);
      const found = await contentOf(next);
      const shown = JSON.stringify(sorted(found));
      if (!killed.allowed.includes(shown)) t.fail(`killed at call ${at} of round ${round}: ${shown}`);
      const more = round % 2 === 0 ? {} : { more: 1 };
      if (round % 2 === 1) await next.journal.append('kv', { k: 'more', v: 1 });
      const expected = JSON.stringify(sorted({ ...found, ...more }));
      const last = await openJournal(disk.afterPowerCut());
      const left = JSON.stringify(sorted(await contentOf(last)));
      if (left !== expected) t.fail(`killed at call ${at} of round ${round}: ${expected}, and then ${left}`);
      await next.journal.close();
      await last.journal.close();
    }
  }
  t.ok(kills > 200, `${kills} kills`);
});

for (const code of ['ENOSPC', 'EIO', 'EROFS']) {
  t.test(`${code} at any file call is refused with a clear error, and passes`, async (t) => {
    let faults = 0;
    for (let at = 0; ; at++) {
      const fs = new MemoryFileSystem();
      let hit = false;
      let broken = true;
      // The disk stays as it is for a while: this call and those after it fail, reading apart.
      fs.fault = (call, _path, number) => {
        if (!broken || number < at || call === 'read' || call === 'close' || call === 'size') return undefined;
        hit = true;
        return code;
      };
      const acknowledged: string[] = [];
      const made = makeJournal(fs, { compactFrom: 200 });
      const opened = await made.journal.open().then(
        () => true,
        (error: unknown) => {
          t.match(error, { code: /^store_/ });
          return false;
        },
      );
      if (opened) await work(made, acknowledged);
      if (!hit) break;
      faults += 1;
      broken = false;
      const present = opened ? made : await openJournal(fs);
      for (let i = 0; i < 8; i++) await present.clock.advance(61_000);
      await present.journal.append('kv', { k: 'after', v: 1 });
      const expected = sorted({ ...stateOf(acknowledged), after: 1 });
      if (JSON.stringify(sorted(await contentOf(present))) !== JSON.stringify(expected)) {
        t.same(sorted(await contentOf(present)), expected, `in memory, from call ${at}`);
      }
      await present.journal.close();
      const again = await openJournal(fs);
      if (JSON.stringify(sorted(await contentOf(again))) !== JSON.stringify(expected)) {
        t.same(sorted(await contentOf(again)), expected, `on the disk, from call ${at}`);
      }
      await again.journal.close();
    }
    t.ok(faults > 20, `${faults} places`);
  });
}
