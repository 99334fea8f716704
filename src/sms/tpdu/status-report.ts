import { readAddress, writeAddress } from '../address.ts';
import { SmsError } from '../error.ts';
import type { OctetReader } from '../octet-reader.ts';
import { OctetWriter } from '../octet-writer.ts';
import { readServiceTime, writeTimeStamp } from '../time-stamp.ts';
import { HEADER, LOOP_PREVENTION, MTI, NO_MORE_MESSAGES, STATUS_REPORT } from './first-octet.ts';
import { readIndicator, readParameters, writeParameters } from './report-parameters.ts';
import type { ReportParameters, StatusReport } from './types.ts';

export function readStatusReport(first: number, reader: OctetReader): StatusReport {
  const mr = reader.octet('TP-MR');
  const recipient = readAddress(reader, 'TP-RA');
  const time = readServiceTime(reader, 'TP-SCTS');
  const discharge = readServiceTime(reader, 'TP-DT');
  const status = reader.octet('TP-ST');
  return {
    type: 'status-report',
    mr,
    recipient,
    time,
    discharge,
    status,
    answersCommand: (first & STATUS_REPORT) !== 0,
    moreMessages: (first & NO_MORE_MESSAGES) === 0,
    loopPrevention: (first & LOOP_PREVENTION) !== 0,
    ...(reader.remaining > 0 && parametersOf(reader, (first & HEADER) !== 0)),
  };
}

/** What they add to a report is not worth the report. */
function parametersOf(reader: OctetReader, hasHeader: boolean): ReportParameters {
  try {
    return readParameters(reader, readIndicator(reader), hasHeader);
  } catch (error) {
    if (error instanceof SmsError && reader.reading === 'lenient') return {};
    throw error;
  }
}

type Needed = 'mr' | 'recipient' | 'time' | 'discharge' | 'status';
export type StatusReportFields = Pick<StatusReport, Needed> & Partial<Omit<StatusReport, Needed | 'type'>>;

/** A SMS-STATUS-REPORT without the service centre address; what is not given is 0, false or absent. */
export function encodeStatusReport(fields: StatusReportFields): Uint8Array {
  const { pid, dcs, userData } = fields;
  const writer = new OctetWriter();
  writer.octet(
    MTI.statusReport |
      (fields.moreMessages ? 0 : NO_MORE_MESSAGES) |
      (fields.loopPrevention ? LOOP_PREVENTION : 0) |
      (fields.answersCommand ? STATUS_REPORT : 0) |
      (userData && userData.elements.length > 0 ? HEADER : 0),
  );
  writer.octet(fields.mr);
  writeAddress(writer, fields.recipient);
  writeTimeStamp(writer, fields.time);
  writeTimeStamp(writer, fields.discharge);
  writer.octet(fields.status);
  if (pid !== undefined || dcs !== undefined || userData) writeParameters(writer, fields);
  return writer.finish();
}
