import t from 'tap';
import { crashHarness } from '../crash/harness.ts';
import { newFolder } from '../support/folder.ts';

t.test('a daemon that is killed under load loses nothing and shows nothing twice', async (t) => {
  const { faults, ...figures } = await crashHarness({ folder: newFolder(t), kills: 10, seed: 4 });
  t.same(faults, []);
  // At least one of each a kill, also on a machine with other work.
  t.ok(figures.acknowledged >= 10 && figures.arrivals >= 10, JSON.stringify(figures));
});
