import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { lockingTable, singleTable } from '../../src/sms/alphabet/national.ts';
import { ESCAPE, UNDEFINED } from '../../src/sms/alphabet/table.ts';
import {
  decodeDcs,
  decodeSeptets,
  decodeUcs2,
  encodeDcs,
  encodeSeptets,
  encodeUcs2,
  fromHex,
  packSeptets,
  packUssd,
  SmsError,
  toHex,
  unpackSeptets,
  unpackUssd,
} from '../../src/sms/index.ts';
import { readTable, skipVectors } from '../conformance/vectors.ts';

type CodePoints = Readonly<Record<string, readonly [number, string, string]>>;
interface GsmTables {
  readonly tables: Readonly<Record<string, { name: string; locking: CodePoints | null; single: CodePoints }>>;
}

/** The characters of a table by septet, written as in gsm-tables.json. */
function written(table: Uint16Array): Readonly<Record<string, number>> {
  const entries = Array.from(table, (unit, septet): [string, number] => [`0x${toHex(Uint8Array.of(septet))}`, unit]);
  return Object.fromEntries(entries.filter(([, unit]) => unit !== UNDEFINED));
}

t.test('every table is the published one', { skip: skipVectors }, async (t) => {
  const { tables } = readTable<GsmTables>('gsm-tables.json');
  const codePoints = (table: CodePoints) =>
    Object.fromEntries(Object.entries(table).map(([septet, [codePoint]]) => [septet, codePoint]));
  t.equal(Object.keys(tables).length, 14);
  for (const [id, { name, locking, single }] of Object.entries(tables)) {
    t.same(written(singleTable(Number(id))), codePoints(single), `${name}, single shift`);
    // Spanish has no locking shift table: the default alphabet stands in.
    const own = locking ?? tables['0']?.locking;
    t.same(written(lockingTable(Number(id))), codePoints(own ?? {}), `${name}, locking shift`);
  }
});

interface DcsTable {
  readonly rows: readonly {
    readonly dcs: string;
    readonly encoding: string;
    readonly class: number | null;
    readonly compressed: boolean;
    readonly auto_delete: boolean;
    readonly mwi: { readonly active: boolean; readonly store: boolean; readonly type: string } | null;
    readonly reserved: boolean;
  }[];
}

t.test('every data coding value is the published one', { skip: skipVectors }, async (t) => {
  const { rows } = readTable<DcsTable>('dcs-table.json');
  t.equal(rows.length, 256);
  for (const row of rows) {
    const {
      alphabet,
      messageClass = null,
      compressed,
      autoDelete,
      waiting = null,
      reserved,
    } = decodeDcs(Number(row.dcs));
    t.same(
      { encoding: alphabet, class: messageClass, compressed, auto_delete: autoDelete, mwi: waiting, reserved },
      {
        encoding: row.encoding,
        class: row.class,
        compressed: row.compressed,
        auto_delete: row.auto_delete,
        mwi: row.mwi,
        reserved: row.reserved,
      },
      row.dcs,
    );
  }
});

t.test('data coding values encode their meaning', async (t) => {
  const made = [encodeDcs('gsm7'), encodeDcs('8bit'), encodeDcs('ucs2'), encodeDcs('gsm7', 0), encodeDcs('ucs2', 0)];
  t.same(made, [0x00, 0x04, 0x08, 0x10, 0x18]);
});

t.test('septets that are no characters', async (t) => {
  const cases: [septets: number[], text: string, why: string][] = [
    [[0x1b, 0x1b, 0x41], ' A', 'an escaped escape is a space'],
    [[0x41, 0x1b], 'A', 'an escape with nothing after it is dropped'],
    [[0x1b, 0x41], 'A', 'a code that the extension lacks is read in the default alphabet'],
    [[0x1b, 0x0d], '\r', 'so is the control code of the extension'],
    [[0x1b, 0x0a], '\f', 'the extension has a form feed'],
    [[0xc1], 'A', 'the eighth bit is no part of a septet'],
  ];
  for (const [septets, text, why] of cases) t.equal(decodeSeptets(Uint8Array.from(septets)), text, why);
});

t.test('national tables', async (t) => {
  const cases: [septets: number[], locking: number, single: number, text: string, why: string][] = [
    [[0x07, 0x0b, 0x1b, 0x67], 1, 1, 'ıĞğ', 'Turkish, both'],
    [[0x1b, 0x04], 1, 0, '€', 'an escaped code that the extension lacks is read in the locking table'],
    [[0x09], 11, 0, ' ', 'a place that Tamil leaves undefined is a space'],
    [[0x09, 0x1b, 0x41], 2, 2, 'ÇÁ', 'Spanish has a single shift table only'],
    [[0x40, 0x1b, 0x65], 14, 200, '¡€', 'languages that nobody knows are the default'],
    [[0x28, 0x29], 6, 0, ')(', 'the Indic tables have the brackets swapped'],
  ];
  for (const [septets, locking, single, text, why] of cases) {
    t.equal(decodeSeptets(Uint8Array.from(septets), { locking, single }), text, why);
  }
});

t.test('every character encodes to septets that decode to it, in every pair of tables', async (t) => {
  for (let locking = 0; locking < 14; locking++) {
    for (let single = 0; single < 14; single++) {
      const units = [...lockingTable(locking), ...singleTable(single)].filter((unit) => unit !== UNDEFINED);
      const text = String.fromCharCode(...units);
      const septets = encodeSeptets(text, { locking, single });
      if (septets === undefined || decodeSeptets(septets, { locking, single }) !== text)
        t.fail(`${locking}, ${single}`);
    }
  }
  t.equal(encodeSeptets('naïve'), undefined, 'and one that is in neither table to none');
});

t.test('escapes only go before other septets', async (t) => {
  t.same([...(encodeSeptets('a€]') ?? [])], [0x61, ESCAPE, 0x65, ESCAPE, 0x3e]);
});

t.test('packing and unpacking', async (t) => {
  const septets = fc.uint8Array({ max: 127, maxLength: 170 });
  fc.assert(
    fc.property(septets, fc.integer({ min: 0, max: 6 }), (septets, fill) => {
      const packed = packSeptets(septets, fill);
      assert.equal(packed.length, Math.ceil((fill + 7 * septets.length) / 8));
      assert.deepEqual(unpackSeptets(packed, septets.length, fill), septets);
    }),
    { numRuns: 200 },
  );
  t.same(unpackSeptets(fromHex('41'), 3), Uint8Array.of(0x41, 0, 0), 'what the octets lack reads as 0');
});

t.test('USSD packing keeps a text apart from its padding', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', '@', '\r', '€'), maxLength: 40 });
  fc.assert(
    fc.property(text, (text) => {
      const septets = encodeSeptets(text) ?? new Uint8Array(0);
      const unpacked = unpackUssd(packUssd(septets));
      // On an octet boundary a carriage return is sent twice, and TS 23.038 6.1.2.3.1 leaves both to be shown.
      const doubled = septets.length > 0 && septets.length % 8 === 0 && septets.at(-1) === 0x0d;
      assert.equal(decodeSeptets(unpacked), doubled ? `${text}\r` : text);
    }),
  );
});

t.test('UCS2', async (t) => {
  t.equal(decodeUcs2(fromHex('0041D83DDE0100')), 'A😁', 'half a unit at the end is dropped');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.equal(decodeUcs2(encodeUcs2(text)), text);
    }),
  );
});

t.test('hexadecimal', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array(), (octets) => {
      assert.deepEqual(fromHex(toHex(octets)), octets);
      assert.deepEqual(fromHex(toHex(octets).toLowerCase()), octets);
    }),
  );
  for (const text of ['0', 'ABC', '0G', ' 1', '1 ', '+1', '0x', '１2']) {
    t.throws(() => fromHex(text), new SmsError('invalid', ''), JSON.stringify(text));
  }
});
