import { SmsError } from '../error.ts';
import { OctetReader, type Reading } from '../octet-reader.ts';
import { readCommand } from './command.ts';
import { readDeliver } from './deliver.ts';
import { MTI } from './first-octet.ts';
import { readDeliverReport, readSubmitReport } from './reports.ts';
import { readStatusReport } from './status-report.ts';
import { readSubmit } from './submit.ts';
import type { Direction, Tpdu } from './types.ts';

const MTI_MASK = 0x03;

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
