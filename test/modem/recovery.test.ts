import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import t from 'tap';
import { ResetLadder } from '../../src/modem/reset-ladder.ts';
import { newFolder, testFolder } from '../support/folder.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { until } from '../support/outbox-rig.ts';
import { SessionBench } from './support/session-bench.ts';

t.test('the reset ladder: rungs in order, and rounds that grow', async (t) => {
  const clock = new ManualClock();
  const ladder = new ResetLadder(clock, true);
  t.equal(ladder.next, undefined);
  ladder.trouble();
  const seen: string[] = [];
  for (let s = 0; s < 3_600; s += 10) {
    if (ladder.due !== undefined) {
      seen.push(`${ladder.due} ${s}`);
      ladder.climbed();
    }
    await clock.advance(10_000);
  }
  t.same(seen.slice(0, 5), ['radio_cycle 60', 'restart 180', 'reset_command 360', 'radio_cycle 480', 'restart 720']);
  ladder.over();
  t.equal(ladder.due, undefined);
});

/** A port behind which nothing answers. */
function deafPort(written: string[]): Duplex {
  return new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk.toString('latin1'));
      done();
    },
  });
}

/** The clock of the session stands still meanwhile: how long a program takes is up to the machine. */
const programEnded = () =>
  until(() => !process.getActiveResourcesInfo().includes('ProcessWrap'), 'the program has ended');

t.test('a modem that hangs: blind commands, then the reset command, and again', async (t) => {
  const written: string[] = [];
  const ran = join(testFolder(t), 'ran');
  const bench = new SessionBench({
    config: { reset_command: ['/bin/sh', '-c', `echo reset >> ${ran}`] },
    session: { bindings: { simulator: () => deafPort(written) } },
  });
  const steps = () => written.filter((text) => text.includes('CFUN')).map((text) => text.replace(/\W*(AT.*)\r$/, '$1'));
  bench.session.start();
  await bench.until(() => bench.session.status().state === 'hung');
  t.match(bench.session.status(), { recovery: { step: 'radio_cycle' }, error: 'the modem does not answer' });
  const { recovery } = bench.session.status();
  await bench.clock.advance(5_000);
  t.equal(bench.session.status().recovery?.in, (recovery?.in ?? 0) - 5, 'it counts down');
  await bench.until(() => steps().length === 2, 180_000, 500);
  t.same(steps(), ['AT+CFUN=0', 'AT+CFUN=1']);
  t.ok(written.includes('\x1b\rAT+CFUN=0\r'), 'a PDU entry that may be open is left first');
  t.match(bench.session.status().recovery, { step: 'restart' });
  await bench.until(() => steps().length === 3, 180_000, 500);
  t.same(steps().slice(2), ['AT+CFUN=1,1']);
  t.match(bench.session.status().recovery, { step: 'reset_command' });
  await bench.until(() => bench.session.status().recovery?.step === 'radio_cycle', 300_000, 500);
  await bench.untilWritten(() => bench.log.some((line) => line.includes('the reset command is run')));
  await programEnded();
  t.equal(readFileSync(ran, 'utf8'), 'reset\n');
  t.match(bench.session.status().recovery, { step: 'radio_cycle' });
  await bench.until(() => steps().length === 6, 600_000, 500);
  t.same(steps().slice(3), ['AT+CFUN=0', 'AT+CFUN=1', 'AT+CFUN=1,1']);
  t.ok(bench.states.includes('hung'));
  t.notOk(bench.states.slice(bench.states.indexOf('hung') + 1).length > 0, 'the state stays');
  t.equal(bench.log.filter((line) => line.includes('its radio is switched off and on')).length, 1, 'said once');
  await bench.stopSession();
});

t.test('a modem that is mute comes back by its restart', async (t) => {
  const bench = await new SessionBench().ready();
  bench.modem.faults.add({ type: 'mute' });
  await bench.until(() => bench.session.status().state === 'hung');
  await bench.until(() => bench.session.ready, 600_000, 500);
  t.match(await bench.send(), { type: 'accepted' });
  t.equal(bench.session.status().recovery, undefined);
  await bench.stop();
});

t.test('a reset command that fails is said, and a hung modem whose port goes as well still gets it', async (t) => {
  let gone = false;
  const bench = new SessionBench({
    config: { reset_command: ['/nonexistent/reset'] },
    session: {
      bindings: {
        simulator: () => {
          if (gone) throw new Error('no such device');
          return deafPort([]);
        },
      },
    },
  });
  bench.session.start();
  await bench.until(() => bench.session.status().state === 'hung');
  gone = true;
  const failed = () => bench.log.some((line) => line.includes('the reset command failed'));
  await bench.until(() => bench.session.status().recovery?.step === 'reset_command', 400_000, 500);
  await bench.until(() => bench.session.status().recovery?.in === 0, 400_000, 500);
  await bench.untilWritten(failed);
  t.ok(failed());
  await bench.stopSession();
});

t.test('a reset command that others can change is not run', async (t) => {
  const folder = newFolder(t);
  writeFileSync(`${folder}/reset`, `#!/bin/sh\necho reset >>${folder}/ran\n`, { mode: 0o755 });
  chmodSync(`${folder}/reset`, 0o757);
  const bench = new SessionBench({
    config: { reset_command: [`${folder}/reset`] },
    session: { bindings: { simulator: () => deafPort([]) } },
  });
  bench.session.start();
  const said = () => bench.log.find((line) => line.includes('the reset command failed'));
  await bench.until(() => bench.session.status().recovery?.step === 'reset_command', 600_000, 500);
  await bench.until(() => bench.session.status().recovery?.in === 0, 600_000, 500);
  await bench.untilWritten(() => said() !== undefined);
  t.match(said(), /other users can write to .*reset \(mode 0757\)/);
  t.notOk(existsSync(`${folder}/ran`));
  await bench.stopSession();
});

t.test('without a SIM: the same ladder, and the state stays no_sim', async (t) => {
  const bench = new SessionBench({ simulator: { sim: false } });
  bench.session.start();
  await bench.until(() => bench.session.status().state === 'no_sim');
  t.match(bench.session.status(), { error: 'there is no SIM', recovery: { step: 'radio_cycle' } });
  const before = bench.states.length;
  await bench.until(() => bench.session.status().recovery?.step === 'restart', 120_000, 500);
  t.equal(bench.states.length, before, 'through the radio cycle');
  await bench.until(() => bench.session.status().recovery?.step === 'radio_cycle', 300_000, 500);
  await bench.until(() => bench.session.status().state === 'no_sim');
  t.notOk(bench.states.includes('hung'), 'a modem that answers does not hang');
  await bench.stop();

  // Cause 10 until the radio is switched off.
  const lost = new SessionBench();
  lost.modem.faults.add({ type: 'sim_failed', cause: 10 });
  lost.session.start();
  await lost.until(() => lost.session.status().state === 'no_sim');
  await lost.until(() => lost.session.ready, 120_000, 500);
  t.equal(lost.session.status().recovery, undefined);
  t.match(await lost.send(), { type: 'accepted' });
  await lost.stop();
});

t.test('stop ends every step of the ladder', async (t) => {
  for (const after of [61_000, 66_000, 181_000]) {
    const bench = new SessionBench({ session: { bindings: { simulator: () => deafPort([]) } } });
    bench.session.start();
    await bench.clock.advance(after);
    await bench.stopSession();
    t.equal(bench.session.status().state, 'stopped');
    t.equal(bench.clock.pending, 0, 'no timer is left');
  }
});
