import t, { type Test } from 'tap';
import type { SimulatorOptions } from '../../src/simulator/index.ts';
import { testFolder } from '../support/folder.ts';
import { numberOf, OutboxRig, pass } from '../support/outbox-rig.ts';
import { byHand, SessionBench } from './support/session-bench.ts';

/** An outbox, a session and a simulated modem, which has been seen counting. */
async function wholeWay(t: Test, simulator: SimulatorOptions = {}) {
  let rig: OutboxRig | undefined;
  const bench = new SessionBench({
    simulator,
    session: {
      inbound: {
        deliver: async () => {},
        report: async (report) => rig?.outbox.report(report),
        answeredLate: (outcome) => void rig?.outbox.answeredLate('gsm0', outcome),
        changed: () => rig?.outbox.senderChanged('gsm0'),
      },
    },
  });
  rig = await OutboxRig.open(testFolder(t), { clock: bench.clock });
  const { outbox } = rig;
  t.teardown(async () => {
    await rig?.close();
    await bench.stop();
  });
  await bench.ready();
  outbox.attach(bench.session, { interval: 0, daily: 0, reports: false });
  for (let n = 0; n < 3; n++) await rig.submit(900 + n, 'warm up');
  const idle = () => outbox.counts().queued + outbox.counts().sending === 0;
  await pass(bench.clock, 50, idle, 'the modem has counted');
  return {
    rig,
    bench,
    idle,
    modem: bench.modem,
    /** ms until the condition holds, in steps of 50 ms. */
    takes: async (check: () => boolean | Promise<boolean>, what: string) => {
      const begin = bench.clock.monotonic();
      await pass(bench.clock, 50, check, what);
      return bench.clock.monotonic() - begin;
    },
    /** What the network has, without the first three. */
    sent: () => bench.modem.sent().slice(3),
  };
}

t.test('an answer that comes late: one SMS', async (t) => {
  for (const ms of [9_000, 75_000, 135_000, 150_000, 163_000, 172_000]) {
    await t.test(`${ms} ms`, async (t) => {
      const { rig, modem, idle, takes, sent } = await wholeWay(t);
      modem.faults.add({ type: 'late_answer', ms });
      const { id } = await rig.submit(1, 'late');
      await rig.submit(2, 'next');
      const took = await takes(idle, 'both are sent');
      t.ok(took >= ms && took < ms + 30_000, `${took} ms`);
      t.same(
        sent().map(({ text }) => text),
        ['late', 'next'],
      );
      t.match(await rig.get(id), { state: 'sent', attempts: 1 });
      t.same(rig.outbox.counts().doubled, 0);
    });
  }
});

t.test('a lost answer holds up no other message', async (t) => {
  const { rig, modem, idle, takes, sent } = await wholeWay(t);
  modem.faults.add({ type: 'lose_answer' });
  const messages = [];
  for (let n = 0; n < 5; n++) messages.push(await rig.submit(n, `message ${n}`));
  const took = await takes(idle, 'all are sent');
  t.ok(took < 15_000, `${took} ms`);
  t.equal(sent().length, 5, 'each once');
  for (const { id } of messages) t.match(await rig.get(id), { state: 'sent', attempts: 1 });
});

t.test('an error although the network took the message', async (t) => {
  for (const cause of [500, 332, 3870]) {
    await t.test(`cause ${cause}`, async (t) => {
      const { rig, modem, idle, takes, sent } = await wholeWay(t);
      modem.faults.add({ type: 'sent_with_error', cause });
      const { id } = await rig.submit(1, 'perhaps');
      await rig.submit(2, 'next');
      await takes(idle, 'both are sent');
      t.equal(sent().length, 2, 'each once');
      t.match(await rig.get(id), { state: 'sent', attempts: 1 });
      modem.faults.add({ type: 'cms_error', cause });
      const refused = await rig.submit(1, 'refused');
      await rig.submit(2, 'after it');
      await takes(idle, 'both are sent');
      t.equal(sent().length, 4);
      t.match(await rig.get(refused.id), { state: 'sent', attempts: 2 });
    });
  }
});

t.test('a modem that refuses all after one odd error', async (t) => {
  for (const cause of [304, 303]) {
    await t.test(`cause ${cause}`, async (t) => {
      const { rig, bench, modem, idle, takes, sent } = await wholeWay(t);
      const { epoch } = bench.session;
      modem.faults.add({ type: 'cms_error', cause: 3870 });
      modem.faults.add({ type: 'refuse_all', cause });
      for (let n = 0; n < 6; n++) await rig.submit(n, `message ${n}`);
      await takes(() => bench.session.status().warning !== undefined, 'the status says so');
      t.match(bench.session.status().warning, /refuses every message/);
      const took = await takes(idle, 'all are sent');
      t.ok(took < 10 * 60_000, `${took} ms`);
      t.same(rig.outbox.counts(), { ...rig.outbox.counts(), sent: 9, failed: 0, unknown: 0 });
      t.equal(sent().length, 6, 'each once');
      t.equal(bench.session.status().warning, undefined);
      t.ok(bench.session.epoch > epoch, 'it was restarted');
      t.ok(bench.log.some((line) => line.includes('set up again')));
      t.ok(bench.log.some((line) => line.includes('restarted')));
    });
  }
});

t.test('a modem that goes back to text mode without a word', async (t) => {
  const starts = [
    { text_mode: true, echo: true, idle: [0, 1_000, 3_000, 3_600_000] },
    { text_mode: false, echo: true, idle: [0, 1_000, 3_000, 3_600_000] },
    // No modem is back within two seconds of its last message.
    { text_mode: true, echo: false, idle: [2_000, 29_900, 3_600_000] },
  ];
  for (const { text_mode, echo, idle: times } of starts) {
    for (const idleFor of times) {
      await t.test(`text mode ${text_mode}, echo ${echo}, idle for ${idleFor} ms`, async (t) => {
        const { rig, bench, modem, idle, takes, sent } = await wholeWay(t);
        await bench.clock.advance(idleFor);
        modem.faults.add({ type: 'settings_lost', text_mode, echo });
        const { id } = await rig.submit(1, 'after the restart');
        // The clock stands still until the first try has ended: the journal takes real time, and in a long one the session
        // would look at the modem by itself, before the try or after it.
        await pass(bench.clock, 0, () => !bench.session.ready, 'the restart is found');
        await takes(idle, 'it is sent');
        t.match(await rig.get(id), { state: 'sent', attempts: 2 }, 'the first try ended before the PDU');
        t.same(
          sent().map(({ to, text }) => [to, text]),
          [[numberOf(1), 'after the restart']],
          'what is sent is the message, and to its recipient',
        );
        bench.session.restart();
        await takes(() => bench.session.ready, 'it is ready');
        await bench.stopSession();
        t.match(await byHand(modem, bench.clock, 'AT+CMGF?\r'), /\+CMGF: 0/);
      });
    }
  }
});

t.test('USSD texts with quotes that do not pair', async (t) => {
  const { rig, bench, modem, idle, takes, sent } = await wholeWay(t);
  const answers: readonly (readonly [string, string])[] = [
    ['0,"Dial *320#"",15', 'Dial *320#"'],
    ['0,"Screen of 5" now",15', 'Screen of 5" now'],
    ['0,"never closed', 'never closed'],
    ['0,"5 EUR"', '5 EUR'],
  ];
  for (const [parameters, expected] of answers) {
    modem.faults.add({ type: 'ussd_answer', parameters });
    let text: string | undefined;
    void bench.session.ussd('*100#', new AbortController().signal).then((answer) => {
      text = answer;
    });
    const took = await takes(() => text !== undefined, 'the network answers');
    t.equal(text, expected);
    t.ok(took <= 1_100, `${took} ms`);
  }
  for (const text of ['+CUSD: 2,"Screen of 5" now"', '+CUSD: 0,"Dial *320#"",15', '+CUSD: 2,"never closed']) {
    modem.faults.add({ type: 'urc_flood', text, interval: 100, count: 50 });
    const before = sent().length;
    const { id } = await rig.submit(1, `among ${text}`);
    await takes(idle, 'it is sent');
    t.match(await rig.get(id), { state: 'sent', attempts: 1 });
    t.equal(sent().length, before + 1);
    modem.faults.clear('urc_flood');
    await bench.clock.advance(2_000);
  }
});
