import { readAddress, writeAddress } from '../address.ts';
import { SmsError } from '../error.ts';
import { type OctetReader, OctetWriter } from '../octets.ts';
import { readServiceTime, readTimeStamp, writeTimeStamp } from '../time-stamp.ts';
import { readUserData, writeUserData } from '../user-data.ts';
import { HEADER, LOOP_PREVENTION, MTI, NO_MORE_MESSAGES, STATUS_REPORT } from './first-octet.ts';
import type { DeliverReport, ReportParameters, StatusReport, SubmitReport } from './types.ts';

// TP-PI, TS 23.040 9.2.3.27.
const PID = 0x01;
const DCS = 0x02;
const USER_DATA = 0x04;
const EXTENSION = 0x80;
/** A SIM pads its records with this (TS 51.011 10.5.3). */
const PADDING = 0xff;

/** TP-PI; its extension octets announce nothing yet and are skipped. */
function readIndicator(reader: OctetReader): number {
  const indicator = reader.octet('TP-PI');
  if (indicator === PADDING) return 0;
  for (let octet = indicator; (octet & EXTENSION) !== 0; ) octet = reader.octet('TP-PI');
  return indicator;
}

/** The fields that a TP-PI announces. `hasHeader` is TP-UDHI. */
function readParameters(reader: OctetReader, indicator: number, hasHeader: boolean): ReportParameters {
  const pid = (indicator & PID) !== 0 ? reader.octet('TP-PID') : undefined;
  const dcs = (indicator & DCS) !== 0 ? reader.octet('TP-DCS') : undefined;
  return {
    ...(pid !== undefined && { pid }),
    ...(dcs !== undefined && { dcs }),
    ...((indicator & USER_DATA) !== 0 && { userData: readUserData(reader, dcs ?? 0, hasHeader) }),
  };
}

function writeParameters(writer: OctetWriter, { pid, dcs, userData }: ReportParameters): void {
  writer.octet(
    (pid === undefined ? 0 : PID) | (dcs === undefined ? 0 : DCS) | (userData === undefined ? 0 : USER_DATA),
  );
  if (pid !== undefined) writer.octet(pid);
  if (dcs !== undefined) writer.octet(dcs);
  if (userData !== undefined) writeUserData(writer, dcs ?? 0, userData);
}

export function readSubmitReport(first: number, reader: OctetReader): SubmitReport {
  const failureCause = readFailureCause(reader);
  const indicator = readIndicator(reader);
  const time = readTimeStamp(reader, 'TP-SCTS');
  return {
    type: 'submit-report',
    ...(failureCause !== undefined && { failureCause }),
    time,
    ...readParameters(reader, indicator, (first & HEADER) !== 0),
  };
}

export function readDeliverReport(first: number, reader: OctetReader): DeliverReport {
  const failureCause = readFailureCause(reader);
  const indicator = readIndicator(reader);
  return {
    type: 'deliver-report',
    ...(failureCause !== undefined && { failureCause }),
    ...readParameters(reader, indicator, (first & HEADER) !== 0),
  };
}

/**
 * Only a refusal (RP-ERROR) has TP-FCS, TS 23.040 9.2.2.1a. Its values begin at 0x80 and TP-PI of an acceptance (RP-ACK)
 * stays below, so the octet shows which one it is.
 */
function readFailureCause(reader: OctetReader): number | undefined {
  const isCause = (reader.peek() ?? 0) >= 0x80;
  return isCause ? reader.octet('TP-FCS') : undefined;
}

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

/** In lenient reading damaged parameters are dropped, so that the report itself is not lost. */
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
