import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  indicationText,
  mmsText,
  octetText,
  readMmsNotification,
  type WaitingIndication,
  waitingIndications,
} from '../../src/sms/index.ts';

const text = (value: string) => [...Buffer.from(value, 'utf8'), 0];
const counted = (octets: readonly number[]) =>
  octets.length > 30 ? [31, octets.length, ...octets] : [octets.length, ...octets];
/** Transaction id, PDU type, length of the headers, media type. */
const push = (body: readonly number[]) => Uint8Array.of(1, 6, 1, 0xbe, ...body);
const NOTIFICATION = [0x8c, 0x82];

t.test('MMS notifications', async (t) => {
  const utf8 = [0x96, ...counted([0xea, ...text('Grüße')])];
  const longCharset = [0x96, ...counted([1, 106, ...text('Grüße')])];
  const latin = [0x96, ...counted([0x84, ...Buffer.from('Grüße', 'latin1'), 0])];
  const cases: readonly (readonly [what: string, octets: Uint8Array, wanted: unknown])[] = [
    ['a subject in UTF-8', push([...NOTIFICATION, ...utf8]), { subject: 'Grüße' }],
    ['its charset as a long integer', push([...NOTIFICATION, ...longCharset]), { subject: 'Grüße' }],
    ['in Latin-1', push([...NOTIFICATION, ...latin]), { subject: 'Grüße' }],
    ['quoted', push([...NOTIFICATION, 0x96, 127, ...text('üx')]), { subject: 'üx' }],
    ['lines and controls', push([...NOTIFICATION, 0x96, ...text('a\r\nb\u001b[2Jc')]), { subject: 'a b [2Jc' }],
    ['a long subject', push([...NOTIFICATION, 0x96, ...text('x'.repeat(5_000))]), { subject: 'x'.repeat(200) }],
    ['a URL without its NUL', push([...NOTIFICATION, 0x83, ...text('http://a').slice(0, -1)]), { url: 'http://a' }],
    ['a size of seven octets', push([...NOTIFICATION, 0x8e, 7, 1, 1, 1, 1, 1, 1, 1]), { size: 0 }],
    ['a value that overruns', push([...NOTIFICATION, 0x8e, 1, 5, 0x88, 200]), { size: 5 }],
    ['an application header', push([...text('X-A'), ...text('b'), ...NOTIFICATION, 0x8e, 1, 9]), { size: 9 }],
    ['the type behind the rest', push([0x8e, 1, 9, ...NOTIFICATION]), { size: 9 }],
    ['confirmed push', Uint8Array.of(1, 7, 1, 0xbe, ...NOTIFICATION), {}],
    ['the general form of a media type', Uint8Array.of(1, 6, 4, 3, 0xbe, 0x81, 0x82, ...NOTIFICATION), {}],
    ['another message type', push([0x8c, 0x84]), undefined],
    ['another PDU', Uint8Array.of(1, 4, 1, 0xbe, ...NOTIFICATION), undefined],
    ['headers that overrun', Uint8Array.of(1, 6, 200, 0xbe, ...NOTIFICATION), undefined],
    ['a length without end', Uint8Array.of(1, 6, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), undefined],
    ['nothing', new Uint8Array(0), undefined],
  ];
  for (const [what, octets, wanted] of cases) t.same(readMmsNotification(octets), wanted, what);
  t.equal(mmsText({}), 'MMS waiting');
  t.equal(mmsText({ from: '+49170', size: 5 }), 'MMS waiting from +49170: 5 bytes');
});

t.test('any octets give one line of bounded length or nothing', async () => {
  const octets = fc.uint8Array({ maxLength: 600 });
  const body = fc.oneof(
    octets,
    octets.map((tail) => push([...NOTIFICATION, ...tail])),
    fc.tuple(fc.constantFrom(0x83, 0x89, 0x96), octets).map(([field, tail]) => push([...NOTIFICATION, field, ...tail])),
  );
  fc.assert(
    fc.property(body, (octets) => {
      const found = readMmsNotification(octets);
      if (found === undefined) return;
      const line = mmsText(found);
      assert.ok(line.length < 1_600);
      for (const control of '\r\n\0\u001b\u0085\u2028') assert.ok(!line.includes(control));
    }),
  );
});

t.test('message waiting indications', async (t) => {
  const read = (data: readonly number[], dcs = 0, pid = 0) =>
    waitingIndications([{ id: 1, data: Uint8Array.from(data) }], dcs, pid);
  const said = (data: readonly number[], dcs = 0, pid = 0) => read(data, dcs, pid).map(indicationText);
  t.same(said([0x80, 2]), ['Voicemail: 2 messages waiting.']);
  t.same(said([0x07, 1]), ['Video mail: 1 message waiting.']);
  t.same(said([0x03, 0]), ['Other messages: no messages waiting.']);
  t.same(said([0x00]), [], 'an element that is too short');
  t.same(said([0x01, 2], 0xc8, 0x5f), [
    'Fax: 2 messages waiting.',
    'Voicemail: messages waiting.',
    'The sender asks to be called back.',
  ]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 10 }), fc.nat(255), fc.nat(255), (data, dcs, pid) => {
      const found: readonly WaitingIndication[] = read([...data], dcs, pid);
      assert.ok(found.length <= 3);
      for (const each of found) assert.match(indicationText(each), /^[A-Z][^\n]+\.$/);
    }),
  );
});

t.test('8-bit text is what was encoded, and never holds controls', async () => {
  const line = fc.string({ unit: 'grapheme', minLength: 1 });
  fc.assert(
    fc.property(line, (line) => {
      const found = octetText(Buffer.from(line, 'utf8'));
      if (found !== undefined) assert.equal(found, line);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 160 }), (octets) => {
      const found = octetText(octets);
      if (found === undefined) return;
      assert.ok(found.length > 0 && found.length <= octets.length);
      assert.ok([...found].every((c) => (c >= ' ' && !(c >= '\u007f' && c < '\u00a0')) || '\r\n\t'.includes(c)));
    }),
  );
});
