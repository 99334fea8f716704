import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { lockingTable, singleTable } from '../../src/sms/alphabet/national.ts';
import { UNDEFINED } from '../../src/sms/alphabet/table.ts';
import {
  addressOf,
  concatenationElement,
  concatenationOf,
  decodePdu,
  encodePdu,
  encodeSubmit,
  fromHex,
  joinData,
  joinParts,
  type Part,
  type PartContent,
  type Segmentation,
  type SegmentOptions,
  segment,
  segmentData,
  shiftOf,
  toHex,
  toUserData,
} from '../../src/sms/index.ts';

/** Sends parts through PDUs and back. Encoding throws above 140 octets, so that lengths are proved on the way. */
function carry(dcs: number, parts: readonly Part[]): readonly PartContent[] {
  return parts.map(({ udh, data }) => {
    const submit = encodeSubmit({ to: addressOf('+37060000001'), dcs, userData: toUserData(udh, data) });
    const { tpdu } = decodePdu(encodePdu(undefined, submit), 'to-network');
    assert.equal(tpdu.type, 'submit');
    return tpdu.type === 'submit' ? tpdu : { dcs, userData: toUserData(udh, data) };
  });
}

const ALL_LANGUAGES = Array.from({ length: 13 }, (_, at) => at + 1);

/** Text of one kind: what a person in some country writes, or anything at all. */
const texts = fc.oneof(
  fc.string({ unit: 'grapheme-ascii', maxLength: 700 }),
  fc.string({ unit: 'binary', maxLength: 300 }),
  ...[0, ...ALL_LANGUAGES].map((language) => {
    const units = [...lockingTable(language), ...singleTable(language)].filter((unit) => unit !== UNDEFINED);
    return fc.string({ unit: fc.constantFrom(...units.map((unit) => String.fromCharCode(unit))), maxLength: 700 });
  }),
  fc.string({ unit: fc.constantFrom('€', '😁', 'a', '[', 'ą', '’', '…'), maxLength: 700 }),
);

const optionses: fc.Arbitrary<SegmentOptions> = fc.record(
  {
    reference: fc.nat(0xffff),
    referenceBits: fc.constantFrom(8 as const, 16 as const),
    transliterate: fc.boolean(),
    nationalTables: fc.subarray(ALL_LANGUAGES, { maxLength: 3 }),
    flash: fc.boolean(),
    encoding: fc.constantFrom('auto' as const, 'ucs2' as const),
    elements: fc.constantFrom([], [{ id: 0x05, data: fromHex('23F00B84') }]),
  },
  { requiredKeys: [] },
);

t.test('any text with any options comes back', async () => {
  fc.assert(
    fc.property(texts, optionses, (text, options) => {
      const { dcs, parts, text: sent, encoding } = segment(text, options);
      assert.equal(joinParts(carry(dcs, parts)), sent);
      if (!options.transliterate || encoding === 'ucs2') assert.equal(sent, text);
    }),
    { numRuns: 500 },
  );
});

t.test('no part cuts an escape sequence or a surrogate pair, and only the last has room', async () => {
  fc.assert(
    fc.property(texts, optionses, (text, options) => {
      const { encoding, dcs, parts, perPart } = segment(text, options);
      // Each part decoded by itself gives the whole text as well.
      assert.equal(
        carry(dcs, parts)
          .map((part) => joinParts([part]))
          .join(''),
        segment(text, options).text,
      );
      for (const { data } of parts.slice(0, -1)) {
        const room = perPart - data.length / (encoding === 'ucs2' ? 2 : 1);
        assert.ok(room === 0 || room === 1, `${room} left`);
      }
    }),
    { numRuns: 300 },
  );
});

t.test('the parts of a message name their number, total and reference', async () => {
  fc.assert(
    fc.property(texts, optionses, (text, options) => {
      const { dcs, parts } = segment(text, options);
      const { reference = 0, referenceBits: bits = 8 } = options;
      for (const [at, { userData }] of carry(dcs, parts).entries()) {
        const expected = { reference: reference % 2 ** bits, bits, total: parts.length, sequence: at + 1 };
        assert.deepEqual(concatenationOf(userData), parts.length === 1 ? undefined : expected);
      }
    }),
    { numRuns: 200 },
  );
});

t.test('the counter: encoding, parts and characters left', async (t) => {
  const cases: [text: string, options: SegmentOptions, expected: Partial<Segmentation>, parts: number][] = [
    ['', {}, { encoding: 'gsm7', characters: 0, perPart: 160, remaining: 160 }, 1],
    ['a'.repeat(160), {}, { characters: 160, perPart: 160, remaining: 0 }, 1],
    ['a'.repeat(161), {}, { characters: 161, perPart: 153, remaining: 145 }, 2],
    ['a'.repeat(161), { referenceBits: 16 }, { perPart: 152, remaining: 143 }, 2],
    ['{'.repeat(80), {}, { characters: 160, remaining: 0 }, 1],
    ['{'.repeat(153), {}, { characters: 306, remaining: 151 }, 3],
    ['ж'.repeat(70), {}, { encoding: 'ucs2', characters: 70, perPart: 70, remaining: 0 }, 1],
    ['ж'.repeat(71), {}, { perPart: 67, remaining: 63 }, 2],
    ['ж'.repeat(71), { referenceBits: 16 }, { perPart: 66, remaining: 61 }, 2],
    // The odd limit of 67 leaves a unit free rather than cut a pair.
    ['😱'.repeat(36), {}, { characters: 72, perPart: 67, remaining: 61 }, 2],
    ['ş'.repeat(155), { nationalTables: [1] }, { encoding: 'gsm7', perPart: 155, remaining: 0 }, 1],
    ['ş'.repeat(156), { nationalTables: [1] }, { perPart: 149, remaining: 142 }, 2],
    ['ت؎'.repeat(50), { nationalTables: [13] }, { characters: 150, perPart: 152, remaining: 2 }, 1],
    ['ت؎'.repeat(51), { nationalTables: [13] }, { characters: 153, perPart: 146, remaining: 138 }, 2],
  ];
  for (const [text, options, expected, parts] of cases) {
    const result = segment(text, options);
    t.match(result, expected, `${text.slice(0, 4)}… ${text.length} ${JSON.stringify(options)}`);
    t.equal(result.parts.length, parts);
  }
});

/** Language identifiers of the locking and single shift tables of the first part. */
function tablesOf({ parts }: Segmentation): readonly [locking: number, single: number] {
  const { locking, single } = shiftOf(toUserData(parts[0]?.udh ?? new Uint8Array(0), new Uint8Array(0)).elements);
  return [locking, single];
}

t.test('the cheapest form', async (t) => {
  const cases: [text: string, languages: number[], encoding: string, tables: [number, number], why: string][] = [
    ['merhaba', [1], 'gsm7', [0, 0], 'no table where none is needed'],
    ['şeker', [], 'ucs2', [0, 0], 'no table where none is allowed'],
    ['şeker', [1], 'gsm7', [1, 0], 'one table'],
    ['así, ¡vámonos!', [2], 'gsm7', [0, 2], 'Spanish by single shift'],
    ['ت؎', [13], 'gsm7', [13, 13], 'two tables where both are needed'],
    ['ş ş ã', [1, 3], 'gsm7', [1, 3], 'tables of two languages'],
    ['{'.repeat(80), [3], 'gsm7', [0, 0], 'no table that saves septets but no part'],
    ['|'.repeat(100), [3], 'gsm7', [3, 0], 'a table that saves a part'],
    ['şж', [1], 'ucs2', [0, 0], 'UCS2 where a character is in no table'],
  ];
  for (const [text, nationalTables, encoding, tables, why] of cases) {
    const result = segment(text, { nationalTables });
    t.equal(result.encoding, encoding, why);
    t.same(tablesOf(result), tables, why);
  }
  t.match(segment('ё', { encoding: 'ucs2' }), { encoding: 'ucs2', dcs: 0x08 });
  t.match(segment('a', { flash: true }), { dcs: 0x10 });
  t.match(segment('ё', { flash: true }), { dcs: 0x18 });
  t.throws(() => segment('ё', { encoding: 'gsm7' }), { code: 'unencodable' });
});

t.test('transliteration only where it avoids UCS2', async (t) => {
  const plain = (text: string, nationalTables: readonly number[] = []) =>
    segment(text, { transliterate: true, nationalTables }).text;
  t.equal(plain('“Ačiū” – tai… viskas’'), '"Aciu" - tai... viskas\'');
  t.equal(plain('naïve café €5 Ñandú'), 'naive café €5 Ñandu', 'what the alphabet has stays');
  t.equal(plain('“Šaltis” жара'), '“Šaltis” жара', 'a text that needs UCS2 anyway stays as it is');
  t.equal(plain('“şeker”', [1]), '"şeker"', 'what an allowed table has stays');
  t.equal(plain('a\u00adb\tc\u00a0d'), 'ab c d', 'invisible characters go, spaces become plain');
  t.equal(plain('e\u0301a\u0306o\u0331'), 'éao', 'marks are composed with their letter, or go');
  t.equal(segment('“x”').text, '“x”', 'off by default');
  t.equal(segment('“x”', { transliterate: true, encoding: 'gsm7' }).text, '"x"');
  t.equal(segment('“x”', { transliterate: true, encoding: 'ucs2' }).text, '“x”');
});

t.test('255 parts and no more', async (t) => {
  const cases: [text: string, options: SegmentOptions][] = [
    ['A'.repeat(39_015), {}],
    ['A'.repeat(38_760), { referenceBits: 16 }],
    ['Ж'.repeat(17_085), {}],
    ['Ж'.repeat(16_830), { referenceBits: 16 }],
  ];
  for (const [text, options] of cases) {
    const { dcs, parts } = segment(text, options);
    t.equal(parts.length, 255);
    t.equal(joinParts(carry(dcs, parts)), text);
    t.throws(() => segment(`${text}${text.slice(-1)}`, options), { code: 'too_long' });
  }
  t.throws(() => segment('x'.repeat(10_000_000)), { code: 'too_long' }, 'any length is refused at once');
});

t.test('data that is already in its alphabet', async (t) => {
  const octets = fc.uint8Array({ maxLength: 600 });
  const dcses = fc.constantFrom(0x00, 0x04, 0x08, 0xf4, 0x20);
  fc.assert(
    fc.property(octets, dcses, optionses, (octets, dcs, { reference = 0, referenceBits = 8 }) => {
      const data = dcs === 0 ? octets.map((octet) => octet & 0x7f) : octets.subarray(0, octets.length & ~1);
      const parts = carry(dcs, segmentData(dcs, data, { reference, referenceBits }));
      assert.deepEqual(Uint8Array.from(joinData(parts)), Uint8Array.from(data));
    }),
    { numRuns: 300 },
  );

  const sizes = (dcs: number, data: Uint8Array) => segmentData(dcs, data).map((part) => part.data.length);
  t.same(sizes(0x04, new Uint8Array(141)), [134, 7]);
  t.same(sizes(0x00, new Uint8Array(161).fill(0x1b, 152, 153)), [152, 9], 'an escape goes with what it escapes');
  t.same(sizes(0x00, new Uint8Array(161).fill(0x1b, 151, 153)), [153, 8], 'an escaped escape escapes nothing');
  t.same(sizes(0x08, fromHex(`${'0041'.repeat(66)}D83DDE01${'0041'.repeat(9)}`)), [132, 22], 'a pair stays whole');
  t.throws(() => segmentData(0x00, Uint8Array.of(0x80)), { code: 'invalid' });
  t.throws(() => segmentData(0x08, Uint8Array.of(0x00)), { code: 'invalid' });
  const element = concatenationElement({ reference: 1, bits: 16, total: 2, sequence: 1 });
  const odd = new Uint8Array(133).fill(0x04);
  t.same(
    segmentData(0x08, odd, { elements: [element] }).map(({ data }) => data),
    [odd],
    'what is a part itself may end in half a character, and fill it',
  );
});

t.test('headers that leave no room', async (t) => {
  const elements = [{ id: 0x70, data: new Uint8Array(130) }];
  t.equal(segment('short', { elements }).parts.length, 1);
  t.throws(() => segment('too long for that', { elements }), { code: 'too_long' });
  t.throws(() => segment('a', { elements: [{ id: 0x70, data: new Uint8Array(140) }] }), { code: 'too_long' });
});

t.test('extra elements go into every part, in front', async (t) => {
  const { parts } = segment('a'.repeat(200), { elements: [{ id: 0x05, data: fromHex('23F00B84') }], reference: 7 });
  t.same(
    parts.map(({ udh }) => toHex(udh)),
    ['050423F00B840003070201', '050423F00B840003070202'],
  );
});
