import t from 'tap';
import { budgets } from '../../src/access/budgets.ts';
import type { Delivery, DeliveryOutcome } from '../../src/modules/host/contract.ts';
import { incompleteRoom } from '../../src/store/inbox/capacity.ts';
import type { InboxPolicy } from '../../src/store/inbox/inbox.ts';
import { encodeDispatched, encodePart, encodeRead } from '../../src/store/inbox/records.ts';
import { currentFormat, encodeHeader, encodeLine } from '../../src/store/journal/format.ts';
import type { InboxMessage, MessageId } from '../../src/store/message.ts';
import { InboxRig, type InboxRigOptions } from '../support/inbox-rig.ts';
import { incomingPdus, SCTS } from '../support/incoming.ts';
import { MemoryFileSystem } from '../support/memory-file-system.ts';
import { until } from '../support/outbox-rig.ts';
import { seeded } from '../support/seeded.ts';

const HOUR = 3_600_000;
const number = (n: number) => `+3706000${`${n}`.padStart(4, '0')}`;
const short = (text: string, n = 1) => incomingPdus(number(n), text)[0] ?? new Uint8Array();
/** Both parts of a message. */
const long = (letter: string, n = 1, reference = 1): readonly [Uint8Array, Uint8Array] => {
  const [first, second] = incomingPdus(number(n), letter.repeat(300), { reference, time: SCTS + n * 1000 });
  if (first === undefined || second === undefined) throw new Error('not two parts');
  return [first, second];
};
const open = (policy: Partial<InboxPolicy>, options: InboxRigOptions = {}) =>
  InboxRig.open(undefined, { policy, ...options });
const warnings = (rig: InboxRig) => rig.log.filter((line) => line.startsWith('warning'));

t.test(
  'the room for messages with missing parts is a share of the capacity, as the table of limits says',
  async (t) => {
    const { messages, incomplete, incompleteSender } = budgets.inbox;
    t.same(incompleteRoom(messages.limit), {
      all: (messages.limit * incomplete.limit) / 100,
      bySender: (messages.limit * incompleteSender.limit) / 100,
    });
    t.same(incompleteRoom(10), { all: 10, bySender: 3 });
    t.same(incompleteRoom(1_000_000), { all: 500, bySender: 125 });
  },
);

t.test('messages with missing parts', async (t) => {
  t.test('are counted while they wait', async (t) => {
    const rig = await open({ capacity: 100 });
    for (let n = 0; n < 3; n++) await rig.accept(long('x', n)[0]);
    t.match(rig.inbox.total(), { used: 3, unread: 0 });
    t.match(rig.inbox.status(), { used: 3, incomplete: 3, left_on_modem: 0 });
    await rig.accept(long('x', 1)[1]);
    t.match(rig.inbox.status(), { used: 3, unread: 1, incomplete: 2 });
  });

  t.test('have a bounded room: the oldest is shown with its gap, and a late part completes it', async (t) => {
    let rig = await open({ capacity: 200 });
    for (let n = 0; n < 20; n++) await rig.accept(long('x', n)[0]);
    t.match(rig.inbox.status(), { used: 20, incomplete: 20, unread: 0 });
    await rig.accept(long('x', 20)[0]);
    t.match(rig.shown, [{ number: number(0), missing: 1, text: /^x+<part_missing>$/ }]);
    t.match(rig.inbox.status(), { used: 21, incomplete: 20, unread: 1 });
    rig = await rig.restart();
    await rig.accept(long('x', 0)[1]);
    t.match(await rig.inbox.byIndex(0), { number: number(0), missing: 0, text: 'x'.repeat(300) });
    await rig.accept(long('x', 7)[1]);
    t.match(rig.shown, [{ number: number(7), missing: 0 }], 'the others are still awaited');
    t.equal(rig.inbox.total().used, 21);
  });

  t.test('of one sender do not take the room of others', async (t) => {
    const rig = await open({ capacity: 200 });
    await rig.accept(long('o', 1)[0]);
    for (let reference = 0; reference < 30; reference++) await rig.accept(long('x', 2, reference)[0]);
    t.match(rig.inbox.status(), { used: 31, incomplete: 6, unread: 25 });
    t.ok(
      rig.shown.every((message) => message.number === number(2)),
      'only the sender of many loses places',
    );
    await rig.accept(long('o', 1)[1]);
    t.match(rig.shown.at(-1), { number: number(1), missing: 0 });
  });

  t.test('that arrive together stay within the room', async (t) => {
    const rig = await open({ capacity: 100 });
    await Promise.all(Array.from({ length: 40 }, (_, n) => rig.accept(long('x', n)[0])));
    await rig.clock.advance(0);
    t.match(rig.inbox.status(), { used: 40, incomplete: 10, unread: 30 });
    t.equal(new Set(rig.shown.map((message) => message.number)).size, 30, 'each is shown once');
  });

  t.test('begin in a full inbox, boundedly, and lose nothing', async (t) => {
    let rig = await open({ capacity: 10 });
    for (let n = 0; n < 10; n++) await rig.accept(short(`${n}`));
    let begun = 0;
    for (let n = 0; n < 30; n++) {
      await rig.accept(long('x', n)[0]).then(
        () => {
          begun += 1;
        },
        (error: { code: string }) => t.equal(error.code, 'store_full'),
      );
    }
    t.equal(begun, 10);
    await t.rejects(rig.accept(long('x', 0)[1]), { code: 'store_full' }, 'whole it needs a place');
    await rig.clock.advance(25 * HOUR);
    await until(() => rig.shown.length === 20, 'those given up are shown');
    await t.rejects(rig.accept(long('y', 50)[0]), { code: 'store_full' }, 'and use up what is beyond the capacity');
    rig = await rig.restart();
    t.equal(await rig.accept(long('x', 0)[1]), 'stored', 'the late part is at home');
    t.match((await rig.inbox.list({ limit: 100 })).messages[10], { missing: 0, text: 'x'.repeat(300) });
  });

  t.test('do not keep each other out once they are whole', async (t) => {
    const rig = await open({ capacity: 10 });
    for (let n = 0; n < 9; n++) await rig.accept(short(`${n}`));
    await rig.accept(long('a', 1)[0]);
    await rig.accept(long('b', 2)[0]);
    t.equal(await rig.accept(long('a', 1)[1]), 'stored');
    await t.rejects(rig.accept(long('b', 2)[1]), { code: 'store_full' });
    await rig.inbox.delete(1 as MessageId);
    t.equal(await rig.accept(long('b', 2)[1]), 'stored');
    t.match(rig.inbox.status(), { used: 10, incomplete: 0 });
  });

  t.test('are shown later when the store does not take it now', async (t) => {
    const rig = await open({ capacity: 100 });
    for (let n = 0; n < 10; n++) await rig.accept(long('x', n)[0]);
    // The first sync from now on is that of the part, the second of what is given up.
    let syncs = 0;
    rig.fs.fault = (call) => (call === 'write' && ++syncs === 2 ? 'ENOSPC' : undefined);
    t.equal(await rig.accept(long('x', 10)[0]), 'stored');
    rig.fs.fault = () => undefined;
    t.match(rig.inbox.status(), { incomplete: 11, unread: 0 });
    await rig.clock.advance(60_000);
    await rig.accept(long('x', 11)[0]);
    t.match(rig.inbox.status(), { incomplete: 10, unread: 2 });
  });
});

/** Modules that want what starts with `do`, and answer each with a word. */
function modules(rig: InboxRig) {
  const asked: InboxMessage[] = [];
  const delivered: string[] = [];
  let answer: DeliveryOutcome = { type: 'done' };
  const stop = new AbortController();
  rig.deliveries.onNoRoom = async (message) => {
    asked.push(message);
    const reply = { module: 'reply', target: 'reply', incidental: true } as const;
    return message.text.startsWith('do') ? [reply, { module: 'rules', target: 'rule' }] : [reply];
  };
  const deliver = async (delivery: Delivery) => {
    if (delivery.kind !== 'message') throw new Error('a receipt');
    delivered.push(delivery.message.text);
    return answer;
  };
  const serve = (...names: readonly string[]) =>
    names.map((name) => rig.deliveries.serve(name, deliver, { signal: stop.signal }));
  return {
    asked,
    delivered,
    serve,
    answerWith: (next: DeliveryOutcome) => {
      answer = next;
    },
    stop: () => stop.abort(new Error('stop')),
  };
}

async function full(options: InboxRigOptions = {}): Promise<InboxRig> {
  const rig = await open({ capacity: 10 }, options);
  for (let n = 0; n < 10; n++) await rig.accept(short(`junk ${n}`));
  return rig;
}

t.test('a full inbox and modules that take messages away', async (t) => {
  t.test('a message that a module takes is handled and not kept', async (t) => {
    const rig = await full();
    const { asked, delivered, serve } = modules(rig);
    serve('rules', 'reply');
    t.equal(await rig.accept(short('do it')), 'stored');
    await rig.clock.advance(1_000);
    t.same(delivered, ['do it', 'do it'], 'by the rule and by the reply');
    t.match(asked, [{ number: number(1), text: 'do it', parts: 1, missing: 0, state: 'unread', modem: 'gsm0' }]);
    t.match(rig.shown.at(-1), { text: 'do it', id: 11 }, 'it is announced');
    t.match(rig.inbox.status(), { used: 10, unread: 10, left_on_modem: 0 });
    t.notMatch(await rig.texts(), ['do it']);
    t.equal(rig.inbox.table.hidden, 0, 'nothing of it is left');
    t.equal(await rig.accept(short('do it')), 'duplicate', 'the modem may delete it');
  });

  t.test('what nobody takes stays on the modem, and no number is used up', async (t) => {
    const rig = await full();
    const { asked } = modules(rig);
    for (let n = 0; n < 3; n++) await t.rejects(rig.accept(short('junk, too')), { code: 'store_full' });
    t.equal(asked.length, 3, 'asked each time: the config may have changed');
    t.match(rig.inbox.status(), { used: 10, left_on_modem: 1 });
    await rig.inbox.delete(1 as MessageId);
    await rig.accept(short('junk, too'));
    t.match(rig.shown.at(-1), { id: 11, text: 'junk, too' });
    t.match(rig.inbox.status(), { used: 10, left_on_modem: 0 });
  });

  t.test('before the modules are there, and when they do not answer', async (t) => {
    const rig = await full();
    await t.rejects(rig.accept(short('do it')), { code: 'store_full' });
    rig.deliveries.onNoRoom = () => Promise.reject(new Error('stopping'));
    await t.rejects(rig.accept(short('do it')), { code: 'store_full' });
    rig.deliveries.onNoRoom = () => new Promise(() => undefined);
    const refused = t.rejects(rig.accept(short('do it')), { code: 'store_full' });
    await rig.clock.advance(10_000);
    await refused;
  });

  t.test('a message of several parts', async (t) => {
    const parts = incomingPdus(number(1), `do ${'x'.repeat(400)}`, { reference: 9 });
    t.equal(parts.length, 3);
    for (const order of [
      [0, 1, 2],
      [2, 0, 1],
    ]) {
      let rig = await full();
      for (const at of order.slice(0, 2)) {
        t.equal(await rig.accept(parts[at] ?? new Uint8Array()), 'stored');
        rig = await rig.restart();
      }
      const { asked, delivered, serve } = modules(rig);
      serve('rules', 'reply');
      t.equal(await rig.accept(parts[order[2] ?? 0] ?? new Uint8Array()), 'stored');
      await rig.clock.advance(1_000);
      t.same(delivered, [`do ${'x'.repeat(400)}`, `do ${'x'.repeat(400)}`]);
      t.match(asked, [{ parts: 3, missing: 0, time: SCTS, number: number(1) }]);
      t.match(rig.inbox.status(), { used: 10, incomplete: 0 });
    }
  });

  t.test('its deliveries outlive restarts and compaction, out of sight', async (t) => {
    let rig = await full({ compactFrom: 1 });
    modules(rig);
    await rig.accept(short('do it'));
    rig = await rig.restart();
    rig = await rig.restart();
    t.match(rig.inbox.total(), { used: 10, total: 10, unread: 10 });
    t.equal(await rig.inbox.byIndex(10), undefined);
    t.equal(await rig.inbox.get(11 as MessageId), undefined);
    t.equal(await rig.inbox.delete(11 as MessageId), false);
    const { delivered, serve } = modules(rig);
    serve('rules', 'reply');
    await rig.clock.advance(1_000);
    t.same(delivered, ['do it', 'do it']);
    rig = await rig.restart();
    t.equal(rig.inbox.table.hidden, 0);
    t.equal(await rig.accept(short('do it')), 'duplicate');
    await rig.inbox.delete(1 as MessageId);
    await rig.accept(short('next'));
    t.match(rig.shown, [{ index: 10, id: 12 }], 'its index is free again');
  });

  t.test('when a delivery fails for good people see the message', async (t) => {
    for (const compactFrom of [1, 1 << 20]) {
      let rig = await full({ compactFrom });
      const { serve, answerWith } = modules(rig);
      answerWith({ type: 'rejected', reason: 'refused' });
      await rig.accept(short('do it'));
      rig = await rig.restart();
      const again = modules(rig);
      again.answerWith({ type: 'rejected', reason: 'refused' });
      again.serve('rules', 'reply');
      const { messages } = await rig.inbox.list({ limit: 100 });
      t.equal(messages.length, new Set(messages.map(({ id }) => id)).size, 'listed meanwhile, each is there once');
      await rig.clock.advance(1_000);
      t.equal((await rig.texts()).at(-1), 'do it');
      rig = await rig.restart();
      t.match(await rig.inbox.byIndex(10), { id: 11, text: 'do it', state: 'unread' });
      t.match(rig.inbox.total(), { used: 11, total: 10, unread: 11 });
      serve('none');
    }
  });

  t.test('as many as the capacity may wait for their deliveries', async (t) => {
    const rig = await full();
    const { serve } = modules(rig);
    const results = await Promise.allSettled(Array.from({ length: 15 }, (_, n) => rig.accept(short(`do ${n}`))));
    t.equal(results.filter(({ status }) => status === 'fulfilled').length, 10);
    serve('rules', 'reply');
    await rig.clock.advance(1_000);
    t.equal(await rig.accept(short('do 14')), 'stored', 'there is room again');
  });

  t.test('a journal that is full up to its limit', async (t) => {
    const maximum = 64 * 1024;
    const rig = await open({ capacity: 10_000 }, { maximum });
    const text = (word: string) => word.padEnd(160, '.');
    let n = 0;
    for (let room = true; room; n++) {
      room = await rig.accept(short(text(`junk ${n}`), n)).then(
        () => true,
        () => false,
      );
    }
    t.ok(n > 100, `${n} messages`);
    await t.rejects(rig.accept(short(text('junk'))), { code: 'store_full' });
    const { delivered, serve } = modules(rig);
    serve('rules', 'reply');
    t.equal(await rig.accept(short(text('do it'))), 'stored');
    for (const pdu of incomingPdus(number(1), `do ${'x'.repeat(200)}`)) t.equal(await rig.accept(pdu), 'stored');
    await rig.clock.advance(1_000);
    t.same(new Set(delivered), new Set([text('do it'), `do ${'x'.repeat(200)}`]));
    await t.rejects(rig.accept(short(text('junk'))), { code: 'store_full' });
  });
});

for (const how of ['power cut', 'killed'] as const)
  t.test(`${how} in a full inbox: a message is handed to the modules, or offered again`, async (t) => {
    const parts = [short('do one', 2), ...incomingPdus(number(3), `do ${'y'.repeat(200)}`, { reference: 4 })];
    const texts = ['do one', `do ${'y'.repeat(200)}`];
    let cuts = 0;
    for (let at = 0; ; at += 0.25) {
      const fs = new MemoryFileSystem(seeded(at * 4));
      const options = { policy: { capacity: 10 }, compactFrom: 300 };
      const rig = new InboxRig(fs, options);
      await rig.open();
      for (let n = 0; n < 10; n++) await rig.accept(short(`junk ${n}`));
      const from = fs.calls;
      fs.fault = (_call, _path, call) => (call - from === Math.floor(at) ? 'crash' : undefined);
      const onModem = new Set(parts);
      const give = async (to: InboxRig) => {
        for (const pdu of [...onModem]) {
          await to.accept(pdu);
          onModem.delete(pdu);
        }
      };
      const first = modules(rig);
      first.serve('rules', 'reply');
      await give(rig)
        .then(() => rig.clock.advance(1_000))
        .catch(() => undefined);
      first.stop();
      await rig.close();
      if (!fs.crashed) break;
      cuts += 1;
      const later = await InboxRig.open(how === 'killed' ? fs.afterKill() : fs.afterPowerCut(), options);
      const second = modules(later);
      second.serve('rules', 'reply');
      await give(later);
      await later.clock.advance(1_000);
      const counts = texts.map((text) => {
        const before = first.delivered.filter((each) => each === text).length;
        return { before, after: second.delivered.filter((each) => each === text).length };
      });
      // Two modules deliver each; a delivery whose end was not stored may be made twice.
      const fault = counts.some(({ before, after }) => before + after < 2 || after > 2);
      if (fault) t.fail(`cut at call ${at}`, { counts });
      const left = later.inbox.table.hidden + later.inbox.table.groups.waitingCount;
      if (left > 0 || later.inbox.total().used !== 10) t.fail(`cut at call ${at}: something is left`);
      second.stop();
      await later.close();
    }
    t.ok(cuts > 20, `${cuts} power cuts`);
  });

t.test('with evict a capacity that was made very much smaller keeps nothing out', async (t) => {
  const fs = new MemoryFileSystem();
  const lines = Array.from({ length: 40_000 }, (_, n) => {
    const completion = { id: (n + 1) as MessageId, index: n };
    const record = encodePart({ pdu: short(`${n}`), modem: 'gsm0', received: SCTS, completion });
    return encodeLine([
      { table: 'in', record },
      { table: 'in', record: encodeRead([completion.id]) },
      { table: 'in', record: encodeDispatched([completion.id]) },
    ]);
  });
  fs.put('/state/journal', Buffer.concat([encodeHeader(currentFormat, 40_000), ...lines]));
  const rig = await InboxRig.open(fs, { policy: { capacity: 10, evict: true }, compactFrom: 1 << 26 });
  t.equal(rig.inbox.total().used, 40_000);
  await rig.accept(short('new'));
  const { used } = rig.inbox.total();
  t.ok(used < 40_000 && used > 39_000, 'it grows smaller, and not all at once');
  await rig.accept(short('newer'));
  t.ok(rig.inbox.total().used < used);
  t.same(
    (await rig.inbox.list({ limit: 2, order: 'newest' })).messages.map(({ text }) => text),
    ['newer', 'new'],
  );
  await rig.close();
});

t.test('the alarm', async (t) => {
  const rig = await open({ capacity: 20 });
  const id = (n: number) => n as MessageId;
  for (let n = 1; n <= 17; n++) await rig.accept(short(`${n}`));
  t.same(warnings(rig), []);
  t.equal(rig.inbox.warning, undefined);
  await rig.accept(long('x')[0]);
  t.match(warnings(rig), [/^warning the inbox holds 18 of 20 messages.*delete some, or set the option evict$/]);
  t.match(rig.inbox.warning, /^the inbox holds 18 of 20 messages/);
  await rig.accept(short('19'));
  await rig.inbox.delete(id(1));
  await rig.inbox.delete(id(2));
  await rig.accept(short('20'));
  t.equal(warnings(rig).length, 1, 'once until it falls below 80 %');
  await rig.accept(short('21'));
  await rig.accept(short('22'));
  for (let n = 23; n < 26; n++) await t.rejects(rig.accept(short(`${n}`)), { code: 'store_full' });
  t.match(warnings(rig).slice(1), [/^warning the inbox is full with 20 messages, new ones stay on the modem: delete/]);
  t.match(rig.inbox.warning, /^3 received parts of messages stay on the modem, there is no room: delete/);
  t.match(rig.inbox.status(), { used: 20, left_on_modem: 3 });
  await rig.inbox.delete(id(3));
  await rig.accept(short('23'));
  t.match(rig.inbox.status(), { left_on_modem: 2 });
  await rig.clock.advance(HOUR);
  t.match(rig.inbox.status(), { left_on_modem: 0 }, 'what the modem does not offer any more is not there');
  for (let n = 4; n < 9; n++) await rig.inbox.delete(id(n));
  t.match(rig.log.at(-1), /^info the inbox has room again, it holds 15 of 20 messages/);
  for (let n = 30; n < 33; n++) await rig.accept(short(`${n}`));
  t.equal(warnings(rig).length, 3, 'and again');
  const later = await rig.restart();
  t.match(warnings(later), [/^warning the inbox holds 18 of 20/], 'a start says it');
});

t.test('while memory is scarce', async (t) => {
  t.test(
    'new messages stay on the modem, long ones that have begun are completed, and those for a rule pass',
    async (t) => {
      const rig = await open({ capacity: 1000 });
      rig.deliveries.onNoRoom = async ({ text }) => (text === 'reboot' ? [{ module: 'rules', target: 'rule' }] : []);
      const [first, second] = long('a');
      t.equal(await rig.accept(first), 'stored');
      await rig.accept(short('kept'));
      rig.isScarce = true;
      await t.rejects(rig.accept(short('more')), { code: 'store_full', message: /short of memory with 2 messages/ });
      t.equal(await rig.accept(second), 'stored');
      t.equal(await rig.accept(short('reboot')), 'stored');
      t.same(await rig.texts(), ['kept', 'a'.repeat(300)]);
      t.match(rig.inbox.warning, /^1 received part of a message stays on the modem, .*memory of the process/);
      rig.isScarce = false;
      t.equal(await rig.accept(short('more')), 'stored');
      t.equal(rig.inbox.warning, undefined);
    },
  );

  t.test('with evict a read one makes room', async (t) => {
    const rig = await open({ capacity: 1000, evict: true });
    for (const text of ['a', 'b']) await rig.accept(short(text));
    rig.isScarce = true;
    await t.rejects(rig.accept(short('c')), { code: 'store_full' });
    await rig.inbox.markRead(rig.shown[0]?.id ?? (0 as MessageId));
    t.equal(await rig.accept(short('c')), 'stored');
    t.same(await rig.texts(), ['b', 'c']);
  });

  t.test('no more than a hundred pass at a time', async (t) => {
    const rig = await open({ capacity: 1000 });
    rig.deliveries.onNoRoom = async () => [{ module: 'smpp', target: 'away' }];
    rig.isScarce = true;
    for (let n = 0; n < 100; n++) t.equal(await rig.accept(short(`${n}`, n)), 'stored');
    await t.rejects(rig.accept(short('100', 100)), { code: 'store_full' });
  });
});
