import type { OctetReader } from '../octet-reader.ts';
import type { OctetWriter } from '../octet-writer.ts';
import { readUserData, writeUserData } from '../user-data.ts';
import type { ReportParameters } from './types.ts';

// TP-PI, TS 23.040 9.2.3.27.
const PID = 0x01;
const DCS = 0x02;
const USER_DATA = 0x04;
const EXTENSION = 0x80;
/** A SIM pads its records with this (TS 51.011 10.5.3). */
const PADDING = 0xff;

/** TP-PI; its extension octets announce nothing yet and are skipped. */
export function readIndicator(reader: OctetReader): number {
  const indicator = reader.octet('TP-PI');
  if (indicator === PADDING) return 0;
  for (let octet = indicator; (octet & EXTENSION) !== 0; ) octet = reader.octet('TP-PI');
  return indicator;
}

/** The fields that a TP-PI announces. `hasHeader` is TP-UDHI. */
export function readParameters(reader: OctetReader, indicator: number, hasHeader: boolean): ReportParameters {
  const pid = (indicator & PID) !== 0 ? reader.octet('TP-PID') : undefined;
  const dcs = (indicator & DCS) !== 0 ? reader.octet('TP-DCS') : undefined;
  return {
    ...(pid !== undefined && { pid }),
    ...(dcs !== undefined && { dcs }),
    ...((indicator & USER_DATA) !== 0 && { userData: readUserData(reader, dcs ?? 0, hasHeader) }),
  };
}

export function writeParameters(writer: OctetWriter, { pid, dcs, userData }: ReportParameters): void {
  writer.octet(
    (pid === undefined ? 0 : PID) | (dcs === undefined ? 0 : DCS) | (userData === undefined ? 0 : USER_DATA),
  );
  if (pid !== undefined) writer.octet(pid);
  if (dcs !== undefined) writer.octet(dcs);
  if (userData !== undefined) writeUserData(writer, dcs ?? 0, userData);
}
