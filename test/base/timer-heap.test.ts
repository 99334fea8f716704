import { spawnSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { TimerHeap } from '../../src/base/timer-heap.ts';

/** ms that a busy machine may take longer than it should. */
const PATIENCE = 60_000;

const program = (body: string) =>
  `import { TimerHeap } from ${JSON.stringify(new URL('../../src/base/timer-heap.ts', import.meta.url).href)};
  const timers = new TimerHeap();
  ${body}`;
const run = (body: string, flags: readonly string[] = []) =>
  spawnSync(process.execPath, [...flags, '--import', 'tsx', '--input-type=module', '-e', program(body)], {
    encoding: 'utf8',
  });

interface Plan {
  readonly ms: number;
  /** Cancelled at once, after so many ms, or not at all. */
  readonly cancelled: number | undefined;
}

const plans = fc.array(
  fc.record({
    ms: fc.oneof(fc.integer({ min: -5, max: 40 }), fc.constant(10), fc.constant(3_600_000)),
    cancelled: fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 120 },
);

/** What comes of the plans, in the order in which it comes. */
async function carryOut(
  t: Test,
  all: readonly Plan[],
): Promise<{ readonly at: number; readonly due: number; readonly n: number }[]> {
  const timers = new TimerHeap();
  const fired: { at: number; due: number; n: number }[] = [];
  const gone = new Set<number>();
  for (const [n, { ms, cancelled }] of all.entries()) {
    const due = performance.now() + Math.max(0, ms);
    const cancel = timers.after(ms, () => {
      if (gone.has(n)) throw new Error('it was cancelled');
      gone.add(n);
      fired.push({ at: performance.now(), due, n });
    });
    const end = () => {
      if (fired.some((one) => one.n === n)) return;
      cancel();
      gone.add(n);
    };
    if (cancelled === 0 || ms > 1_000) end();
    else if (cancelled !== undefined) timers.after(cancelled, end);
  }
  const deadline = performance.now() + PATIENCE;
  while (gone.size < all.length && performance.now() < deadline) await wait(5);
  // One that was cancelled has its time as well.
  await wait(5);
  t.equal(gone.size, all.length, 'each is called, or was cancelled');
  return fired;
}

t.test('timers: each once, none early, in order, but for those that are cancelled', async (t) => {
  await fc.assert(
    fc.asyncProperty(plans, async (all) => {
      const fired = await carryOut(t, all);
      t.equal(new Set(fired.map(({ n }) => n)).size, fired.length, 'once');
      for (const { at, due } of fired) t.ok(at >= due, 'not early');
      for (const [i, { due }] of fired.entries()) {
        const before = fired[i - 1];
        // Both are set within the same few microseconds: which is due first is known where more lies between them.
        if (before !== undefined) t.ok(before.due <= due + 1, 'in order');
      }
    }),
    { numRuns: 20 },
  );
});

t.test('timers: of two that are due together, what the first begins comes before the second', async (t) => {
  // They do not keep the process alive.
  const alive = setInterval(() => {}, 1_000);
  t.teardown(() => clearInterval(alive));
  const timers = new TimerHeap();
  const order: string[] = [];
  let cancelThird = () => {};
  const last = new Promise<void>((resolve) => {
    timers.after(5, () => {
      order.push('first');
      void Promise.resolve()
        .then(() => undefined)
        .then(() => {
          order.push('what the first began');
          cancelThird();
        });
    });
    timers.after(5, () => {
      order.push('second');
      timers.after(0, resolve);
    });
    cancelThird = timers.after(5, () => order.push('third'));
  });
  const begun = performance.now();
  while (performance.now() < begun + 10);
  await last;
  t.same(order, ['first', 'what the first began', 'second']);
});

t.test('timers: many that are due together do not wait for each other', async (t) => {
  const alive = setInterval(() => {}, 1_000);
  t.teardown(() => clearInterval(alive));
  const timers = new TimerHeap();
  let turns = 0;
  await new Promise<void>((resolve) => {
    for (let n = 0; n < 2_000; n++) timers.after(1, () => turns++);
    timers.after(1, resolve);
    // So many of Node's, one after the other, take a millisecond each.
    setTimeout(resolve, 1_500);
  });
  t.equal(turns, 2_000);
});

t.test('timers: no list of Node stays of those that another came in front of', async (t) => {
  const { stdout } = run(
    `timers.after(3_600_000, () => {});
    setInterval(() => {}, 1_000);
    let [left, before] = [2_200, 0];
    const used = () => {
      gc();
      return process.memoryUsage().heapUsed;
    };
    const next = () => {
      left -= 1;
      if (left === 2_000) before = used();
      // Behind its turn, when the long one is waited for again.
      if (left > 0) return void timers.after(1, () => setImmediate(next));
      console.log(Math.round((used() - before) / 1024));
      process.exit();
    };
    next();`,
    // Without the compilers, what grows is what stays.
    ['--expose-gc', '--no-sparkplug', '--no-maglev', '--no-opt'],
  );
  t.ok(Number(stdout) < 100, `2,000 short ones before a long one leave ${stdout.trim()} KiB`);
});

t.test('timers: a span beyond those of Node', async (t) => {
  const timers = new TimerHeap();
  let calls = 0;
  const cancel = timers.after(40 * 86_400_000, () => calls++);
  await wait(20);
  t.equal(calls, 0, 'a timer of Node is due at once after 2^31 ms');
  cancel();
  cancel();
});

t.test('timers: they do not keep the process alive', async (t) => {
  const { status, stdout } = run("timers.after(60_000, () => console.log('late')); console.log('over');");
  t.equal(stdout, 'over\n');
  t.equal(status, 0);
});

t.test('timers: one that fails takes no other with it', async (t) => {
  const { stdout } = run(`
    process.on('uncaughtException', (error) => console.log(error.message));
    setTimeout(() => {}, 100);
    timers.after(5, () => { throw new Error('failed'); });
    timers.after(5, () => console.log('second'));
    timers.after(10, () => console.log('third'));`);
  t.equal(stdout, 'failed\nsecond\nthird\n');
});
