import fc from 'fast-check';
import t from 'tap';
import { fromHex } from '../../src/sms/index.ts';
import { Fingerprints, fingerprint } from '../../src/store/inbox/incoming.ts';
import { Indexes } from '../../src/store/inbox/rows.ts';
import type { InboxMessage, MessageId } from '../../src/store/message.ts';
import { InboxRig } from '../support/inbox-rig.ts';
import { incomingPdus, SCTS } from '../support/incoming.ts';
import { ManualClock } from '../support/manual-clock.ts';
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
  await rig.deliveries.dispatch([{ id: 1 as MessageId, wanted: [] }]);
  rig = await rig.restart();
  t.equal(await rig.accept(pdu), 'duplicate', 'after it was deleted, compacted away and the gateway restarted');
  t.same(await rig.texts(), []);
});

t.test('parts that come again leave a trace, and no flood', async (t) => {
  const rig = await InboxRig.open();
  const [pdu = new Uint8Array()] = incomingPdus('+37060000001', 'once');
  const lines = () => rig.log.filter((line) => line.includes('came again'));
  await rig.accept(pdu);
  t.same(lines(), []);
  await rig.accept(pdu);
  t.same(lines(), [
    'info a part from +37060000001 came again, octet for octet, and was taken before: it is not shown twice',
  ]);
  for (let i = 0; i < 1_000; i++) await rig.accept(pdu);
  t.equal(lines().length, 10);
  t.match(lines()[9], /; 512 such parts by now$/);
  await rig.clock.advance(2 * HOUR);
  await rig.accept(pdu);
  t.match(lines()[10], /not shown twice$/, 'after a quiet hour the count begins again');
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

t.test('parts whose sender is given in two forms', async (t) => {
  const text = 'a'.repeat(300);
  const forms: readonly (readonly [first: string, second: string, joined: boolean])[] = [
    ['+491701234567', '0491701234567', true],
    ['0491701234567', '+491701234567', true],
    ['+491701234567', '491701234567', true],
    ['+491701234567', '00491701234567', true],
    ['+491701234567', '01701234567', true],
    ['+491701234567', '1701234567', true],
    ['0491701234567', '491701234567', true],
    ['+491701234567', '+491701234568', false],
    ['+491701234567', '01701234568', false],
    ['+491701234567', '1234567', false],
    ['+491701234567', '234567', false],
    ['+491701234567', '001701234567', false],
    ['+491701234567', '01234567', false],
    ['+491701234567', 'Vodafone', false],
    ['12345678', '2345678', false],
    ['Vodafone', 'vodafone', false],
  ];
  for (const [first, second, joined] of forms) {
    let rig = await InboxRig.open();
    const [a = new Uint8Array()] = incomingPdus(first, text, { reference: 1 });
    const [, b = new Uint8Array()] = incomingPdus(second, text, { reference: 1, time: SCTS + 2_000 });
    await rig.accept(a);
    rig = await rig.restart();
    await rig.accept(b);
    t.equal(rig.shown.length, joined ? 1 : 0, `${first} and ${second}`);
    rig = await rig.restart();
    if (!joined) continue;
    const whole = [first, second].find((form) => form.startsWith('+')) ?? first;
    t.match(await rig.inbox.byIndex(0), { text, number: whole, missing: 0 }, 'under the international form');
  }

  const parts = (from: string, letter: string, time = SCTS) =>
    incomingPdus(from, letter.repeat(300), { reference: 1, time });
  const accept = async (rig: InboxRig, pdus: readonly Uint8Array[], at: number) =>
    rig.accept(pdus[at] ?? new Uint8Array());
  t.test('a group of its own sender goes first', async (t) => {
    const rig = await InboxRig.open();
    await accept(rig, parts('+491701234567', 'a'), 0);
    await accept(rig, parts('01701234567', 'b'), 1);
    t.same(await rig.texts(), [`${'a'.repeat(153)}${'b'.repeat(147)}`], 'no other one is there');
    const other = await InboxRig.open();
    await accept(other, parts('+491701234567', 'a', SCTS + 60_000), 0);
    await accept(other, parts('+11701234567', 'c'), 0);
    await accept(other, parts('01701234567', 'b'), 1);
    t.same(await other.texts(), [], 'of two that could be meant none is taken');
    await accept(other, parts('01701234567', 'b'), 0);
    t.same(await other.texts(), ['b'.repeat(300)], 'and it finds its own');
  });
  t.test('only close in time', async (t) => {
    const rig = await InboxRig.open();
    await accept(rig, parts('+491701234567', 'a'), 0);
    await accept(rig, parts('01701234567', 'b', SCTS + HOUR), 1);
    t.same(await rig.texts(), []);
    await accept(rig, parts('+491701234567', 'a', SCTS + HOUR), 1);
    t.same(await rig.texts(), ['a'.repeat(300)]);
  });
});

const TIME = '62102030405000';
const RECEIVED = new ManualClock().now();
const FROM = '0B911346610089F6';
const pushUdh = '0605040B8423F0';
const octetsOf = (text: string) => Buffer.from(text, 'latin1').toString('hex').toUpperCase();
const octet = (value: number) => value.toString(16).padStart(2, '0').toUpperCase();
/** A DELIVER of octets, with a header or without. */
const deliver = (dcs: string, data: string, { udh = '', pid = '00' } = {}) =>
  `00${udh === '' ? '04' : '44'}${FROM}${pid}${dcs}${TIME}${octet(lengthOf(dcs, udh + data))}${udh}${data}`;
/** TP-UDL: septets where they are packed. */
const lengthOf = (dcs: string, hex: string) =>
  Math.floor(/^[0CD]0|^C8/.test(dcs) ? (hex.length * 4) / 7 : hex.length / 2);

t.test('8-bit data that is readable is text, other data is data', async (t) => {
  const readable = octetsOf('Alarm: door 3 open');
  const utf8 = Buffer.from('Tür öffnen 🙂').toString('hex').toUpperCase();
  const cases: readonly (readonly [what: string, pdu: string, message: Record<string, unknown>])[] = [
    ...['04', 'F4', 'F5', 'F6', 'F7', '15'].map(
      (dcs) => [`DCS ${dcs}`, deliver(dcs, readable), { text: 'Alarm: door 3 open', data: readable }] as const,
    ),
    ['UTF-8', deliver('04', utf8), { text: 'Tür öffnen 🙂', encoding: '8bit' }],
    ['Latin-1', deliver('04', octetsOf('Tür geöffnet')), { text: 'Tür geöffnet' }],
    ['NULs at the end', deliver('04', `${readable}0000`), { text: 'Alarm: door 3 open' }],
    ['two lines', deliver('04', octetsOf('a\r\nb')), { text: 'a\r\nb' }],
    ['data', deliver('04', 'DEADBEEF'), { text: '', data: 'DEADBEEF' }],
    ['a NUL within', deliver('04', '41004142'), { text: '', data: '41004142' }],
    ['an escape', deliver('04', '411B5B324A'), { text: '' }],
    ['C1 controls', deliver('04', '41424344459B'), { text: '' }],
    ['C1 controls in UTF-8', deliver('04', '4142434445C29B'), { text: '' }],
    ['mostly above ASCII', deliver('04', 'C1C2C3C4'), { text: '' }],
    ['nothing', deliver('04', ''), { text: '', data: '' }],
    ['a port', deliver('04', readable, { udh: '06050415811581' }), { text: '', data: readable, udh: '050415811581' }],
    ['for an application of the SIM', deliver('04', readable, { udh: '027000' }), { text: '', data: readable }],
    ['for the SIM', deliver('F6', readable, { pid: '7F' }), { text: '', data: readable }],
  ];
  for (const [what, pdu, message] of cases) {
    const rig = await InboxRig.open();
    await rig.accept(fromHex(pdu));
    t.match(await rig.inbox.byIndex(0), { number: '+31641600986', ...message }, what);
  }
  const rig = await InboxRig.open();
  await rig.accept(fromHex(deliver('04', octetsOf('door 3 '), { udh: '0500030A0201' })));
  await rig.accept(fromHex(deliver('04', octetsOf('open'), { udh: '0500030A0202' })));
  t.match(await rig.inbox.byIndex(0), { text: 'door 3 open', parts: 2 });
});

t.test('what the network says of messages that wait is a line for people', async (t) => {
  const mms = '0106246170706C69636174696F6E2F766E642E7761702E6D6D732D6D65737361676500AF848DC0B4818C82';
  const mmsBody = (headers: string) => `010603BEAF848C829854008D92${headers}`;
  const from = `89${octet(25)}80${octetsOf('+491701234567/TYPE=PLMN')}00`;
  const url = `83${octetsOf('http://mms.example/x?id=1')}00`;
  const size = '8E02C000';
  const subject = `96${octetsOf('Holiday')}00`;
  const cases: readonly (readonly [what: string, pdu: string, message: Record<string, unknown> | undefined])[] = [
    ['an element', deliver('00', '', { udh: '04010280' + '03' }), { text: 'Voicemail: 3 messages waiting.' }],
    ['one', deliver('00', '', { udh: '0401020001' }), { text: 'Voicemail: 1 message waiting.' }],
    ['very many', deliver('00', '', { udh: '04010200FF' }), { text: 'Voicemail: 255 or more messages waiting.' }],
    ['none', deliver('00', '', { udh: '0401020000' }), { text: 'Voicemail: no messages waiting.' }],
    ['video', deliver('00', '', { udh: '0401020702' }), { text: 'Video mail: 2 messages waiting.' }],
    ['fax and email', deliver('00', '', { udh: '08010201010102' + '0205' }), { text: /^Fax: 1 .*\nEmail: 5 / }],
    ['DCS alone', deliver('C8', ''), { text: 'Voicemail: messages waiting.', notice: 'waiting' }],
    ['DCS, nothing waits', deliver('C0', ''), undefined],
    ['DCS to be stored, nothing waits', deliver('D0', ''), { text: 'Voicemail: no messages waiting.' }],
    ['DCS with a text', deliver('EA', '00680069'), { text: 'Email: messages waiting.\nhi', encoding: 'ucs2' }],
    ['an element before the DCS', deliver('C8', '', { udh: '0401020002' }), { text: 'Voicemail: 2 messages waiting.' }],
    ['return call', deliver('08', '00680069', { pid: '5F' }), { text: 'The sender asks to be called back.\nhi' }],
    [
      'MMS',
      deliver('04', mmsBody(from + subject + size + url), { udh: pushUdh }),
      {
        text: 'MMS waiting from +491701234567: "Holiday", 49152 bytes, http://mms.example/x?id=1',
        notice: 'mms',
        udh: '05040B8423F0',
        data: mmsBody(from + subject + size + url),
      },
    ],
    [
      'MMS of nobody',
      deliver('F5', mmsBody(`890181${url}`), { udh: pushUdh }),
      { text: 'MMS waiting: http://mms.example/x?id=1' },
    ],
    ['MMS without facts', deliver('04', mmsBody(''), { udh: pushUdh }), { text: 'MMS waiting' }],
    ['MMS to another port', deliver('04', mmsBody(url), { udh: '060504158123F0' }), { text: '' }],
    ['another push', deliver('04', '010603AEAF84', { udh: pushUdh }), { text: '' }],
    ['the media type by name', deliver('04', mms, { udh: pushUdh }), { text: 'MMS waiting' }],
    ['cut off', deliver('04', mms.slice(0, -4), { udh: pushUdh }), { text: '' }],
  ];
  for (const [what, pdu, message] of cases) {
    const rig = await InboxRig.open();
    await rig.accept(fromHex(pdu));
    if (message === undefined) t.equal(rig.inbox.total().used, 0, what);
    else t.match(await rig.inbox.byIndex(0), message, what);
  }
});

t.test('of a damaged message all that is there', async (t) => {
  const cases: readonly (readonly [what: string, pdu: string, message: Record<string, unknown>])[] = [
    ['text cut off', `0004${FROM}0000${TIME}05E8329B`, { text: 'hel', number: '+31641600986' }],
    ['UCS2 cut off', `0004${FROM}0008${TIME}0A00680069`, { text: 'hi' }],
    ['half a unit', `0004${FROM}0008${TIME}0A006800`, { text: 'h' }],
    ['data cut off', `0004${FROM}0004${TIME}0ADEAD`, { text: '', data: 'DEAD' }],
    ['month 13', `0004${FROM}0000${'62312030405000'}02E834`, { text: 'hi', time: RECEIVED }],
    ['no digits', `0004${FROM}0000${'FFFFFFFFFFFFFF'}02E834`, { text: 'hi', time: RECEIVED }],
    ['no user data', `0004${FROM}0000${TIME}`, { text: '', number: '+31641600986', time: SCTS }],
    ['header beyond the end', `0044${FROM}0000${TIME}050B0003`, { text: '', number: '+31641600986' }],
    ['nothing but the sender', `0004${FROM}`, { text: '<undecodable>', number: '+31641600986' }],
  ];
  for (const [what, pdu, message] of cases) {
    const rig = await InboxRig.open();
    t.equal(await rig.accept(fromHex(pdu)), 'stored', what);
    t.match(await rig.inbox.byIndex(0), message, what);
  }
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

t.test('a listing shows no message in the place of another, whatever happens meanwhile', async (t) => {
  const fs = new MemoryFileSystem();
  const { open } = fs;
  let gate: Promise<void> | undefined;
  fs.open = async (path, mode) => {
    const file = await open.call(fs, path, mode);
    return {
      ...file,
      read: async (buffer, position) => {
        const held = gate;
        gate = undefined;
        await held;
        return file.read(buffer, position);
      },
    };
  };
  const rig = await InboxRig.open(fs, { policy: { capacity: 200 } });
  const pdu = (n: number) => incomingPdus('+37060000001', `Message ${n}`)[0] ?? new Uint8Array();
  rig.deliveries.onNoRoom = async () => [{ module: 'm', target: 't' }];
  // The last one is out of sight, as there is no room.
  for (let n = 1; n <= 201; n++) await rig.accept(pdu(n));
  await rig.inbox.delete(1 as MessageId);
  await rig.accept(pdu(202));
  let release = () => {};
  gate = new Promise((resolve) => {
    release = resolve;
  });
  const listing = rig.inbox.list({ limit: 1000 });
  const stop = new AbortController();
  const rejected = { type: 'rejected', reason: 'refused' } as const;
  const served = rig.deliveries.serve('m', async () => rejected, { signal: stop.signal });
  await rig.clock.advance(1_000);
  // It is visible now, in the middle of the others; this one finds it there.
  t.equal((await rig.inbox.list({ limit: 1000 })).messages.at(-2)?.text, 'Message 201');
  for (const id of [150, 151]) await rig.inbox.delete(id as MessageId);
  await rig.accept(pdu(203));
  release();
  const ids = (await listing).messages.map(({ id }) => Number(id));
  t.same(
    ids.filter((id) => id <= 200),
    Array.from({ length: 199 }, (_, n) => n + 2).filter((id) => id !== 150 && id !== 151),
  );
  t.same(
    ids,
    [...new Set(ids)].sort((a, b) => a - b),
  );
  stop.abort();
  await served;
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
    const waiting: InboxMessage[] = [];
    for (const id of later.deliveries.undispatched()) {
      const message = await later.deliveries.undispatchedMessage(id);
      if (message !== undefined) waiting.push(message);
    }
    await give(later);
    const expected = ['short', 'y'.repeat(400), 'z'.repeat(200)];
    const texts = [...(await later.texts())].sort();
    if (texts.join() !== expected.join()) t.same(texts, expected, `cut at call ${at}`);
    const announced = [...waiting, ...later.shown].map(({ text }) => text).sort();
    if (announced.join() !== expected.join()) t.same(announced, expected, `cut at call ${at}: given to the modules`);
    await later.close();
  }
  t.ok(cuts > 80, `${cuts} power cuts`);
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

t.test('fingerprints are those that earlier releases have left in the journal', async (t) => {
  const tpdu = '040B917396000000F10000621101000000000568656C6C6F';
  t.equal(fingerprint('gsm0', fromHex(`07917396090000F0${tpdu}`)), 'rRRRv_E0s0sb');
  t.equal(
    fingerprint('gsm0', fromHex(`0891739609000000F0${tpdu.replace('04', '00')}`)),
    'rRRRv_E0s0sb',
    'the same part',
  );
  t.equal(fingerprint('mödem', fromHex('03010203')), 'hI0Iol5VIFv5', 'nothing behind the address');
});

t.test('of the parts that a start finds the last are recognised', async (t) => {
  const modem = fc.constantFrom('gsm0', 'gsm1');
  const parts = fc.array(fc.record({ modem, pdu: fc.uint8Array({ maxLength: 400 }) }), { maxLength: 30 });
  fc.assert(
    fc.property(parts, parts, fc.integer({ min: 1, max: 8 }), (found, come, limit) => {
      const prints = new Fingerprints(limit);
      for (const part of found) prints.addPart(part);
      const after = come.map((part) => fingerprint(part.modem, part.pdu));
      for (const print of after) prints.add(print);
      const all = [...found.map((part) => fingerprint(part.modem, part.pdu)), ...after];
      return all.slice(-limit).every((print) => prints.has(print));
    }),
  );
  t.pass();
});

t.test('of indexes that come back within the hour ten thousand are held, or as many as messages have room', (t) => {
  for (const [capacity, held] of [
    [1_000, 10_000],
    [12_000, 12_000],
  ] as const) {
    const indexes = new Indexes();
    const next = (id: number): number => {
      const index = indexes.allocate(0, capacity);
      indexes.take({ id: id as MessageId, index });
      indexes.release({ id: id as MessageId, index }, 0);
      return index;
    };
    const given = Array.from({ length: 2 * held }, (_, n) => next(n + 1));
    t.same(
      given.slice(0, held + 1),
      Array.from({ length: held + 1 }, (_, n) => n),
    );
    t.same(given.slice(held + 1, held + 4), [0, 1, 2], 'then the oldest serve again');
    t.equal(indexes.releasedCount, held + 1);
  }
  t.end();
});
