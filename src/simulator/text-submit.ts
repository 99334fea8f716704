import {
  addressOf,
  decodeDcs,
  encodeSeptets,
  fromHex,
  type SubmitFields,
  toUserData,
  type UserData,
} from '../sms/index.ts';
import { badArgument } from './at/failure.ts';
import { charsetText } from './charset.ts';
import type { Settings } from './settings.ts';

// TS 23.040 9.2.2.2, first octet of a SMS-SUBMIT.
const REJECT_DUPLICATES = 0x04;
const VALIDITY_FORMAT = 0x18;
const RELATIVE = 0x10;
const STATUS_REPORT_REQUEST = 0x20;
const HEADER = 0x40;
const REPLY_PATH = 0x80;

/**
 * The SMS-SUBMIT of what was typed in text mode, with the fields of +CSMP (TS 27.005 3.5.1). Throws SmsError for a
 * number, text or hexadecimal data that cannot be sent.
 */
export function textSubmit(settings: Settings, number: string, typed: string): SubmitFields {
  const { fo, vp, pid, dcs } = settings.textParameters;
  return {
    to: addressOf(number),
    pid,
    dcs,
    userData: typedUserData(settings, typed),
    ...((fo & VALIDITY_FORMAT) === RELATIVE && { validity: { format: 'relative', value: vp } as const }),
    rejectDuplicates: (fo & REJECT_DUPLICATES) !== 0,
    statusReportRequest: (fo & STATUS_REPORT_REQUEST) !== 0,
    replyPath: (fo & REPLY_PATH) !== 0,
  };
}

/** Text in the TE character set, or hexadecimal octets for other alphabets and for data with a header. */
function typedUserData({ charset, textParameters: { fo, dcs } }: Settings, typed: string): UserData {
  const none = new Uint8Array(0);
  if (decodeDcs(dcs).alphabet === 'gsm7' && (fo & HEADER) === 0) {
    const septets = encodeSeptets(charsetText(charset, typed));
    if (septets === undefined) throw badArgument();
    return toUserData(none, septets);
  }
  const octets = fromHex(typed);
  if ((fo & HEADER) === 0) return toUserData(none, octets);
  const length = octets[0] ?? 0;
  return toUserData(octets.subarray(1, 1 + length), octets.subarray(1 + length));
}
