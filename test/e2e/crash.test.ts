import t from 'tap';
import { crashHarness } from '../crash/harness.ts';
import { newFolder } from '../support/folder.ts';

const KILLS = 10;

t.test('a daemon that is killed under load loses nothing and shows nothing twice', async (t) => {
  const findings = await crashHarness({ folder: newFolder(t), kills: KILLS, seed: 4, byUrl: false });
  t.same(findings.faults, []);
  t.ok(findings.sends > 50 && findings.arrivals > 30, `${findings.sends} sends, ${findings.arrivals} arrivals`);
  // A kill can leave one part in doubt; such a part is sent once more.
  t.ok(findings.doubled <= KILLS, `${findings.doubled} parts doubled`);
});
