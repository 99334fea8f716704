import type { OctetReader } from '../octet-reader.ts';
import { readTimeStamp } from '../time-stamp.ts';
import { HEADER } from './first-octet.ts';
import { readIndicator, readParameters } from './report-parameters.ts';
import type { DeliverReport, SubmitReport } from './types.ts';

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
 * stays below, so that the octet itself tells.
 */
function readFailureCause(reader: OctetReader): number | undefined {
  const isCause = (reader.peek() ?? 0) >= 0x80;
  return isCause ? reader.octet('TP-FCS') : undefined;
}
