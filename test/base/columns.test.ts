import fc from 'fast-check';
import t from 'tap';
import { Columns } from '../../src/base/columns.ts';

t.test('rows hold what was put into them, whichever come and go', async (t) => {
  const steps = fc.array(fc.record({ take: fc.boolean(), pick: fc.nat(), value: fc.nat(255) }), { maxLength: 400 });
  fc.assert(
    fc.property(steps, fc.constantFrom(0, 1), (all, first) => {
      const columns = new Columns(first);
      const [small, large] = [columns.column('uint8'), columns.column('float64')];
      const model = new Map<number, number>();
      for (const { take, pick, value } of all) {
        const present = [...model.keys()];
        if (take || present.length === 0) {
          const row = columns.take();
          if (row < first || model.has(row)) return false;
          model.set(row, value);
          small.set(row, value);
          large.set(row, value * 1e12);
        } else {
          const row = present[pick % present.length] ?? first;
          columns.release(row);
          model.delete(row);
        }
        if (columns.size !== model.size) return false;
      }
      return [...model].every(([row, value]) => small.get(row) === value && large.get(row) === value * 1e12);
    }),
  );
  t.pass();
});

t.test('with the last row all numbers are free again', async (t) => {
  const columns = new Columns(1);
  const column = columns.column('uint16');
  const rows = Array.from({ length: 1000 }, () => columns.take());
  for (const row of rows) column.set(row, row);
  for (const row of rows) columns.release(row);
  t.equal(columns.take(), 1);
  t.equal(column.get(1), 0, 'nothing is left of the row before');
});
