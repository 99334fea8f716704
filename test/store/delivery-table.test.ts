import fc from 'fast-check';
import t from 'tap';
import type { JsonObject } from '../../src/base/json.ts';
import { encodeDispatch, encodeEnd, encodePending, encodeRetry } from '../../src/store/deliveries/records.ts';
import { DeliveryTable } from '../../src/store/deliveries/table.ts';
import type { MessageId } from '../../src/store/message.ts';
import { ManualClock } from '../support/manual-clock.ts';

interface Expected {
  readonly id: number;
  readonly item: number;
  readonly module: string;
  readonly target: string;
  attempts: number;
  note?: string;
}

const MODULES = ['a', 'b'] as const;
const TARGETS = ['x', 'y', 'z'] as const;

const wanted = fc.record({ module: fc.constantFrom(...MODULES), target: fc.constantFrom(...TARGETS) });
const step = fc.oneof(
  fc.record({ kind: fc.constant('dispatch' as const), wanted: fc.array(wanted, { maxLength: 4 }) }),
  fc.record({ kind: fc.constant('receipt' as const), wanted, note: fc.string() }),
  fc.record({ kind: fc.constant('event' as const), wanted, note: fc.string() }),
  fc.record({ kind: fc.constant('retry' as const), pick: fc.nat(), attempts: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ kind: fc.constant('end' as const), pick: fc.nat(), done: fc.boolean() }),
);

/** Applies the steps to a table and to a plain list; `restart` rebuilds the table from what it lists as live. */
function run(steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[], restart: boolean) {
  const clock = new ManualClock();
  let table = new DeliveryTable(clock);
  let model: Expected[] = [];
  const settled: number[] = [];
  let id = 0;
  for (const each of steps) {
    const apply = (record: JsonObject) => table.apply(JSON.parse(JSON.stringify(record)));
    table.onSettled = (message) => settled.push(message);
    if (each.kind === 'dispatch') {
      id += 1;
      apply(encodeDispatch(id as MessageId, clock.now(), each.wanted));
      model.push(...each.wanted.map((target, item) => ({ id, item, ...target, attempts: 0 })));
    } else if (each.kind === 'receipt' || each.kind === 'event') {
      if (each.kind === 'receipt') id += 1;
      const message = each.kind === 'receipt' ? id : 0;
      const { wanted: target, note } = each;
      const item = table.nextItem(message as MessageId);
      apply(encodePending(message as MessageId, clock.now(), [{ ...target, item, attempts: 0, due: 0, note }]));
      model.push({ id: message, item, ...target, attempts: 0, note });
    } else {
      const picked = model[each.pick % Math.max(1, model.length)];
      if (picked === undefined) continue;
      const of = picked.id as MessageId;
      if (each.kind === 'retry') {
        apply(encodeRetry(of, picked.item, each.attempts, clock.now() + 10_000));
        picked.attempts = each.attempts;
      } else {
        const before = settled.length;
        apply(encodeEnd(of, picked.item, each.done ? 'done' : 'rejected'));
        model = model.filter((other) => other !== picked);
        const last = !model.some((other) => other.id === picked.id);
        if (table.has(of) === last || settled.length - before !== (last ? 1 : 0)) return undefined;
      }
    }
    if (restart) {
      const records = [...table.live()].map(({ record }) => record);
      table = new DeliveryTable(clock);
      for (const record of records) if (record !== undefined) apply(record);
    }
  }
  return { table, model };
}

/** What the table has for the target, in its order: each is under way in turn, so that the next one is the head. */
function queued(table: DeliveryTable, module: string, target: string): Partial<Expected>[] {
  const found: Partial<Expected>[] = [];
  for (;;) {
    const head = [...table.heads(module)].find((each) => each.target === target);
    if (head === undefined) return found;
    const { id, item, attempts, note } = head;
    found.push({ id, item, attempts, ...(note !== undefined && { note }) });
    head.underWay = true;
  }
}

const shown = ({ id, item, attempts, note }: Expected) => ({ id, item, attempts, ...(note !== undefined && { note }) });

for (const restart of [false, true]) {
  t.test(`each target has its deliveries in their order${restart ? ', also over restarts' : ''}`, async (t) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const ran = run(steps, restart);
        if (ran === undefined) return false;
        const { table, model } = ran;
        for (const module of MODULES) {
          const own = model.filter((each) => each.module === module);
          if (table.pending(module) !== own.length) return false;
          for (const target of TARGETS) {
            const expected = own.filter((each) => each.target === target);
            if (table.waiting(module, target) !== expected.length) return false;
            const [found, all] = [queued(table, module, target), expected.map(shown)];
            // Events of modems are rebuilt together, and what came between them stands behind.
            if (restart) for (const list of [found, all]) list.sort(byMessage);
            if (JSON.stringify(found) !== JSON.stringify(all)) return false;
          }
        }
        return true;
      }),
    );
    t.pass();
  });
}

function byMessage(a: Partial<Expected>, b: Partial<Expected>): number {
  return (a.id ?? 0) - (b.id ?? 0) || (a.item ?? 0) - (b.item ?? 0);
}

t.test('a delivery that waits is due at once after a restart, whatever the clock says then', async (t) => {
  const clock = new ManualClock();
  await clock.advance(60_000);
  const table = new DeliveryTable(clock);
  table.apply(encodeDispatch(1 as MessageId, clock.now(), [{ module: 'a', target: 'x' }]));
  t.equal([...table.heads('a')].length, 1, 'it was looked at');
  const records = [...table.live()].map(({ record }) => record ?? {});
  const earlier = new ManualClock(clock.now() - 30 * 86_400_000);
  const after = new DeliveryTable(earlier);
  for (const record of records) after.apply(JSON.parse(JSON.stringify(record)));
  t.match([...after.heads('a')], [{ id: 1, attempts: 0, due: 0 }]);
});

t.test('a time that no clock should have makes no delivery old, nor young for ever', async (t) => {
  const year = (n: number) => Date.UTC(n, 0, 1);
  for (const [since, kept] of [
    [year(1970), year(1970)],
    [year(2026) + 1000, year(2026) + 1000],
    [year(2039), year(2039)],
    [year(1969), 0],
    [year(2200), 4_294_967_295_000],
  ] as const) {
    const table = new DeliveryTable(new ManualClock());
    table.apply(encodeDispatch(1 as MessageId, since, [{ module: 'a', target: 'x' }]));
    t.match([...table.heads('a')], [{ since: kept }]);
  }
});
