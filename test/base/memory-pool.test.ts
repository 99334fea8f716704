import fc from 'fast-check';
import t from 'tap';
import { AnswerRoom, InputMemory, type Lease, MemoryPool, makeAnswer } from '../../src/base/memory-pool.ts';
import { ManualClock } from '../support/manual-clock.ts';

const WAIT_MS = 1_000;

function setUp(limit = 100, options: { readonly waiting?: number; readonly isScarce?: () => boolean } = {}) {
  const clock = new ManualClock();
  const pool = new MemoryPool({ what: 'sends', limit, waitMs: WAIT_MS, clock, ...options });
  const entered: string[] = [];
  const enter = async (name: string, octets: number, signal?: AbortSignal): Promise<Lease> => {
    const lease = await pool.enter(octets, signal);
    entered.push(name);
    return lease;
  };
  return { clock, pool, entered, enter };
}

t.test('who finds no room waits, and comes in in order', async (t) => {
  const { clock, pool, entered, enter } = setUp();
  const first = await enter('first', 80);
  const second = enter('second', 60);
  const third = enter('third', 10);
  await clock.advance(0);
  t.same(entered, ['first'], 'a small one does not pass a large one');
  t.equal(pool.take(1), undefined, 'nor does one that would not wait');
  t.match(pool.usage(), { used: 80, limit: 100, waiting: 2 });
  first.release();
  first.release();
  await Promise.all([second, third]);
  t.same(entered, ['first', 'second', 'third']);
  t.equal(pool.usage()['used'], 70, 'a lease that is released twice counts once');
});

t.test('one that is larger than the limit comes in alone', async (t) => {
  const { clock, entered, enter } = setUp();
  const small = await enter('small', 1);
  const large = enter('large', 500);
  await clock.advance(0);
  t.same(entered, ['small']);
  small.release();
  (await large).release();
});

t.test('what has begun may grow, and what it no longer needs is free at once', async (t) => {
  const { clock, pool, entered, enter } = setUp();
  const lease = await enter('first', 10);
  lease.resize(300);
  const other = enter('other', 10);
  await clock.advance(0);
  t.same(entered, ['first']);
  lease.resize(20);
  await other;
  lease.release();
  lease.resize(50);
  t.equal(pool.usage()['used'], 10, 'a lease that is over holds nothing more');
});

t.test('a wait has its end', async (t) => {
  const { clock, pool, entered, enter } = setUp(100, { waiting: 2 });
  const first = await enter('first', 100);
  const gone = new AbortController();
  const waits = enter('late', 50);
  const leaves = enter('gone', 50, gone.signal);
  await t.rejects(enter('one too many', 1), { code: 'queue_full', message: /too many sends at once/ });
  gone.abort(new Error('the client has gone'));
  await t.rejects(leaves, { message: 'the client has gone' });
  await t.rejects(pool.enter(1, gone.signal), { message: 'the client has gone' });
  const behind = enter('behind', 50);
  const refused = [
    t.rejects(waits, { code: 'queue_full', message: /waited 1 s/ }),
    t.rejects(behind, { code: 'queue_full' }),
  ];
  await clock.advance(WAIT_MS);
  await Promise.all(refused);
  t.match(pool.usage(), { waiting: 0, refused: 3 });
  first.release();
  await enter('next', 100);
  t.same(entered, ['first', 'next']);
});

t.test('the work of a client that has gone counts until it is done, and who waits goes', async (t) => {
  const { clock, pool, enter } = setUp();
  const gone = new AbortController();
  const lease = await enter('first', 100, gone.signal);
  const waited = enter('second', 100, gone.signal).catch(() => undefined);
  gone.abort();
  await waited;
  await clock.advance(0);
  t.match(pool.usage(), { used: 100, waiting: 0 });
  lease.release();
  t.match(pool.usage(), { used: 0 });
});

t.test('while the process is short of memory nobody new comes in', async (t) => {
  let scarce = true;
  const { enter } = setUp(100, { isScarce: () => scarce });
  await t.rejects(enter('first', 1), { code: 'queue_full', message: /short of memory/ });
  scarce = false;
  await enter('second', 1);
});

t.test('whatever comes and goes, the pool is empty at the end and never overfull', async () => {
  const sizes = fc.array(fc.record({ octets: fc.integer({ min: 1, max: 150 }), aborts: fc.boolean() }), {
    maxLength: 40,
  });
  await fc.assert(
    fc.asyncProperty(sizes, async (requests) => {
      const { clock, pool } = setUp();
      const work = requests.map(async ({ octets, aborts }) => {
        const abort = new AbortController();
        if (aborts) clock.after(1, () => abort.abort());
        const lease = await pool.enter(octets, abort.signal).catch(() => undefined);
        if (lease === undefined) return;
        const { used } = pool.usage();
        if (Number(used) > 100 && used !== octets) throw new Error(`${used} octets are held`);
        await new Promise<void>((resolve) => void clock.after(2, resolve));
        lease.release();
      });
      for (let n = 0; n < 200; n++) await clock.advance(10);
      await Promise.all(work);
      if (pool.usage()['used'] !== 0 || pool.usage()['waiting'] !== 0) throw new Error(JSON.stringify(pool.usage()));
    }),
    { numRuns: 100 },
  );
});

t.test('an answer', async (t) => {
  const never = new AbortController().signal;

  t.test('waits for its first part only, and holds until it is read', async (t) => {
    const { clock, pool } = setUp();
    const [a, b] = [new AnswerRoom(), new AnswerRoom()];
    t.equal(await a.make(pool, 60, never, async () => 'part'), 'part');
    a.keep(20);
    t.equal(pool.usage()['used'], 40, 'two octets a character');
    await b.make(pool, 60, never, async () => undefined);
    b.keep(30);
    // Both would wait for each other for ever.
    await Promise.all([a, b].map((room) => room.make(pool, 60, never, async () => undefined)));
    t.equal(pool.usage()['used'], 100);
    a.release();
    b.release();
    a.keep(10);
    await clock.advance(0);
    t.equal(pool.usage()['used'], 0);
  });

  t.test('makes its parts one after the other', async (t) => {
    const { clock, pool } = setUp();
    const room = new AnswerRoom();
    let working = 0;
    let most = 0;
    const part = () =>
      room.make(pool, 10, never, async () => {
        most = Math.max(most, ++working);
        await new Promise<void>((resolve) => void clock.after(5, resolve));
        working--;
      });
    const parts = Promise.all([part(), part(), part()]);
    for (let n = 0; n < 5; n++) await clock.advance(5);
    await parts;
    t.equal(most, 1);
  });

  t.test('makes nothing more once a part has not fitted, and a part that failed holds nothing', async (t) => {
    const { pool } = setUp();
    const room = new AnswerRoom();
    await t.rejects(
      room.make(pool, 10, never, async () => {
        throw new Error('broken');
      }),
      { message: 'broken' },
    );
    t.equal(pool.usage()['used'], 0);
    room.fill();
    await t.rejects(
      room.make(pool, 10, never, async () => t.fail('is not made')),
      { code: 'too_large' },
    );
  });

  t.test('of a client that has gone counts while it is made, and no longer', async (t) => {
    const { clock, pool } = setUp();
    const gone = new AbortController();
    const room = new AnswerRoom();
    const making = room.make(pool, 60, gone.signal, () => new Promise<void>((resolve) => void clock.after(5, resolve)));
    await clock.advance(1);
    gone.abort();
    t.equal(pool.usage()['used'], 60);
    await clock.advance(5);
    await making;
    t.equal(pool.usage()['used'], 0);
    const read = new AbortController();
    const other = new AnswerRoom();
    await other.make(pool, 10, read.signal, async () => undefined);
    other.keep(10);
    t.equal(pool.usage()['used'], 20);
    read.abort();
    t.equal(pool.usage()['used'], 0, 'what it does not read');
  });

  t.test('counts while it is made where nobody knows when it is read', async (t) => {
    const { pool } = setUp();
    await makeAnswer(undefined, pool, 10, never, async () => t.equal(pool.usage()['used'], 10));
    t.equal(pool.usage()['used'], 0);
  });
});

t.test('input of all connections', async (t) => {
  const input = new InputMemory(100);
  const dropped: string[] = [];
  const open = (name: string) => input.open(() => dropped.push(name));
  const [a, b, c] = [open('a'), open('b'), open('c')];
  a.set(60);
  b.set(30);
  c.set(10);
  t.same(dropped, [], 'as much as there is room for');
  c.set(11);
  t.same(dropped, ['a'], 'who holds the most goes, whoever came last');
  t.match(input.usage(), { used: 41, limit: 100, dropped: 1 });
  a.set(90);
  t.equal(input.usage()['used'], 41, 'who has gone counts no more');
  c.set(200);
  t.same(dropped, ['a', 'c'], 'it may be the one itself');
  b.close();
  b.close();
  t.equal(input.usage()['used'], 0);
});
