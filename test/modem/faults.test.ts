import t, { type Test } from 'tap';
import type { Deviations, Fault } from '../../src/simulator/index.ts';
import { partOf, SessionBench } from './support/session-bench.ts';

const HOUR = 3_600_000;

/** Both ways work. */
async function works(t: Test, bench: SessionBench, name: string): Promise<void> {
  bench.modem.receive({ from: '+37060000001', text: `in ${name}` });
  await bench.until(() => bench.texts.includes(`in ${name}`));
  await bench.until(() => bench.session.ready);
  t.match(await bench.send('+37060000001', `out ${name}`), { type: 'accepted' }, name);
}

t.test('a send whose answer is lost is ambiguous', async (t) => {
  const bench = await new SessionBench().ready();
  await bench.send();
  bench.modem.faults.add({ type: 'lose_answer' });
  const { epoch } = bench.session;
  t.match(await bench.send('+37060000001', 'perhaps'), { type: 'ambiguous' });
  const next = await bench.send();
  t.match(next, { type: 'accepted', mr: 2 }, 'the TP-MR is evidence');
  t.equal(bench.session.epoch, epoch, 'the modem went on counting');
  await works(t, bench, 'after');
  await bench.stop();
});

t.test('a lost prompt: certainly not sent, and the prompt is left', async (t) => {
  const bench = await new SessionBench().ready();
  bench.modem.faults.add({ type: 'lose_prompt' });
  t.match(await bench.send(), { type: 'unavailable' });
  await works(t, bench, 'after');
  t.equal(bench.modem.sent().length, 1);
  await bench.stop();
});

t.test('errors of the network', async (t) => {
  const bench = await new SessionBench().ready();
  bench.modem.faults.add({ type: 'cms_error', cause: 500, times: 3 });
  for (let i = 0; i < 3; i++) t.match(await bench.send(), { type: 'rejected', cause: 500, permanent: false });
  bench.modem.faults.add({ type: 'cms_error', cause: 1 });
  t.match(await bench.send(), { type: 'rejected', cause: 1, permanent: true, reason: 'unassigned number' });
  bench.modem.faults.add({ type: 'cms_error', cause: 777 });
  t.match(await bench.send(), { type: 'rejected', cause: 777, permanent: false });
  bench.modem.faults.add({ type: 'sent_with_error', cause: 38 });
  t.match(await bench.send(), { type: 'rejected', cause: 38 });
  await works(t, bench, 'after');
  t.match(bench.session.status(), { errors: 6 });
  await bench.stop();
});

t.test('the port goes and comes back', async (t) => {
  const bench = await new SessionBench().ready();
  for (const reset of [false, true]) {
    const { epoch } = bench.session;
    bench.modem.faults.add({ type: 'port_gone', ms: 5_000, reset });
    bench.modem.receive({ from: '+37060000001', text: `while away ${reset}` });
    await bench.until(() => !bench.session.ready);
    t.equal(bench.session.status().state, 'opening');
    t.ok(bench.session.status().error);
    t.match(await bench.session.send(partOf('+37060000001', 'x'), new AbortController().signal), {
      type: 'unavailable',
    });
    await bench.until(() => bench.session.ready);
    t.equal(bench.session.epoch > epoch, reset, 'the modem counts TP-MR from the start only after a loss of power');
    await bench.until(() => bench.texts.includes(`while away ${reset}`));
    await works(t, bench, `after ${reset}`);
  }
  t.equal(bench.session.status().reopened, 2);
  const during = bench.send('+37060000001', 'cut');
  bench.modem.faults.add({ type: 'lose_answer' });
  await bench.clock.advance(1);
  bench.modem.faults.add({ type: 'port_gone', ms: 1_000 });
  t.match(await during, { type: 'ambiguous' }, 'the PDU was out');
  await bench.stop();
});

t.test('a modem that is away for a day costs a few log lines', async (t) => {
  const bench = await new SessionBench().ready();
  bench.modem.faults.add({ type: 'port_gone', ms: 24 * HOUR });
  await bench.clock.advance(25 * HOUR);
  await bench.until(() => bench.session.ready);
  t.ok(bench.log.length <= 6, bench.log.join('\n'));
  t.ok(
    bench.log.some((text) => /works again after \d+ failures/.test(text)),
    'and they say how often it was tried',
  );
  await works(t, bench, 'after');
  await bench.stop();
});

t.test('a reset while idle, and in the middle of a send', async (t) => {
  const bench = await new SessionBench({ simulator: { latency: { submit: 2_000 } } }).ready();
  const { epoch } = bench.session;
  bench.modem.faults.add({ type: 'reboot', ms: 8_000 });
  await bench.until(() => bench.session.epoch > epoch && bench.session.ready);
  t.equal(bench.session.status().reopened, 0, 'the port stayed open');
  await works(t, bench, 'after a reset');
  await bench.until(() => bench.reports.length === 1);
  const during = bench.send('+37060000001', 'cut');
  await bench.clock.advance(500);
  const started = bench.clock.monotonic();
  bench.modem.faults.add({ type: 'reboot' });
  t.match(await during, { type: 'ambiguous' });
  t.ok(bench.clock.monotonic() - started < 5_000, 'known at once, not when the deadline passes');
  await bench.until(() => bench.session.ready);
  await works(t, bench, 'again');
  await bench.stop();
});

t.test('a silent modem', async (t) => {
  const bench = await new SessionBench().ready();
  bench.modem.faults.add({ type: 'silent', ms: 60_000 });
  bench.modem.receive({ from: '+37060000001', text: 'unheard' });
  t.match(await bench.send(), { type: 'unavailable' });
  await bench.until(() => bench.session.status().state === 'hung');
  t.match(bench.session.status().error, /does not answer/);
  await bench.until(() => bench.session.ready);
  await bench.until(() => bench.texts.includes('unheard'));
  await works(t, bench, 'after');

  bench.modem.faults.add({ type: 'silent', ms: HOUR });
  await bench.clock.advance(120_000);
  t.equal(bench.session.status().state, 'hung', 'found by asking, also when nothing is sent');
  bench.modem.faults.clear('silent');
  await bench.until(() => bench.session.ready);
  await bench.stop();

  const mute = new SessionBench();
  mute.modem.faults.add({ type: 'silent', ms: 100_000 });
  mute.session.start();
  await mute.until(() => mute.session.status().state === 'hung');
  await mute.until(() => mute.session.ready);
  await mute.stop();
});

t.test('memory full with messages waiting in the network', async (t) => {
  for (const memoryFullIndication of [false, true]) {
    const bench = new SessionBench({ simulator: { memory: 2, deviations: { memoryFullIndication } } });
    for (let i = 0; i < 5; i++) bench.modem.receive({ from: '+37060000001', text: `waiting ${i}` });
    await bench.ready();
    await bench.until(() => bench.texts.length === 5);
    t.same(new Set(bench.texts).size, 5);
    bench.modem.faults.add({ type: 'memory_full' });
    for (let i = 0; i < 3; i++) bench.modem.receive({ from: '+37060000001', text: `held ${i}` });
    await bench.clock.advance(60_000);
    bench.modem.faults.clear('memory_full');
    await bench.until(() => bench.texts.length === 8);
    await works(t, bench, 'after');
    await bench.stop();
  }
});

t.test('noise on the line', async (t) => {
  const faults: readonly Fault[] = [
    { type: 'urc_flood', text: '^RSSI:14', interval: 10, count: 3_000 },
    { type: 'urc_flood', text: '^VENDOR: 1,"x"', interval: 10, count: 3_000 },
    { type: 'urc_flood', text: '+CMTI: "SM",7', interval: 10, count: 3_000 },
    { type: 'urc_flood', text: '+CREG: 1', interval: 10, count: 3_000 },
    { type: 'slow_bytes', ms: 1 },
    { type: 'garbage' },
    { type: 'noise_before_answer', times: 20 },
    { type: 'urc_before_echo', times: 20 },
    { type: 'broken_echo', times: 20 },
  ];
  for (const bareVendorCodes of [true, false]) {
    for (const fault of faults) {
      const bench = await new SessionBench({ simulator: { deviations: { bareVendorCodes } } }).ready();
      bench.modem.faults.add(fault);
      await works(t, bench, fault.type);
      await bench.until(() => bench.reports.length === 1);
      t.equal(bench.session.status().errors, 0);
      await bench.stop();
      // And from the first word on.
      const early = new SessionBench({ simulator: { deviations: { bareVendorCodes } } });
      early.modem.faults.add(fault);
      await early.ready();
      await works(t, early, `early ${fault.type}`);
      await early.stop();
    }
  }
});

t.test('families of modems', async (t) => {
  const families: readonly Partial<Deviations>[] = [
    { indexBase: 0, deleteEmptyFails: true },
    { noAlphaField: true, pinWithoutOk: true },
    { bareMemoryList: true, unquotedCells: true },
    { commandNotSupport: true, noDirectReports: true },
    { reportIndicationNamesSim: true, noDirectReports: true, memoryFullIndication: true },
    { bareVendorCodes: true, referenceRestarts: true },
  ];
  const all = Object.assign({}, ...families);
  for (const [i, deviations] of [...families, all].entries()) {
    for (const pin of [undefined, '1234']) {
      const simulator = { deviations, ...(pin === undefined ? {} : { pin }) };
      const bench = await new SessionBench({ simulator, config: pin === undefined ? {} : { pin } }).ready();
      await works(t, bench, `family ${i}`);
      await bench.until(() => bench.reports.length === 1);
      await bench.stop();
    }
  }
});
