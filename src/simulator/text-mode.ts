import {
  type Address,
  addressOf,
  type Deliver,
  decodeDcs,
  decodeSeptets,
  decodeUcs2,
  encodeSeptets,
  encodeUcs2,
  fromHex,
  type StatusReport,
  type Submit,
  type SubmitFields,
  timeStamp,
  toHex,
  toUserData,
  type UserData,
  udhOf,
  userDataText,
} from '../sms/index.ts';
import { badArgument } from './at/failure.ts';
import type { MessageState } from './message-memory.ts';
import type { CharacterSet, Settings } from './settings.ts';
import type { PduInfo } from './tpdus.ts';

/** Text as it crosses the line, one character an octet: TS 27.007 5.5. What the set has not is a question mark. */
export function encodeText(charset: CharacterSet, text: string): string {
  if (charset === 'UCS2') return toHex(encodeUcs2(text));
  if (charset === 'IRA') return text.replace(/[^\n\r -~]/gu, '?');
  let octets = '';
  for (const character of text) octets += String.fromCharCode(...(encodeSeptets(character) ?? [0x3f]));
  return octets;
}

/** The text of what crossed the line. Throws SmsError for damaged UCS2. */
export function charsetText(charset: CharacterSet, octets: string): string {
  if (charset === 'IRA') return octets;
  return charset === 'GSM' ? decodeSeptets(Buffer.from(octets, 'latin1')) : decodeUcs2(fromHex(octets));
}

/** TS 27.005 3.1 <stat> in text mode. */
export const stateNames: readonly string[] = ['REC UNREAD', 'REC READ', 'STO UNSENT', 'STO SENT', 'ALL'];

export const stateName = (state: MessageState): string => `"${stateNames[state] ?? ''}"`;

/** Type-of-address octet of a number as text. */
export function numberType(number: string): number {
  if (number.startsWith('+')) return 145;
  return /^[0-9*#a-c]*$/i.test(number) ? 129 : 208;
}

/** A message in text mode: what stands in its first line behind the state, what `+CSDH: 1` adds there, and its text. */
export interface TextForm {
  readonly head: string;
  /** Fields that +CMGR and +CMT add. */
  readonly details: string;
  /** Fields that +CMGL adds. */
  readonly listDetails: string;
  readonly data: string;
}

export function deliverForm({ charset }: Settings, { smsc, firstOctet }: PduInfo, deliver: Deliver): TextForm {
  const type = numberType(deliver.from.value);
  const data = body(charset, deliver.dcs, deliver.userData);
  const center = `${quoted(charset, smsc)},${numberType(smsc)}`;
  return {
    head: `${quoted(charset, deliver.from.value)},,${time(deliver.time)}`,
    details: `,${type},${firstOctet},${deliver.pid},${deliver.dcs},${center},${data.length}`,
    listDetails: `,${type},${data.length}`,
    data,
  };
}

export function submitForm({ charset }: Settings, { smsc, firstOctet }: PduInfo, submit: Submit): TextForm {
  const type = numberType(submit.to.value);
  const data = body(charset, submit.dcs, submit.userData);
  const center = `${quoted(charset, smsc)},${numberType(smsc)}`;
  return {
    head: `${quoted(charset, submit.to.value)},`,
    details: `,${type},${firstOctet},${submit.pid},${submit.dcs},,${center},${data.length}`,
    listDetails: `,,${type},${data.length}`,
    data,
  };
}

/** The line of a status report: `<fo>,<mr>,<ra>,<tora>,<scts>,<dt>,<st>`. */
export function reportLine({ charset }: Settings, { firstOctet }: PduInfo, report: StatusReport): string {
  const { value } = report.recipient;
  const recipient = `${quoted(charset, value)},${numberType(value)}`;
  const times = `${time(report.time)},${time(report.discharge)}`;
  return `${firstOctet},${report.mr},${recipient},${times},${report.status}`;
}

export function quoted(charset: CharacterSet, text: Address['value']): string {
  return `"${encodeText(charset, text)}"`;
}

// TS 27.005 3.1 <data>: text in the TE character set, or hexadecimal when there is a header or other coding.
function body(charset: CharacterSet, dcs: number, userData: UserData): string {
  const { alphabet, compressed } = decodeDcs(dcs);
  if (alphabet === 'gsm7' && !compressed && userData.elements.length === 0) {
    return encodeText(charset, userDataText(dcs, userData)).replaceAll('\n', '\r\n');
  }
  const header = udhOf(userData);
  return (header.length === 0 ? '' : toHex(Uint8Array.of(header.length, ...header))) + toHex(userData.data);
}

/** What text mode shows of an impossible time. */
const NO_TIME = timeStamp(0);

/** `"yy/MM/dd,hh:mm:ss+zz"`, the zone in quarters of an hour. */
function time({ iso } = NO_TIME): string {
  const match = /^\d\d(\d\d)-(\d\d)-(\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|([+-])(\d\d):(\d\d))$/.exec(iso);
  if (match === null) return '""';
  const [, year, month, day, clock, sign = '+', hours = '0', minutes = '0'] = match;
  const quarters = String(Number(hours) * 4 + Number(minutes) / 15).padStart(2, '0');
  return `"${year}/${month}/${day},${clock}${sign}${quarters}"`;
}

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
