import { readAddress, writeAddress } from '../address.ts';
import { type OctetReader, OctetWriter } from '../octets.ts';
import { readServiceTime, writeTimeStamp } from '../time-stamp.ts';
import { readUserData, writeUserData } from '../user-data.ts';
import { HEADER, LOOP_PREVENTION, MTI, NO_MORE_MESSAGES, REPLY_PATH, STATUS_REPORT } from './first-octet.ts';
import type { Deliver } from './types.ts';

export function readDeliver(first: number, reader: OctetReader): Deliver {
  const from = readAddress(reader, 'TP-OA');
  const lenient = reader.reading === 'lenient';
  const pid = lenient && reader.remaining === 0 ? 0 : reader.octet('TP-PID');
  const dcs = lenient && reader.remaining === 0 ? 0 : reader.octet('TP-DCS');
  return {
    type: 'deliver',
    from,
    pid,
    dcs,
    time: readServiceTime(reader, 'TP-SCTS'),
    userData: readUserData(reader, dcs, (first & HEADER) !== 0),
    moreMessages: (first & NO_MORE_MESSAGES) === 0,
    loopPrevention: (first & LOOP_PREVENTION) !== 0,
    statusReportIndication: (first & STATUS_REPORT) !== 0,
    replyPath: (first & REPLY_PATH) !== 0,
  };
}

type Needed = 'from' | 'dcs' | 'time' | 'userData';
export type DeliverFields = Pick<Deliver, Needed> & Partial<Omit<Deliver, Needed | 'type'>>;

/** A SMS-DELIVER without the service centre address; what is not given is 0 or false. */
export function encodeDeliver(fields: DeliverFields): Uint8Array {
  const writer = new OctetWriter();
  writer.octet(
    MTI.deliver |
      (fields.moreMessages ? 0 : NO_MORE_MESSAGES) |
      (fields.loopPrevention ? LOOP_PREVENTION : 0) |
      (fields.statusReportIndication ? STATUS_REPORT : 0) |
      (fields.userData.elements.length > 0 ? HEADER : 0) |
      (fields.replyPath ? REPLY_PATH : 0),
  );
  writeAddress(writer, fields.from);
  writer.octet(fields.pid ?? 0);
  writer.octet(fields.dcs);
  writeTimeStamp(writer, fields.time);
  writeUserData(writer, fields.dcs, fields.userData);
  return writer.finish();
}
