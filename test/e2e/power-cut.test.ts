import t from 'tap';
import { crashHarness } from '../crash/harness.ts';
import { noPowerDisk, PowerDisk } from '../power-cut/power-disk.ts';
import { Daemon } from '../support/daemon.ts';
import { newFolder } from '../support/folder.ts';
import { seeded } from '../support/seeded.ts';

t.test('power cuts under load lose nothing and show nothing twice', { skip: noPowerDisk() }, async (t) => {
  const folder = newFolder(t);
  const disk = await PowerDisk.open(folder, seeded(9));
  t.teardown(() => disk.close());
  const { faults, ...figures } = await crashHarness({ folder, kills: 20, seed: 9, disk });
  t.same(faults, []);
  t.ok(figures.acknowledged > 60 && figures.arrivals > 40, JSON.stringify(figures));
  t.ok(disk.unsafe > 0, 'some cuts met writes that were not safe');
});

for (const { sync, there } of [
  { sync: 'always', there: 1 },
  { sync: '3600', there: 0 },
]) {
  t.test(`sync ${sync}: an accepted message after a power cut`, { skip: noPowerDisk() }, async (t) => {
    const folder = newFolder(t);
    const disk = await PowerDisk.open(folder, seeded(1));
    t.teardown(() => disk.close());
    const config = `config gateway 'gateway'\n\toption sync '${sync}'\n`;
    const daemon = new Daemon({ folder, config, stateDirectory: `${disk.path}/state` });
    await daemon.start();
    await daemon.call('sms_gateway.message', 'send', { number: '+37060000001', text: 'hello' });
    await disk.cut(daemon);
    await daemon.start();
    const { messages } = await daemon.call('sms_gateway.message', 'list', { box: 'outbox' });
    t.equal((messages as readonly unknown[]).length, there);
    await daemon.stop('SIGKILL');
  });
}
