import t from 'tap';
import { crashHarness } from '../crash/harness.ts';
import { newFolder } from '../support/folder.ts';

t.test('a daemon that is killed under load loses nothing and shows nothing twice', async (t) => {
  const { faults, ...figures } = await crashHarness({ folder: newFolder(t), kills: 10, seed: 4 });
  t.same(faults, []);
  t.ok(figures.acknowledged > 30 && figures.arrivals > 20, JSON.stringify(figures));
});
