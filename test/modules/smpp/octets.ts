import fc from 'fast-check';

/** PDUs by the octet, written without the codec under test. */

export const ids = {
  bind_receiver: 0x01,
  bind_transmitter: 0x02,
  query_sm: 0x03,
  submit_sm: 0x04,
  deliver_sm: 0x05,
  unbind: 0x06,
  replace_sm: 0x07,
  cancel_sm: 0x08,
  bind_transceiver: 0x09,
  enquire_link: 0x15,
  submit_multi: 0x21,
  data_sm: 0x103,
} as const;

export type CommandName = keyof typeof ids;

export const RESPONSE = 0x8000_0000;

export const u8 = (...values: readonly number[]): Buffer => Buffer.from(values);
export const u16 = (value: number): Buffer => u8(value >> 8, value & 0xff);
/** C-octet string. */
export const c = (text: string): Buffer => Buffer.from(`${text}\0`, 'latin1');
/** sm_length and short_message. */
export const short = (octets: Uint8Array | string): Buffer => {
  const message = typeof octets === 'string' ? Buffer.from(octets, 'latin1') : Buffer.from(octets);
  return Buffer.concat([u8(message.length), message]);
};
export const tlv = (tag: number, value: Uint8Array | string): Buffer => {
  const octets = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
  return Buffer.concat([u16(tag), u16(octets.length), octets]);
};

/** A PDU with a right command_length. */
export function pdu(id: number, body: readonly Uint8Array[] = [], sequence = 1, status = 0): Buffer {
  const octets = Buffer.concat([Buffer.alloc(16), ...body]);
  octets.writeUInt32BE(octets.length, 0);
  octets.writeUInt32BE(id, 4);
  octets.writeUInt32BE(status, 8);
  octets.writeUInt32BE(sequence, 12);
  return octets;
}

const bind = [c('admin'), c('admin01'), c(''), u8(0x34, 0, 0), c('')];
const from = [u8(1, 1), c('37060000001')];
const to = [u8(1, 1), c('37060000002')];
const common = [u8(0, 0, 0), c(''), c(''), u8(0, 0, 0, 0), short('hello')];

/** A right body of each request. */
export const bodies: Readonly<Record<Exclude<CommandName, 'deliver_sm'>, readonly Uint8Array[]>> = {
  bind_receiver: bind,
  bind_transmitter: bind,
  bind_transceiver: bind,
  unbind: [],
  enquire_link: [],
  submit_sm: [c(''), ...from, ...to, ...common],
  submit_multi: [c(''), ...from, u8(2, 1, 1, 1), c('37060000002'), u8(2), c('friends'), ...common],
  data_sm: [c(''), ...from, ...to, u8(0, 0, 0)],
  query_sm: [c('12'), ...from],
  cancel_sm: [c(''), c('12'), ...from, ...to],
  replace_sm: [c('12'), ...from, c(''), c(''), u8(0, 0), short('other')],
};

export const requestNames = Object.keys(bodies) as readonly (keyof typeof bodies)[];

/** Requests with some octets changed, and more behind. */
export const mutated: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.constantFrom(...requestNames),
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
    fc.uint8Array({ maxLength: 30 }),
  )
  .map(([name, changes, more]) => {
    const octets = pdu(ids[name], [...bodies[name], more]);
    for (const [at, value] of changes) if (octets.length > 16) octets[16 + (at % (octets.length - 16))] = value;
    return octets;
  });
