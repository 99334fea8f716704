import fc from 'fast-check';
import t from 'tap';
import {
  addressOf,
  decodePdu,
  encodePdu,
  encodeSubmit,
  fromHex,
  joinParts,
  type SegmentOptions,
  segment,
  toHex,
  toUserData,
} from '../../src/sms/index.ts';
import { cmgs, cms, code, Host, info, OK } from './simulator-host.ts';

const FROM = '+37060000001';
/** SMS-DELIVER of "hi" from FROM at 2026-01-01 00:00:00+00:00, with the SMSC field. */
const HI = '07917360990000F0040B917360000000F100006210100000000002E834';

/** The PDUs of a text to `to`, hexadecimal with an empty SMSC field. */
function submits(text: string, to = FROM, options: SegmentOptions & { report?: boolean } = {}): readonly string[] {
  const { dcs, parts } = segment(text, options);
  return parts.map(({ udh, data }) => {
    const fields = {
      to: addressOf(to),
      dcs,
      userData: toUserData(udh, data),
      statusReportRequest: options.report ?? false,
    };
    return toHex(encodePdu(undefined, encodeSubmit(fields)));
  });
}

async function send(host: Host, pdu: string): Promise<string> {
  const [line, typed] = cmgs(pdu);
  const prompt = await host.ask(line);
  return prompt === '\r\n> ' ? host.ask(typed) : prompt;
}

t.test('sending in PDU mode', async (t) => {
  const host = await new Host({ memory: 5 }).setUp();
  const [pdu = ''] = submits('Hello');
  t.equal(await send(host, pdu), info('+CMGS: 0'));
  t.equal(await send(host, pdu), info('+CMGS: 1'), 'the modem counts TP-MR itself');
  const [first] = host.modem.sent();
  t.match(first, { to: FROM, text: 'Hello', parts: 1, mr: [0], time: host.clock.now(), report: false });

  const wrong: readonly (readonly [string, string, string])[] = [
    ['another length', 'AT+CMGS=17\r', `${pdu}\x1a`],
    ['no hexadecimal', 'AT+CMGS=18\r', 'hello\x1a'],
    ['an odd digit', 'AT+CMGS=18\r', `${pdu}0\x1a`],
    ['nothing', 'AT+CMGS=18\r', '\x1a'],
    ['a SMS-DELIVER', `AT+CMGS=${HI.length / 2 - 8}\r`, `${HI}\x1a`],
    ['more than a prompt takes', 'AT+CMGS=18\r', `${'0'.repeat(5_000)}\x1a`],
  ];
  for (const [name, line, typed] of wrong) {
    t.equal(await host.ask(line), '\r\n> ', name);
    t.equal(await host.ask(typed), cms(304), name);
  }
  t.equal(await host.ask('AT+CMGS=3\r'), cms(304), 'no TPDU is that short');
  t.equal(await host.ask(`AT+CMGS=${pdu.length / 2 - 1}\r`), '\r\n> ');
  t.equal(
    await host.ask(`${pdu.slice(0, 10)}\r\n${pdu.slice(10)}7\b\x1a`),
    info('+CMGS: 2'),
    'line ends and backspace',
  );
  await host.ask('AT+CMGS=20\r');
  t.equal(await host.ask('0011\x1b'), OK, 'ESC cancels');
  host.modem.setRegistration('searching');
  t.equal(await send(host, pdu), cms(331));
  host.modem.setRegistration('home');
  await host.setUp('AT+CSCA=""');
  t.equal(await send(host, pdu), cms(330));
  await host.setUp('AT+CSCA="37069900000",145');
  t.equal(await host.ask('AT+CSCA?\r'), info('+CSCA: "+37069900000",145'));
  for (let i = 3; i < 256; i++) await send(host, pdu);
  t.equal(await send(host, pdu), info('+CMGS: 0'), 'TP-MR wraps');
  t.match(host.modem.counters, { parts: 257, messages: 257, duplicates: 0 });
});

t.test('echo of prompted data', async (t) => {
  const host = new Host();
  t.equal(await host.ask('AT+CMGF=1\r'), `AT+CMGF=1\r${OK}`);
  t.equal(await host.ask('AT+CMGS="+37060000001"\r'), 'AT+CMGS="+37060000001"\r\r\n> ');
  t.equal(await host.ask('a\rb\x1a'), `a\r\n> b${info('+CMGS: 0')}`);
  t.equal(host.modem.sent()[0]?.text, 'a\nb');
});

t.test('any text goes out and comes in as it is', async (t) => {
  const host = await new Host({ memory: 255 }).setUp('AT+CPMS="SM","SM","SM"');
  const characters = fc.constantFrom(...'aZ09 @£$_{}€[]\n', 'ą', 'ё', '漢', '😀', '👩‍👩‍👧');
  const text = fc.string({ unit: characters, minLength: 1, maxLength: 1_000 });
  await fc.assert(
    fc.asyncProperty(text, fc.constantFrom(8 as const, 16 as const), async (text, referenceBits) => {
      for (const pdu of submits(text, FROM, { reference: 7, referenceBits })) {
        if (!(await send(host, pdu)).includes('+CMGS: ')) return false;
      }
      host.modem.receive({ from: FROM, text });
      const parts = [...(await host.ask('AT+CMGL=4\r')).matchAll(/\r\n([0-9A-F]{20,})/g)].map(([, hex = '']) => {
        const { tpdu } = decodePdu(fromHex(hex), 'to-mobile');
        return tpdu.type === 'deliver' ? tpdu : undefined;
      });
      await host.ask('AT+CMGD=1,4\r');
      return host.modem.sent().at(-1)?.text === text && joinParts(parts) === text;
    }),
    { numRuns: 40 },
  );
  t.equal(host.modem.counters.waiting, 0);
});

t.test('parts of long messages: mixed up, twice, and given up', async (t) => {
  const host = await new Host().setUp();
  const text = 'x'.repeat(400);
  const [one = '', two = '', three = ''] = submits(text, FROM, { reference: 1 });
  const [other = ''] = submits(text, FROM, { reference: 2 });
  for (const pdu of [three, one, other, one]) await send(host, pdu);
  t.match(host.modem.counters, { parts: 4, messages: 0, duplicates: 1 });
  await send(host, two);
  t.match(host.modem.sent(), [{ text, parts: 3, mr: [1, 4, 0] }]);
  t.strictSame(
    host.modem.sentParts().map(({ sequence, total }) => `${sequence}/${total}`),
    ['3/3', '1/3', '1/3', '1/3', '2/3'],
  );
  // A part that repeats a whole message does not spoil the next message with the same reference.
  const next = submits('y'.repeat(400), FROM, { reference: 1 });
  for (const pdu of [three, ...next]) await send(host, pdu);
  t.match(host.modem.sent().at(-1), { text: 'y'.repeat(400) });
  t.equal(host.modem.counters.duplicates, 2);
  for (const pdu of next) await send(host, pdu);
  t.equal(host.modem.sent().length, 3, 'a whole message again is a message');
  const data = toUserData(new Uint8Array(0), Uint8Array.of(0, 255));
  await send(host, toHex(encodePdu(undefined, encodeSubmit({ to: addressOf(FROM), dcs: 4, userData: data }))));
  t.match(host.modem.sent().at(-1), { text: '', data: '00FF', dcs: 4 });
});

t.test('storages', async (t) => {
  const host = await new Host({ memory: { SM: 3, ME: 2 } }).setUp();
  const length = HI.length / 2 - 8;
  const say = async (line: string, answer: string) => t.equal(await host.ask(line), answer, line);
  host.modem.receivePdu(HI);
  await say('AT+CPMS?\r', info('+CPMS: "SM",1,3,"SM",1,3,"SM",1,3'));
  await say('AT+CMGR=1\r', `\r\n+CMGR: 0,,${length}\r\n${HI}\r\n\r\nOK\r\n`);
  await say('AT+CMGR=1\r', `\r\n+CMGR: 1,,${length}\r\n${HI}\r\n\r\nOK\r\n`);
  await say('AT+CMGL=0\r', OK);
  await say('AT+CMGL=1\r', `\r\n+CMGL: 1,1,,${length}\r\n${HI}\r\n\r\nOK\r\n`);
  await say('AT+CMGR=2\r', cms(321));
  await say('AT+CMGR=0\r', cms(321));
  const [pdu = ''] = submits('draft');
  const draft = pdu.length / 2 - 1;
  await say(`AT+CMGW=${draft}\r`, '\r\n> ');
  await say(`${pdu}\x1a`, info('+CMGW: 2'));
  await say(`AT+CMGW=${length},1\r`, '\r\n> ');
  await say(`${HI}\x1a`, info('+CMGW: 3'));
  await say(`AT+CMGW=${draft}\r`, '\r\n> ');
  await say(`${pdu}\x1a`, cms(322));
  await say('AT+CMSS=2\r', info('+CMSS: 0'));
  await say('AT+CMSS=2,"+37060000002"\r', info('+CMSS: 1'));
  await say('AT+CMSS=1\r', cms(321));
  t.strictSame(
    host.modem.sent().map(({ to, text }) => `${to} ${text}`),
    [`${FROM} draft`, '+37060000002 draft'],
  );
  await say('AT+CMGD=?\r', info('+CMGD: (1,2,3),(0-4)'));
  await say('AT+CMGD=9\r', cms(321));
  await say('AT+CMGD=1,1\r', OK);
  await say('AT+CPMS?\r', info('+CPMS: "SM",1,3,"SM",1,3,"SM",1,3'));
  await say('AT+CMGD=1\r', OK);
  await say('AT+CMGD=1,2\r', OK);
  await say('AT+CPMS="ME","SM","ME"\r', info('+CPMS: 0,2,0,3,0,2'));
  await say('AT+CPMS="XX"\r', cms(303));
  await say('AT+CPMS=?\r', info('+CPMS: ("SM","ME","SR"),("SM","ME"),("SM","ME")'));
  host.modem.receivePdu(HI);
  host.modem.receive({ from: FROM, text: 'for the SIM', messageClass: 2 });
  await say('AT+CPMS?\r', info('+CPMS: "ME",1,2,"SM",1,3,"ME",1,2'));
});

t.test('+CNMI: what comes, and how it is announced', async (t) => {
  const rows: readonly (readonly [string, 0 | 1 | 2 | 3 | undefined, RegExp])[] = [
    ['0,1,0,0,0', undefined, /^$/],
    ['1,0,0,0,0', undefined, /^$/],
    ['2,1,0,0,0', undefined, /^\r\n\+CMTI: "SM",1\r\n$/],
    ['2,1,0,0,0', 0, /^\r\n\+CMTI: "SM",1\r\n$/],
    ['2,1,0,0,0', 3, /^\r\n\+CMTI: "SM",1\r\n$/],
    ['1,2,0,0,0', undefined, /^\r\n\+CMT: ,\d+\r\n[0-9A-F]+\r\n$/],
    ['3,2,0,0,0', 2, /^\r\n\+CMTI: "SM",1\r\n$/],
    ['2,3,0,0,0', 3, /^\r\n\+CMT: ,\d+\r\n[0-9A-F]+\r\n$/],
    ['2,3,0,0,0', 1, /^\r\n\+CMTI: "SM",1\r\n$/],
  ];
  for (const [setting, messageClass, heard] of rows) {
    const host = await new Host().setUp(`AT+CNMI=${setting}`);
    host.modem.receive({ from: FROM, text: 'hi', ...(messageClass !== undefined && { messageClass }) });
    t.match(await host.hear(), heard, `${setting}, class ${messageClass}`);
    t.equal(host.modem.counters.delivered, 1);
  }
  const host = await new Host().setUp('AT+CNMI=0,1');
  for (const text of ['one', 'two']) host.modem.receive({ from: FROM, text });
  t.equal(await host.ask('AT+CNMI=2\r'), code('+CMTI: "SM",1') + code('+CMTI: "SM",2') + OK, 'buffered, then flushed');
  await host.setUp('AT+CNMI=0');
  host.modem.receive({ from: FROM, text: 'three' });
  t.equal(await host.ask('AT+CNMI=2,1,0,0,1\r'), OK, 'buffered, then dropped');
  t.equal(await host.ask('AT+CNMI?\r'), info('+CNMI: 2,1,0,0,1'));
  t.equal(await host.ask('AT+CNMI=2,1,1\r'), cms(304));
});

t.test('+CNMA', async (t) => {
  const host = await new Host({ latency: { acknowledge: 5_000, redelivery: 20_000 } }).setUp(
    'AT+CNMI=2,2,0,1',
    'AT+CNMA=?',
  );
  t.equal(await host.ask('AT+CNMA\r'), cms(340), 'not with +CSMS: 0');
  await host.setUp('AT+CSMS=1');
  for (const text of ['one', 'two']) host.modem.receive({ from: FROM, text });
  t.match(await host.hear(), /^\r\n\+CMT: [^+]*$/, 'one at a time');
  t.match(await host.ask('AT+CNMA=0\r'), /OK\r\n\r\n\+CMT: /, 'the next after the acknowledgement');
  t.equal(await host.ask('AT+CNMA=2\r'), OK, 'refused: the network tries again');
  t.match(await host.hear(20_000), /^\r\n\+CMT: /);
  t.equal(await host.hear(5_000), '', 'no acknowledgement in time');
  t.equal(await host.ask('AT+CNMI?\r'), info('+CNMI: 2,0,0,0,0'), 'switches routing off');
  await host.hear(20_000);
  t.equal(await host.ask('AT+CPMS?\r'), info('+CPMS: "SM",1,30,"SM",1,30,"SM",1,30'), 'and then it is stored');
  t.equal(await host.ask('AT+CNMA\r'), cms(340));
  t.equal(host.modem.counters.delivered, 2);
});

t.test('a full storage: the network keeps the messages, and brings them after a delete', async (t) => {
  const host = await new Host({ memory: 2, deviations: { memoryFullIndication: true, bareVendorCodes: false } }).setUp(
    'AT+CNMI=2,1',
  );
  for (const text of ['one', 'two', 'three', 'four']) host.modem.receive({ from: FROM, text });
  t.equal(await host.hear(), code('+CMTI: "SM",1') + code('+CMTI: "SM",2') + code('^SMMEMFULL: "SM"'));
  t.match(host.modem.counters, { delivered: 2, waiting: 2 });
  t.equal(await host.ask('AT+CMGD=1\r'), OK + code('+CMTI: "SM",1') + code('^SMMEMFULL: "SM"'));
  t.equal(await host.ask('AT+CMGD=1,4\r'), OK + code('+CMTI: "SM",1'));
  host.modem.setRegistration('searching');
  host.modem.receive({ from: FROM, text: 'five' });
  t.equal(await host.hear(), '', 'not reachable');
  host.modem.setRegistration('home');
  t.equal(await host.hear(), code('+CMTI: "SM",2'));
});

t.test('status reports', async (t) => {
  const [pdu = ''] = submits('hi', FROM, { report: true });
  const report = (hex: string) => {
    const { tpdu } = decodePdu(fromHex(hex), 'to-mobile');
    return tpdu.type === 'status-report' ? tpdu : undefined;
  };
  const host = await new Host({ latency: { report: 1_000 } }).setUp('AT+CNMI=2,1,0,1');
  await send(host, pdu);
  const [, hex = ''] = /\+CDS: \d+\r\n([0-9A-F]+)\r\n$/.exec(await host.hear(1_000)) ?? [];
  t.match(report(hex), { mr: 0, status: 0, recipient: { value: FROM }, discharge: { ms: host.clock.now() } });
  await host.setUp('AT+CNMI=2,1,0,2');
  host.modem.faults.add({ type: 'report_status', status: 0x41 });
  await send(host, pdu);
  t.equal(await host.hear(1_000), code('+CDSI: "SR",1'));
  const [, stored = ''] = /,,\d+\r\n([0-9A-F]+)\r\n/.exec(await host.ask('AT+CPMS="SR";+CMGR=1\r')) ?? [];
  t.match(report(stored), { mr: 1, status: 0x41 });
  host.modem.faults.add({ type: 'lose_report' });
  await send(host, pdu);
  t.equal(await host.hear(1_000), '');
  await host.setUp('AT+CNMI=2,1,0,0');
  await send(host, pdu);
  t.equal(await host.hear(1_000), '', 'not wanted');
});

t.test('text mode', async (t) => {
  const host = await new Host().setUp('AT+CMGF=1');
  const say = async (line: string, answer: string) => t.equal(await host.ask(line), answer, JSON.stringify(line));
  const typed = async (number: string, text: string, answer: string) => {
    await say(`AT+CMGS=${number}\r`, '\r\n> ');
    await say(`${text}\x1a`, answer);
  };
  await typed(`"${FROM}"`, 'caf\x05 \x00', info('+CMGS: 0'));
  await typed('"37060000001",145', 'x', info('+CMGS: 1'));
  await typed(`"${FROM}"`, 'x'.repeat(161), cms(305));
  await typed('"word"', 'x', cms(305));
  await say('AT+CSCS="UCS2"\r', OK);
  await typed('"002B00330037003000360030003000300030003000300031"', '00E90021', info('+CMGS: 2'));
  await typed('"002B00330037003000360030003000300030003000300031"', '0105', cms(305));
  await say('AT+CSMP=49,167,0,8\r', OK);
  await typed('"002B00330037003000360030003000300030003000300031"', 'D83DDE00', info('+CMGS: 3'));
  t.strictSame(
    host.modem.sent().map(({ to, text, report }) => [to, text, report]),
    [
      [FROM, 'café @', false],
      [FROM, 'x', false],
      [FROM, 'é!', false],
      [FROM, '😀', true],
    ],
  );
  await say('AT+CSCS="GSM"\r', OK);
  await say('AT+CSMP=17,167,0,0\r', OK);
  host.modem.receivePdu(HI);
  await say('AT+CMGR=1\r', '\r\n+CMGR: "REC UNREAD","+37060000001",,"26/01/01,00:00:00+00"\r\nhi\r\n\r\nOK\r\n');
  await say('AT+CSDH=1\r', OK);
  await say(
    'AT+CMGR=1\r',
    '\r\n+CMGR: "REC READ","+37060000001",,"26/01/01,00:00:00+00",145,4,0,0,"+37069900000",145,2\r\nhi\r\n\r\nOK\r\n',
  );
  await say(`AT+CMGW="${FROM}"\r`, '\r\n> ');
  await say('draft\x1a', info('+CMGW: 2'));
  await say('AT+CMGL="STO UNSENT"\r', '\r\n+CMGL: 2,"STO UNSENT","+37060000001",,,145,5\r\ndraft\r\n\r\nOK\r\n');
  await say('AT+CMGL="SOME"\r', cms(305));
  host.modem.receive({ from: 'SHOP', text: '😀', time: Date.UTC(2026, 1, 3, 4, 5, 6) });
  await say('AT+CMGL\r', '\r\n+CMGL: 3,"REC UNREAD","SHOP",,"26/02/03,04:05:06+00",208,8\r\nD83DDE00\r\n\r\nOK\r\n');
  await say('AT+CNMI=2,2\r', OK);
  host.modem.receivePdu(HI);
  t.match(await host.hear(), /^\r\n\+CMT: "\+37060000001",,"26\/01\/01,00:00:00\+00",145,4,.*\r\nhi\r\n$/);
});

t.test('a message to the own number comes back', async (t) => {
  const host = await new Host({ number: FROM }).setUp('AT+CNMI=2,1');
  const [pdu = ''] = submits('hi me');
  t.equal(await send(host, pdu), info('+CMGS: 0') + code('+CMTI: "SM",1'));
});

t.test('the subscriber answers, but not for ever', async (t) => {
  const host = await new Host({ answerBack: true }).setUp();
  for (const to of [FROM, '1234']) for (const pdu of submits('Labas', to)) await send(host, pdu);
  await host.hear(1_000);
  const listed = await host.ask('AT+CMGF=1;+CMGL="ALL"\r');
  t.equal(listed.match(/\+CMGL/g)?.length, 1, 'a short code does not answer');
  t.match(listed, /Hello! I got your message: Labas/);
  for (const pdu of submits('Re: Hello! I got your message: Labas'))
    await host.ask('AT+CMGF=0\r').then(() => send(host, pdu));
  for (let i = 0; i < 30; i++) for (const pdu of submits(`ping ${i}`)) await send(host, pdu);
  await host.hear(1_000);
  t.equal(host.modem.counters.delivered, 10);
});
