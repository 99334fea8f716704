import fc from 'fast-check';
import t from 'tap';
import type { MessageId } from '../../src/store/message.ts';
import { MrEvidence, MrTrail } from '../../src/store/outbox/evidence.ts';
import { ambiguous, countingSender, crashed, idle, lost, rigFor } from '../support/doubtful-sends.ts';
import { type OutboxRig, pass } from '../support/outbox-rig.ts';
import { refused, ScriptedSender, silent } from '../support/scripted-sender.ts';

t.test('the next TP-MR decides over a restart as well', async (t) => {
  interface Case {
    readonly what: string;
    readonly taken: boolean;
    /** Epoch of the modem after the restart; 0: it was not reset. */
    readonly epoch?: number;
    /** What happens before the part that is doubtful, or after the restart. */
    readonly before?: (rig: OutboxRig, sender: ScriptedSender) => Promise<void>;
    readonly state: string;
    readonly attempts: number;
  }
  const cases: readonly Case[] = [
    { what: 'sent', taken: true, state: 'sent', attempts: 1 },
    { what: 'not sent', taken: false, state: 'sent', attempts: 2 },
    {
      what: 'sent, and the journal was compacted before',
      taken: true,
      before: async (rig) => {
        const compactions = () => Number(rig.journal.status().compactions);
        for (let n = 10; compactions() < 2; n++) await rig.settled((await rig.submit(n, 'garbage')).id);
      },
      state: 'sent',
      attempts: 1,
    },
    { what: 'the modem was reset meanwhile', taken: true, epoch: 1, state: 'unknown', attempts: 1 },
    {
      what: 'the modem was reset just before',
      taken: true,
      before: async (_, sender) => {
        sender.epoch += 1;
      },
      state: 'unknown',
      attempts: 1,
    },
    {
      what: 'a refused part went before',
      taken: true,
      before: async (rig, sender) => {
        sender.will(refused);
        await rig.settled((await rig.submit(7, 'refused')).id);
      },
      state: 'unknown',
      attempts: 1,
    },
  ];
  for (const { what, taken, epoch = 0, before, state, attempts } of cases) {
    for (const report of [true, false]) {
      await t.test(`${what}, ${report ? 'with' : 'without'} report`, async (t) => {
        const rig = await rigFor(t, { policy: { ambiguous: 'hold', keepCount: 2 }, compactFrom: 4_096 });
        const sender = await countingSender(rig);
        await before?.(rig, sender);
        sender.will(taken ? lost(sender) : silent);
        const { id } = await rig.submit(1, 'doubtful', { report });
        await ambiguous(rig, id);
        const later = await crashed(t, rig);
        const next = new ScriptedSender('gsm0', sender.mr);
        next.epoch = epoch;
        later.attach(next);
        await later.settled((await later.submit(2, 'next')).id);
        await pass(later.clock, 1000, idle(later), 'it is decided');
        t.match(await later.get(id), { state, attempts });
        t.strictSame(next.texts, attempts === 1 ? ['next'] : ['next', 'doubtful']);
      });
    }
  }
});

t.test('evidence is never wrong over any number of restarts', (t) => {
  interface Doubt {
    readonly id: MessageId;
    readonly taken: boolean;
  }
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.constant('accepted') },
    { weight: 4, arbitrary: fc.constantFrom('lost', 'silent', 'rejected', 'reset', 'crash', 'crash after it left') },
  );
  let verdicts = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), fc.nat(255), (steps, start) => {
      let evidence = new MrEvidence<Doubt>();
      let trail = new MrTrail();
      const doubts = new Map<MessageId, Doubt>();
      let [mr, epoch, noted] = [start, 1, 0];
      for (const [n, what] of steps.entries()) {
        const id = n as MessageId;
        if (what === 'reset') {
          epoch += 1;
          mr = 0;
          continue;
        }
        trail.attempted(id, 0, epoch !== noted);
        noted = epoch;
        const taken = what !== 'silent' && what !== 'crash';
        if (what === 'accepted') {
          trail.accepted(id, 0, mr);
          for (const { type, doubt } of evidence.accepted(epoch, mr)) {
            verdicts += 1;
            if ((type === 'sent') !== doubt.taken) return false;
            trail.ended(doubt.id);
          }
        } else if (what === 'rejected') {
          trail.ended(id);
          evidence.rejected(epoch);
        } else doubts.set(id, { id, taken });
        const doubt = doubts.get(id);
        if (what === 'lost' || what === 'silent') evidence.ambiguous(epoch, { id, taken });
        if (taken) mr = (mr + 1) & 0xff;
        if (doubt === undefined || !what.startsWith('crash')) continue;
        // What compaction and the next start make of it.
        trail = new MrTrail(trail.last, trail.steps, trail.open);
        const open = trail.open.map(([each]) => doubts.get(each)).filter((each) => each !== undefined);
        const { last } = trail;
        evidence = new MrEvidence(last === undefined ? undefined : { last, steps: trail.steps, doubts: open });
        [epoch, noted] = [0, 0];
      }
      return true;
    }),
    { numRuns: 2_000 },
  );
  t.ok(verdicts > 500, `${verdicts} verdicts`);
  t.end();
});
