import fc from 'fast-check';
import t from 'tap';
import { fromHex } from '../../src/sms/index.ts';
import type { MessageId } from '../../src/store/message.ts';
import { InboxRig } from '../support/inbox-rig.ts';
import { incomingPdus, SCTS } from '../support/incoming.ts';
import { MemoryFileSystem } from '../support/memory-file-system.ts';

const HOUR = 3_600_000;
const LONG = 'Ąžuolas ir 🙂 '.repeat(30);

t.test('a message is shown, read and deleted, and all of it outlives a restart', async (t) => {
  let rig = await InboxRig.open();
  await rig.acceptAll(incomingPdus('+37060000001', 'one {€}'));
  await rig.acceptAll(incomingPdus('Bank', 'two', { flash: true }));
  t.match(rig.shown, [
    { box: 'inbox', id: 1, index: 0, number: '+37060000001', text: 'one {€}', time: SCTS, state: 'unread', parts: 1 },
    { id: 2, index: 1, number: 'Bank', text: 'two', messageClass: 0, encoding: 'gsm7', missing: 0, modem: 'gsm0' },
  ]);
  t.same(rig.inbox.total(), { used: 2, total: 100, unread: 2 });
  await rig.inbox.markRead(1 as MessageId);
  rig = await rig.restart();
  t.same(rig.inbox.total(), { used: 2, total: 100, unread: 1 });
  t.match(await rig.inbox.byIndex(0), { id: 1, text: 'one {€}', state: 'read' });
  t.equal(await rig.inbox.delete(1 as MessageId), true);
  t.equal(await rig.inbox.delete(1 as MessageId), false);
  rig = await rig.restart();
  t.same(await rig.texts(), ['two']);
  t.equal(await rig.inbox.get(1 as MessageId), undefined);
  t.equal(await rig.inbox.byIndex(0), undefined);
});

t.test('a part that the modem gives again is recognised', async (t) => {
  let rig = await InboxRig.open(undefined, { compactFrom: 1 });
  const [pdu = new Uint8Array()] = incomingPdus('+37060000001', 'once');
  t.equal(await rig.accept(pdu), 'stored');
  t.equal(await rig.accept(pdu), 'duplicate');
  const otherCentre = Uint8Array.of(0, ...pdu.subarray(1 + (pdu[0] ?? 0)));
  t.equal(await rig.accept(otherCentre), 'duplicate', 'by another service centre');
  t.equal(await rig.accept(pdu, 'gsm1'), 'stored', 'another SIM was sent it too');
  for (const { id } of rig.shown) await rig.inbox.delete(id);
  await rig.deliveries.dispatch(1 as MessageId, []);
  rig = await rig.restart();
  t.equal(await rig.accept(pdu), 'duplicate', 'after it was deleted, compacted away and the gateway restarted');
  t.same(await rig.texts(), []);
});

t.test('parts in any order, with restarts in between, make one message once', async (t) => {
  const parts = incomingPdus('+37060000001', LONG, { reference: 7 });
  t.ok(parts.length >= 5);
  let rig = await InboxRig.open();
  const shown: string[] = [];
  for (const i of [3, 0, 4, 1, 2, 5, 6].filter((i) => i < parts.length)) {
    await rig.accept(parts[i] ?? new Uint8Array());
    shown.push(...rig.shown.map(({ text }) => text));
    rig = await rig.restart();
    t.equal(await rig.accept(parts[i] ?? new Uint8Array()), 'duplicate');
  }
  t.same(shown, [LONG]);
  t.match(await rig.inbox.byIndex(0), { text: LONG, parts: parts.length, missing: 0 });
});

t.test('two messages with one reference do not mix', async (t) => {
  const rig = await InboxRig.open();
  const first = incomingPdus('+37060000001', 'a'.repeat(300), { reference: 1 });
  const second = incomingPdus('+37060000001', 'b'.repeat(300), { reference: 1, time: SCTS + 60_000 });
  const other = incomingPdus('+37060000002', 'c'.repeat(300), { reference: 1 });
  for (let i = 0; i < 2; i++) for (const set of [second, first, other]) await rig.accept(set[i] ?? new Uint8Array());
  t.same([...(await rig.texts())].sort(), ['a'.repeat(300), 'b'.repeat(300), 'c'.repeat(300)]);
});

t.test('a message whose part never comes is shown with a mark, and completed by a late one', async (t) => {
  let rig = await InboxRig.open();
  const [first = new Uint8Array(), second = new Uint8Array()] = incomingPdus('+37060000001', 'x'.repeat(300));
  await rig.accept(second);
  await rig.clock.advance(23 * HOUR);
  t.same(await rig.texts(), []);
  rig = await rig.restart();
  await rig.clock.advance(HOUR + 1);
  t.match(await rig.inbox.byIndex(0), { missing: 1, parts: 2, text: /^<part_missing>x{147}$/ });
  rig = await rig.restart();
  await rig.accept(first);
  t.match(await rig.inbox.byIndex(0), { id: 1, missing: 0, text: 'x'.repeat(300) });
  t.equal(rig.inbox.total().used, 1);
});

t.test('what cannot be decoded is kept as it is and blocks nothing', async (t) => {
  let rig = await InboxRig.open();
  const pdus = ['', '00', '07911326040000F0', 'FF'.repeat(20), '00040B911346610089F600F5'];
  for (const hex of pdus) t.equal(await rig.accept(fromHex(hex)), 'stored');
  rig = await rig.restart();
  const { messages } = await rig.inbox.list({ limit: 10 });
  t.same(
    messages.map(({ data }) => data),
    pdus,
  );
  t.match(messages[3], { number: 'unknown', text: '<undecodable>', encoding: '8bit' });
});

t.test('a full inbox', async (t) => {
  const message = (n: number) => incomingPdus('+37060000001', `message ${n}`)[0] ?? new Uint8Array();

  t.test('leaves messages on the modem until there is room', async (t) => {
    const rig = await InboxRig.open(undefined, { policy: { capacity: 3 } });
    for (let n = 0; n < 3; n++) await rig.accept(message(n));
    await t.rejects(rig.accept(message(3)), { code: 'store_full' });
    t.equal(await rig.accept(message(1)), 'duplicate', 'what is stored already may leave the modem');
    const [part = new Uint8Array()] = incomingPdus('+37060000001', 'x'.repeat(200));
    await t.rejects(rig.accept(part), { code: 'store_full' }, 'a long message needs a place too');
    await rig.inbox.delete(1 as MessageId);
    t.equal(await rig.accept(message(3)), 'stored');
    const several = await Promise.allSettled([4, 5, 6].map((n) => rig.accept(message(n))));
    t.equal(several.filter(({ status }) => status === 'fulfilled').length, 0);
    t.equal(rig.inbox.total().used, 3);
  });

  t.test('drops the oldest read one where the option says so', async (t) => {
    let rig = await InboxRig.open(undefined, { policy: { capacity: 3, evict: true } });
    for (let n = 0; n < 3; n++) await rig.accept(message(n));
    await t.rejects(rig.accept(message(3)), { code: 'store_full' }, 'never an unread one');
    await rig.inbox.markRead(2 as MessageId);
    await rig.inbox.markRead(3 as MessageId);
    await rig.accept(message(3));
    t.same(await rig.texts(), ['message 0', 'message 2', 'message 3']);
    rig = await rig.restart();
    t.same(await rig.texts(), ['message 0', 'message 2', 'message 3']);
  });
});

t.test('an index is small, and not used again within the hour', async (t) => {
  let rig = await InboxRig.open(undefined, { compactFrom: 1 });
  const arrive = async (text: string) => {
    await rig.acceptAll(incomingPdus('+37060000001', text));
    return rig.shown.at(-1)?.index;
  };
  for (let n = 0; n < 3; n++) t.equal(await arrive(`${n}`), n);
  await rig.inbox.delete(2 as MessageId);
  t.equal(await arrive('at once'), 3);
  rig = await rig.restart();
  t.equal(await arrive('after a restart'), 4);
  await rig.clock.advance(HOUR + 1);
  t.equal(await arrive('an hour later'), 1);
});

t.test('TP-PID: replaced messages, messages for nobody, messages for the SIM', async (t) => {
  const rig = await InboxRig.open();
  await rig.acceptAll(incomingPdus('+37060000001', 'old', { pid: 0x41 }));
  await rig.acceptAll(incomingPdus('+37060000002', 'of another', { pid: 0x41 }));
  await rig.acceptAll(incomingPdus('+37060000001', 'of another type', { pid: 0x42 }));
  await rig.acceptAll(incomingPdus('+37060000001', 'new', { pid: 0x41, time: SCTS + 1000 }));
  t.same(await rig.texts(), ['of another', 'of another type', 'new']);
  await rig.acceptAll(incomingPdus('+37060000001', 'silent', { pid: 0x40 }));
  t.equal(rig.inbox.total().used, 3);
  const forTheSim = '00040B911346610089F67FF611101021436500044142434' + '4';
  await rig.accept(fromHex(forTheSim));
  t.match((await rig.inbox.list({ limit: 10 })).messages.at(-1), { text: '', data: '41424344', encoding: '8bit' });
});

t.test('list', async (t) => {
  const rig = await InboxRig.open();
  for (let n = 0; n < 10; n++) {
    await rig.acceptAll(incomingPdus(n % 2 === 0 ? '+37060000001' : '860000002', `Message ${n}`));
    await rig.clock.advance(1000);
  }
  const ids = async (query: object) =>
    (await rig.inbox.list({ limit: 100, ...query })).messages.map(({ id }) => Number(id));
  t.same(await ids({ number: '060000001' }), [1, 3, 5, 7, 9]);
  t.same(await ids({ number: '+37060000002' }), [2, 4, 6, 8, 10]);
  t.same(await ids({ text: 'mESSAGE 3' }), [4]);
  t.same(await ids({ since: rig.clock.now() - 2500 }), [9, 10]);
  await rig.inbox.markRead(5 as MessageId);
  t.same(await ids({ state: 'read' }), [5]);
  const first = await rig.inbox.list({ limit: 4 });
  t.match(first, { more: true, messages: { length: 4 } });
  t.same(await ids({ after: first.messages.at(-1)?.id }), [5, 6, 7, 8, 9, 10]);
  t.equal((await rig.inbox.list({ limit: 10 })).more, false);
});

t.test('a power cut at any moment: every message is there once, and announced or to be dispatched', async (t) => {
  const messages = [
    incomingPdus('+37060000001', 'short'),
    incomingPdus('+37060000001', 'y'.repeat(400), { reference: 3 }),
    incomingPdus('+37060000002', 'z'.repeat(200), { reference: 3 }),
  ];
  const pdus = [0, 1, 2].flatMap((part) => messages.flatMap((parts) => parts[part] ?? []));
  let cuts = 0;
  let seed = 7;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  // Each call four times: what survives of unsynced octets differs.
  for (let at = 0; ; at += 0.25) {
    const fs = new MemoryFileSystem(random);
    fs.fault = (_call, _path, number) => (number === Math.floor(at) ? 'crash' : undefined);
    const rig = new InboxRig(fs, { compactFrom: 300 });
    const modem = new Set(pdus);
    const give = async (to: InboxRig) => {
      for (const pdu of [...modem]) {
        await to.accept(pdu);
        modem.delete(pdu);
      }
    };
    await rig
      .open()
      .then(() => give(rig))
      .catch(() => undefined);
    await rig.close();
    if (!fs.crashed) break;
    cuts += 1;
    const later = await InboxRig.open(fs.afterPowerCut(), { compactFrom: 300 });
    const waiting = await later.deliveries.undispatched();
    await give(later);
    const expected = ['short', 'y'.repeat(400), 'z'.repeat(200)];
    const texts = [...(await later.texts())].sort();
    if (texts.join() !== expected.join()) t.same(texts, expected, `cut at call ${at}`);
    const told = [...waiting, ...later.shown].map(({ text }) => text).sort();
    if (told.join() !== expected.join()) t.same(told, expected, `cut at call ${at}: told to the modules`);
    await later.close();
  }
  t.ok(cuts > 100, `${cuts} power cuts`);
});

t.test('any order, any duplicates, any restarts', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 0, max: 3 })), {
        minLength: 1,
        maxLength: 5,
      }),
      fc.array(fc.nat(), { maxLength: 30 }),
      fc.array(fc.boolean(), { maxLength: 30 }),
      async (specs, order, restarts) => {
        const sets = specs.map(([length, reference], n) => {
          const text = `${n} `.repeat(length).slice(0, length + 2);
          return { text, pdus: incomingPdus(`+3706000000${n}`, text, { reference }) };
        });
        const all = sets.flatMap(({ pdus }) => pdus);
        const arrivals = [...order.map((i) => all[i % all.length] ?? new Uint8Array()), ...all];
        let rig = await InboxRig.open(undefined, { compactFrom: 500 });
        for (const [i, pdu] of arrivals.entries()) {
          await rig.accept(pdu);
          if (restarts[i] === true) rig = await rig.restart();
        }
        const texts = [...(await rig.texts())].sort();
        await rig.close();
        return JSON.stringify(texts) === JSON.stringify(sets.map(({ text }) => text).sort());
      },
    ),
    { numRuns: 60 },
  ),
);
