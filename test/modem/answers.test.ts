import fc from 'fast-check';
import t from 'tap';
import { AtError } from '../../src/modem/at/answer.ts';
import type { AtLine } from '../../src/modem/at/line.ts';
import { cmsCause, sourceOf } from '../../src/modem/cms-causes.ts';
import { familyOf, identifyModem, identifySim } from '../../src/modem/families.ts';
import { MessageStorage, parseListing, parseRead } from '../../src/modem/message-storage.ts';
import { RegistrationWatch, servingNetwork, signalOf } from '../../src/modem/network.ts';
import { chooseIndications } from '../../src/modem/routing.ts';
import { nameText, ussdText } from '../../src/modem/ussd-text.ts';
import { encodeSeptets, encodeUcs2, packUssd, toHex } from '../../src/sms/index.ts';
import { SessionBench } from './support/session-bench.ts';

/** A modem that knows these commands and refuses all others. */
function answering(answers: Readonly<Record<string, readonly string[]>>): AtLine & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    async command(text) {
      asked.push(text);
      const answer = answers[text];
      if (answer === undefined) throw new AtError('error', 'ERROR');
      return answer;
    },
    submit: async () => ({ type: 'not_sent', reason: 'not here' }),
  };
}

const PDU = '07917396090000F0040B917396000000F10000621101000000000568656C6C6F';
const TPDU_LENGTH = PDU.length / 2 - 8;

t.test('listings', async (t) => {
  const entries = (lines: readonly string[]) =>
    parseListing(lines).map(({ index, stat, whole, pdu }) => [index, stat, whole, pdu.length]);
  const full = PDU.length / 2;
  t.same(entries([`+CMGL: 1,1,"",${TPDU_LENGTH}`, PDU, `+CMGL: 17,3,${TPDU_LENGTH}`, PDU]), [
    [1, 1, true, full],
    [17, 3, true, full],
  ]);
  t.same(entries([`+CMGL: 0,0,,${TPDU_LENGTH}`, PDU]), [[0, 0, true, full]], 'index base 0');
  t.same(entries([`+CMGL: 2,0,,${TPDU_LENGTH}`, PDU.slice(0, 31)]), [[2, 0, false, 15]], 'cut off in mid-octet');
  t.same(entries([`+CMGL: 1,0,,${TPDU_LENGTH}`, `+CMGL: 2,0,,${TPDU_LENGTH}`, PDU]), [[2, 0, true, full]], 'no PDU');
  t.same(entries([`+CMGL: 3,0,,${TPDU_LENGTH}`]), [], 'the header alone');
  t.same(entries(['+CMGL: x,0,,5', PDU, '+CMGL: ', PDU, '+CMGL: 1,0,,-4', PDU, PDU, 'nonsense']), []);
  t.same(entries([]), []);
  t.match(parseRead([`+CMGR: 0,"",${TPDU_LENGTH}`, PDU]), { stat: 0, whole: true });
  t.match(parseRead([`+CMGR: 1,${TPDU_LENGTH}`, PDU.toLowerCase()]), { stat: 1, whole: true });
  t.equal(parseRead([]), undefined, 'an empty place');
  t.equal(parseRead(['+CMGR: 0,,0', '']), undefined);
  t.equal(parseRead([PDU]), undefined, 'no header');
  t.equal(parseRead([`+CMGR: 0,,${TPDU_LENGTH}`, `${PDU.slice(0, 40)}\xff${PDU.slice(41)}`]), undefined, 'no digit');
});

t.test('a listing of which nothing can be read', async (t) => {
  const listings = [[], [`+CMGL: 1,"REC UNREAD",,${TPDU_LENGTH}`, PDU], [`+CMGL: 1,0,,${TPDU_LENGTH}`]];
  for (const listing of listings) {
    const line = answering({
      'AT+CPMS="SM"': ['+CPMS: 1,30,1,30,1,30'],
      'AT+CMGL=4': listing,
      'AT+CMGR=0': [`+CMGR: 0,,${TPDU_LENGTH}`, PDU],
    });
    const { entries } = await new MessageStorage().list(line, 'SM');
    t.match(entries, [{ index: 0, stat: 0, whole: true }], 'it is read place by place');
  }
});

t.test('indications that a modem offers', async (t) => {
  const table: readonly (readonly [string | undefined, boolean, readonly number[]])[] = [
    ['+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)', true, [2, 1, 0, 1, 0]],
    ['+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)', false, [2, 1, 0, 0, 0]],
    ['+CNMI: (0,1,2),(0,1),(0,2),(0,2),(0,1)', true, [2, 1, 0, 2, 0]],
    ['+CNMI: (0,1,2,3),(0,1,2,3),(0,2,3),(0,1,2),(0,1)', true, [2, 1, 0, 1, 0]],
    ['+CNMI: (1),(0,1),(0),(0),(1)', true, [1, 1, 0, 0, 1]],
    ['+CNMI: (0-2),(2,3),(0),(0-1),(0)', true, [2, 2, 0, 1, 0]],
    ['+CNMI: 2,1,0,0,0', true, [2, 1, 0, 0, 0]],
    ['+CNMI: ', true, [2, 1, 0, 1, 0]],
    [undefined, true, [2, 1, 0, 1, 0]],
  ];
  for (const [answer, reports, values] of table) t.same(chooseIndications(answer, reports), values, answer ?? 'none');
});

t.test('memories', async (t) => {
  const prepared = async (answers: Record<string, readonly string[]>, wanted: 'auto' | 'SM' | 'ME' = 'auto') => {
    const storage = new MessageStorage();
    const line = answering(answers);
    await storage.prepare(line, wanted);
    return { memories: storage.memories, receiving: storage.receiving, asked: line.asked };
  };
  t.match(
    await prepared({
      'AT+CPMS=?': ['+CPMS: ("ME","MT","SM","SR"),("ME","SM"),("ME","SM")'],
      'AT+CPMS?': ['+CPMS: "ME",0,255,"ME",0,255,"SM",0,30'],
    }),
    { memories: ['ME', 'SM', 'SR'], receiving: 'SM' },
    'MT is the other two',
  );
  t.match(
    await prepared({ 'AT+CPMS=?': ['+CPMS: "ME","MT","SM"'], 'AT+CPMS?': ['+CPMS: "MT",3,50,"MT",3,50,"MT",3,50'] }),
    { memories: ['SM', 'ME'], receiving: 'MT' },
    'without brackets',
  );
  t.match(await prepared({ 'AT+CPMS=?': ['+CPMS: ("MT"),("MT"),("MT")'] }), { memories: ['MT'] });
  t.match(await prepared({ 'AT+CPMS=?': ['+CPMS: (),(),()'] }), { memories: [], receiving: undefined });
  t.match(await prepared({ 'AT+CPMS?': ['+CPMS: "SM",0,30'] }), { memories: ['SM'], receiving: 'SM' });
  const { asked } = await prepared({}, 'ME');
  t.ok(asked.includes('AT+CPMS="ME","ME","ME"'));
  const storage = new MessageStorage();
  storage.include('SM');
  storage.include('SM');
  storage.include('MT');
  t.same(storage.memories, ['SM'], 'what an announcement names is looked into from then on');
});

t.test('identification', async (t) => {
  t.match(
    await identifyModem(
      answering({
        'AT+CGMI': ['Quectel'],
        'AT+CGMM': ['+CGMM: "EC25"'],
        'AT+CGMR': [],
        'AT+CGSN': ['+CGSN: "861234567890123"'],
      }),
    ),
    { manufacturer: 'Quectel', model: 'EC25', revision: undefined, imei: '861234567890123' },
  );
  const iccids: readonly (readonly [string, string])[] = [
    ['AT+CCID', '+CCID: 8937001000000000014F'],
    ['AT+CCID', '"8937001000000000014"'],
    ['AT+ICCID', '+ICCID: 8937001000000000014'],
    ['AT+QCCID', '+QCCID: 8937001000000000014'],
    ['AT^ICCID?', '^ICCID: 8937001000000000014'],
    ['AT#CCID', '#CCID: 8937001000000000014'],
  ];
  for (const [command, answer] of iccids) {
    const sim = await identifySim(answering({ [command]: [answer] }), {});
    t.same(sim, { imsi: undefined, iccid: '8937001000000000014', number: undefined }, answer);
  }
  const line = answering({ 'AT+CIMI': ['246010000000001'], 'AT+CNUM': ['+CNUM: "me","+37060000000",145'] });
  t.match(await identifySim(line, {}), { imsi: '246010000000001', number: '+37060000000', iccid: undefined });
  const quectel = answering({});
  await identifySim(quectel, familyOf('Quectel'));
  t.equal(quectel.asked[2], 'AT+QCCID', 'what the family knows comes first');
  t.equal(quectel.asked.filter((text) => text === 'AT+QCCID').length, 1);
});

t.test('PIN tries left, as families report them', async (t) => {
  const left = (manufacturer: string, answer: string) => familyOf(manufacturer).pinTries?.match.exec(answer)?.[1];
  t.equal(left('Quectel', '+QPINC: "SC",3,10'), '3');
  t.equal(left('huawei', '^CPIN: SIM PIN,,10,2,10,3'), '2');
  t.equal(left('SIMCOM_Ltd', '+SPIC: 3,10,0,10'), '3');
  t.equal(left('Telit', '#PCT: 1'), '1');
  t.same(familyOf('Nobody Inc.'), {});
  t.same(familyOf(undefined), {});
});

t.test('registration', async (t) => {
  const registration = async (answers: Record<string, string>) => {
    const watch = new RegistrationWatch();
    const set = Object.keys(answers).map((query) => [query.replace('?', '=1'), []] as const);
    const line = answering({
      ...Object.fromEntries(set),
      ...Object.fromEntries(Object.entries(answers).map(([query, answer]) => [query, [answer]])),
    });
    await watch.prepare(line);
    await watch.refresh(line);
    return watch.registration;
  };
  t.equal(await registration({ 'AT+CREG?': '+CREG: 0,1' }), 'home');
  t.equal(await registration({ 'AT+CREG?': '+CREG: 2, 5, 00C3, 0A1B' }), 'roaming');
  t.equal(await registration({ 'AT+CREG?': '+CREG: 1' }), 'home', 'without <n>');
  t.equal(await registration({ 'AT+CREG?': '+CREG: 2,1,"01A2","00B3C1",7' }), 'home');
  t.equal(await registration({ 'AT+CREG?': '+CREG: 1,0', 'AT+CEREG?': '+CEREG: 1,1' }), 'home', 'LTE alone');
  t.equal(await registration({ 'AT+CREG?': '+CREG: 1,3', 'AT+CGREG?': '+CGREG: 1,2' }), 'searching');
  t.equal(await registration({ 'AT+CREG?': '+CREG: 1,3' }), 'denied');
  t.equal(await registration({ 'AT+CREG?': '+CREG: 1,8' }), 'none', 'emergency calls only');
  t.equal(await registration({ 'AT+CREG?': '+CREG: 0,6' }), 'home', 'for SMS only');
  t.equal(await registration({ 'AT+CREG?': 'nonsense' }), 'none');
  t.equal(await registration({}), 'home', 'a modem that knows none of the commands');
  const networks: readonly (readonly [string, object])[] = [
    ['+COPS: 0,0,"Tele2, LT",7', { operator: 'Tele2, LT', technology: '4G' }],
    ['+COPS: 0,0,"Telia"', { operator: 'Telia' }],
    ['+COPS: 0,0,"Telia",99', { operator: 'Telia' }],
    ['+COPS: 0,2,"24601",0', { operator: '24601', technology: '2G' }],
    ['+COPS: 0', {}],
  ];
  for (const [answer, wanted] of networks) {
    t.same(await servingNetwork(answering({ 'AT+COPS?': [answer] })), wanted, answer);
  }
  t.same([signalOf(0), signalOf(31), signalOf(99), signalOf(Number.NaN)], [-113, -51, undefined, undefined]);
});

t.test('causes of +CMS ERROR', async (t) => {
  const permanent = [1, 8, 10, 28, 50, 69, 96, 197, 303, 304];
  const temporary = [21, 27, 38, 41, 42, 47, 192, 208, 300, 314, 322, 330, 331, 332, 500, 12_345, undefined];
  for (const cause of permanent) t.equal(cmsCause(cause).permanent, true, String(cause));
  for (const cause of temporary) t.equal(cmsCause(cause).permanent, false, String(cause));

  const faults = {
    message: [1, 28, 195, 303, 304],
    modem: [8, 301, 310, 311, 312, 313, 314, 315, 316, 317, 318, 322, 330, 331],
    network: [21, 38, 42, 192],
    unknown: [300, 302, 320, 332, 500, 3870, undefined],
  };
  for (const [fault, all] of Object.entries(faults))
    for (const cause of all) t.equal(cmsCause(cause).fault, fault, String(cause));
  for (const cause of [1, 38, 127, 128, 192, 255]) t.equal(sourceOf(cause), 'network', String(cause));
  for (const cause of [256, 300, 331, 500, 3870, undefined]) t.equal(sourceOf(cause), 'modem', String(cause));
});

t.test('USSD texts', async (t) => {
  t.equal(ussdText('\x00\x02 a', 15, {}), '@$ a', 'the GSM character set');
  t.equal(ussdText('a_b $', 15, { asciiUssd: true }), 'a_b $');
  t.equal(ussdText('00410410', 72, {}), 'AА', 'UCS2');
  t.equal(ussdText('00410410', 0x11, {}), 'AА', 'UCS2 with a language');
  t.equal(ussdText('not hexadecimal', 72, {}), 'not hexadecimal');
  t.equal(ussdText('D4F29C0E', 15, { packedUssd: true }), 'Test', 'packed septets');
  t.equal(ussdText('plain after all', 15, { packedUssd: true }), 'plain after all');
  const hex = (octets: Uint8Array) => toHex(octets);
  const balance = 'Your balance is 12.50 EUR. Dial *100#';
  const septets = encodeSeptets(balance) ?? new Uint8Array();
  const readings: readonly (readonly [what: string, text: string, wanted: string])[] = [
    ['UCS2', hex(encodeUcs2(balance)), balance],
    ['UCS2 in Cyrillic', hex(encodeUcs2('Баланс: 12 руб.')), 'Баланс: 12 руб.'],
    ['UCS2 in Arabic', hex(encodeUcs2('رصيدك 12')), 'رصيدك 12'],
    ['UCS2, digits alone', hex(encodeUcs2('12.50')), '12.50'],
    ['packed', hex(packUssd(septets)), balance],
    ['octets', Buffer.from(balance).toString('hex'), balance],
    ['as it is', 'Dial #100#', 'Dial #100#'],
    ['an amount', '5000', '5000'],
    ['a number', '37060000001', '37060000001'],
    ['a number of even length', '0049170123456', '0049170123456'],
    ['a code', '12345678', '12345678'],
    ['an odd number of digits', 'ABC', 'ABC'],
    ['a short word', 'DEAD', 'DEAD'],
  ];
  for (const [what, text, wanted] of readings) {
    for (const dcs of [0, 7, 15]) t.equal(ussdText(text, dcs, {}), wanted, `${what}, dcs ${dcs}`);
  }
  for (const dcs of [7, 15, 17, 68, 72, -12]) {
    for (const [what, text, wanted] of readings.slice(0, 2))
      t.equal(ussdText(text, dcs, {}), wanted, `${what}, ${dcs}`);
    for (const at of [4, 5])
      t.equal(ussdText(readings[at]?.[1] ?? '', dcs, {}), balance, `${readings[at]?.[0]}, ${dcs}`);
  }
  const sure = [
    'Ваш баланс 100 руб.',
    'Баланс "А" — 5 €',
    'ยอดเงิน 5',
    '余额不足，请充值',
    'Ok 😀 now',
    '12',
    'Balance 12.50',
  ];
  for (const text of sure) {
    for (const packedUssd of [false, true]) {
      for (const dcs of [7, 15, 68, 72])
        t.equal(ussdText(hex(encodeUcs2(text)), dcs, { packedUssd }), text, `${text}, dcs ${dcs}, ${packedUssd}`);
    }
  }
  const octets = Buffer.from(balance).toString('hex');
  t.equal(ussdText(octets, 15, { packedUssd: true }), balance, 'octets, where packed septets are the rule');
  t.equal(ussdText(hex(packUssd(septets)), 15, { packedUssd: true }), balance);
  t.equal(ussdText('1234567890123456', 15, {}), '1234567890123456', 'a long number');
  t.equal(ussdText(hex(encodeUcs2('余额十二元')), 72, {}), '余额十二元', 'ideographs, where dcs says so');
  t.equal(ussdText('Solde: 12 \xe9', 15, {}), 'Solde: 12 é', 'Latin-1 in place of the GSM alphabet');
  t.equal(ussdText('Baki: \xc3\xa9\xc3\xa8', 15, {}), 'Baki: éè', 'UTF-8 likewise');
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: -128, max: 255 }), fc.boolean(), (text, dcs, packedUssd) => {
      ussdText(text, dcs, { packedUssd });
      nameText(text);
    }),
  );

  const names: readonly (readonly [text: string, wanted: string])[] = [
    ['Tele2, LT', 'Tele2, LT'],
    [hex(encodeUcs2('Tele2 LT')), 'Tele2 LT'],
    [hex(encodeUcs2('МегаФон')), 'МегаФон'],
    [Buffer.from('Telekom.de').toString('hex'), 'Telekom.de'],
    ['24602', '24602'],
    ['310260', '310260'],
    ['3', '3'],
    ['', ''],
  ];
  for (const [text, wanted] of names) t.equal(nameText(text), wanted, text);
});

t.test('what cannot be decoded is handed over as it is, and does not fill the SIM', async (t) => {
  const pdus: string[] = [];
  const bench = new SessionBench({
    session: {
      inbound: {
        deliver: async (pdu) => void pdus.push(Buffer.from(pdu).toString('hex')),
        report: async () => {},
        changed: () => {},
      },
    },
  });
  await bench.ready();
  // A user data header that is longer than the user data.
  const broken = '00440B917396000000F10000621101000000000309AABB';
  bench.modem.receivePdu(broken);
  await bench.until(() => pdus.length === 1);
  t.equal(pdus[0], broken.toLowerCase());
  await bench.clock.advance(700_000);
  t.equal(pdus.length, 1, 'deleted from the modem');
  await bench.stop();
});
