import t from 'tap';
import {
  concatenationOf,
  type Direction,
  decodePdu,
  encodeDeliver,
  encodeStatusReport,
  encodeSubmit,
  fromHex,
  joinData,
  joinParts,
  type Pdu,
  portsOf,
  SmsError,
  type Tpdu,
  toHex,
} from '../../src/sms/index.ts';
import { dcsOf, decodeVector, directionOf, mismatches, userDataOf } from './decoded.ts';
import { encodeVector } from './encoded.ts';
import { exceptions, withLegalType } from './exceptions.ts';
import { type EncodeVector, type PduVector, readVectors, skipVectors } from './vectors.ts';

/** The value, or the SmsError thrown. Any other error is a fault of ours and passes. */
function attempt<Value>(operation: () => Value): Value | SmsError {
  try {
    return operation();
  } catch (thrown) {
    if (thrown instanceof SmsError) return thrown;
    throw thrown;
  }
}

/** What is wrong with our reading of a vector. */
function faults(vector: PduVector): readonly string[] {
  const { expect, lenient, source_defect } = vector;
  const pdu = attempt(() => decodeVector(vector));
  // A policy choice, or a PDU that its source decodes knowing more than the PDU says: any value or SmsError will do.
  if (lenient || source_defect || expect['must_not_crash']) return [];
  if (expect['error']) return pdu instanceof SmsError ? [] : ['was accepted'];
  if (pdu instanceof SmsError) return [`was refused: ${pdu.message}`];
  return [...mismatches(expect, pdu), ...lengthFaults(vector, pdu)];
}

function lengthFaults({ tpdu_length: wanted }: PduVector, { tpduLength }: Pdu): readonly string[] {
  return wanted === undefined || wanted === tpduLength ? [] : [`tpdu_length: ${tpduLength} instead of ${wanted}`];
}

for (const file of ['pdu-vectors.jsonl', 'pdu-vectors-issues.jsonl']) {
  t.test(file, { skip: skipVectors }, async (t) => {
    const vectors = readVectors<PduVector>(file);
    const failed = vectors.flatMap((vector) => faults(vector).map((fault) => `${vector.id}: ${fault}`));
    t.same(failed, []);
    const free = vectors.filter(
      ({ lenient, source_defect, expect }) => lenient || source_defect || expect['must_not_crash'],
    );
    t.comment(`${vectors.length} vectors, ${free.length} of them only for not crashing`);
  });
}

t.test('parts that belong together', { skip: skipVectors }, async (t) => {
  const groups = new Map<string, PduVector[]>();
  for (const vector of readVectors<PduVector>('pdu-vectors.jsonl')) {
    if (vector.group === undefined || concatenationOf(userDataOf(decodeVector(vector).tpdu)) === undefined) continue;
    groups.set(vector.group, [...(groups.get(vector.group) ?? []), vector]);
  }
  for (const [group, vectors] of groups) {
    const parts = vectors.map((vector) => {
      const { tpdu } = decodeVector(vector);
      return { dcs: dcsOf(tpdu), userData: userDataOf(tpdu) };
    });
    const texts = vectors.map(({ expect }) => expect['text']);
    const [{ reassembled_text: text, reassembled_data_hex: data } = {}] = vectors;
    if (data !== undefined) t.equal(toHex(joinData(parts)), data.toUpperCase(), group);
    else if (text !== undefined || !texts.includes(undefined)) t.equal(joinParts(parts), text ?? texts.join(''), group);
  }
  t.comment(`${groups.size} messages`);
});

t.test('pdu-encode.jsonl', { skip: skipVectors }, async (t) => {
  const vectors = readVectors<EncodeVector>('pdu-encode.jsonl');
  const failed = vectors.flatMap((vector) => {
    if (vector.informational || exceptions.has(vector.id)) return [];
    const got = attempt(() => encodeVector(vector));
    return Object.entries(expectationOf(vector)).flatMap(([field, wanted]) => {
      const value = got instanceof SmsError ? (field === 'error' ? true : got.message) : got[field];
      const [is, should] = [JSON.stringify(value), JSON.stringify(wanted)];
      return is === should ? [] : [`${vector.id}: ${field}: ${is} instead of ${should}`];
    });
  });
  t.same(failed, []);
  const ids = new Set(vectors.map(({ id }) => id));
  t.same(
    [...exceptions.keys()].filter((id) => !ids.has(id)),
    [],
    'every exception names a vector',
  );
  t.comment(`${vectors.length} vectors`);
  for (const [id, reason] of exceptions) t.comment(`not asked of us: ${id}: ${reason}`);
});

function expectationOf({ input, expect }: EncodeVector): EncodeVector['expect'] {
  const { pdus } = expect;
  return input['to_toa'] === 0 && Array.isArray(pdus) ? { ...expect, pdus: pdus.map(withLegalType) } : expect;
}

/** Every single bit, both nibbles, and all bits. */
const MASKS = [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x0f, 0xf0, 0xff];

t.test('every prefix and changed octet of every vector decodes or is refused', { skip: skipVectors }, async (t) => {
  const vectors = ['pdu-vectors.jsonl', 'pdu-vectors-issues.jsonl'].flatMap((file) => readVectors<PduVector>(file));
  const count = { decoded: 0, refused: 0 };
  const use = (octets: Uint8Array, direction: Direction) => {
    const result = attempt(() => useEverything(decodePdu(octets, direction)));
    count[result instanceof SmsError ? 'refused' : 'decoded']++;
  };
  for (const vector of vectors) {
    const octets = attempt(() => fromHex(vector.pdu));
    if (octets instanceof SmsError) continue;
    for (let end = 0; end <= octets.length; end++) {
      use(octets.subarray(0, end), 'to-mobile');
      use(octets.subarray(0, end), 'to-network');
    }
    const direction = directionOf(vector);
    for (const [at, octet] of octets.entries()) {
      for (const mask of MASKS) {
        octets[at] = octet ^ mask;
        use(octets, direction);
      }
      octets[at] = octet;
    }
  }
  t.ok(count.decoded > 0 && count.refused > 0);
  t.comment(`${count.decoded} decoded, ${count.refused} refused`);
});

/** All that is read from a decoded PDU, and its encoding anew. */
function useEverything({ tpdu }: Pdu): void {
  const userData = userDataOf(tpdu);
  joinParts([{ dcs: dcsOf(tpdu), userData }]);
  concatenationOf(userData);
  portsOf(userData);
  attempt(() => encodeAgain(tpdu));
}

function encodeAgain(tpdu: Tpdu): Uint8Array | undefined {
  switch (tpdu.type) {
    case 'deliver':
      return encodeDeliver(tpdu);
    case 'submit':
      return encodeSubmit(tpdu);
    case 'status-report':
      return encodeStatusReport(tpdu);
    default:
      return undefined;
  }
}
