import t from 'tap';
import type { Delivery, DeliveryOutcome } from '../../src/modules/host/contract.ts';
import type { InboxMessage, MessageId } from '../../src/store/message.ts';
import { InboxRig } from '../support/inbox-rig.ts';
import { incomingPdus } from '../support/incoming.ts';
import { MemoryFileSystem } from '../support/memory-file-system.ts';
import { until } from '../support/outbox-rig.ts';

const HOUR = 3_600_000;

type Answer = (message: InboxMessage, target: string) => DeliveryOutcome | Promise<DeliveryOutcome>;

/** A module that does as `answer` says and keeps what it was asked. */
class Server {
  readonly asked: string[] = [];
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;

  constructor(rig: InboxRig, answer: Answer = () => ({ type: 'done' }), concurrency = 1, window = 1) {
    const deliver = async (delivery: Delivery) => {
      if (delivery.kind !== 'message') throw new Error('a receipt');
      const { message, target } = delivery;
      this.asked.push(`${message.text}>${target}`);
      return answer(message, target);
    };
    this.#ended = rig.deliveries.serve('mod', deliver, {
      ...{ signal: this.#stop.signal, concurrency },
      window: () => window,
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('stop'));
    await this.#ended;
  }
}

/** Lets a message arrive and dispatches it. */
async function arrive(rig: InboxRig, text: string, ...targets: string[]): Promise<MessageId> {
  for (const pdu of incomingPdus('+37060000001', text)) await rig.accept(pdu);
  const id = rig.shown.at(-1)?.id ?? (0 as MessageId);
  await rig.deliveries.dispatch([{ id, wanted: targets.map((target) => ({ module: 'mod', target })) }]);
  await rig.clock.advance(0);
  return id;
}

t.test('each target gets each message once, in order', async (t) => {
  const rig = await InboxRig.open();
  const server = new Server(rig);
  for (const text of ['a', 'b', 'c']) await arrive(rig, text, 'x', 'y');
  await rig.clock.advance(1000);
  t.same(
    server.asked.filter((each) => each.endsWith('x')),
    ['a>x', 'b>x', 'c>x'],
  );
  t.same(
    server.asked.filter((each) => each.endsWith('y')),
    ['a>y', 'b>y', 'c>y'],
  );
  t.equal(rig.deliveries.pending('mod'), 0);
  t.match(rig.deliveries.counters('mod'), { done: 6, retried: 0 });
});

t.test('a message is dispatched once', async (t) => {
  const rig = await InboxRig.open();
  const server = new Server(rig);
  const id = await arrive(rig, 'a', 'x');
  await rig.deliveries.dispatch([{ id, wanted: [{ module: 'mod', target: 'x' }] }]);
  await rig.clock.advance(1000);
  t.same(server.asked, ['a>x']);
});

t.test('what failed is tried again with growing pauses, and holds back what is behind it', async (t) => {
  const rig = await InboxRig.open();
  const times: number[] = [];
  const server = new Server(rig, ({ text }) => {
    if (text === 'a') times.push(rig.clock.monotonic());
    return text === 'a' && times.length < 6 ? { type: 'retry', reason: 'not yet' } : { type: 'done' };
  });
  await arrive(rig, 'a', 'x');
  await arrive(rig, 'b', 'x');
  await arrive(rig, 'c', 'y');
  await rig.clock.advance(HOUR);
  const pauses = times.slice(1).map((time, i) => time - (times[i] ?? 0));
  t.same(pauses, [10_000, 20_000, 40_000, 80_000, 160_000]);
  t.same(server.asked.slice(0, 2), ['a>x', 'c>y'], 'another target does not wait');
  t.equal(server.asked.at(-1), 'b>x');
  t.match(rig.deliveries.counters('mod'), { done: 3, retried: 5 });
});

t.test('what failed for one target does not wait until another has nothing left', async (t) => {
  const rig = await InboxRig.open();
  let tries = 0;
  const server = new Server(rig, async (_message, target) => {
    if (target === 'x') {
      tries += 1;
      return tries < 2 ? { type: 'retry', reason: 'not yet' } : { type: 'done' };
    }
    await new Promise<void>((resolve) => rig.clock.after(1_000, resolve));
    return { type: 'done' };
  });
  await arrive(rig, 'a', 'x');
  for (let n = 0; n < 60; n++) await arrive(rig, `${n}`, 'y');
  await rig.clock.advance(15_000);
  t.equal(tries, 2, 'tried again while the other one still has many');
  t.ok(rig.deliveries.pending('mod') > 40);
  await rig.clock.advance(60_000);
  t.equal(rig.deliveries.pending('mod'), 0);
  await server.stop();
});

t.test('one whose fault may be its own holds back those behind it for four tries', async (t) => {
  const rig = await InboxRig.open();
  const server = new Server(
    rig,
    ({ text }) => (text === 'bad' ? { type: 'retry', reason: 'no', passable: true } : { type: 'done' }),
    2,
  );
  for (const text of ['bad', 'b', 'c']) await arrive(rig, text, 'x');
  await rig.clock.advance(100_000);
  t.same(server.asked, ['bad>x', 'bad>x', 'bad>x', 'bad>x', 'b>x', 'c>x']);
  await rig.clock.advance(HOUR);
  t.match(rig.deliveries.counters('mod'), { done: 2, rejected: 0, expired: 0 });
  t.equal(rig.deliveries.pending('mod'), 1, 'it is still tried');
});

const refusedAtOnce: DeliveryOutcome = { type: 'retry', reason: 'no', passable: 'at_once' };

t.test('one that is refused lets those behind it go first at once, where the module says so', async (t) => {
  const rig = await InboxRig.open();
  const server = new Server(rig, ({ text }) => (/bad/.test(text) ? refusedAtOnce : { type: 'done' }));
  for (const text of ['bad 1', 'b', 'bad 2', 'c']) await arrive(rig, text, 'x');
  await rig.clock.advance(0);
  t.same(server.asked, ['bad 1>x', 'b>x', 'bad 2>x', 'c>x']);
  await rig.clock.advance(10_000);
  t.same(server.asked.slice(4), ['bad 1>x', 'bad 2>x'], 'and is tried again by itself');
  t.equal(rig.deliveries.pending('mod'), 2);
});

t.test('a target that refuses all is not asked for each, and goes on with the next that it takes', async (t) => {
  const rig = await InboxRig.open();
  let willing = false;
  const server = new Server(rig, () => (willing ? { type: 'done' } : refusedAtOnce));
  for (let at = 0; at < 40; at++) await arrive(rig, `${at}`, 'x');
  await rig.clock.advance(5_000);
  t.equal(server.asked.length, 10, 'ten in a row say that it is not the messages');
  await rig.clock.advance(HOUR);
  t.ok(server.asked.length < 30, `one at a time, with growing pauses (${server.asked.length})`);
  willing = true;
  await rig.clock.advance(HOUR);
  await until(async () => {
    await rig.clock.advance(HOUR);
    return rig.deliveries.pending('mod') === 0;
  }, 'all are taken');
});

t.test('who comes to take them finds no pauses from before, and the order from before', async (t) => {
  const rig = await InboxRig.open();
  const times: number[] = [];
  let willing = false;
  const server = new Server(rig, ({ text }) => {
    if (text === 'a') times.push(rig.clock.monotonic());
    return willing || /^c/.test(text) ? { type: 'done' } : refusedAtOnce;
  });
  for (const text of ['a', 'b', 'c']) await arrive(rig, text, 'x');
  for (let at = 0; at < 40; at++) await rig.clock.advance(5_000);
  const before = times.length;
  t.equal(before, 5, 'after 10, 30, 70 and 150 s');
  await arrive(rig, 'c again', 'x');
  t.equal(server.asked.at(-1), 'c again>x', 'two that are refused time and again do not hold up a third');
  rig.deliveries.wake('mod', 'x');
  await rig.clock.advance(0);
  t.equal(times.length, before + 1, 'at once');
  await rig.clock.advance(10_000);
  t.equal(times.length, before + 2, 'and again after the first pause');
  willing = true;
  const asked = server.asked.length;
  rig.deliveries.wake('mod', 'x');
  await rig.clock.advance(0);
  t.same(server.asked.slice(asked), ['a>x', 'b>x']);
});

t.test('a window: several to one target at once, in their order', async (t) => {
  const rig = await InboxRig.open();
  const open: (() => void)[] = [];
  const server = new Server(
    rig,
    ({ text }) =>
      new Promise((resolve) => {
        open.push(() => resolve(text === 'b' ? { type: 'retry', reason: 'busy' } : { type: 'done' }));
      }),
    20,
    3,
  );
  for (const text of ['a', 'b', 'c', 'd', 'e']) await arrive(rig, text, 'x');
  await rig.clock.advance(0);
  t.same(server.asked, ['a>x', 'b>x', 'c>x']);
  open[2]?.();
  await rig.clock.advance(0);
  t.same(server.asked.slice(3), ['d>x'], 'one more for each that ends');
  open[1]?.();
  await rig.clock.advance(0);
  t.equal(server.asked.length, 4, 'what must not be passed holds back those that did not begin yet');
  open[0]?.();
  open[3]?.();
  await rig.clock.advance(10_000);
  t.same(server.asked.slice(4), ['b>x', 'e>x']);
});

t.test('a pause that was asked for', async (t) => {
  const rig = await InboxRig.open();
  let first = true;
  const server = new Server(rig, () => {
    if (!first) return { type: 'done' };
    first = false;
    return { type: 'retry', reason: 'busy', after: 2 * HOUR };
  });
  await arrive(rig, 'a', 'x');
  await rig.clock.advance(2 * HOUR - 1);
  t.equal(server.asked.length, 1);
  await rig.clock.advance(1);
  t.equal(server.asked.length, 2);
});

t.test('tries and pauses go on over restarts and compaction', async (t) => {
  let rig = await InboxRig.open(undefined, { compactFrom: 1 });
  let server = new Server(rig, () => ({ type: 'retry', reason: 'no' }));
  await arrive(rig, 'a', 'x');
  await rig.clock.advance(35_000);
  t.equal(server.asked.length, 3);
  await server.stop();
  rig = await rig.restart();
  server = new Server(rig);
  await rig.clock.advance(30_000);
  t.same(server.asked, [], 'the pause is not over');
  await rig.clock.advance(10_000);
  t.same(server.asked, ['a>x']);
});

t.test('a module that throws, and one that never answers', async (t) => {
  const rig = await InboxRig.open();
  const server = new Server(rig, ({ text }, target) => {
    if (target === 'x') throw new Error(`no luck with ${text}`);
    return server.asked.length < 3 ? new Promise(() => undefined) : { type: 'done' };
  });
  await arrive(rig, 'a', 'x');
  await rig.clock.advance(0);
  t.match(rig.log.join('\n'), /again in 10 s: no luck with a/);
  await arrive(rig, 'b', 'y');
  await rig.clock.advance(HOUR);
  t.ok(server.asked.filter((each) => each === 'b>y').length >= 2, 'given up after five minutes, and tried again');
});

t.test('a refused delivery is over', async (t) => {
  const rig = await InboxRig.open();
  const server = new Server(rig, () => ({ type: 'rejected', reason: 'nobody there' }));
  await arrive(rig, 'a', 'x');
  await rig.clock.advance(HOUR);
  t.equal(server.asked.length, 1);
  t.match(rig.deliveries.counters('mod'), { rejected: 1 });
  t.match(rig.log.join('\n'), /message 1 to x rejected: nobody there/);
});

t.test('what a module that stops had in hand is kept, and costs no try', async (t) => {
  const rig = await InboxRig.open();
  const first = new Server(rig, () => new Promise(() => undefined));
  await arrive(rig, 'a', 'x');
  const stopped = first.stop();
  await rig.clock.advance(5_000);
  await stopped;
  t.equal(rig.deliveries.pending('mod'), 1);
  const second = new Server(rig);
  await rig.clock.advance(0);
  t.same(second.asked, ['a>x']);
});

t.test('those of a module that is switched off wait, and expire after three days', async (t) => {
  let rig = await InboxRig.open();
  await arrive(rig, 'a', 'x');
  await rig.clock.advance(48 * HOUR);
  rig = await rig.restart();
  t.equal(rig.deliveries.pending('mod'), 1);
  await rig.clock.advance(26 * HOUR);
  t.equal(rig.deliveries.pending('mod'), 0);
  t.match(rig.log.join('\n'), /lose what waited too long: 1 delivery/);
});

t.test('many that nobody takes expire together, with one line in the log', async (t) => {
  const rig = await InboxRig.open(undefined, { policy: { capacity: 1000 } });
  for (let n = 0; n < 600; n++) await arrive(rig, `${n}`, 'x', 'y');
  const syncs = () => rig.fs.log.filter((call) => call === 'datasync').length;
  const before = syncs();
  await rig.clock.advance(74 * HOUR);
  t.equal(rig.deliveries.pending('mod'), 0);
  t.ok(syncs() - before < 20, 'they share the syncs');
  t.same(
    rig.log.filter((line) => line.includes('waited too long')).map((line) => line.replace(/.*: /, '')),
    ['1200 deliveries'],
  );
});

t.test('a deleted message keeps its text for what is still to be done', async (t) => {
  let rig = await InboxRig.open(undefined, { compactFrom: 1 });
  const id = await arrive(rig, 'still needed', 'x');
  await rig.inbox.delete(id);
  t.same(await rig.texts(), []);
  rig = await rig.restart();
  t.same(await rig.texts(), []);
  const server = new Server(rig);
  await rig.clock.advance(0);
  t.same(server.asked, ['still needed>x']);
  rig = await rig.restart();
  t.equal(await rig.inbox.content(id), undefined, 'and then it is gone');
});

t.test('an outcome that the store does not take is not done again', async (t) => {
  const fs = new MemoryFileSystem();
  const rig = await InboxRig.open(fs);
  let full = false;
  fs.fault = (call) => (full && (call === 'write' || call === 'open') ? 'ENOSPC' : undefined);
  const server = new Server(rig, () => {
    full = true;
    return { type: 'done' };
  });
  await arrive(rig, 'a', 'x');
  await rig.clock.advance(60_000);
  t.equal(rig.deliveries.pending('mod'), 1);
  full = false;
  await rig.clock.advance(120_000);
  t.equal(rig.deliveries.pending('mod'), 0);
  t.same(server.asked, ['a>x']);
});

t.test('a power cut at any moment: everything is delivered, and what ended is not delivered again', async (t) => {
  let cuts = 0;
  let seed = 11;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  for (let at = 0; ; at++) {
    const fs = new MemoryFileSystem(random);
    fs.fault = (_call, _path, number) => (number === at ? 'crash' : undefined);
    const delivered: string[] = [];
    const run = async (rig: InboxRig, arriving: readonly string[]) => {
      const server = new Server(rig, ({ text }, target) => {
        delivered.push(`${text}>${target}`);
        return { type: 'done' };
      });
      try {
        const wanted = ['x', 'y'].map((target) => ({ module: 'mod', target }));
        await rig.deliveries.dispatch(rig.deliveries.undispatched().map((id) => ({ id, wanted })));
        for (const text of arriving) await arrive(rig, text, 'x', 'y');
        await until(() => rig.fs.crashed || rig.deliveries.pending('mod') === 0, 'all is delivered');
      } finally {
        const stopped = server.stop();
        await rig.clock.advance(20_000);
        await stopped;
      }
    };
    const rig = new InboxRig(fs, { compactFrom: 400 });
    await rig
      .open()
      .then(() => run(rig, ['a', 'b', 'c']))
      .catch(() => undefined);
    const ended = rig.deliveries.counters('mod').done;
    await rig.close();
    if (!fs.crashed) break;
    cuts += 1;
    const before = delivered.length;
    const later = await InboxRig.open(fs.afterPowerCut(), { compactFrom: 400 });
    const there = await later.texts();
    await run(later, []);
    const missing = there.flatMap((text) => [`${text}>x`, `${text}>y`]).filter((each) => !delivered.includes(each));
    if (missing.length > 0) t.fail(`cut at call ${at}: never delivered: ${missing.join()}`);
    // Of the two targets one delivery each may have been under way.
    if (delivered.length > there.length * 2 + 2) t.fail(`cut at call ${at}: ${delivered.join()}`);
    if (delivered.length - before > there.length * 2 - ended) t.fail(`cut at call ${at}: what ended came again`);
    await later.close();
  }
  t.ok(cuts > 20, `${cuts} power cuts`);
});

t.test('a message is stored together with its deliveries when the modules can say at once which', async (t) => {
  const rig = await InboxRig.open();
  const syncs = () => Number(rig.journal.status()['syncs']);
  const [first, second] = [incomingPdus('+37060000001', 'now'), incomingPdus('+37060000001', 'later')];
  rig.deliveries.onReceived = () => [{ module: 'mod', target: 'x' }];
  const before = syncs();
  await rig.acceptAll(first);
  t.equal(syncs() - before, 1);
  rig.deliveries.onReceived = () => undefined;
  await rig.acceptAll(second);
  const after = await rig.restart();
  const left: string[] = [];
  for (const id of after.deliveries.undispatched()) {
    left.push((await after.deliveries.undispatchedMessage(id))?.text ?? 'gone');
  }
  t.same(left, ['later'], 'the modules are asked about that one');
  const server = new Server(after);
  await after.clock.advance(0);
  t.same(server.asked, ['now>x']);
});

t.test('the next ones go while it is stored that one is made: at most four are made and not stored', async (t) => {
  const rig = await InboxRig.open();
  const texts = ['a', 'b', 'c', 'd', 'e', 'f'];
  for (const text of texts) await arrive(rig, text, 'x');
  rig.fs.fault = (call) => (call === 'write' ? 'ENOSPC' : undefined);
  const server = new Server(rig);
  await rig.clock.advance(5_000);
  t.same(server.asked, ['a>x', 'b>x', 'c>x', 'd>x']);
  rig.fs.fault = () => undefined;
  await rig.clock.advance(60_000);
  t.same(server.asked, ['a>x', 'b>x', 'c>x', 'd>x', 'e>x', 'f>x'], 'each once');
  t.equal(rig.deliveries.pending('mod'), 0);
});
