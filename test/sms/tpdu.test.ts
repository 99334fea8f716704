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
  encodeStatusReport,
  encodeSubmit,
  fromHex,
  type InformationElement,
  nameAddress,
  portsElement,
  portsOf,
  type Reading,
  readDeliverHead,
  shiftOf,
  timeStamp,
  toUserData,
  type UserData,
  userDataText,
  type Validity,
} from '../../src/sms/index.ts';

const SCTS = '51507132200523';
const decode = (hex: string, direction: Direction) => decodeTpdu(fromHex(hex), direction);
const userData = (text: string, udh = ''): UserData =>
  toUserData(fromHex(udh), encodeSeptets(text) ?? new Uint8Array(0));

t.test('SUBMIT-REPORT and DELIVER-REPORT', async (t) => {
  const octets = (hex: string) => ({ elements: [], data: fromHex(hex) });
  t.match(decode(`0100${SCTS}`, 'to-mobile'), { type: 'submit-report', failureCause: undefined }, 'accepted');
  t.match(
    decode(`01D300${SCTS}`, 'to-mobile'),
    { type: 'submit-report', failureCause: 0xd3, time: { iso: '2015-05-17T23:02:50+08:00' } },
    'refused',
  );
  t.match(
    decode(`01C407${SCTS}7F04020102`, 'to-mobile'),
    { failureCause: 0xc4, pid: 0x7f, dcs: 4, userData: octets('0102') },
    'refused, with parameters',
  );
  t.match(decode(`4106${SCTS}F6050370010041`, 'to-mobile'), {
    userData: { elements: [{ id: 0x70, data: fromHex('00') }], data: fromHex('41') },
  });
  t.match(decode('0000', 'to-network'), { type: 'deliver-report', failureCause: undefined }, 'acknowledged');
  t.match(decode('00D500', 'to-network'), { type: 'deliver-report', failureCause: 0xd5 }, 'not acknowledged');
  t.match(decode('00077F04021234', 'to-network'), { pid: 0x7f, dcs: 4, userData: octets('1234') });
  t.match(
    decode('000402E834', 'to-network'),
    { userData: { data: fromHex('6869') } },
    'without TP-DCS it is GSM 7-bit',
  );
  for (const [hex, direction] of [
    ['01', 'to-mobile'],
    [`01D3${SCTS}`, 'to-mobile'],
    [`0101${SCTS}`, 'to-mobile'],
    ['00D5', 'to-network'],
    ['0004', 'to-network'],
    ['0080', 'to-network'],
  ] as const) {
    t.throws(() => decode(hex, direction), { name: 'SmsError' }, hex);
  }
});

t.test('COMMAND', async (t) => {
  t.match(decode('221F0002070B917360000000F100', 'to-network'), {
    type: 'command',
    mr: 0x1f,
    commandType: 2,
    messageNumber: 7,
    to: { value: '+37060000001' },
    statusReportRequest: true,
  });
  t.match(decode('421F0000070491361905030601010A', 'to-network'), {
    userData: { elements: [{ id: 6, data: fromHex('01') }], data: fromHex('0A') },
  });
});

t.test('reserved message types', async (t) => {
  t.equal(decode(`03048121430000${SCTS}00`, 'to-mobile').type, 'deliver', 'reads as a DELIVER');
  t.throws(() => decode('03', 'to-network'), { code: 'unsupported' });
});

t.test('padding', async (t) => {
  const report = `06770491361951507132200523${SCTS}00`;
  const plain = decode(report, 'to-mobile');
  t.same(decode(`${report}${'FF'.repeat(140)}`, 'to-mobile'), plain, 'a SIM fills its records');
  t.same(decode(`${report}00`, 'to-mobile'), plain, 'TP-PI that announces nothing');
  const deliver = `04048121430000${SCTS}0141`;
  t.same(decode(`${deliver}FFFF`, 'to-mobile'), decode(deliver, 'to-mobile'));
  t.equal(decodePdu(fromHex(`00${deliver}FFFF`), 'to-mobile').tpduLength, 18, 'padding counts for the modem');
});

/** The reading of user data with a header, as DELIVER. */
function headed(dcs: string, ud: string): { readonly userData: UserData; readonly text: string } {
  const tpdu = decode(`440481214300${dcs}${SCTS}${ud}`, 'to-mobile');
  if (tpdu.type !== 'deliver') throw new Error('not a DELIVER');
  return { userData: tpdu.userData, text: userDataText(tpdu.dcs, tpdu.userData) };
}

t.test('user data headers', async (t) => {
  t.equal(headed('00', '03004010').text, 'A', 'an empty header takes two septets');
  t.same(headed('00', '03004010').userData.elements, []);
  t.equal(headed('08', '09060804000102010041').text, 'A', 'a header of odd length before UCS2');
  t.same(headed('04', '0403240201').userData, { elements: [], data: new Uint8Array(0) }, 'an overrunning element');
  for (const ud of ['00', '0105', '0503000201', '08070003']) {
    t.throws(() => headed('04', ud), { name: 'SmsError' }, ud);
  }
  const both = toUserData(fromHex('080400010201000301020124010105040B8423F0'), new Uint8Array(0));
  t.same(
    both.elements.map(({ id }) => id),
    [8, 0, 0x24, 5],
    'elements are all kept, known or not',
  );
  t.same(shiftOf(both.elements), { locking: 0, single: 1 });
  t.same(portsOf(both), { bits: 16, destination: 2948, source: 9200 });
  const twice = { elements: [{ id: 4, data: fromHex('0102') }, portsElement({ bits: 8, destination: 3, source: 4 })] };
  t.same(portsOf(twice), { bits: 8, destination: 3, source: 4 }, 'of two port elements the last counts');
  t.equal(portsOf({ elements: [{ id: 5, data: fromHex('0102') }] }), undefined);
});

t.test('a 16-bit reference beside national tables', async (t) => {
  const udh = '080401020201250101240101';
  const tpdu = encodeSubmit({ to: addressOf('1'), dcs: 0, userData: userData('A'.repeat(145), udh) });
  t.equal(tpdu.length, 8 + 140, '15 septets of header and 145 of text fill 140 octets');
  const submit = decodeTpdu(tpdu, 'to-network');
  t.match(submit, { type: 'submit', userData: { data: fromHex('41'.repeat(145)) } });
  const more = { to: addressOf('1'), dcs: 0, userData: userData('A'.repeat(146), udh) };
  t.throws(() => encodeSubmit(more), { code: 'too_long' });
});

t.test('compressed text is carried, not shown', async (t) => {
  const tpdu = decode(`04048121430020${SCTS}03010203`, 'to-mobile');
  t.match(tpdu, { dcs: 0x20, userData: { data: fromHex('010203') } }, 'its length counts octets');
  t.equal(tpdu.type === 'deliver' && userDataText(tpdu.dcs, tpdu.userData), '');
});

const digits = (unit: string, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...unit), minLength: 1, maxLength });
const addresses: fc.Arbitrary<Address> = fc.oneof(
  digits('0123456789*#abc', 20).map(addressOf),
  digits('0123456789', 20).map((number) => addressOf(`+${number}`)),
  digits('abc XYZ@_ñ', 11).map(nameAddress),
  digits('0123456789', 20).map((value): Address => ({ type: 'national', plan: 8, value })),
);
const octet = fc.nat(255);
const flag = fc.boolean();
const times = fc.integer({ min: 0, max: 2 ** 31 }).map((seconds) => timeStamp(Date.UTC(1995, 0) + seconds * 1000, 120));
/** Bounded so that header and data fit in the 131 octets of a report. */
const elements: fc.Arbitrary<readonly InformationElement[]> = fc.array(
  fc.tuple(octet, fc.uint8Array({ maxLength: 10 })).map(([id, data]) => ({ id, data })),
  { maxLength: 4 },
);
const contents = fc
  .record({ dcs: octet, elements, data: fc.uint8Array({ max: 127, maxLength: 80 }) })
  .map(({ dcs, elements, data }) => ({ dcs, userData: { elements, data } }));
const validities: fc.Arbitrary<Validity> = fc.oneof(
  octet.map((value): Validity => ({ format: 'relative', value })),
  times.map((time): Validity => ({ format: 'absolute', time })),
  fc
    .tuple(flag, octet)
    .map(([singleShot, seconds]): Validity => ({ format: 'enhanced', singleShot, form: 'seconds', seconds })),
);

t.test('every encoded TPDU decodes to the same fields', async () => {
  const deliver = fc.record({
    type: fc.constant('deliver' as const),
    from: addresses,
    pid: octet,
    content: contents,
    time: times,
    moreMessages: flag,
    loopPrevention: flag,
    statusReportIndication: flag,
    replyPath: flag,
  });
  fc.assert(
    fc.property(deliver, ({ content, ...rest }) => {
      const fields = { ...rest, ...content };
      assert.deepEqual(decodeTpdu(encodeDeliver(fields), 'to-mobile'), fields);
    }),
  );

  const submit = fc.record({
    type: fc.constant('submit' as const),
    mr: octet,
    to: addresses,
    pid: octet,
    content: contents,
    validity: fc.option(validities, { nil: undefined }),
    rejectDuplicates: flag,
    statusReportRequest: flag,
    replyPath: flag,
  });
  fc.assert(
    fc.property(submit, fc.option(addresses, { nil: undefined }), ({ content, validity, ...rest }, smsc) => {
      const fields = { ...rest, ...content, ...(validity && { validity }) };
      const pdu = decodePdu(encodePdu(smsc, encodeSubmit(fields)), 'to-network');
      assert.deepEqual(pdu.tpdu, fields);
    }),
  );

  const report = fc.record({
    type: fc.constant('status-report' as const),
    mr: octet,
    recipient: addresses,
    time: times,
    discharge: times,
    status: octet,
    answersCommand: flag,
    moreMessages: flag,
    loopPrevention: flag,
    pid: fc.option(octet, { nil: undefined }),
    content: fc.option(contents, { nil: undefined }),
  });
  fc.assert(
    fc.property(report, ({ pid, content, ...rest }) => {
      const fields = { ...rest, ...(pid !== undefined && { pid }), ...content };
      assert.deepEqual(decodeTpdu(encodeStatusReport(fields), 'to-mobile'), fields);
    }),
  );
});

t.test('status reports with damage still count', async (t) => {
  const address = '0B911346610089F6';
  const good = '62102030405000';
  const cases: readonly (readonly [what: string, hex: string, status: number | undefined])[] = [
    ['whole', `0605${address}${good}${good}00`, 0],
    ['no service time', `0605${address}FFFFFFFFFFFFFF${good}00`, 0],
    ['no discharge time', `0605${address}${good}6231203040500046`, 0x46],
    ['no time at all', `0605${address}00313131313131A000000000000030`, 0x30],
    ['junk for parameters', `0605${address}${good}${good}0004`, 0],
    ['no status', `0605${address}${good}${good}`, undefined],
    ['no recipient', '0605', undefined],
  ];
  for (const [what, hex, status] of cases) {
    const read = () => decodeTpdu(fromHex(hex), 'to-mobile', 'lenient');
    if (status === undefined) t.throws(read, { code: 'truncated' }, what);
    else t.match(read(), { type: 'status-report', mr: 5, status, recipient: { value: '+31641600986' } }, what);
  }
});

t.test('any octets decode or are refused', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 180 }), fc.constantFrom('to-mobile', 'to-network'), (octets, direction) => {
      const read = (reading: Reading) => {
        try {
          return decodePdu(octets, direction, reading);
        } catch (thrown) {
          assert.equal(thrown instanceof Error && thrown.name, 'SmsError');
          return undefined;
        }
      };
      const strict = read('strict');
      const lenient = read('lenient');
      if (strict !== undefined) assert.deepEqual(lenient, strict, 'what is whole reads alike');
    }),
    { numRuns: 5000 },
  );
});

t.test('nothing illegal is encoded', async (t) => {
  const to = addressOf('1');
  const submit = (dcs: number, data: Uint8Array) => encodeSubmit({ to, dcs, userData: { elements: [], data } });
  t.throws(() => submit(4, new Uint8Array(141)), { code: 'too_long' });
  t.throws(() => submit(0, new Uint8Array(161)), { code: 'too_long' });
  t.throws(() => submit(0, Uint8Array.of(0x80)), { code: 'invalid' });
  t.equal(submit(0, new Uint8Array(160)).length, 8 + 140);
  const report = {
    mr: 1,
    recipient: addressOf('12345678901234567890'),
    time: timeStamp(1e12),
    discharge: timeStamp(1e12),
    status: 0,
    pid: 0,
    dcs: 4,
  };
  const withData = (length: number) =>
    encodeStatusReport({ ...report, userData: { elements: [], data: new Uint8Array(length) } });
  t.equal(withData(131).length, 164, 'a report has room for 131 octets at the worst');
  t.throws(() => withData(132), { code: 'too_long' });
});

t.test('the head of a message says what all of it says', async (t) => {
  const address = fc.oneof(
    fc.stringMatching(/^\+?[0-9*#abc]{1,20}$/).map(addressOf),
    fc.stringMatching(/^[A-Za-z ]{1,11}$/).map(nameAddress),
  );
  const whole = fc
    .record({ smsc: fc.option(fc.stringMatching(/^\+?[0-9]{1,20}$/).map(addressOf)), from: address, pid: fc.nat(255) })
    .chain(({ smsc, from, pid }) =>
      fc.record({ ms: fc.integer({ min: 7e11, max: 3e12 }), data: fc.uint8Array({ maxLength: 140 }) }).map((rest) => {
        const fields = { from, pid, dcs: 4, time: timeStamp(rest.ms), userData: { elements: [], data: rest.data } };
        return encodePdu(smsc ?? undefined, encodeDeliver(fields));
      }),
    );
  const lenient = (pdu: Uint8Array) => {
    const { tpdu } = decodePdu(pdu, 'to-mobile', 'lenient');
    return tpdu.type === 'deliver' ? { from: tpdu.from, pid: tpdu.pid, time: tpdu.time?.ms } : undefined;
  };
  fc.assert(fc.property(whole, (pdu) => assert.deepEqual(readDeliverHead(pdu), lenient(pdu))));
  const damaged = fc
    .tuple(whole, fc.array(fc.tuple(fc.nat(40), fc.nat(255)), { maxLength: 3 }), fc.nat(60))
    .map(([pdu, changes, cut]) => {
      const octets = Uint8Array.from(pdu);
      for (const [at, octet] of changes) if (at < octets.length) octets[at] = octet;
      return octets.subarray(0, octets.length - cut);
    });
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 60 })), (pdu) => {
      const head = readDeliverHead(pdu);
      if (head !== undefined) assert.deepEqual(head, lenient(pdu));
    }),
    { numRuns: 5000 },
  );
  t.pass();
});
