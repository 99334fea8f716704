import { decodeDcs } from './dcs.ts';

// TP-PID, TS 23.040 9.2.3.9.
const TYPE_0 = 0x40;
const REPLACE_1 = 0x41;
const REPLACE_7 = 0x47;
const SIM_DOWNLOAD = 0x7f;

/** 1 to 7 when the message takes the place of an earlier one of this type from the same sender. */
export function replaceType(pid: number): number | undefined {
  return pid >= REPLACE_1 && pid <= REPLACE_7 ? pid - REPLACE_1 + 1 : undefined;
}

/** A short message type 0: to be acknowledged and dropped, unseen. */
export function isSilent(pid: number): boolean {
  return pid === TYPE_0;
}

/** Meant for the SIM (TS 31.111 7.1), never for a person: class 2 and the PID of (U)SIM data download. */
export function isSimDownload(pid: number, dcs: number): boolean {
  return pid === SIM_DOWNLOAD && decodeDcs(dcs).messageClass === 2;
}
