import { createRequire } from 'node:module';
import fc from 'fast-check';
import t from 'tap';
import { decodePdu, encodePdu, type Pdu } from '../../../src/modules/smpp/codec.ts';
import { Framer, FramingError, MAX_PDU, MAX_UNBOUND_PDU } from '../../../src/modules/smpp/esme-connection.ts';
import { layouts } from '../../../src/modules/smpp/layout.ts';
import { status } from '../../../src/modules/smpp/status.ts';
import { bodies, c, ids, mutated, pdu, RESPONSE, requestNames, short, tlv, u8, u16 } from './octets.ts';

/** All PDUs of a stream that comes in these chunks. */
function framed(chunks: Iterable<Uint8Array>, limit = MAX_PDU): Buffer[] {
  const framer = new Framer();
  framer.limit = limit;
  const found: Buffer[] = [];
  for (const chunk of chunks) {
    framer.push(Buffer.from(chunk));
    for (let octets = framer.next(); octets !== undefined; octets = framer.next()) found.push(octets);
  }
  return found;
}

/** The status that a request is refused with, or its kind when it is not. */
const verdict = (octets: Buffer): number | Pdu['type'] => {
  const decoded = decodePdu(octets);
  return decoded.type === 'malformed' ? decoded.status : decoded.type;
};

const submit = (...tlvs: readonly Uint8Array[]) => pdu(ids.submit_sm, [...bodies.submit_sm, ...tlvs]);

t.test('a stream is cut into PDUs wherever it is split', async (t) => {
  const all = requestNames.map((name, at) => pdu(ids[name], bodies[name], at + 1));
  const stream = Buffer.concat(all);
  t.same(framed([stream]), all, 'in one piece');
  t.same(framed([...stream].map((octet) => u8(octet))), all, 'octet by octet');
  for (let at = 1; at < stream.length; at++) {
    if (!Buffer.concat(framed([stream.subarray(0, at), stream.subarray(at)])).equals(stream)) t.fail(`split at ${at}`);
  }
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 20 }),
      fc.integer({ min: 1 }),
      (some, seed) => {
        const sent = some.map((body, at) => pdu(ids.submit_sm, [body], at));
        const octets = Buffer.concat(sent);
        const chunks: Buffer[] = [];
        for (let at = 0, step = seed; at < octets.length; step = (step * 16_807) % 2_147_483_647) {
          chunks.push(octets.subarray(at, at + 1 + (step % 97)));
          at += 1 + (step % 97);
        }
        t.ok(Buffer.concat(framed(chunks)).equals(octets));
      },
    ),
    { numRuns: 50 },
  );
});

t.test('an invalid command_length ends the stream at once', async (t) => {
  const head = (length: number, octets = 16) => {
    const header = pdu(ids.enquire_link, [], 77);
    header.writeUInt32BE(length, 0);
    return header.subarray(0, octets);
  };
  for (const length of [...Array(16).keys(), MAX_PDU + 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
    t.throws(() => framed([head(length)]), { name: 'FramingError', sequence: 77 }, `${length}`);
    t.throws(() => framed([head(length, 4)]), { name: 'FramingError', sequence: 0 }, `${length}, no more than that`);
  }
  for (const length of [16, 17, 20]) {
    t.equal(framed([head(length), Buffer.alloc(length - 16)]).length, 1, `${length} is one`);
  }
  t.throws(() => framed([head(MAX_UNBOUND_PDU + 1)], MAX_UNBOUND_PDU), FramingError, 'a long one before the bind');
});

t.test('every request is decoded, and refused when cut short at any octet', async (t) => {
  for (const name of requestNames) {
    const whole = pdu(ids[name], bodies[name], 0xffff_ffff);
    const decoded = decodePdu(whole);
    t.match(decoded, { type: 'request', command: name, sequence: 0xffff_ffff }, name);
    for (let length = 16; length < whole.length; length++) {
      const cut = Buffer.from(whole.subarray(0, length));
      cut.writeUInt32BE(length, 0);
      t.match(decodePdu(cut), { type: 'malformed', command: name, sequence: 0xffff_ffff }, `${name} of ${length}`);
    }
  }
});

t.test('decoded fields equal the sent ones', async (t) => {
  const octets = u8(0, 1, 0x1b, 0x65, 0x80, 0xff);
  const payload = Buffer.alloc(65_535, 0xe9);
  const message = [c(''), u8(5, 0), c('Tank 7'), u8(1, 1), c('370'), u8(0x40, 0x7f, 3), c('261125120000000+'), c('')];
  const decoded = decodePdu(pdu(ids.submit_sm, [...message, u8(0x11, 1, 0xf5, 9), short(octets), tlv(0x424, payload)]));
  t.match(decoded, {
    fields: {
      ...{ source_addr_ton: 5, source_addr: 'Tank 7', destination_addr: '370', esm_class: 0x40, protocol_id: 0x7f },
      ...{ priority_flag: 3, schedule_delivery_time: '261125120000000+', validity_period: '' },
      ...{ registered_delivery: 0x11, replace_if_present_flag: 1, data_coding: 0xf5, sm_default_msg_id: 9 },
    },
  });
  const fields = decoded.type === 'request' && decoded.command === 'submit_sm' ? decoded.fields : undefined;
  t.same(fields?.short_message, octets, 'octets stay octets');
  t.ok(fields?.message_payload?.equals(payload), 'of 64 KB as well');
  t.match(decodePdu(pdu(ids.submit_multi, bodies.submit_multi)), {
    fields: {
      dest_address: [{ dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '37060000002' }, { dl_name: 'friends' }],
    },
  });
});

t.test('each fault is refused with its status', async (t) => {
  const bindWith = (id: string, password: string, type: string, range = '') =>
    verdict(pdu(ids.bind_transceiver, [c(id), c(password), c(type), u8(0x34, 0, 0), c(range)]));
  t.equal(bindWith('x'.repeat(15), 'y'.repeat(8), 'z'.repeat(12), 'r'.repeat(40)), 'request', 'the longest bind');
  t.equal(bindWith('x'.repeat(16), '', ''), status.RINVSYSID);
  t.equal(bindWith('x', 'y'.repeat(9), ''), status.RINVPASWD);
  t.equal(bindWith('x', 'y', 'z'.repeat(13)), status.RINVSYSTYP);
  t.equal(bindWith('admi\xee', '', ''), status.RINVSYSID, 'the eighth bit is not dropped');
  t.equal(verdict(pdu(ids.query_sm, [c('1'.repeat(65)), u8(0, 0), c('')])), status.RINVMSGID);
  const long = Buffer.from(short('x'));
  long[0] = 255;
  const head = bodies.submit_sm.slice(0, -1);
  t.equal(verdict(pdu(ids.submit_sm, [...head, long, Buffer.alloc(300)])), status.RINVMSGLEN, 'sm_length 255');
  t.equal(
    verdict(pdu(ids.submit_sm, [...head, u8(5), Buffer.alloc(4)])),
    status.RINVMSGLEN,
    'sm_length beyond the end',
  );
  const multi = (...destinations: readonly Uint8Array[]) =>
    verdict(pdu(ids.submit_multi, [c(''), u8(0, 0), c(''), ...destinations, ...bodies.submit_sm.slice(-5)]));
  t.equal(multi(u8(0)), status.RINVNUMDESTS, 'no destination');
  t.equal(multi(u8(255, 1, 0, 0), c('1')), status.RINVNUMDESTS, '255 destinations');
  t.equal(multi(u8(1, 3, 0, 0), c('1')), status.RINVDESTFLAG);
  t.equal(multi(u8(1, 2), c('x'.repeat(21))), status.RINVDLNAME);
});

t.test('optional parameters', async (t) => {
  t.match(decodePdu(submit(tlv(0x20c, u16(0xabcd)), tlv(0x20e, u8(3)), tlv(0x20f, u8(2)))), {
    fields: { sar_msg_ref_num: 0xabcd, sar_total_segments: 3, sar_segment_seqnum: 2 },
  });
  t.equal(verdict(submit(tlv(0x1fff, 'who knows'), tlv(0x3fff, ''))), 'request', 'unknown ones are ignored');
  for (const length of [1, 2, 3])
    t.equal(verdict(submit(Buffer.alloc(length, 4))), status.RINVTLVSTREAM, `${length} octets`);
  t.equal(verdict(submit(u16(0x424), u16(9), Buffer.alloc(8))), status.RINVTLVLEN, 'longer than the rest');
  t.equal(verdict(submit(u16(0x1fff), u16(0xffff))), status.RINVTLVLEN, 'an unknown one as well');
  for (const length of [0, 1, 3, 4]) {
    t.equal(
      verdict(submit(tlv(0x20c, Buffer.alloc(length)))),
      status.RINVTLVLEN,
      `a number of 2 octets with ${length}`,
    );
  }
  t.equal(verdict(pdu(ids.query_sm, [...bodies.query_sm, tlv(0x424, 'x')])), status.RTLVNOTALLWD);
  const odd = [tlv(0x0005, u8(1, 2, 3)), tlv(0x0421, u16(1)), tlv(0x0204, u16(9)), tlv(0x0017, u8(1))];
  t.match(decodePdu(submit(...odd)), { fields: { user_message_reference: 9 } }, 'unused ones may have any length');
  t.equal(verdict(pdu(ids.bind_transceiver, [...bodies.bind_transceiver, tlv(0x20c, u8(1))])), 'request');
  t.equal(verdict(pdu(ids.data_sm, [...bodies.data_sm, tlv(0x421, u16(1))])), status.RINVTLVLEN, 'set_dpf of data_sm');
});

t.test('NULs after the last parameter, and in front of optional ones', async (t) => {
  for (const name of requestNames) {
    for (const count of [1, 2, 3, 4, 5, 100]) {
      const octets = pdu(ids[name], [...bodies[name], Buffer.alloc(count)]);
      t.match(decodePdu(octets), { type: 'request', command: name }, `${name} and ${count}`);
    }
  }
  const payload = Buffer.concat([Buffer.alloc(12_000), Buffer.from('text')]);
  const cases: readonly (readonly [name: string, octets: readonly Uint8Array[], fields: object])[] = [
    ['message_payload', [u8(0), tlv(0x424, 'hello')], { message_payload: Buffer.from('hello') }],
    ['two NULs', [u8(0, 0), tlv(0x424, 'hello')], { message_payload: Buffer.from('hello') }],
    ['a tag that begins with one', [tlv(0x0005, u8(1)), tlv(0x20e, u8(3))], { sar_total_segments: 3 }],
    ['one more in front of such a tag', [u8(0), tlv(0x0019, u8(1)), tlv(0x20e, u8(3))], { sar_total_segments: 3 }],
    ['between two', [tlv(0x20e, u8(3)), u8(0), tlv(0x20f, u8(2))], { sar_total_segments: 3, sar_segment_seqnum: 2 }],
    ['a tag that is another one with it', [u8(0), tlv(0x501, u8(2)), tlv(0x20e, u8(3))], { sar_total_segments: 3 }],
    ['a payload of NULs', [u8(0), tlv(0x424, payload), u8(0, 0)], { message_payload: payload }],
    ['numbers with NULs', [u8(0), tlv(0x20c, u16(0)), u8(0)], { sar_msg_ref_num: 0 }],
  ];
  for (const [name, octets, fields] of cases) t.match(decodePdu(submit(...octets)), { type: 'request', fields }, name);
  t.equal(verdict(submit(u8(0), u16(0x424), u16(9), Buffer.alloc(8))), status.RINVTLVLEN, 'a fault stays one');
  t.equal(verdict(submit(u8(0), u8(4))), status.RINVTLVSTREAM);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0x100, max: 0x3fff }), fc.uint8Array({ minLength: 1, maxLength: 40 })), {
        maxLength: 6,
      }),
      fc.nat(4),
      (tlvs, count) => {
        const some = tlvs.filter(([tag]) => tag < 0x200 || tag > 0x424).map(([tag, value]) => tlv(tag, value));
        const decoded = decodePdu(submit(Buffer.alloc(count), ...some, tlv(0x424, 'end'), Buffer.alloc(count)));
        t.match(decoded, { type: 'request' });
      },
    ),
    { numRuns: 300 },
  );
});

t.test('a source address may be in any alphabet, others may not', async (t) => {
  const [service, ton, , ...rest] = bodies.submit_sm;
  const from = (address: string) => pdu(ids.submit_sm, [service ?? u8(0), ton ?? u8(0, 0), c(address), ...rest]);
  t.match(decodePdu(from('K\xfcche')), { fields: { source_addr: 'K\xfcche' } }, 'and the eighth bit stays');
  t.equal(verdict(from('\xfc'.repeat(21))), status.RINVSRCADR, 'no longer than 20');
});

t.test('unknown commands, and responses', async (t) => {
  for (const id of [0, 0x0a, 0x0b, 0x102, 0x112, 0x7fff_ffff, ids.deliver_sm]) {
    t.same(decodePdu(pdu(id, [], 5)), { type: 'unknown', sequence: 5 }, `0x${id.toString(16)}`);
  }
  for (const id of [RESPONSE, 0xffff_ffff, RESPONSE + ids.deliver_sm, RESPONSE + 0x7777]) {
    t.same(
      decodePdu(pdu(id, [u8(1)], 6, 0x64)),
      { type: 'response', sequence: 6, status: 0x64 },
      `0x${id.toString(16)}`,
    );
  }
});

t.test('the codec never throws or omits a field', async (t) => {
  const known = fc.constantFrom(...Object.values(ids));
  const anything = fc.tuple(known, fc.uint8Array({ maxLength: 120 })).map(([id, body]) => pdu(id, [body]));
  fc.assert(
    fc.property(fc.oneof(mutated, anything), (octets) => {
      const decoded = decodePdu(octets);
      if (decoded.type !== 'request') return;
      const fields = new Map<string, unknown>(Object.entries(decoded.fields));
      for (const name of Object.keys(layouts[decoded.command])) {
        if (fields.get(name) === undefined) t.fail(`${decoded.command} without ${name}`);
      }
    }),
    { numRuns: 2000 },
  );
});

t.test('encoded PDUs', async (t) => {
  t.same(encodePdu({ command: 'generic_nack', sequence: 9, status: status.RINVCMDLEN }), pdu(RESPONSE, [], 9, 2));
  t.same(
    encodePdu({ command: 'submit_sm_resp', sequence: 3, status: status.RTHROTTLED, fields: { message_id: '7' } }),
    pdu(RESPONSE + ids.submit_sm, [], 3, 0x58),
    'an error is its header only',
  );
  const failed = { dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '37', error_status_code: 0x0b };
  const withBody: readonly (readonly [Parameters<typeof encodePdu>[0]['command'], object, readonly Uint8Array[]])[] = [
    ['bind_transceiver_resp', { system_id: 'me' }, [c('me')]],
    ['query_sm_resp', { message_id: '7', message_state: 7 }, [c('7'), c(''), u8(7, 0)]],
    ['data_sm_resp', {}, [c('')]],
    ['submit_multi_resp', {}, [c(''), u8(0)]],
    ['submit_multi_resp', { unsuccess_sme: [failed] }, [c(''), u8(1, 1, 1), c('37'), u8(0, 0, 0, 0x0b)]],
    ['bind_receiver_resp', { system_id: 'me' }, []],
    ['bind_transmitter_resp', { system_id: 'me' }, []],
  ];
  for (const [command, fields, body] of withBody) {
    const octets = encodePdu({ command, sequence: 3, status: 0x58, fields: { ...fields } });
    t.same(octets.subarray(8), pdu(0, body, 3, 0x58).subarray(8), `${command} with an error`);
    t.equal(octets.readUInt32BE(0), octets.length);
  }
  t.same(
    encodePdu({ command: 'submit_sm_resp', sequence: 3, fields: { message_id: '7' } }),
    pdu(RESPONSE + 4, [c('7')], 3),
  );
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 254 }),
      fc.uint8Array({ maxLength: 2000 }),
      fc.nat(255),
      (text, payload, dc) => {
        const fields = { source_addr: '370', destination_addr: '1', data_coding: dc, short_message: Buffer.from(text) };
        const octets = encodePdu({
          ...{ command: 'deliver_sm', sequence: 1 },
          fields: { ...fields, message_payload: Buffer.from(payload), receipted_message_id: '12' },
        });
        t.equal(octets.readUInt32BE(0), octets.length);
        // The package reads what it wrote.
        const { PDU } = createRequire(import.meta.url)('smpp');
        const back = new PDU(octets);
        t.match(back, { ...fields, receipted_message_id: '12' });
        t.ok(Buffer.from(payload).equals(back.message_payload));
      },
    ),
    { numRuns: 50 },
  );
});
