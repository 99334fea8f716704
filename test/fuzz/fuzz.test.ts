/** A short pass over all targets, the same at each run. The long search is `npm run fuzz`. */
import t from 'tap';
import { mutate } from './input.ts';
import { targets } from './targets.ts';

for (const target of targets) {
  t.test(target.name, async (t) => {
    t.equal(await mutate(target, { runs: 100, seed: 14 }), 100);
  });
}
