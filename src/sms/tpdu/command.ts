import { readAddress } from '../address.ts';
import { encodeDcs } from '../dcs.ts';
import type { OctetReader } from '../octet-reader.ts';
import { readUserData } from '../user-data.ts';
import { HEADER, STATUS_REPORT } from './first-octet.ts';
import type { Command } from './types.ts';

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
