import fc from 'fast-check';
import t, { type Test } from 'tap';
import { MrEvidence } from '../../src/store/outbox/evidence.ts';
import type { PartReport, SendOutcome } from '../../src/store/sender.ts';
import { ambiguous, countingSender, crashed, idle, lost, rigFor } from '../support/doubtful-sends.ts';
import { numberOf, pass, until } from '../support/outbox-rig.ts';
import { refused, rejected, ScriptedSender, silent } from '../support/scripted-sender.ts';

const reportOf = (n: number, mr: number, status = 0, modem = 'gsm0'): PartReport => ({
  modem,
  mr,
  number: numberOf(n),
  status,
  discharged: 0,
});

t.test('the next TP-MR decides', async (t) => {
  for (const mr of [0, 250, 251, 252, 253]) {
    await t.test(`sent, counter from ${mr}`, async (t) => {
      const rig = await rigFor(t);
      const sender = await countingSender(rig, mr);
      sender.will(lost(sender));
      const doubtful = await rig.submit(1, 'doubtful');
      const next = await rig.submit(2, 'next');
      await rig.settled(next.id);
      t.match(await rig.settled(doubtful.id), { state: 'sent', partStates: [{ mr: (mr + 3) & 0xff }], attempts: 1 });
      t.strictSame(sender.texts, ['doubtful', 'next']);
    });
    await t.test(`not sent, counter from ${mr}`, async (t) => {
      const rig = await rigFor(t);
      const sender = await countingSender(rig, mr);
      sender.will(silent);
      const doubtful = await rig.submit(1, 'doubtful');
      const next = await rig.submit(2, 'next');
      await rig.settled(next.id);
      t.match(await rig.settled(doubtful.id), { state: 'sent', partStates: [{ mr: (mr + 4) & 0xff }], attempts: 2 });
      t.strictSame(sender.texts, ['doubtful', 'next', 'doubtful'], 'other recipients first, then again');
      t.equal(rig.outbox.counts().doubled, 0);
    });
  }
});

t.test('the next parts of a doubtful long message wait for the evidence', async (t) => {
  const rig = await rigFor(t);
  const sender = await countingSender(rig);
  sender.will(() => sender.accept(), lost(sender));
  const { id } = await rig.submit(1, `${'1'.repeat(153)}${'2'.repeat(153)}${'3'.repeat(20)}`);
  await until(() => sender.given.length === 2, 'the second part is doubtful');
  await rig.submit(1, 'same recipient');
  await rig.clock.advance(5_000);
  t.equal(sender.given.length, 2, 'nothing goes to that recipient');
  await rig.submit(2, 'other');
  await until(idle(rig), 'all are sent');
  t.strictSame(
    sender.texts.map((text) => text.slice(0, 5)),
    ['11111', '22222', 'other', '33333', 'same '],
  );
  t.match(await rig.get(id), { state: 'sent', partStates: [{ mr: 3 }, { mr: 4 }, { mr: 6 }] });
});

t.test('without evidence the option decides', async (t) => {
  await t.test('resend, once', async (t) => {
    const rig = await rigFor(t);
    const sender = rig.attach(new ScriptedSender().will(silent, silent));
    const { id } = await rig.submit(1, 'x');
    await pass(rig.clock, 1000, () => sender.given.length === 2, 'it is sent again');
    await pass(rig.clock, 1000, idle(rig), 'it is given up');
    t.match(await rig.get(id), { state: 'unknown', error: /perhaps sent/, partStates: [{ state: 'ambiguous' }] });
    t.equal(sender.given.length, 2);
    await until(() => rig.events.length > 0, 'it is announced');
    t.strictSame(rig.events, ['failed 1']);
    t.match(await rig.outbox.retry(id), { state: 'queued' });
    t.match(await rig.settled(id), { state: 'sent' });
  });
  await t.test('hold', async (t) => {
    const rig = await rigFor(t, { policy: { ambiguous: 'hold' } });
    const sender = rig.attach(new ScriptedSender().will(silent));
    const { id } = await rig.submit(1, 'x');
    await pass(rig.clock, 1000, idle(rig), 'it is held');
    t.match(await rig.get(id), { state: 'unknown' });
    await rig.clock.advance(3600_000);
    t.equal(sender.given.length, 1);
  });
  await t.test('hold, and the evidence comes late', async (t) => {
    const rig = await rigFor(t, { policy: { ambiguous: 'hold' } });
    const sender = await countingSender(rig);
    sender.will(lost(sender));
    const { id } = await rig.submit(1, 'x');
    await pass(rig.clock, 1000, async () => (await rig.state(id)) === 'unknown', 'it is held');
    await rig.settled((await rig.submit(2, 'next')).id);
    t.match(await rig.get(id), { state: 'sent', partStates: [{ mr: 3 }] });
  });
  await t.test('resend, and the evidence shows a double', async (t) => {
    const rig = await rigFor(t);
    const sender = await countingSender(rig);
    sender.will(lost(sender));
    const { id } = await rig.submit(1, 'x');
    await pass(rig.clock, 1000, idle(rig), 'it is sent again');
    t.match(await rig.get(id), { state: 'sent' });
    t.equal(rig.outbox.counts().doubled, 1);
  });
  await t.test('a resend that did not leave the modem keeps the first copy doubtful', async (t) => {
    const rig = await rigFor(t);
    const sender = rig.attach(new ScriptedSender().will(silent, rejected(42), silent));
    const { id } = await rig.submit(1, 'x');
    await pass(rig.clock, 1000, idle(rig), 'it is given up');
    t.match(await rig.get(id), { state: 'unknown' });
    t.equal(sender.given.length, 3);
  });
  await t.test('a doubtful message whose validity ends is unknown', async (t) => {
    const rig = await rigFor(t);
    rig.attach(new ScriptedSender().will(silent));
    const { id } = await rig.submit(1, 'x', { validity: 10, report: true });
    await pass(rig.clock, 1000, idle(rig), 'its validity ends');
    t.match(await rig.get(id), { state: 'unknown', error: /validity ended when a part was perhaps sent/ });
  });
  await t.test('a modem that is away holds nobody up for ever', async (t) => {
    const rig = await rigFor(t);
    const sender = rig.attach(new ScriptedSender().will(silent));
    const { id } = await rig.submit(1, 'x');
    await ambiguous(rig, id);
    await rig.outbox.detach('gsm0');
    const other = rig.attach(new ScriptedSender('gsm1'));
    await pass(rig.clock, 1000, idle(rig), 'the other one sends it');
    t.match(await rig.get(id), { state: 'sent', modem: 'gsm1' });
    t.match([sender.given.length, other.given.length], [1, 1]);
  });
});

t.test('when a TP-MR is no evidence', async (t) => {
  const cases: Readonly<Record<string, (sender: ScriptedSender) => SendOutcome>> = {
    'the counter jumped': (sender) => {
      sender.mr += 7;
      return sender.accept();
    },
    'a rejected message came in between': (sender) => {
      sender.accept();
      return rejected(42);
    },
  };
  for (const [name, next] of Object.entries(cases)) {
    await t.test(name, async (t) => {
      const rig = await rigFor(t, { policy: { ambiguous: 'hold' } });
      const sender = await countingSender(rig);
      sender.will(silent, () => next(sender));
      const doubtful = await rig.submit(1, 'doubtful');
      await rig.submit(2, 'next');
      await pass(rig.clock, 1000, idle(rig), 'the option decides');
      t.equal(await rig.state(doubtful.id), 'unknown');
      t.ok(sender.given.length >= 2);
    });
  }
  await t.test('the modem was reset', async (t) => {
    const rig = await rigFor(t, { policy: { ambiguous: 'hold' } });
    const sender = await countingSender(rig);
    sender.will(silent);
    const doubtful = await rig.submit(1, 'doubtful');
    await ambiguous(rig, doubtful.id);
    sender.epoch += 1;
    await rig.settled((await rig.submit(2, 'next')).id);
    await pass(rig.clock, 1000, idle(rig), 'the option decides');
    t.equal(await rig.state(doubtful.id), 'unknown');
  });
  await t.test('the modem was not seen counting', async (t) => {
    const rig = await rigFor(t, { policy: { ambiguous: 'hold' } });
    const sender = rig.attach(new ScriptedSender());
    await rig.settled((await rig.submit(2, 'before')).id);
    sender.will(silent);
    const doubtful = await rig.submit(1, 'doubtful');
    await rig.settled((await rig.submit(2, 'next')).id);
    await pass(rig.clock, 1000, idle(rig), 'the option decides');
    t.equal(await rig.state(doubtful.id), 'unknown');
  });
});

t.test('evidence is never wrong about a modem that counts', (t) => {
  // An independent account of what the network took, over all orders of outcomes and resets.
  const step = fc.constantFrom('accepted', 'lost', 'silent', 'rejected', 'reset');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.nat(255), (steps, start) => {
      const evidence = new MrEvidence<{ taken: boolean; mr: number }>();
      let [mr, epoch] = [start, 0];
      for (const what of steps) {
        if (what === 'accepted') {
          for (const verdict of evidence.accepted(epoch, mr)) {
            if ((verdict.type === 'sent') !== verdict.doubt.taken) return false;
            if (verdict.type === 'sent' && verdict.mr !== verdict.doubt.mr) return false;
          }
          mr = (mr + 1) & 0xff;
        } else if (what === 'lost' || what === 'silent') {
          const doubt = { taken: what === 'lost', mr };
          const foretold = evidence.ambiguous(epoch, doubt);
          if (foretold !== undefined && foretold !== mr) return false;
          if (what === 'lost') mr = (mr + 1) & 0xff;
        } else if (what === 'rejected') {
          evidence.rejected(epoch);
          mr = (mr + 1) & 0xff;
        } else {
          epoch += 1;
          mr = 0;
        }
      }
      return true;
    }),
  );
  // A modem whose own errors are sometimes wrong, and that counts only what the network takes.
  const word = fc.oneof(
    { weight: 12, arbitrary: fc.constant('accepted') },
    { weight: 4, arbitrary: fc.constantFrom('lost', 'silent', 'wrong error', 'right error') },
    { weight: 1, arbitrary: fc.constantFrom('rejected', 'reset') },
  );
  let verdicts = 0;
  fc.assert(
    fc.property(fc.array(word, { minLength: 20, maxLength: 60 }), fc.nat(255), (words, start) => {
      const evidence = new MrEvidence<{ taken: boolean; mr: number }>();
      let [mr, epoch] = [start, 0];
      for (const what of words) {
        const taken = ['accepted', 'lost', 'wrong error'].includes(what);
        const doubt = { taken, mr };
        let foretold: number | undefined;
        if (what === 'reset') [mr, epoch] = [0, epoch + 1];
        else if (what === 'rejected') evidence.rejected(epoch);
        else if (what === 'lost' || what === 'silent') foretold = evidence.ambiguous(epoch, doubt);
        else if (what !== 'accepted') foretold = evidence.refused(epoch, doubt);
        else {
          for (const verdict of evidence.accepted(epoch, mr)) {
            verdicts += 1;
            if ((verdict.type === 'sent') !== verdict.doubt.taken) return false;
            if (verdict.type === 'sent' && verdict.mr !== verdict.doubt.mr) return false;
          }
        }
        if (foretold !== undefined && foretold !== mr) return false;
        if (taken) mr = (mr + 1) & 0xff;
      }
      return true;
    }),
  );
  t.ok(verdicts > 0, 'something was decided');
  const counting = new MrEvidence<string>();
  for (const mr of [1, 2, 3]) counting.accepted(0, mr);
  counting.ambiguous(0, 'a');
  counting.ambiguous(0, 'b');
  t.strictSame(counting.accepted(0, 5), [], 'one of two was sent: nobody knows which');
  counting.ambiguous(0, 'c');
  counting.ambiguous(0, 'd');
  t.strictSame(counting.accepted(0, 8), [
    { type: 'sent', doubt: 'c', mr: 6 },
    { type: 'sent', doubt: 'd', mr: 7 },
  ]);
  t.end();
});

t.test('an error that is only the word of the modem is a doubt', async (t) => {
  /** The network takes the message, and the modem gives this error. */
  const takenWith = (sender: ScriptedSender, cause?: number) => (): SendOutcome => {
    sender.accept();
    return rejected(cause);
  };
  for (const cause of [500, 300, 332, 512, 3870, undefined]) {
    await t.test(`sent, cause ${cause}`, async (t) => {
      const rig = await rigFor(t);
      const sender = await countingSender(rig);
      sender.will(takenWith(sender, cause));
      const doubtful = await rig.submit(1, 'doubtful', { report: false });
      const next = await rig.submit(2, 'next', { report: false });
      await rig.settled(next.id);
      t.match(await rig.settled(doubtful.id), { state: 'sent', partStates: [{ mr: 3 }], attempts: 1 });
      await rig.clock.advance(600_000);
      t.strictSame(sender.texts, ['doubtful', 'next'], 'once');
    });
    await t.test(`not sent, cause ${cause}`, async (t) => {
      const rig = await rigFor(t);
      const sender = await countingSender(rig);
      sender.will(rejected(cause));
      const doubtful = await rig.submit(1, 'doubtful', { report: false });
      await rig.settled((await rig.submit(2, 'next', { report: false })).id);
      t.match(await rig.settled(doubtful.id), { state: 'sent', attempts: 2 });
      t.strictSame(sender.texts, ['doubtful', 'next', 'doubtful'], 'at once when it is known');
    });
  }
  await t.test('alone, it waits for a message that brings the evidence', async (t) => {
    const rig = await rigFor(t);
    const sender = await countingSender(rig);
    sender.will(takenWith(sender, 500));
    const doubtful = await rig.submit(1, 'doubtful', { report: false });
    await until(async () => (await rig.get(doubtful.id))?.error !== undefined, 'it was refused');
    await rig.clock.advance(14_000);
    t.equal(sender.given.length, 1, 'longer than after an error of the network');
    await rig.settled((await rig.submit(2, 'next', { report: false })).id);
    t.match(await rig.settled(doubtful.id), { state: 'sent', attempts: 1 });
  });
  await t.test('alone, it is tried again after a bounded time, as often as any', async (t) => {
    const rig = await rigFor(t);
    const sender = await countingSender(rig);
    sender.will(rejected(500), rejected(500), rejected(500));
    const { id } = await rig.submit(1, 'x', { report: false });
    await until(() => sender.given.length === 1, 'it is tried');
    await rig.clock.advance(16_000);
    await until(() => sender.given.length === 2, 'it is tried again');
    await pass(rig.clock, 5_000, idle(rig), 'it is sent');
    t.match(await rig.get(id), { state: 'sent', attempts: 4 });
  });
  await t.test('alone and held, it is left to a person', async (t) => {
    const rig = await rigFor(t, { policy: { ambiguous: 'hold' } });
    const sender = await countingSender(rig);
    sender.will(takenWith(sender, 500));
    const { id } = await rig.submit(1, 'x', { report: false });
    await pass(rig.clock, 1000, idle(rig), 'it is held');
    t.match(await rig.get(id), { state: 'unknown', error: /although the modem gave an error: .*cause 500/ });
    t.equal(sender.given.length, 1);
  });
  await t.test('an error of the network is none', async (t) => {
    for (const cause of [38, 41, 42, 192, 208]) {
      const rig = await rigFor(t);
      const sender = await countingSender(rig);
      sender.will(takenWith(sender, cause));
      const { id } = await rig.submit(1, 'refused', { report: false });
      await rig.settled((await rig.submit(2, 'next', { report: false })).id);
      await pass(rig.clock, 1000, idle(rig), 'it is sent again');
      t.match(await rig.get(id), { state: 'sent', attempts: 2 }, String(cause));
    }
  });
  await t.test('a modem that counts what the network refuses proves nothing by a number that is gone', async (t) => {
    const rig = await rigFor(t);
    const sender = await countingSender(rig);
    sender.will(takenWith(sender, 42));
    await rig.submit(1, 'refused', { report: false });
    await rig.settled((await rig.submit(2, 'next', { report: false })).id);
    await pass(rig.clock, 1000, idle(rig), 'both are sent');
    for (let n = 0; n < 3; n++) await rig.settled((await rig.submit(3, 'more', { report: false })).id);
    sender.will(takenWith(sender, 500));
    const { id } = await rig.submit(4, 'perhaps', { report: false });
    await rig.settled((await rig.submit(5, 'next', { report: false })).id);
    await pass(rig.clock, 1000, idle(rig), 'it is sent again rather than lost');
    t.match(await rig.get(id), { state: 'sent', attempts: 2 });
  });
});

t.test('an answer that comes after the send has ended', async (t) => {
  const doubtful = async (t: Test, option: 'resend' | 'hold' = 'resend') => {
    const rig = await rigFor(t, { policy: { ambiguous: option } });
    const sender = await countingSender(rig);
    sender.will(silent);
    const { id } = await rig.submit(1, 'x', { report: true });
    await ambiguous(rig, id);
    return { rig, sender, id };
  };
  await t.test('accepted', async (t) => {
    const { rig, sender, id } = await doubtful(t);
    await rig.outbox.answeredLate('gsm0', { type: 'accepted', mr: 3 });
    t.match(await rig.get(id), { state: 'sent', partStates: [{ mr: 3 }] });
    await rig.clock.advance(600_000);
    t.equal(sender.given.length, 1);
  });
  await t.test('refused for now', async (t) => {
    const { rig, sender, id } = await doubtful(t);
    await rig.outbox.answeredLate('gsm0', rejected(42));
    t.match(await rig.get(id), { state: 'queued', error: /cause 42/ });
    await pass(rig.clock, 1000, idle(rig), 'it is sent');
    t.equal(sender.given.length, 2);
  });
  await t.test('refused for good', async (t) => {
    const { rig, id } = await doubtful(t);
    await rig.outbox.answeredLate('gsm0', refused);
    t.match(await rig.settled(id), { state: 'failed', error: /unassigned/ });
  });
  await t.test('from another modem, or of nothing', async (t) => {
    const { rig, id } = await doubtful(t);
    await rig.outbox.answeredLate('gsm1', { type: 'accepted', mr: 3 });
    await rig.outbox.answeredLate('gsm0', silent);
    t.match(await rig.get(id), { state: 'sending', partStates: [{ state: 'ambiguous' }] });
  });
  await t.test('of one of two parts: it says nothing', async (t) => {
    const { rig, sender, id } = await doubtful(t, 'hold');
    sender.will(silent);
    const other = await rig.submit(2, 'y', { report: true });
    await ambiguous(rig, other.id);
    await rig.outbox.answeredLate('gsm0', { type: 'accepted', mr: 3 });
    t.match([await rig.state(id), await rig.state(other.id)], ['sending', 'sending']);
  });
  await t.test('after a crash', async (t) => {
    const { rig, id } = await doubtful(t);
    const later = await crashed(t, rig);
    const next = later.attach(new ScriptedSender());
    await later.outbox.answeredLate('gsm0', { type: 'accepted', mr: 3 });
    t.match(await later.settled(id), { state: 'sent', partStates: [{ mr: 3 }] });
    t.equal(next.given.length, 0);
  });
});

t.test('a status report is evidence', async (t) => {
  await t.test('against a refusal, with the TP-MR that the part must have had', async (t) => {
    const rig = await rigFor(t);
    const sender = await countingSender(rig);
    sender.will(() => {
      sender.accept();
      return rejected(500);
    });
    const { id } = await rig.submit(1, 'x', { report: true });
    await until(async () => (await rig.outbox.get(id))?.error !== undefined, 'it was refused');
    await rig.outbox.report(reportOf(1, 4));
    t.match(await rig.outbox.get(id), { state: 'queued' }, 'another TP-MR may be of anything');
    await rig.outbox.report(reportOf(1, 3));
    t.match(await rig.settled(id), { state: 'delivered', partStates: [{ mr: 3 }], attempts: 1 });
    await rig.clock.advance(60_000);
    t.strictSame(sender.texts, ['x'], 'not sent again');
  });
  await t.test('for a doubtful part', async (t) => {
    const rig = await rigFor(t);
    const sender = rig.attach(new ScriptedSender('gsm0', 77));
    sender.will(lost(sender));
    const { id } = await rig.submit(1, 'x', { report: true });
    await ambiguous(rig, id);
    await rig.outbox.report(reportOf(1, 77));
    t.match(await rig.get(id), { state: 'delivered', partStates: [{ state: 'delivered', mr: 77 }] });
    await rig.clock.advance(600_000);
    t.equal(sender.given.length, 1);
  });
  await t.test('also one that says "still trying"', async (t) => {
    const rig = await rigFor(t);
    const sender = rig.attach(new ScriptedSender('gsm0', 77));
    sender.will(lost(sender));
    const { id } = await rig.submit(1, 'x'.repeat(200), { report: true });
    await ambiguous(rig, id);
    await rig.outbox.report(reportOf(1, 77, 0x30));
    t.match(await rig.settled(id), { state: 'sent', partStates: [{ mr: 77 }, { mr: 78 }] });
  });
  await t.test('not one for another TP-MR than the part must have', async (t) => {
    const rig = await rigFor(t);
    const sender = await countingSender(rig);
    sender.will(silent);
    const { id } = await rig.submit(1, 'x', { report: true });
    await ambiguous(rig, id);
    await rig.outbox.report(reportOf(1, 77));
    t.match(await rig.get(id), { state: 'sending', partStates: [{ state: 'ambiguous' }] });
    await rig.outbox.report(reportOf(1, 3));
    t.match(await rig.get(id), { state: 'delivered' });
  });
  await t.test('not a repeated one of an earlier message', async (t) => {
    const rig = await rigFor(t);
    const sender = rig.attach(new ScriptedSender());
    const first = await rig.submit(1, 'x', { report: true });
    await rig.settled(first.id);
    await rig.outbox.report(reportOf(1, 0));
    sender.will(silent);
    const second = await rig.submit(1, 'y', { report: true });
    await ambiguous(rig, second.id);
    await rig.outbox.report(reportOf(1, 0));
    t.match(await rig.get(second.id), { state: 'sending' });
  });
  await t.test('for a part that was under way at a crash', async (t) => {
    let rig = await rigFor(t);
    const release = rig.attach(new ScriptedSender('gsm0', 5)).block();
    const { id } = await rig.submit(1, 'x', { report: true });
    release(silent);
    rig = await crashed(t, rig);
    const sender = rig.attach(new ScriptedSender());
    await rig.clock.advance(30_000);
    t.equal(sender.given.length, 0, 'it waits for the report');
    await rig.outbox.report(reportOf(1, 5));
    t.match(await rig.get(id), { state: 'delivered' });
  });
  await t.test('for an unknown message', async (t) => {
    const rig = await rigFor(t, { policy: { ambiguous: 'hold' } });
    rig.attach(new ScriptedSender().will(silent));
    const { id } = await rig.submit(1, 'x', { report: true });
    await pass(rig.clock, 1000, idle(rig), 'it is held');
    await rig.outbox.report(reportOf(2, 9));
    t.match(await rig.get(id), { state: 'unknown' });
    await rig.outbox.report(reportOf(1, 9));
    t.match(await rig.get(id), { state: 'delivered' });
    await until(() => rig.events.at(-1) === 'delivered 1', 'it is announced');
  });
});

t.test('status reports', async (t) => {
  const cases: readonly (readonly [number, string])[] = [
    [0x00, 'delivered'],
    [0x01, 'delivered'],
    [0x02, 'delivered'],
    [0x20, 'sent'],
    [0x30, 'sent'],
    [0x40, 'undelivered'],
    [0x46, 'expired'],
    [0x60, 'undelivered'],
    [0x65, 'undelivered'],
  ];
  const rig = await rigFor(t);
  const sender = rig.attach(new ScriptedSender());
  for (const [status, state] of cases) {
    const { mr } = sender;
    const { id } = await rig.submit(1, 'x', { report: true });
    await rig.settled(id);
    await rig.outbox.report(reportOf(1, mr, status));
    t.equal(await rig.state(id), state, `TP-ST 0x${status.toString(16)}`);
    if (state !== 'sent') continue;
    await rig.outbox.report(reportOf(1, mr, 0));
    t.equal(await rig.state(id), 'delivered', 'a temporary status is not the last word');
  }

  await t.test('of a long message', async (t) => {
    const base = sender.mr;
    const long = await rig.submit(2, 'x'.repeat(300), { report: true });
    await rig.settled(long.id);
    await rig.outbox.report(reportOf(2, base + 1));
    t.match(await rig.get(long.id), { state: 'sent', partStates: [{ state: 'sent' }, { state: 'delivered' }] });
    await rig.outbox.report(reportOf(2, base));
    t.equal(await rig.state(long.id), 'delivered');
    const half = await rig.submit(2, 'x'.repeat(300), { report: true });
    await rig.settled(half.id);
    await rig.outbox.report(reportOf(2, base + 2));
    await rig.outbox.report(reportOf(2, base + 3, 0x46));
    t.equal(await rig.state(half.id), 'expired');
    await rig.outbox.retry(half.id);
    await rig.settled(half.id);
    t.match(await rig.get(half.id), { state: 'sent', partStates: [{ mr: base + 2 }, { mr: base + 4 }] });
    await rig.outbox.report(reportOf(2, base + 3, 0x46));
    t.equal(await rig.state(half.id), 'sent', 'the part that was sent again has a new TP-MR');
    await rig.outbox.report(reportOf(2, base + 4));
    t.equal(await rig.state(half.id), 'delivered');
  });

  await t.test('that belong to nobody', async (t) => {
    const { mr } = sender;
    const { id } = await rig.submit(3, 'x', { report: true });
    await rig.settled(id);
    await rig.outbox.report(reportOf(4, mr));
    await rig.outbox.report(reportOf(3, mr, 0, 'gsm1'));
    await rig.outbox.report(reportOf(3, mr + 1));
    t.equal(await rig.state(id), 'sent');
    await rig.outbox.report({ ...reportOf(3, mr), number: '860000003' });
    t.equal(await rig.state(id), 'delivered', 'the recipient in national form');
  });

  await t.test('TP-MR wraps: the newest that waits is meant', async (t) => {
    sender.mr = 0;
    const first = await rig.submit(5, 'first', { report: true });
    await rig.settled(first.id);
    sender.mr = 0;
    const second = await rig.submit(5, 'second', { report: true });
    await rig.settled(second.id);
    await rig.outbox.report(reportOf(5, 0));
    t.match([await rig.state(first.id), await rig.state(second.id)], ['sent', 'delivered']);
    await rig.outbox.report(reportOf(5, 0));
    t.match([await rig.state(first.id), await rig.state(second.id)], ['delivered', 'delivered']);
    await rig.outbox.delete(second.id);
    await rig.outbox.report(reportOf(5, 0));
    t.equal(await rig.state(first.id), 'delivered');
  });
});

t.test('a report that comes before the answer of the modem', async (t) => {
  const rig = await rigFor(t);
  const sender = rig.attach(new ScriptedSender('gsm0', 9));
  const release = sender.block();
  const { id } = await rig.submit(1, 'x', { report: true });
  await until(() => sender.given.length === 1, 'it is in hand');
  let stored = false;
  const report = rig.outbox.report(reportOf(1, 9)).then(() => {
    stored = true;
  });
  await rig.outbox.report(reportOf(2, 9));
  await rig.clock.advance(1000);
  t.equal(stored, false, 'the modem must keep it as long as it is not stored');
  release();
  await report;
  t.match(await rig.get(id), { state: 'delivered' });
  await until(() => rig.events.length === 2, 'it is announced');
  t.strictSame(rig.events, ['sent 1', 'delivered 1']);

  await t.test('and the answer never comes', async (t) => {
    const next = sender.block();
    const { id } = await rig.submit(1, 'y', { report: true });
    await until(() => sender.given.length === 2, 'it is in hand');
    const early = rig.outbox.report(reportOf(1, 10));
    next(silent);
    await early;
    t.match(await rig.get(id), { state: 'delivered', partStates: [{ mr: 10 }] });
  });
  await t.test('and belongs to something else', async (t) => {
    const next = sender.block();
    const { id } = await rig.submit(1, 'z', { report: true });
    await until(() => sender.given.length === 3, 'it is in hand');
    const foreign = rig.outbox.report(reportOf(1, 99));
    sender.will({ type: 'accepted', mr: 99 });
    const later = await rig.submit(1, 'later', { report: true });
    next({ type: 'accepted', mr: 20 });
    await foreign;
    t.match(await rig.settled(id), { state: 'sent' });
    t.match(await rig.settled(later.id), { state: 'sent' });
    await rig.clock.advance(1000);
    t.equal(await rig.state(later.id), 'sent', 'it is not kept for a later part with its TP-MR');
  });
  await t.test('and the gateway stops', async (t) => {
    const next = sender.block();
    await rig.submit(1, 'w', { report: true });
    await until(() => sender.given.length === 5, 'it is in hand');
    const early = rig.outbox.report(reportOf(1, 21));
    const closed = rig.close();
    next({ type: 'accepted', mr: 21 });
    await closed;
    await early.catch((error: unknown) => t.match(error, { code: 'stopping' }, 'either it is stored, or it is told'));
    t.notOk(rig.log.some((line) => line.includes('(TP-MR 21)')));
  });
});

t.test(
  'a report that comes before the answer belongs to the part in hand, not to an older message with its TP-MR',
  async (t) => {
    for (const older of ['delivered', 'sent'] as const) {
      const rig = await rigFor(t);
      const early: Promise<void>[] = [];
      const sender = rig.attach(new ScriptedSender());
      const first = await rig.submit(1, 'first', { report: true });
      await rig.settled(first.id);
      if (older === 'delivered') await rig.outbox.report(reportOf(1, 0));
      // The modem was restarted, or has counted to 255.
      sender.mr = 0;
      sender.epoch += 1;
      sender.will(() => {
        early.push(rig.outbox.report(reportOf(1, 0)));
        return sender.accept();
      });
      const { id } = await rig.submit(1, 'second', { report: true });
      await rig.settled(id);
      await Promise.all(early);
      t.equal(early.length, 1);
      t.match([await rig.state(first.id), await rig.state(id)], [older, 'delivered']);
    }
  },
);

t.test('a report shows that a part in doubt was sent, although an older message has its TP-MR', async (t) => {
  const rig = await rigFor(t);
  const sender = await countingSender(rig, 5);
  const old = await rig.submit(1, 'old', { report: true });
  await rig.settled(old.id);
  const mr = (sender.mr - 1) & 0xff;
  await rig.outbox.report(reportOf(1, mr));
  // It counts through all numbers.
  for (let n = 0; n < 255; n++) await rig.settled((await rig.submit(2, `${n}`, { report: false })).id);
  t.equal(sender.mr, mr);
  sender.will(lost(sender));
  const doubtful = await rig.submit(1, 'doubtful', { report: true });
  await until(() => sender.texts.at(-1) === 'doubtful', 'it is under way');
  await rig.clock.advance(1_000);
  await rig.outbox.report(reportOf(1, mr));
  t.match([await rig.state(old.id), await rig.state(doubtful.id)], ['delivered', 'delivered']);
});

t.test('two errors in a row of a modem that counts: both wait for the next TP-MR', async (t) => {
  for (const taken of [true, false]) {
    const rig = await rigFor(t);
    const sender = await countingSender(rig);
    const wrong = (): SendOutcome => {
      if (taken) sender.accept();
      return rejected(500);
    };
    sender.will(wrong, wrong);
    const first = await rig.submit(1, 'first', { report: false });
    const second = await rig.submit(2, 'second', { report: false });
    await until(() => sender.given.length === 2, 'both are refused');
    await rig.clock.advance(10_000);
    t.equal(sender.given.length, 2);
    await rig.settled((await rig.submit(3, 'next', { report: false })).id);
    const attempts = taken ? 1 : 2;
    t.match(await rig.settled(first.id), { state: 'sent', attempts });
    t.match(await rig.settled(second.id), { state: 'sent', attempts });
  }
});
