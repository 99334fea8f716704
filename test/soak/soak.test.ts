import t from 'tap';
import { newFolder } from '../support/folder.ts';
import { seeded } from '../support/seeded.ts';
import { FastClock } from './fast-clock.ts';
import { Ledger } from './ledger.ts';
import { growth, plotOf } from './report.ts';
import { type Point, Soak } from './soak.ts';

process.env['TZ'] = 'Europe/Vilnius';

t.test('three days with every function on, lost modems, and a jump of years', { timeout: 580_000 }, async (t) => {
  const soak = await Soak.open({ folder: newFolder(t), rounds: 3, events: 1, random: seeded(2) });
  t.teardown(() => soak.close());
  for (let round = 0; round < 3; round++) await soak.round(round, 20);
  t.same(soak.ledger.faults, []);
  t.equal(soak.ledger.settled, soak.ledger.entered);
  t.ok(soak.ledger.entered >= 60, `${soak.ledger.entered} messages`);
  t.ok((soak.samples.at(-1)?.at ?? 0) > Date.UTC(2038, 0, 19, 3, 14, 8), 'the clock is past 2038-01-19');
  t.match(plotOf(soak.samples), /<svg[\s\S]*<polyline/);
});

t.test('the ledger finds what is lost, doubled, or of nobody', async (t) => {
  const ledger = new Ledger();
  for (const name of ['o0000001', 'o0000002', 'o0000003']) ledger.expect(name, 'network', 'http');
  for (const sink of ['network', 'http', 'network'] as const) ledger.arrived('o0000001', sink);
  ledger.arrived('o0000002', 'network');
  ledger.arrived('o0000002', 'network');
  ledger.allow(['network']);
  ledger.arrived('o0000002', 'network');
  ledger.arrived('o0000001', 'http');
  ledger.arrived('o0000009', 'mail');
  ledger.giveUp();
  t.same(ledger.faults, [
    'o0000001 came to network twice',
    'o0000002 came to network twice',
    'o0000001 came to http twice',
    'o0000009 came to mail, and nobody sent it there',
    'o0000002 was lost on its way to http',
    'o0000003 was lost on its way to network,http',
  ]);
  t.same([ledger.entered, ledger.settled, ledger.repeats.get('network')], [3, 1, 1]);
});

const point = (n: number, heap: number): Point => ({
  ...{ messages: n * 100, at: n * 1000, heap, resident: 1e8, descriptors: 30, timers: 7, handles: 40 },
  ...{ cpu: n * 500, written: n * 1e6, stored: n * 1e5, journal: 1e5, latency: 5 },
});

t.test('growth after the warm-up is found, growth before it is none', async (t) => {
  const run = (heap: (n: number) => number) => growth(Array.from({ length: 40 }, (_, n) => point(n + 1, heap(n))));
  t.same(
    run(() => 4e7),
    [],
  );
  t.same(
    run((n) => Math.min(n, 8) * 5e6),
    [],
  );
  t.match(
    run((n) => 4e7 + n * 5e5),
    [/not flat: Heap/],
  );
});

t.test('a skip fires timers in order, with what they begin done before the next', async (t) => {
  const clock = new FastClock(Date.UTC(2026, 0, 1));
  const order: string[] = [];
  clock.after(3_600_000, () => {
    order.push('an hour');
    // Real work, and a deadline that watches over it.
    const cancel = clock.after(5_000, () => order.push('too late'));
    setTimeout(() => {
      order.push('its work');
      cancel();
    }, 50);
  });
  clock.after(7_200_000, () => order.push('two hours'));
  const before = clock.now();
  await clock.skip(10_000_000, () => 1_000);
  t.same(order, ['an hour', 'its work', 'two hours']);
  t.ok(clock.now() - before >= 10_000_000);
  t.equal(clock.pending, 0);
  clock.step(-1_000_000);
  t.ok(clock.now() < before + 9_500_000, 'a step moves the wall clock alone');
});
