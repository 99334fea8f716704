import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { GatewayError } from '../../src/base/errors.ts';
import type { Json, JsonObject } from '../../src/base/json.ts';
import { decodeTable, encodeTable } from '../../src/rpc/ubus/blobmsg.ts';
import { limits } from '../../src/rpc/ubus/limits.ts';
import {
  attributeData,
  attributeId,
  decodeMessage,
  encodeMessage,
  isSet,
  MessageReader,
  numberOf,
  tableAttribute,
  textOf,
  type UbusMessage,
} from '../../src/rpc/ubus/message.ts';

import { readVectors, skipVectors } from '../conformance/vectors.ts';

interface Recorded {
  readonly n: number;
  readonly conn: number;
  readonly dir: 'client>ubusd' | 'ubusd>client';
  readonly type: string | number;
  readonly seq: number;
  readonly peer: string;
  readonly attrs: JsonObject;
  readonly hex: string;
}

const recordings = ['provider', 'caller', 'events', 'subscriber', 'raw'];
const read = (name: string): readonly Recorded[] => readVectors<Recorded>(`ubus/${name}.jsonl`);
const octetsOf = ({ hex }: Recorded): Buffer => Buffer.from(hex, 'hex');
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** All types of ubusmsg.h, by their number. */
const typeNames =
  'HELLO STATUS DATA PING LOOKUP INVOKE ADD_OBJECT REMOVE_OBJECT SUBSCRIBE UNSUBSCRIBE NOTIFY MONITOR'.split(' ');

/** The recordings show a boolean as the int8 that it is. */
function withInt8(value: Json | undefined): Json | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((element) => withInt8(element) ?? null);
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withInt8(field)]));
}

const tableOf = (message: UbusMessage, id: number): JsonObject | undefined => {
  const data = attributeData(message, id);
  return data && decodeTable(data);
};

t.test('recorded messages', { skip: skipVectors }, async (t) => {
  for (const name of recordings) {
    await t.test(name, async (t) => {
      for (const recorded of read(name)) sameAs(t, recorded);
    });
  }

  await t.test('streams, cut at every octet and glued', async (t) => {
    for (const name of recordings) {
      const messages = read(name);
      const stream = Buffer.concat(messages.map(octetsOf));
      const expected = messages.map((message) => message.hex);
      const cut = (size: number) => {
        const reader = new MessageReader();
        const found: string[] = [];
        for (let at = 0; at < stream.length; at += size) {
          for (const message of reader.read(stream.subarray(at, at + size))) {
            found.push(encodeMessage(message).toString('hex'));
          }
        }
        return found;
      };
      for (const size of [1, 2, 3, 7, 11, 12, 13, 100, stream.length])
        t.same(cut(size), expected, `${name} by ${size}`);
    }
  });

  await t.test('with octets changed they are taken or refused', async (t) => {
    const all = recordings.flatMap(read).map(octetsOf);
    const changed = fc.tuple(fc.constantFrom(...all), fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 3 }));
    let refused = 0;
    fc.assert(
      fc.property(changed, ([octets, changes]) => {
        const copy = Buffer.from(octets);
        for (const [at, octet] of changes) copy[at % copy.length] = octet;
        try {
          for (const message of new MessageReader().read(copy)) {
            tableOf(message, attributeId.data);
            tableOf(message, attributeId.signature);
          }
        } catch (error) {
          if (!(error instanceof GatewayError)) throw error;
          refused++;
        }
      }),
      { numRuns: 3000 },
    );
    t.ok(refused > 100, `${refused} were refused`);
  });
});

function sameAs(t: Test, recorded: Recorded): void {
  const octets = octetsOf(recorded);
  const message = decodeMessage(octets);
  const where = `message ${recorded.n}`;
  t.equal(typeNames[message.type] ?? message.type, recorded.type, where);
  t.equal(message.seq, recorded.seq, where);
  t.equal(message.peer, Number(recorded.peer), where);
  t.equal(encodeMessage(message).toString('hex'), recorded.hex, `${where} back to octets`);
  const { OBJPATH, OBJID, METHOD, STATUS, ACTIVE, NO_REPLY, DATA, SIGNATURE } = recorded.attrs;
  t.equal(textOf(message, attributeId.objectPath), OBJPATH, where);
  t.equal(numberOf(message, attributeId.objectId), OBJID === undefined ? undefined : Number(OBJID), where);
  t.equal(textOf(message, attributeId.method), METHOD, where);
  t.equal(numberOf(message, attributeId.status), STATUS, where);
  t.equal(isSet(message, attributeId.active), ACTIVE === 1, where);
  t.equal(isSet(message, attributeId.noReply), NO_REPLY === 1, where);
  const data = tableOf(message, attributeId.data);
  const signature = tableOf(message, attributeId.signature);
  t.same(withInt8(data), DATA, where);
  t.same(withInt8(signature), SIGNATURE, where);
  const again = message.attributes.map((attribute) => {
    if (attribute.id !== attributeId.data && attribute.id !== attributeId.signature) return attribute;
    return tableAttribute(attribute.id, decodeTable(attribute.data));
  });
  // An int16 comes back as an int32, as it does from libubox's JSON.
  const hasInt16 = recorded.hex.includes(Buffer.from('\x86\0\0\x0e\0\x05cents', 'latin1').toString('hex'));
  if (!hasInt16)
    t.equal(encodeMessage({ ...message, attributes: again }).toString('hex'), recorded.hex, `${where} again`);
}

t.test('blobmsg', async (t) => {
  await t.test('octets of every type', async (t) => {
    const table: readonly [JsonObject, string][] = [
      [{}, ''],
      [{ a: null }, '80000008 0001 61 00'],
      [{ a: [] }, '81000008 0001 61 00'],
      [{ a: {} }, '82000008 0001 61 00'],
      [{ a: 'xyz' }, '8300000c 0001 61 00 78797a 00'],
      [{ a: 'ž🦆' }, '8300000f 0001 61 00 c5be f09fa686 00 00'],
      [{ abc: '' }, '8300000d 0003 616263 00 0000 00 000000'],
      [{ a: -1 }, '8500000c 0001 61 00 ffffffff'],
      [{ a: 2147483647 }, '8500000c 0001 61 00 7fffffff'],
      [{ a: 2147483648 }, '84000010 0001 61 00 0000000080000000'],
      [{ a: -2147483649 }, '84000010 0001 61 00 ffffffff7fffffff'],
      [{ a: Number.MAX_SAFE_INTEGER }, '84000010 0001 61 00 001fffffffffffff'],
      [{ a: 1.5 }, '88000010 0001 61 00 3ff8000000000000'],
      [{ a: 1e300 }, '88000010 0001 61 00 7e37e43c8800759c'],
      [{ a: true }, '87000009 0001 61 00 01 000000'],
      [{ a: [false] }, '81000014 0001 61 00 87000009 0000 00 00 00 000000'],
      [{ a: { b: 'c' } }, '82000014 0001 61 00 8300000a 0001 62 00 63 00 0000'],
    ];
    for (const [value, octets] of table) {
      t.equal(encodeTable(value).toString('hex'), hex(octets).toString('hex'), JSON.stringify(value));
      t.same(decodeTable(hex(octets)), value, octets);
    }
  });

  await t.test('what only one way gives', async (t) => {
    t.same(decodeTable(hex('8600000a 0001 61 00 fff7 0000')), { a: -9 }, 'int16');
    t.same(decodeTable(hex('87000009 0001 61 00 07 000000')), { a: true }, 'any int8 but 0 is true');
    t.same(decodeTable(hex('8000000c 0001 61 00 12345678')), { a: null }, 'null with a value');
    t.same(decodeTable(Buffer.concat([encodeTable({ a: 1 }), encodeTable({ a: 2 })])), { a: 2 }, 'the last one counts');
    t.same(decodeTable(encodeTable({ a: undefined, b: 1 })), { b: 1 }, 'undefined fields are none');
    t.same(
      decodeTable(encodeTable({ 'a\0': 'b\0c\ud800' })),
      { 'a\ufffd': 'b\ufffdc\ufffd' },
      'what no string can hold',
    );
    const table = decodeTable(encodeTable(JSON.parse('{"__proto__":{"x":1}}')));
    t.same(Object.keys(table), ['__proto__'], 'a field like any other');
    t.equal(Object.getPrototypeOf(table), Object.prototype);
  });

  await t.test('any table comes back', async (t) => {
    const text = fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '0'));
    const { value } = fc.letrec<{ value: Json }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constant(null),
        fc.boolean(),
        text,
        fc.maxSafeInteger(),
        fc.integer({ min: -5, max: 5 }),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
        fc.array(tie('value')),
        fc.dictionary(text, tie('value'), { noNullPrototype: true }),
      ),
    }));
    let runs = 0;
    fc.assert(
      fc.property(fc.dictionary(text, value, { noNullPrototype: true }), (table) => {
        deepStrictEqual(decodeTable(encodeTable(table)), table);
        runs++;
      }),
    );
    t.ok(runs > 0);
  });

  await t.test('what is no blobmsg', async (t) => {
    const table: readonly [string, string][] = [
      ['83', 'a cut header'],
      ['83000003', 'shorter than its header'],
      ['83000010 0001 61 00', 'longer than what is there'],
      ['87000009 0001 61 00 01', 'no padding'],
      ['03000008 0001 61 00', 'no name'],
      ['83000004', 'no room for a name'],
      ['83000008 0009 61 00', 'a cut name'],
      ['83000008 0001 61 62', 'a name without NUL'],
      ['83000008 0001 00 00', 'a NUL in a name'],
      ['83000008 0001 ff 00', 'a name that is not UTF-8'],
      ['83000008 0001 61 00', 'a string without NUL'],
      ['8300000b 0001 61 00 620063', 'a string with one octet after its NUL'],
      ['8300000c 0001 61 00 62006300', 'a string with two ends'],
      ['8300000c 0001 61 00 eda08000', 'half a surrogate pair'],
      ['85000009 0001 61 00 01 000000', 'an int32 of one octet'],
      ['87000008 0001 61 00', 'an int8 of none'],
      ['88000014 0001 61 00 000000000000000000000000', 'a double of twelve'],
      ['84000010 0001 61 00 0020000000000000', 'an integer of 54 bits'],
      ['84000010 0001 61 00 8000000000000000', 'the least int64'],
      ['89000008 0001 61 00', 'an unknown type'],
      ['81000010 0001 61 00 85000008 0000 00 00', 'a fault inside an array'],
      ['8200000c 0001 61 00 83000003', 'a fault inside a table'],
    ];
    for (const [octets, what] of table) t.throws(() => decodeTable(hex(octets)), { code: 'parse_error' }, what);
  });

  await t.test('limits', async (t) => {
    const nested = (depth: number): JsonObject => (depth === 0 ? {} : { a: nested(depth - 1) });
    t.same(decodeTable(encodeTable(nested(limits.depth))), nested(limits.depth));
    t.throws(() => encodeTable(nested(limits.depth + 1)), { code: 'too_large' });
    // One array in the other, each with the header of the next.
    const level = (inner: Buffer) =>
      Buffer.concat([hex(`81${(8 + inner.length).toString(16).padStart(6, '0')}00000000`), inner]);
    let deep = Buffer.alloc(0);
    for (let i = 0; i < 10_000; i++) deep = level(deep);
    t.throws(() => decodeTable(deep), { code: 'too_large' }, 'not a stack overflow');

    const many = { list: Array.from({ length: limits.fields - 1 }, () => null) };
    t.same(decodeTable(encodeTable(many)), many);
    t.throws(() => decodeTable(encodeTable({ more: 1, ...many })), { code: 'too_large' });

    t.throws(() => encodeTable({ a: 'x'.repeat(limits.messageLength) }), { code: 'too_large' });
    t.throws(() => encodeTable({ ['x'.repeat(65_536)]: 1 }), { code: 'too_large' });
    const message = (size: number): UbusMessage => ({
      ...{ type: 2, seq: 1, peer: 1 },
      attributes: [tableAttribute(attributeId.data, { a: 'x'.repeat(size) })],
    });
    const overhead = encodeMessage(message(0)).length - 4;
    const largest = encodeMessage(message(limits.messageLength - overhead - 1));
    t.equal(largest.length, limits.messageLength);
    t.equal([...new MessageReader().read(largest)].length, 1);
    t.throws(() => encodeMessage(message(limits.messageLength - overhead)), { code: 'too_large' });
  });
});

t.test('streams that are none of ubusd', async (t) => {
  const table: readonly [string, string][] = [
    ['01000000 00000000 00000004', 'another version'],
    ['00000000 00000000 00000003', 'a container shorter than its header'],
    ['00000000 00000000 01000004', 'a container with an id'],
    ['00000000 00000000 00100004', 'too long'],
    ['00000000 00000000 00000008 03000003', 'a broken attribute'],
    ['485454502f312e3120343030', 'HTTP'],
  ];
  for (const [octets, what] of table) {
    t.throws(() => [...new MessageReader().read(hex(octets))], { code: 'parse_error' }, what);
  }
});
