import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  type Address,
  addressOf,
  type Direction,
  decodePdu,
  decodeTpdu,
  encodeDeliver,
  encodePdu,
  encodeSeptets,
  encodeSubmit,
  fromHex,
  isSilent,
  isSimDownload,
  nameAddress,
  relativeSeconds,
  relativeValidity,
  replaceType,
  statusOf,
  statusReason,
  timeStamp,
  toHex,
  toUserData,
  type UserData,
  type Validity,
} from '../../src/sms/index.ts';

const SCTS = '51507132200523';
const decode = (hex: string, direction: Direction) => decodeTpdu(fromHex(hex), direction);
const userData = (text: string, udh = ''): UserData =>
  toUserData(fromHex(udh), encodeSeptets(text) ?? new Uint8Array(0));

t.test('addresses', async (t) => {
  const field = (address: Address) => toHex(encodeDeliver(delivery(address))).slice(2, -20);
  const cases: [address: Address, hex: string][] = [
    [addressOf('+37060000001'), '0B917360000000F1'],
    [addressOf('1813'), '04818131'],
    [addressOf('*100#'), '05811A00FB'],
    [addressOf('12345678901234567890'), '148121436587092143658709'],
    [nameAddress('Vodafone'), '0ED0D637396C7EBBCB'],
    [nameAddress('_@'), '04D01100'],
    [nameAddress('Telekomunikacijos'), '14D0D432BBBC7EB7EBEEF41A'],
    [{ type: 'national', plan: 1, value: '860000001' }, '09A168000000F1'],
    [{ type: 'unknown', plan: 0, value: '' }, '0080'],
  ];
  for (const [address, hex] of cases) {
    const tpdu = decodeTpdu(encodeDeliver(delivery(address)), 'to-mobile');
    t.match(tpdu, { from: address }, `${address.value} comes back`);
    t.equal(field(address), hex, address.value);
  }
  t.equal(nameAddress('abcdefghij€').value, 'abcdefghij', 'a name is cut before an escape, not in it');

  const read = (hex: string) => {
    const tpdu = decode(`04${hex}0000${SCTS}00`, 'to-mobile');
    return tpdu.type === 'deliver' ? tpdu.from : undefined;
  };
  t.match(read('03B6214B'), { type: 'network', plan: 6, value: '12#' }, 'the filler of an odd last octet is ignored');
  t.match(read('02E021'), { type: 'abbreviated', value: '12' });
  t.match(read('0450E834'), { type: 'alphanumeric', plan: 0, value: 'hi' }, 'a type octet without its top bit');
  t.match(read('0091'), { type: 'international', value: '' });
  t.match(read('04911FF2'), { value: '+12' }, 'fillers within are no digits');
  t.throws(() => read('159121436587092143658709F1'), { code: 'invalid' }, '21 digits');

  for (const bad of ['', '+', 'abd', '12 34', '+1-2', '١٢', '++1']) {
    t.throws(() => addressOf(bad), { code: 'invalid' }, JSON.stringify(bad));
  }
  t.throws(() => addressOf(`+${'1'.repeat(21)}`), { code: 'too_long' });
  t.throws(() => nameAddress('Ąžuolas'), { code: 'unencodable' });
  const unfit: Address[] = [
    { type: 'alphanumeric', plan: 0, value: 'twelve chars' },
    { type: 'unknown', plan: 1, value: '1'.repeat(21) },
    { type: 'unknown', plan: 1, value: '1x' },
    { type: 'alphanumeric', plan: 0, value: 'ą' },
  ];
  for (const address of unfit) t.throws(() => encodeDeliver(delivery(address)), { name: 'SmsError' }, address.value);
});

function delivery(from: Address) {
  return { from, dcs: 0, time: timeStamp(0x60000000 * 1000), userData: userData('') };
}

t.test('service centre addresses', async (t) => {
  const tpdu = fromHex(`04048121430000${SCTS}00`);
  const cases: [smsc: Address | undefined, prefix: string][] = [
    [undefined, '00'],
    [addressOf('+37060000001'), '07917360000000F1'],
    [addressOf('12345'), '04812143F5'],
  ];
  for (const [smsc, prefix] of cases) {
    const pdu = encodePdu(smsc, tpdu);
    t.equal(toHex(pdu), prefix + toHex(tpdu));
    const decoded = decodePdu(pdu, 'to-mobile');
    t.same(decoded.smsc, smsc);
    t.equal(decoded.tpduLength, tpdu.length);
  }
  t.throws(() => decodePdu(fromHex(`0C${'91'.repeat(12)}`), 'to-mobile'), { code: 'invalid' });
  t.throws(() => decodePdu(fromHex('0791'), 'to-mobile'), { code: 'truncated' });
  t.throws(() => decodePdu(new Uint8Array(0), 'to-mobile'), { code: 'truncated' });
});

t.test('time stamps', async (t) => {
  const read = (hex: string) => {
    const tpdu = decode(`04048121430000${hex}00`, 'to-mobile');
    return tpdu.type === 'deliver' ? tpdu.time : undefined;
  };
  const cases: [hex: string, iso: string, offset: number | undefined, why: string][] = [
    ['51507132200523', '2015-05-17T23:02:50+08:00', 480, 'east'],
    ['5150713220050A', '2015-05-17T23:02:50-05:00', -300, 'west'],
    ['51507132200508', '2015-05-17T23:02:50+00:00', 0, 'minus zero'],
    ['515071322005C2', '2015-05-17T23:02:50Z', undefined, 'a zone that is no number reads as UTC'],
    ['00000000000000', '2000-01-01T00:00:00+00:00', 0, 'zeros for an unknown time'],
    ['51201332200500', '2015-02-28T23:02:50+00:00', 0, 'February 31st'],
    ['89211332959500', '1998-12-31T23:59:59+00:00', 0, 'the last century'],
    ['80011332959500', '2008-10-31T23:59:59+00:00', 0, 'this century'],
  ];
  for (const [hex, iso, offset, why] of cases) {
    t.match(read(hex), { iso, offset, ms: Date.parse(iso) }, why);
  }
  for (const bad of [
    'A1507132200500',
    '51317132200500',
    '51502332200500',
    '51507142200500',
    '51507132060500',
    '51507132200600',
  ]) {
    t.throws(() => read(bad), { code: 'invalid' }, bad);
  }
  t.equal(timeStamp(1_999).ms, 1_000, 'whole seconds');
  const seconds = fc.integer({ min: Date.UTC(1991, 0) / 1000, max: Date.UTC(2089, 11) / 1000 });
  fc.assert(
    fc.property(seconds, fc.integer({ min: -79, max: 79 }), (seconds, quarters) => {
      const time = timeStamp(seconds * 1000, quarters * 15);
      assert.equal(Date.parse(time.iso), time.ms);
      const tpdu = decodeTpdu(encodeDeliver({ ...delivery(addressOf('1')), time }), 'to-mobile');
      assert.deepEqual(tpdu.type === 'deliver' && tpdu.time, time);
    }),
  );
  for (const time of [timeStamp(0), timeStamp(4e12), timeStamp(1e12, 7), timeStamp(1e12, 1200)]) {
    t.throws(() => encodeDeliver({ ...delivery(addressOf('1')), time }), { code: 'unencodable' }, time.iso);
  }
});

t.test('validity', async (t) => {
  const carried = (validity: Validity) => {
    const tpdu = decodeTpdu(
      encodeSubmit({ to: addressOf('1'), dcs: 0, userData: userData('a'), validity }),
      'to-network',
    );
    return tpdu.type === 'submit' ? tpdu.validity : undefined;
  };
  const cases: [seconds: number, value: number][] = [
    [0, 0],
    [300, 0],
    [599, 0],
    [600, 1],
    [43_200, 143],
    [45_000, 144],
    [86_400, 167],
    [172_799, 167],
    [172_800, 168],
    [2_592_000, 196],
    [3_024_000, 197],
    [38_102_400, 255],
    [Number.MAX_SAFE_INTEGER, 255],
  ];
  for (const [seconds, value] of cases) t.equal(relativeValidity(seconds).value, value, `${seconds} s`);
  for (let value = 0; value < 256; value++) {
    t.equal(relativeValidity(relativeSeconds(value)).value, value);
    if (value > 0) t.ok(relativeSeconds(value) > relativeSeconds(value - 1));
  }
  const validities: Validity[] = [
    relativeValidity(86_400),
    { format: 'absolute', time: timeStamp(1_700_000_000_000, -150) },
    { format: 'enhanced', singleShot: true, form: 'none', seconds: 0 },
    { format: 'enhanced', singleShot: false, form: 'relative', seconds: 600 },
    { format: 'enhanced', singleShot: true, form: 'seconds', seconds: 3 },
    { format: 'enhanced', singleShot: false, form: 'hhmmss', seconds: 99 * 3600 + 59 * 60 + 59 },
  ];
  for (const validity of validities) t.same(carried(validity), validity);
  t.match(carried({ format: 'enhanced', singleShot: false, form: 'hhmmss', seconds: 1e9 }), { seconds: 359_999 });
  t.match(carried({ format: 'enhanced', singleShot: false, form: 'seconds', seconds: 1e9 }), { seconds: 255 });

  const enhanced = (hex: string) => decode(`09000181F10000${hex}00`, 'to-network');
  t.match(enhanced('82000500000000'), { validity: { form: 'seconds', seconds: 5 } }, 'extension octets are skipped');
  t.match(enhanced('FFFFFFFFFFFFFF'), { validity: { form: 'none', seconds: 0 } }, 'and may fill the field');
  t.match(enhanced('03A00000000000'), { validity: { form: 'none', seconds: 0 } }, 'hours that are no number');
  t.match(enhanced('07000000000000'), { validity: { form: 'none' } }, 'a reserved form');
});

t.test('delivery status by TP-ST', async (t) => {
  const cases: [from: number, to: number, status: ReturnType<typeof statusOf>][] = [
    [0x00, 0x01, 'delivered'],
    [0x02, 0x02, 'replaced'],
    [0x03, 0x1f, 'delivered'],
    [0x20, 0x3f, 'pending'],
    [0x40, 0x45, 'failed'],
    [0x46, 0x46, 'expired'],
    [0x47, 0x5f, 'failed'],
    [0x60, 0xff, 'temporary'],
  ];
  for (const [from, to, status] of cases) {
    for (let value = from; value <= to; value++) t.equal(statusOf(value), status, toHex(Uint8Array.of(value)));
  }
  t.equal(statusReason(0x41), 'incompatible destination');
  t.equal(statusReason(0x61), 'recipient busy');
  t.equal(statusReason(0x6f), 'status 0x6f');
});

t.test('protocol identifiers', async (t) => {
  t.same([0x40, 0x41, 0x47, 0x48].map(replaceType), [undefined, 1, 7, undefined]);
  t.same([0x3f, 0x40, 0x41].map(isSilent), [false, true, false]);
  t.same(
    [isSimDownload(0x7f, 0xf6), isSimDownload(0x7f, 0x16), isSimDownload(0x7f, 0x04), isSimDownload(0, 0xf6)],
    [true, true, false, false],
  );
});
