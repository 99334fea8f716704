import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  concatenationOf,
  fromHex,
  groupKey,
  joinData,
  joinParts,
  type PartContent,
  type PartRecord,
  PartSet,
  placePart,
  toUserData,
} from '../../src/sms/index.ts';

const part = (sequence: number, fingerprint: string, time = 0): PartRecord => ({ sequence, fingerprint, time });

t.test('a set is complete when every part has come, in any order, duplicates included', async () => {
  const orders = fc.integer({ min: 1, max: 255 }).chain((total) => {
    const sequences = Array.from({ length: total }, (_, at) => at + 1);
    return fc.shuffledSubarray([...sequences, ...sequences], { minLength: 2 * total });
  });
  fc.assert(
    fc.property(orders, (order) => {
      const set = new PartSet(order.length / 2);
      const seen = new Set<number>();
      for (const sequence of order) {
        assert.equal(set.add(part(sequence, `${sequence}`)), seen.has(sequence) ? 'duplicate' : 'added');
        seen.add(sequence);
        assert.equal(set.missing.length, set.total - seen.size);
        assert.equal(set.complete, seen.size === set.total);
      }
    }),
  );
});

t.test('keys keep different messages apart', async (t) => {
  const concatenation = { reference: 5, bits: 8, total: 3, sequence: 1 } as const;
  const key = groupKey(concatenation);
  t.equal(groupKey({ ...concatenation, sequence: 2 }), key, 'the sequence is no part of it');
  const others = [
    groupKey({ ...concatenation, reference: 6 }),
    groupKey({ ...concatenation, total: 4 }),
    groupKey({ ...concatenation, bits: 16 }),
  ];
  t.equal(new Set([key, ...others]).size, 4);
});

t.test('colliding references', async (t) => {
  const set = new PartSet(2);
  t.equal(set.add(part(1, 'a')), 'added');
  t.equal(set.add(part(1, 'b')), 'collision');
  t.same(set.missing, [2], 'the other message is not mixed in');

  const [old, recent] = [new PartSet(2), new PartSet(2)];
  old.add(part(1, 'a1', 1_000));
  t.equal(placePart([old], part(1, 'b1', 90_000)), undefined, 'a new set must be opened');
  recent.add(part(1, 'b1', 90_000));
  t.same(placePart([old, recent], part(1, 'a1', 1_000)), { set: old, outcome: 'duplicate' });
  t.equal(placePart([old, recent], part(2, 'b2', 95_000))?.set, recent, 'the part goes where its time is nearest');
  t.equal(placePart([old, recent], part(2, 'a2', 2_000))?.set, old);
  t.ok(old.complete && recent.complete);
  t.equal(placePart([old, recent], part(2, 'c2', 99_000)), undefined);

  const [first, second] = [new PartSet(2), new PartSet(2)];
  first.add(part(1, 'a', 7));
  second.add(part(1, 'b', 7));
  t.equal(placePart([first, second], part(2, 'x', 7))?.set, second, 'the newest of equals');
});

const content = (dcs: number, hex: string, udh = ''): PartContent => ({
  dcs,
  userData: toUserData(fromHex(udh), fromHex(hex)),
});

t.test('parts are joined before they are decoded', async (t) => {
  const [face, half, rest] = [content(8, 'D83DDE01'), content(8, 'D83D'), content(8, 'DE01')];
  t.equal(joinParts([face, half, rest, face]), '😁😁😁', 'a surrogate pair cut in two');
  t.equal(joinParts([content(8, '0041D8'), content(8, '3DDE01')]), 'A😁', 'even within a unit');
  t.equal(joinParts([content(0, '411B'), content(0, '6541')]), 'A€A', 'an escape cut off');
  t.equal(joinParts([content(0, '41'), content(8, '0416'), content(0, '42')]), 'AЖB', 'alphabets may change');
  const turkish = content(0, '07', '250101');
  t.equal(joinParts([turkish, turkish, content(0, '07')]), 'ııì', 'and tables');
  t.equal(joinParts([content(4, '4142')]), '', 'octets are no text');
  t.equal(joinParts([content(0x20, '4142')]), '', 'compressed text neither');
  t.same(joinData([content(4, '41'), undefined, content(4, '42')]), Uint8Array.of(0x41, 0x42));
});

t.test('missing parts show', async (t) => {
  const [a, b] = [content(0, '41'), content(0, '42')];
  t.equal(joinParts([a, undefined, b]), 'A<part_missing>B');
  t.equal(joinParts([undefined, undefined, b, undefined]), '<part_missing><part_missing>B<part_missing>');
  t.equal(joinParts([a, undefined], '[...]'), 'A[...]');
});

t.test('which parts there are', async (t) => {
  const cases: [udh: string, expected: ReturnType<typeof concatenationOf>, why: string][] = [
    ['', undefined, 'no header'],
    ['0003050201', { reference: 5, bits: 8, total: 2, sequence: 1 }, '8-bit reference'],
    ['0804010502FF', undefined, 'a sequence beyond the total'],
    ['08040105FF02', { reference: 0x105, bits: 16, total: 255, sequence: 2 }, '16-bit reference'],
    ['0003000101', { reference: 0, bits: 8, total: 1, sequence: 1 }, 'reference 0, the only part'],
    ['0003050001', undefined, 'a total of 0'],
    ['0003050200', undefined, 'a sequence of 0'],
    ['000405020100', undefined, 'an element of the wrong length'],
    ['00030502010804000A0302', { reference: 10, bits: 16, total: 3, sequence: 2 }, 'of two kinds the last counts'],
    ['00030502010003060302', { reference: 6, bits: 8, total: 3, sequence: 2 }, 'of duplicates the last counts'],
    ['00030502010003060300', { reference: 5, bits: 8, total: 2, sequence: 1 }, 'unless it is to be ignored'],
    ['240101000305020105', undefined, 'an element that overruns spoils the header'],
  ];
  for (const [udh, expected, why] of cases) {
    t.same(concatenationOf(toUserData(fromHex(udh), new Uint8Array(0))), expected, why);
  }
});
