import fc from 'fast-check';
import t from 'tap';
import { checkSource, recipientOf, smppAddress } from '../../../src/modules/smpp/address.ts';
import { contentOf, type Submitted } from '../../../src/modules/smpp/content.ts';
import { encodeTag, tagOf } from '../../../src/modules/smpp/receipt.ts';
import { status } from '../../../src/modules/smpp/status.ts';
import { formatReceiptTime, formatTime, parseTime } from '../../../src/modules/smpp/time.ts';

const NOON = Date.UTC(2026, 10, 25, 12, 0, 0);
const refusedWith = (value: number) => ({ name: 'SmppError', status: value });

t.test('times, SMPP 3.4 7.1.1', async (t) => {
  const at = (text: string) => {
    const ms = parseTime(text, NOON);
    return ms === undefined ? undefined : new Date(ms).toISOString().slice(0, -1);
  };
  const cases: readonly (readonly [text: string, time: string | undefined])[] = [
    ['261125120000000+', '2026-11-25T12:00:00.000'],
    ['261125120000708+', '2026-11-25T10:00:00.700'],
    ['261125120000008-', '2026-11-25T14:00:00.000'],
    ['280229235959000+', '2028-02-29T23:59:59.000'],
    ['000000000500000R', '2026-11-25T12:05:00.000'],
    ['000001000000000R', '2026-11-26T12:00:00.000'],
    ['000100000000000R', '2026-12-25T12:00:00.000'],
    ['010000000000000R', '2027-11-25T12:00:00.000'],
    ['000000120000000R', '2026-11-26T00:00:00.000'],
    ['', undefined],
    ['261125120000000', undefined],
    ['261125120000000X', undefined],
    ['261325120000000+', undefined],
    ['260229120000000+', undefined],
    ['261125240000000+', undefined],
    ['261125126000000+', undefined],
    ['261125120000049+', undefined],
    ['26112512000000a+', undefined],
  ];
  for (const [text, time] of cases) t.equal(at(text), time, text);
  t.equal(formatTime(NOON + 700), '261125120000700+');
  t.equal(formatReceiptTime(NOON), '2611251200');
  const times = fc.integer({ min: Date.UTC(2000, 0, 1) / 100, max: Date.UTC(2099, 11, 31) / 100 });
  fc.assert(fc.property(times, (tenths) => parseTime(formatTime(tenths * 100), 0) === tenths * 100));
});

t.test('a relative time is the same in every zone of the router', async (t) => {
  const zone = process.env['TZ'];
  t.teardown(() => {
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  });
  for (const name of ['UTC', 'Europe/Vilnius', 'America/New_York']) {
    process.env['TZ'] = name;
    // Over the change to winter time on 2026-10-25.
    const begun = Date.UTC(2026, 9, 24, 22);
    t.equal(parseTime('000002000000000R', begun), begun + 2 * 86_400_000, name);
  }
});

t.test('addresses', async (t) => {
  const recipient = (ton: number, npi: number, address: string) => recipientOf({ ton, npi, address });
  t.equal(recipient(1, 1, '37060000001'), '+37060000001');
  t.equal(recipient(1, 1, '+37060000001'), '+37060000001', 'type and prefix');
  t.equal(recipient(0, 0, '+37060000001'), '+37060000001');
  t.equal(recipient(0, 1, '0037060000001'), '+37060000001');
  t.equal(recipient(2, 1, '860000001'), '860000001');
  t.equal(recipient(0, 0, '1234'), '1234', 'a short code');
  t.equal(recipient(0, 0, '*100#'), '*100#');
  for (const address of ['', 'abc', '+', '370 600', '3'.repeat(21), '+0123']) {
    t.throws(() => recipient(0, 1, address), refusedWith(status.RINVDSTADR), JSON.stringify(address));
  }
  for (const ton of [5, 7, 255]) t.throws(() => recipient(ton, 1, '37060000001'), refusedWith(status.RINVDSTTON));
  for (const npi of [2, 5, 7, 19, 255])
    t.throws(() => recipient(1, npi, '37060000001'), refusedWith(status.RINVDSTNPI));

  const source = (ton: number, npi: number, address: string) => checkSource({ ton, npi, address });
  t.match(source(5, 0, 'Tank 7'), { address: 'Tank 7' });
  t.match(source(0, 0, ''), { address: '' }, 'the number of the SIM');
  t.match(source(5, 0, 'K\xfcche'), { address: 'K\xfcche' }, 'Latin-1');
  t.throws(() => source(7, 0, ''), refusedWith(status.RINVSRCTON));
  t.throws(() => source(1, 7, ''), refusedWith(status.RINVSRCNPI));
  t.throws(() => source(1, 1, 'a\u0007'), refusedWith(status.RINVSRCADR));

  t.same(smppAddress('+37060000001'), { ton: 1, npi: 1, address: '37060000001' });
  t.same(smppAddress('1234'), { ton: 0, npi: 1, address: '1234' });
  t.same(smppAddress('Mano bankas'), { ton: 5, npi: 0, address: 'Mano bankas' });
  t.same(smppAddress('Ž€'), { ton: 5, npi: 0, address: '??' });
  t.equal(smppAddress('x'.repeat(30)).address.length, 20);
});

type Parts = Partial<Omit<Submitted, 'short_message'>> & { readonly message: string | Uint8Array };
const submitted = ({ message, ...more }: Parts): Submitted => ({
  ...{ esm_class: 0, data_coding: 0, ...more },
  short_message: Buffer.from(message as string, 'latin1'),
});
const content = (parts: Parts, alphabet: 'gsm' | 'latin1' | 'ascii' = 'gsm') => contentOf(submitted(parts), alphabet);

t.test('data_coding, SMPP 3.4 5.2.19', async (t) => {
  const text = (value: string) => ({ type: 'text', text: value });
  t.same(content({ message: 'a\0\x1b\x65@' }), text('a@€¡'), 'the default alphabet is GSM, a septet an octet');
  t.same(content({ message: '@\xe9' }, 'latin1'), text('@é'), 'or Latin-1');
  t.same(content({ message: '@$' }, 'ascii'), text('@$'), 'or ASCII');
  t.throws(() => content({ message: '\xe9' }), refusedWith(status.RSUBMITFAIL), 'no septet');
  t.same(content({ data_coding: 1, message: '@_' }), text('@_'), 'ASCII');
  t.same(content({ data_coding: 3, message: '\xe9\xfc' }), text('éü'), 'Latin-1');
  t.same(content({ data_coding: 8, message: '\x01\x7d\x20\xac' }), text('Ž€'.replace('Ž', '\u017d')), 'UCS2');
  t.throws(() => content({ data_coding: 8, message: 'abc' }), refusedWith(status.RINVMSGLEN), 'half a character');
  t.same(content({ data_coding: 6, message: '\xbf\xe0\xd8\xf0\xfd\xa1\xff a' }), text('При№§Ёџ a'), 'ISO 8859-5');
  t.same(content({ data_coding: 7, message: '\xf9\xec\xe5\xed\xaa\xba\xa4 a' }), text('שלום×÷¤ a'), 'ISO 8859-8');
  for (const octet of ['\xa1', '\xbf', '\xde', '\xfb', '\xff']) {
    t.throws(() => content({ data_coding: 7, message: octet }), refusedWith(status.RSUBMITFAIL), 'no Hebrew');
  }
  t.same(content({ data_coding: 4, message: '\0\xff' }), { type: 'data', dcs: 4, data: '00FF' });
  t.same(content({ data_coding: 2, message: '\0\xff' }), { type: 'data', dcs: 4, data: '00FF' });
  t.same(content({ data_coding: 0xf0, message: 'now' }), { type: 'text', text: 'now', flash: true }, 'class 0');
  t.match(content({ data_coding: 0xf5, message: '\xff' }), { type: 'data', dcs: 0xf5, data: 'FF' }, 'class 1, octets');
  t.match(content({ data_coding: 0x18, message: '\x04\x10' }), { type: 'text', text: 'А', flash: true });
  t.match(content({ data_coding: 0x18, message: '\0a' }), { type: 'data', dcs: 0x18 }, 'UCS2 as the client chose it');
  for (const coding of [5, 9, 0x0d, 0x0e, 0x20, 0x80, 0xbf]) {
    t.throws(() => content({ data_coding: coding, message: 'ab' }), refusedWith(status.RSUBMITFAIL), `${coding}`);
  }
  t.match(content({ message: 'x', protocol_id: 0x41 }), { type: 'data', pid: 0x41, dcs: 0, data: '78' });
});

t.test('headers and segments', async (t) => {
  const part = '\x05\x00\x03\x2a\x03\x02';
  t.match(content({ esm_class: 0x40, message: `${part}ab` }), {
    type: 'data',
    dcs: 0,
    udh: '00032A0302',
    data: '6162',
  });
  t.match(
    content({ esm_class: 0x40, data_coding: 8, message: `${part}\x04\x10` }),
    { dcs: 8, udh: '00032A0302', data: '0410' },
    'UCS2',
  );
  t.match(
    content({ esm_class: 0x40, data_coding: 3, message: `${part}\xe9` }),
    { dcs: 0, udh: '00032A0302', data: '05' },
    'Latin-1 as septets',
  );
  t.match(content({ esm_class: 0x40, data_coding: 3, message: `${part}\xb8` }), { dcs: 8, data: '00B8' }, 'or as UCS2');
  for (const header of ['', '\0', '\x05\x00\x03', '\xff\x00\x03\x01\x02\x01', '\x03\x00\x03\x01']) {
    t.throws(() => content({ esm_class: 0x40, message: header }), { name: 'SmppError' }, JSON.stringify(header));
  }
  t.match(
    content({ esm_class: 0x40, data_coding: 8, message: `${part}\x04\x10\xd8` }),
    { dcs: 8, udh: '00032A0302', data: '0410D8' },
    'a part that ends in half a character',
  );
  t.throws(
    () => content({ esm_class: 0x40, data_coding: 8, message: '\x06\x05\x04\x0b\x84\x00\x01\x04\x10\xd8' }),
    refusedWith(status.RINVMSGLEN),
    'which a whole message must not',
  );
  const sar = { sar_msg_ref_num: 7, sar_total_segments: 3, sar_segment_seqnum: 2 };
  t.match(content({ message: 'ab', ...sar }), { type: 'data', udh: '0003070302', data: '6162' });
  t.match(content({ message: 'ab', ...sar, sar_msg_ref_num: 0x1234 }), { udh: '080412340302' });
  t.match(content({ message: 'ab', ...sar, sar_total_segments: 1, sar_segment_seqnum: 1 }), { type: 'text' });
  t.match(content({ message: 'ab', source_port: 1, destination_port: 0x0b84 }), { udh: '05040B840001' });
  const broken: readonly Partial<Submitted>[] = [
    { sar_msg_ref_num: 7 },
    { sar_total_segments: 3, sar_segment_seqnum: 1 },
    { sar_msg_ref_num: 7, sar_total_segments: 3 },
    { ...sar, sar_segment_seqnum: 0 },
    { ...sar, sar_segment_seqnum: 4 },
    { message_payload: Buffer.from('twice') },
  ];
  for (const fields of broken) {
    t.throws(() => contentOf({ ...submitted({ message: 'x' }), ...fields }, 'gsm'), refusedWith(status.RINVTLVVAL));
  }
  const long = 'long '.repeat(2000);
  t.same(contentOf({ ...submitted({ message: '' }), message_payload: Buffer.from(long) }, 'gsm'), {
    type: 'text',
    text: long,
  });
});

t.test('the tag of a message, of this release and of earlier ones', async (t) => {
  const source = 'smpp:admin';
  const before = '[1,0,"VMA",5,0,"Tank 7",1,1,"370"]';
  const tag = {
    ...{ registered: 1, dataCoding: 0, serviceType: 'VMA' },
    source: { ton: 5, npi: 0, address: 'Tank 7' },
    destination: { ton: 1, npi: 1, address: '370' },
  };
  t.same(tagOf({ source, tag: before }), tag);
  t.equal(encodeTag(tag), before, 'no more than is needed');
  for (const reference of [0, 0xffff])
    t.same(tagOf({ source, tag: encodeTag({ ...tag, reference }) }), { ...tag, reference });
  for (const more of [{ others: 253 }, { others: 1, reference: 7 }])
    t.same(tagOf({ source, tag: encodeTag({ ...tag, ...more }) }), { ...tag, ...more });
  t.equal(tagOf({ source: 'rpc', tag: before }), undefined);
});

t.test('no submitted octets lead to anything but content or a status', async () => {
  const anything = fc.record({
    esm_class: fc.constantFrom(0, 0x40),
    data_coding: fc.nat(255),
    protocol_id: fc.constantFrom(0, 0x41),
    short_message: fc.uint8Array({ maxLength: 254 }).map((octets) => Buffer.from(octets)),
  });
  fc.assert(
    fc.property(anything, fc.constantFrom('gsm', 'latin1', 'ascii'), (fields, alphabet) => {
      try {
        contentOf(fields, alphabet);
      } catch (error) {
        if ((error as Error).name !== 'SmppError') throw error;
      }
    }),
    { numRuns: 1000 },
  );
});
