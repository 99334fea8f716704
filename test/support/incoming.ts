import {
  addressOf,
  encodeDeliver,
  encodePdu,
  nameAddress,
  type SegmentOptions,
  segment,
  timeStamp,
  toUserData,
} from '../../src/sms/index.ts';

export interface IncomingOptions extends SegmentOptions {
  /** Time stamp of the service centre, ms since the epoch. */
  readonly time?: number;
  /** TP-PID. */
  readonly pid?: number;
}

export const SCTS = Date.UTC(2026, 0, 2, 3, 4, 5);

/** The PDUs of a message, as the modem gives them, each with its service centre in front. */
export function incomingPdus(from: string, text: string, options: IncomingOptions = {}): readonly Uint8Array[] {
  const { time = SCTS, pid = 0, ...segmenting } = options;
  const sender = /^\+?[0-9]+$/.test(from) ? addressOf(from) : nameAddress(from);
  const { dcs, parts } = segment(text, segmenting);
  return parts.map(({ udh, data }) => {
    const deliver = { from: sender, dcs, pid, time: timeStamp(time), userData: toUserData(udh, data) };
    return encodePdu(addressOf('+37069900000'), encodeDeliver(deliver));
  });
}
