import { readAddress, writeAddress } from '../address.ts';
import { encodeDcs } from '../dcs.ts';
import { type OctetReader, OctetWriter } from '../octets.ts';
import { readUserData, writeUserData } from '../user-data.ts';
import { readValidity, validityFormat, writeValidity } from '../validity.ts';
import { HEADER, MTI, REJECT_DUPLICATES, REPLY_PATH, STATUS_REPORT, VALIDITY_SHIFT } from './first-octet.ts';
import type { Command, Submit } from './types.ts';

export function readSubmit(first: number, reader: OctetReader): Submit {
  const mr = reader.octet('TP-MR');
  const to = readAddress(reader, 'TP-DA');
  const pid = reader.octet('TP-PID');
  const dcs = reader.octet('TP-DCS');
  const validity = readValidity(reader, (first >> VALIDITY_SHIFT) & 0x03);
  return {
    type: 'submit',
    mr,
    to,
    pid,
    dcs,
    ...(validity && { validity }),
    userData: readUserData(reader, dcs, (first & HEADER) !== 0),
    rejectDuplicates: (first & REJECT_DUPLICATES) !== 0,
    statusReportRequest: (first & STATUS_REPORT) !== 0,
    replyPath: (first & REPLY_PATH) !== 0,
  };
}

type Needed = 'to' | 'dcs' | 'userData';
export type SubmitFields = Pick<Submit, Needed> & Partial<Omit<Submit, Needed | 'type'>>;

/** A SMS-SUBMIT without the service centre address; what is not given is 0, false or absent. */
export function encodeSubmit(fields: SubmitFields): Uint8Array {
  const writer = new OctetWriter();
  writer.octet(
    MTI.submit |
      (fields.rejectDuplicates ? REJECT_DUPLICATES : 0) |
      (validityFormat(fields.validity) << VALIDITY_SHIFT) |
      (fields.statusReportRequest ? STATUS_REPORT : 0) |
      (fields.userData.elements.length > 0 ? HEADER : 0) |
      (fields.replyPath ? REPLY_PATH : 0),
  );
  writer.octet(fields.mr ?? 0);
  writeAddress(writer, fields.to);
  writer.octet(fields.pid ?? 0);
  writer.octet(fields.dcs);
  if (fields.validity) writeValidity(writer, fields.validity);
  writeUserData(writer, fields.dcs, fields.userData);
  return writer.finish();
}

/** Command data is counted in octets, TS 23.040 9.2.3.20. */
const OCTETS = encodeDcs('8bit');

export function readCommand(first: number, reader: OctetReader): Command {
  return {
    type: 'command',
    mr: reader.octet('TP-MR'),
    pid: reader.octet('TP-PID'),
    commandType: reader.octet('TP-CT'),
    messageNumber: reader.octet('TP-MN'),
    to: readAddress(reader, 'TP-DA'),
    userData: readUserData(reader, OCTETS, (first & HEADER) !== 0),
    statusReportRequest: (first & STATUS_REPORT) !== 0,
  };
}
