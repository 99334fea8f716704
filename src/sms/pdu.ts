import { type Address, MAX_SMSC_OCTETS, readAddress, readSmsc, writeSmsc } from './address.ts';
import { SmsError } from './error.ts';
import { MAX_TPDU_OCTETS, OctetReader, OctetWriter, type Reading } from './octets.ts';
import { readTimeStampMs } from './time-stamp.ts';
import { readDeliver } from './tpdu/deliver.ts';
import { HEADER, MTI } from './tpdu/first-octet.ts';
import { readDeliverReport, readStatusReport, readSubmitReport } from './tpdu/reports.ts';
import { readCommand, readSubmit } from './tpdu/submit.ts';
import type { Direction, Tpdu } from './tpdu/types.ts';

/** A PDU as modems read and write it (TS 27.005 3.1): a TPDU with a service centre address in front. */
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

const MTI_MASK = 0x03;

/** What stands in front of the user data of a SMS-DELIVER. */
export interface DeliverHead {
  readonly from: Address;
  readonly pid: number;
  /** TP-SCTS, ms since the epoch. */
  readonly time: number;
}

/**
 * For who goes through very many of them, a quarter of the work of `decodePdu`. Undefined for anything but a SMS-DELIVER
 * that is whole so far and has no user data header.
 */
export function readDeliverHead(pdu: Uint8Array): DeliverHead | undefined {
  const smsc = pdu[0] ?? 0;
  const first = pdu[1 + smsc] ?? 0;
  if (smsc > MAX_SMSC_OCTETS || (first & (MTI_MASK | HEADER)) !== MTI.deliver) return undefined;
  const reader = new OctetReader(pdu.subarray(2 + smsc));
  try {
    const from = readAddress(reader, 'TP-OA');
    const pid = reader.octet('TP-PID');
    reader.octet('TP-DCS');
    return { from, pid, time: readTimeStampMs(reader, 'TP-SCTS') };
  } catch (error) {
    if (error instanceof SmsError) return undefined;
    throw error;
  }
}

/** Decodes a TPDU without service centre address. Octets after its end are padding. Throws SmsError only. */
export function decodeTpdu(tpdu: Uint8Array, direction: Direction, reading: Reading = 'strict'): Tpdu {
  const reader = new OctetReader(tpdu, reading);
  const first = reader.octet('TPDU');
  return direction === 'to-mobile' ? readToMobile(first, reader) : readToNetwork(first, reader);
}

function readToMobile(first: number, reader: OctetReader): Tpdu {
  switch (first & MTI_MASK) {
    case MTI.submitReport:
      return readSubmitReport(first, reader);
    case MTI.statusReport:
      return readStatusReport(first, reader);
    default:
      // The reserved value is to be treated as a DELIVER, TS 23.040 9.2.3.1.
      return readDeliver(first, reader);
  }
}

function readToNetwork(first: number, reader: OctetReader): Tpdu {
  switch (first & MTI_MASK) {
    case MTI.deliverReport:
      return readDeliverReport(first, reader);
    case MTI.submit:
      return readSubmit(first, reader);
    case MTI.command:
      return readCommand(first, reader);
    default:
      throw new SmsError('unsupported', 'TP-MTI 3 is reserved');
  }
}
