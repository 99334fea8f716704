import t from 'tap';
import { type FileSystem, nodeFileSystem } from '../../src/store/journal/file-system.ts';
import type { MessageId } from '../../src/store/message.ts';
import type { SendOutcome } from '../../src/store/sender.ts';
import { idle, rigFor } from '../support/doubtful-sends.ts';
import { type OutboxRig, pass, until } from '../support/outbox-rig.ts';
import { refusedWith, rejected, ScriptedSender } from '../support/scripted-sender.ts';

/** A modem that refuses everything until it was asked this often to be set right. */
class StuckSender extends ScriptedSender {
  requests = 0;
  stuck = true;
  readonly #heals: number;
  readonly #outcome: SendOutcome;

  constructor(outcome: SendOutcome, heals: number) {
    super();
    this.#outcome = outcome;
    this.#heals = heals;
  }

  refusesAll(): void {
    this.requests += 1;
    if (this.requests >= this.#heals) this.stuck = false;
  }

  override async send(...args: Parameters<ScriptedSender['send']>): Promise<SendOutcome> {
    if (this.stuck) this.will(this.#outcome);
    return super.send(...args);
  }
}

t.test('where the network bars the SIM of a modem, another sends', async (t) => {
  for (const cause of [8, 10, 50, 193]) {
    const rig = await rigFor(t);
    const [a, b] = [new ScriptedSender('a'), new ScriptedSender('b')];
    a.will(...Array.from({ length: 20 }, () => rejected(cause)));
    rig.attach(a);
    rig.attach(b);
    const all = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => rig.submit(n, `text ${n}`)));
    await pass(rig.clock, 10, idle(rig), 'all are sent');
    for (const { id } of all) t.match(await rig.get(id), { state: 'sent', modem: 'b' }, `${cause}`);
    t.ok(a.given.length > 0 && a.given.length <= 3, `${a.given.length}: a modem in trouble rests`);
    const pinned = await rig.submit(7, 'by a', { modem: 'a' });
    await pass(rig.clock, 1000, async () => (await rig.state(pinned.id)) === 'failed', 'no other may send it');
    await rig.outbox.detach('b');
    const alone = await rig.submit(8, 'alone');
    await pass(rig.clock, 1000, async () => (await rig.state(alone.id)) === 'failed', 'there is no other');
  }
});

t.test('what was diverted to a modem that goes away may go by any again', async (t) => {
  const rig = await rigFor(t);
  const [a, b] = [new ScriptedSender('a'), new ScriptedSender('b')];
  a.will(rejected(8));
  const release = b.block();
  rig.attach(b);
  const first = await rig.submit(1, 'keeps b busy');
  await until(() => b.given.length === 1, 'b is busy');
  rig.attach(a);
  const { id } = await rig.submit(2, 'diverted');
  await until(() => a.given.length === 1, 'a was asked');
  b.ready = false;
  rig.outbox.senderChanged('b');
  release();
  await rig.settled(first.id);
  await pass(rig.clock, 1000, async () => (await rig.state(id)) === 'sent', 'a sends again');
  t.match(await rig.get(id), { modem: 'a' });
});

t.test('a modem that refuses every message is at fault, and the messages wait', async (t) => {
  for (const outcome of [refusedWith(304), refusedWith(303), rejected(500), rejected(3870), rejected()]) {
    for (const heals of [1, 2, 4]) {
      const { cause } = outcome as { cause?: number };
      await t.test(`cause ${cause}, ${heals} times`, async (t) => {
        const rig = await rigFor(t);
        const sender = new StuckSender(outcome, heals);
        rig.attach(sender);
        const ids: number[] = [];
        for (let n = 0; n < 6; n++) ids.push((await rig.submit(n, `message ${n}`, { report: false })).id);
        await pass(rig.clock, 5_000, idle(rig), 'all are sent');
        for (const id of ids) t.match(await rig.get(id as never), { state: 'sent' });
        t.equal(sender.requests, heals, 'asked no more often than is needed');
        t.same(new Set(sender.texts).size, 6);
        t.equal(sender.given.filter(({ taken }) => taken).length, 6);
      });
    }
  }
});

t.test('a modem that stays so is asked with pauses that grow, and keeps its queue', async (t) => {
  const rig = await rigFor(t);
  const sender = new StuckSender(refusedWith(304), Number.POSITIVE_INFINITY);
  rig.attach(sender);
  for (let n = 0; n < 4; n++) await rig.submit(n, `message ${n}`, { report: false });
  const end = rig.clock.monotonic() + 24 * 3_600_000;
  await pass(rig.clock, 300_000, () => rig.clock.monotonic() > end, 'a day');
  t.equal(rig.outbox.counts().queued + rig.outbox.counts().sending, 4, JSON.stringify(rig.outbox.counts()));
  t.ok(sender.requests > 10 && sender.requests < 40, `${sender.requests} in a day`);
});

t.test('a message that is wrong fails, and the modem is left alone', async (t) => {
  await t.test('among others that are taken', async (t) => {
    const rig = await rigFor(t);
    let requests = 0;
    const sender = rig.attach(Object.assign(new ScriptedSender(), { refusesAll: () => void requests++ }));
    await rig.settled((await rig.submit(1, 'before')).id);
    sender.will(refusedWith(304));
    const { id } = await rig.submit(2, 'wrong');
    await until(() => sender.given.length === 2, 'it is refused');
    await rig.settled((await rig.submit(3, 'next')).id);
    sender.will(refusedWith(304));
    await pass(rig.clock, 1_000, idle(rig), 'it is tried once more');
    t.match(await rig.get(id), { state: 'failed', error: /cause 304/ });
    t.equal(requests, 0);
    t.strictSame(sender.texts, ['before', 'wrong', 'next', 'wrong']);
  });
  await t.test('alone: after the modem was set up anew and restarted', async (t) => {
    const rig = await rigFor(t);
    const sender = new StuckSender(refusedWith(304), Number.POSITIVE_INFINITY);
    rig.attach(sender);
    const { id } = await rig.submit(1, 'wrong', { report: false });
    await pass(rig.clock, 5_000, idle(rig), 'it is given up');
    t.match(await rig.get(id), { state: 'failed', error: /cause 304/ });
    t.match([sender.requests, sender.given.length], [2, 4]);
  });
  await t.test('by the word of the network: at once', async (t) => {
    const rig = await rigFor(t);
    const sender = rig.attach(new ScriptedSender().will(refusedWith(1)));
    const { id } = await rig.submit(1, 'x');
    t.match(await rig.settled(id), { state: 'failed' });
    t.equal(sender.given.length, 1);
  });
});

/** For 50,000 parts, each of which has a sync of its own. */
const withoutSyncs: FileSystem = {
  ...nodeFileSystem,
  open: async (path, mode) => {
    const file = await nodeFileSystem.open(path, mode);
    return { ...file, writeThrough: file.write, datasync: async () => {} };
  },
};

t.test('one source cannot fill the store', async (t) => {
  const text = 'x'.repeat(30_000);
  const fill = async (rig: OutboxRig, source: string, content: string) => {
    for (let n = 0; n < 200; n++) {
      const error = await rig.submit(n, content, { source }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (error !== undefined) return { n, error };
    }
    return { n: 200, error: undefined };
  };

  await t.test('with long messages: others send, incoming ones are stored, outcomes too', async (t) => {
    const rig = await rigFor(t, { maximum: 4 << 20 });
    const { n, error } = await fill(rig, 'smpp:flood', text);
    t.match(error, { code: 'queue_full', message: /smpp:flood/ });
    t.ok(n > 30, `${n} were taken`);
    for (const source of ['cgi', 'rpc', 'auto_reply']) await rig.submit(1_000, text, { source });
    await t.rejects(rig.submit(1_000, text, { source: 'smpp:flood' }), { code: 'queue_full' });
    for (let i = 0; i < 30; i++) await rig.journal.appendAll([{ table: 'in', record: { text } }], { reserved: true });
    rig.attach(new ScriptedSender());
    const { id } = await rig.submit(1_000, 'short', { source: 'cgi', priority: 3 });
    t.match(await rig.settled(id), { state: 'sent' });
  });

  await t.test('with many messages: the last tenth of the queue is for others', async (t) => {
    const rig = await rigFor(t, { policy: { queueLimit: 100 } });
    t.match(await fill(rig, 'cgi', 'x'), { n: 90, error: { code: 'queue_full' } });
    for (let n = 0; n < 10; n++) await rig.submit(n, 'x', { source: 'rpc' });
    await t.rejects(rig.submit(1, 'x', { source: 'smpp:a' }), { code: 'queue_full', message: /100/ });
  });

  await t.test('of several users of a source none takes the room of the others, also over a restart', async (t) => {
    const rig = await rigFor(t, { policy: { queueLimit: 100 } });
    const send = (share: string, n: number) => rig.submit(n, 'x', { source: 'cgi', share });
    for (let n = 0; n < 80; n++) await send('192.168.1.7', n);
    await t.rejects(send('192.168.1.7', 80), { code: 'queue_full', message: /80 messages of cgi 192\.168\.1\.7 wait/ });
    for (let n = 0; n < 5; n++) await send('192.168.1.8', n);
    const again = await rig.crash();
    t.teardown(() => again.close());
    await t.rejects(again.submit(81, 'x', { source: 'cgi', share: '192.168.1.7' }), { code: 'queue_full' });
    for (let n = 5; n < 10; n++) await again.submit(n, 'x', { source: 'cgi', share: '192.168.1.8' });
    await t.rejects(
      again.submit(1, 'x', { source: 'cgi', share: '192.168.1.9' }),
      { code: 'queue_full' },
      'cgi has its share',
    );
    for (let n = 0; n < 10; n++) await again.submit(n, 'x', { source: 'rpc' });
    t.notMatch(JSON.stringify(await again.outbox.list({ limit: 100 })), /192\.168/, 'nothing of it shows');
  });

  await t.test('finished messages leave, the oldest first, before they take the room of others', async (t) => {
    const rig = await rigFor(t, { maximum: 16 << 20, fileSystem: withoutSyncs });
    rig.attach(new ScriptedSender());
    const ids: MessageId[] = [];
    for (let n = 0; n < 250; n++) {
      const { id } = await rig.submit(n, text);
      ids.push(id);
      // Those that wait have a room of their own.
      if (n % 20 === 0) await rig.settled(id);
    }
    for (const id of ids.slice(-1)) t.match(await rig.settled(id), { state: 'sent' });
    const [first] = ids;
    t.equal(first && (await rig.outbox.get(first)), undefined);
    t.notOk(rig.log.some((line) => line.includes('full')));
  });
});
