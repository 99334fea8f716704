import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { Delivery, DeliveryOutcome } from '../../src/modules/host/contract.ts';
import type { MessageId } from '../../src/store/message.ts';
import { InboxRig } from '../support/inbox-rig.ts';
import { incomingPdus, SCTS } from '../support/incoming.ts';

/*
 * The inbox and its deliveries beside plain lists of what they should hold, with compactions, restarts and rows that are
 * used again in between.
 */

const HOUR = 3_600_000;
const TARGETS = ['x', 'y'] as const;

interface Expected {
  readonly id: MessageId;
  readonly index: number;
  readonly text: string;
  read: boolean;
  dispatched: boolean;
  /** Deleted, or there only for its deliveries. */
  hidden: 'no' | 'deleted' | 'passing';
}

interface Due {
  readonly id: MessageId;
  readonly target: string;
  attempts: number;
}

const targets = fc.subarray([...TARGETS]);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('short' as const), plan: fc.option(targets), takers: targets }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('long' as const), turned: fc.boolean(), plan: targets }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('read' as const), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), pick: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('dispatch' as const), pick: fc.nat(), plan: targets }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('serve' as const),
      how: fc.constantFrom('done' as const, 'rejected' as const, 'retry' as const, 'some' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

class Run {
  readonly #capacity: number;
  #rig: InboxRig;
  #messages: Expected[] = [];
  #due: Due[] = [];
  #count = 0;

  constructor(rig: InboxRig, capacity: number) {
    this.#rig = rig;
    this.#capacity = capacity;
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'short':
        return this.#short(step.plan, step.takers);
      case 'long':
        return this.#capacity > 100 ? this.#long(step.turned, step.plan) : undefined;
      case 'read': {
        const message = pick(this.#visible, step.pick);
        if (message === undefined) return;
        await this.#rig.inbox.markRead(message.id);
        message.read = true;
        return;
      }
      case 'delete': {
        const message = pick(this.#visible, step.pick);
        if (message === undefined) return;
        assert.equal(await this.#rig.inbox.delete(message.id), true);
        message.hidden = 'deleted';
        return this.#settle();
      }
      case 'dispatch': {
        const message = pick(
          this.#messages.filter(({ dispatched }) => !dispatched),
          step.pick,
        );
        if (message === undefined) return;
        await this.#rig.deliveries.dispatch([{ id: message.id, wanted: step.plan.map(wanted) }]);
        this.#plan(message, step.plan);
        return this.#settle();
      }
      case 'serve':
        return this.#serve(step.how);
      case 'restart':
        this.#rig = await this.#rig.restart();
        return;
      default:
        step satisfies never;
    }
  }

  async #short(plan: readonly string[] | null, takers: readonly string[]): Promise<void> {
    const rig = this.#rig;
    const text = `Message ${++this.#count}`;
    const [pdu = new Uint8Array()] = incomingPdus('+37060000001', text);
    rig.deliveries.onReceived = () => plan?.map(wanted);
    rig.deliveries.onNoRoom = async () => takers.map(wanted);
    const hidden = this.#messages.length - this.#visible.length;
    const isFull = this.#visible.length + Math.max(0, hidden - this.#capacity) >= this.#capacity;
    const mayPass = takers.length > 0 && hidden + Math.max(0, this.#visible.length - this.#capacity) < this.#capacity;
    if (isFull && !mayPass) {
      await assert.rejects(rig.accept(pdu), { code: 'store_full' });
      return;
    }
    assert.equal(await rig.accept(pdu), 'stored');
    assert.equal(await rig.accept(pdu), 'duplicate');
    const message = this.#come(text);
    if (isFull) message.hidden = 'passing';
    if (isFull || plan !== null) this.#plan(message, isFull ? takers : (plan ?? []));
    this.#settle();
  }

  async #long(turned: boolean, plan: readonly string[]): Promise<void> {
    const text = `${++this.#count} `.repeat(80).slice(0, 200);
    const reference = this.#count % 256;
    const parts = incomingPdus('+37060000002', text, { reference, time: SCTS + this.#count * 1000 });
    this.#rig.deliveries.onReceived = undefined;
    await this.#rig.acceptAll(turned ? [...parts].reverse() : parts);
    const message = this.#come(text);
    await this.#rig.deliveries.dispatch([{ id: message.id, wanted: plan.map(wanted) }]);
    this.#plan(message, plan);
  }

  #come(text: string): Expected {
    const shown = this.#rig.shown.at(-1);
    assert.equal(shown?.text, text);
    const { id = 0 as MessageId, index = -1 } = shown ?? {};
    assert.ok(this.#messages.every((other) => other.id < id));
    assert.ok(this.#messages.every((other) => other.hidden === 'deleted' || other.index !== index));
    const message: Expected = { id, index, text, read: false, dispatched: false, hidden: 'no' };
    this.#messages.push(message);
    return message;
  }

  #plan(message: Expected, plan: readonly string[]): void {
    message.dispatched = true;
    this.#due.push(...plan.map((target) => ({ id: message.id, target, attempts: 0 })));
  }

  /** Every delivery is due; one that is tried again later holds back those behind it. */
  async #serve(how: 'done' | 'rejected' | 'retry' | 'some'): Promise<void> {
    const rig = this.#rig;
    await rig.clock.advance(2 * HOUR);
    const outcomeOf = (id: number) => (how !== 'some' ? how : id % 2 === 0 ? 'done' : 'retry');
    const expected = TARGETS.flatMap((target) => {
      const own = this.#due.filter((due) => due.target === target);
      const held = own.findIndex(({ id }) => outcomeOf(id) === 'retry');
      return held < 0 ? own : own.slice(0, held + 1);
    });
    const tried = expected.map(({ id, target, attempts }) => ({ target, id, attempts }));
    const asked: typeof tried = [];
    const deliver = async (delivery: Delivery): Promise<DeliveryOutcome> => {
      if (delivery.kind !== 'message') throw new Error('no message');
      const { target, attempts, message } = delivery;
      asked.push({ target, id: message.id, attempts });
      const type = outcomeOf(message.id);
      return type === 'done' ? { type } : { type, reason: how };
    };
    const again = expected.filter(({ id }) => outcomeOf(id) === 'retry');
    const over = expected.filter((due) => !again.includes(due));
    const retried = rig.deliveries.counters('m').retried + again.length;
    for (const due of again) due.attempts += 1;
    this.#due = this.#due.filter((due) => !over.includes(due));
    const stop = new AbortController();
    const served = rig.deliveries.serve('m', deliver, { signal: stop.signal });
    const isOver = () =>
      rig.deliveries.pending('m') === this.#due.length && rig.deliveries.counters('m').retried === retried;
    for (let turn = 0; turn < 500 && !isOver(); turn++) await rig.clock.advance(0);
    stop.abort();
    await served;
    for (const target of TARGETS) {
      const own = ({ target: to }: { readonly target: string }) => to === target;
      assert.deepEqual(asked.filter(own), tried.filter(own));
    }
    for (const message of how === 'rejected' ? this.#messages : []) {
      if (message.hidden === 'passing' && over.some(({ id }) => id === message.id)) message.hidden = 'no';
    }
    this.#settle();
  }

  /** What is out of sight and has nothing more to be done is gone. */
  #settle(): void {
    this.#messages = this.#messages.filter(
      ({ id, hidden, dispatched }) => hidden === 'no' || !dispatched || this.#due.some((due) => due.id === id),
    );
  }

  get #visible(): Expected[] {
    return this.#messages.filter(({ hidden }) => hidden === 'no');
  }

  async check(): Promise<void> {
    const { inbox, deliveries } = this.#rig;
    const visible = this.#visible.map(({ id, index, text, read }) => ({ id, index, text, state: stateOf(read) }));
    for (const order of ['oldest', 'newest'] as const) {
      const { messages } = await inbox.list({ limit: 1000, order });
      assert.deepEqual(
        messages.map(({ id, index, text, state }) => ({ id, index, text, state })),
        order === 'oldest' ? visible : [...visible].reverse(),
      );
    }
    for (const { id, index } of visible) assert.equal((await inbox.byIndex(index))?.id, id);
    for (const { id, text, hidden } of this.#messages) {
      assert.equal((await inbox.content(id))?.text, text);
      assert.equal((await inbox.get(id))?.text, hidden === 'no' ? text : undefined);
    }
    const { used, unread } = inbox.total();
    assert.deepEqual([used, unread], [visible.length, visible.filter(({ state }) => state === 'unread').length]);
    assert.equal(inbox.table.hidden, this.#messages.length - visible.length);
    assert.equal(inbox.table.passing, this.#messages.filter(({ hidden }) => hidden === 'passing').length);
    const walked = [...inbox.table.live()].reduce((sum, { ref }) => sum + (ref?.length ?? 60), 0);
    assert.equal(inbox.table.liveOctets(60), walked);
    assert.equal(deliveries.pending('m'), this.#due.length);
    assert.deepEqual(
      deliveries.undispatched(),
      this.#messages.filter(({ dispatched }) => !dispatched).map(({ id }) => id),
    );
  }

  async end(): Promise<void> {
    await this.#rig.close();
  }
}

const wanted = (target: string) => ({ module: 'm', target });
const stateOf = (read: boolean) => (read ? 'read' : 'unread');

function pick<T>(items: readonly T[], at: number): T | undefined {
  return items[at % Math.max(1, items.length)];
}

for (const [what, capacity, compactFrom] of [
  ['an inbox with room', 1_000, 300],
  ['an inbox with room, never compacted', 1_000, 1 << 20],
  ['a small one', 3, 300],
] as const) {
  t.test(`${what}: it holds what plain lists would hold`, async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
        const run = new Run(await InboxRig.open(undefined, { policy: { capacity }, compactFrom }), capacity);
        for (const each of steps) {
          await run.take(each);
          await run.check();
        }
        await run.end();
      }),
      { numRuns: 30, interruptAfterTimeLimit: 20_000 },
    );
    t.pass();
  });
}
