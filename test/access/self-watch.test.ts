import { setTimeout as wait } from 'node:timers/promises';
import { getHeapSpaceStatistics } from 'node:v8';
import t from 'tap';
import { Access } from '../../src/access/access.ts';
import { SelfWatch, V8Heap } from '../../src/access/self-watch.ts';
import { createLogger } from '../../src/base/log.ts';
import { ManualClock } from '../support/manual-clock.ts';

const MIB = 1_048_576;

function setUp() {
  const clock = new ManualClock();
  const lines: string[] = [];
  const log = createLogger({ level: 'info', write: (line) => void lines.push(line.trimEnd()) });
  const heap = {
    limit: 50 * MIB,
    live: 10 * MIB,
    garbage: 0,
    spare: 0,
    room: 0,
    collections: 0,
    compactions: 0,
    shrunk: 0,
  };
  const watch = new SelfWatch({
    ...{ clock, log },
    heap: {
      limit: heap.limit,
      used: () => heap.live + heap.garbage,
      held: () => heap.live + heap.garbage + heap.spare + heap.room,
      collect: () => {
        heap.spare = heap.garbage / 2;
        heap.garbage = 0;
        heap.collections += 1;
      },
      compact: () => {
        heap.spare = 0;
        heap.garbage = 0;
        heap.compactions += 1;
      },
      shrink: () => {
        heap.room = 0;
        heap.shrunk += 1;
      },
    },
  });
  return { clock, lines, heap, watch };
}

t.test('what nobody uses is no reason to refuse anybody', async (t) => {
  const { heap, watch, lines } = setUp();
  heap.garbage = 35 * MIB;
  t.equal(watch.isScarce(), false);
  t.equal(heap.collections, 1);
  t.match(watch.status(), { heap_used: 10 * MIB, heap_peak: 45 * MIB, heap_limit: 50 * MIB, scarce: false });
  heap.garbage = 35 * MIB;
  t.equal(watch.isScarce(), false);
  t.equal(heap.collections, 1, 'not one collection after the other');
  t.same(lines, []);
});

t.test('memory is scarce until there is clearly more', async (t) => {
  const { clock, heap, watch, lines } = setUp();
  watch.start();
  heap.live = 42 * MIB;
  t.equal(watch.isScarce(), true);
  heap.live = 38 * MIB;
  await clock.advance(2_000);
  t.equal(watch.isScarce(), true);
  heap.live = 30 * MIB;
  await clock.advance(500);
  t.match(watch.status(), { scarce: false, times_scarce: 1, heap_peak: 42 * MIB });
  t.match(lines, [/^warning 42 of 50 MiB .* refused as busy/, /^info 30 of 50 MiB .* served again/]);
  watch.stop();
  t.equal(watch.isScarce(), false, 'it can be asked after its end');
  t.equal(clock.pending, 0);
});

t.test('it wakes up seldom where nobody asks for anything', async (t) => {
  const { clock, watch } = setUp();
  let looks = 0;
  const after = clock.after.bind(clock);
  clock.after = (ms, callback) => {
    looks += 1;
    return after(ms, callback);
  };
  watch.start();
  for (let n = 0; n < 600; n++) await clock.advance(1_000);
  t.ok(looks <= 22, `${looks} in ten minutes`);
  looks = 0;
  watch.isScarce();
  await clock.advance(500);
  t.equal(looks, 2, 'and often while somebody does');
  watch.stop();
});

t.test('what a burst leaves is given back once it is over', async (t) => {
  const { clock, heap, watch } = setUp();
  const work = async () => {
    for (let n = 0; n < 20; n++) {
      watch.isScarce();
      await clock.advance(100);
    }
  };
  const quiet = async (what: string, times: number) => {
    await clock.advance(60_000);
    t.equal(heap.compactions, times, what);
  };
  watch.start();
  await quiet('the start as well', 1);
  heap.garbage = MIB / 2;
  await work();
  await quiet('not for little', 1);
  heap.garbage = 5 * MIB;
  await work();
  t.equal(heap.compactions, 1, 'not while there is work');
  await clock.advance(1_000);
  t.equal(heap.compactions, 2, 'but then');
  heap.garbage = 5 * MIB;
  watch.isScarce();
  await clock.advance(1_000);
  t.equal(heap.compactions, 2, 'not at once again');
  await clock.advance(2_000);
  t.equal(heap.compactions, 3);
  heap.live = 20 * MIB;
  await work();
  await quiet('what has grown, perhaps for good', 4);
  heap.garbage = MIB / 2;
  await work();
  await quiet('what stays is in use', 4);
  heap.live = 34 * MIB;
  await work();
  await quiet('a large heap is left to V8', 4);
  watch.stop();
  t.equal(clock.pending, 0);
});

t.test('the room for new objects is given back some seconds after a burst', async (t) => {
  const { clock, heap, watch } = setUp();
  watch.start();
  await clock.advance(5_000);
  t.match(heap, { compactions: 1, shrunk: 0 }, 'the start is one');
  watch.isScarce();
  await clock.advance(1_000);
  t.equal(heap.shrunk, 0, 'not right after a call');
  await clock.advance(5_000);
  t.equal(heap.shrunk, 0);
  await clock.advance(1_000);
  t.equal(heap.shrunk, 1);
  await clock.advance(120_000);
  t.match(heap, { compactions: 1, shrunk: 1 }, 'once');
  heap.room = 32 * MIB;
  watch.isScarce();
  await clock.advance(20_000);
  t.match(heap, { compactions: 2, shrunk: 2, room: 0 }, 'however much it is');
  watch.stop();
});

t.test('doors refuse while memory is scarce', async (t) => {
  const { clock, heap, watch } = setUp();
  const { memory } = new Access(clock);
  memory.watchedBy(watch);
  (await memory.answers.enter(1)).release();
  heap.live = 45 * MIB;
  // The last look holds for a moment.
  (await memory.answers.enter(1)).release();
  await clock.advance(10);
  for (const pool of [memory.answers, memory.work]) await t.rejects(pool.enter(1), { code: 'queue_full' });
  (await memory.storing.enter(1)).release();
});

t.test('the heap of this process', async (t) => {
  const { clock } = setUp();
  const watch = new SelfWatch({ clock, log: createLogger({ level: 'error', write: () => {} }) });
  const { rss, heap_used: used, heap_limit: limit, scarce } = watch.status();
  t.ok((rss ?? 0) > MIB && used > MIB && used < limit, `${used} of ${limit}`);
  t.equal(scarce, false);
});

const newSpace = () => getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0;

t.test('what nobody uses any more goes back to the system', async (t) => {
  const heap = new V8Heap();
  let burst = Array.from({ length: 600_000 }, (_, n) => ({ n, at: [n] }));
  const used = heap.used();
  t.equal(burst.length, 600_000);
  burst = [];
  heap.compact();
  t.ok(used - heap.used() > 10 * MIB, `${used} octets in use, then ${heap.used()}`);
  // V8 looks at how many objects were made in the last seconds, and the machine may be busy.
  const room = newSpace();
  for (let n = 0; n < 6 && newSpace() >= room; n++) {
    await wait(7_000);
    heap.shrink();
  }
  t.ok(newSpace() < room, `room for ${room} octets of new objects, then for ${newSpace()}`);
});
