import { type Address, MAX_SMSC_OCTETS, readSmsc, writeSmsc } from './address.ts';
import { OctetReader, type Reading } from './octet-reader.ts';
import { MAX_TPDU_OCTETS, OctetWriter } from './octet-writer.ts';
import { decodeTpdu } from './tpdu/decode.ts';
import type { Direction, Tpdu } from './tpdu/types.ts';

/** A PDU as modems give and take it (TS 27.005 3.1): a TPDU with a service centre address in front. */
export interface Pdu {
  readonly smsc?: Address;
  readonly tpdu: Tpdu;
  /** Octets after the service centre address, padding included: the length that AT commands count. */
  readonly tpduLength: number;
}

/** Throws SmsError only, whatever the octets are. User data and elements are views of `pdu`, not copies. */
export function decodePdu(pdu: Uint8Array, direction: Direction, reading: Reading = 'strict'): Pdu {
  const reader = new OctetReader(pdu);
  const smsc = readSmsc(reader);
  const tpduLength = reader.remaining;
  const tpdu = decodeTpdu(reader.octets(tpduLength, 'TPDU'), direction, reading);
  return { ...(smsc && { smsc }), tpdu, tpduLength };
}

/** Puts the service centre address, or the single 0 that leaves it to the SIM, in front of a TPDU. */
export function encodePdu(smsc: Address | undefined, tpdu: Uint8Array): Uint8Array {
  const writer = new OctetWriter(1 + MAX_SMSC_OCTETS + MAX_TPDU_OCTETS);
  writeSmsc(writer, smsc);
  writer.octets(tpdu);
  return writer.finish();
}
