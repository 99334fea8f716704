import {
  type Address,
  type Deliver,
  decodeDcs,
  type StatusReport,
  type Submit,
  timeStamp,
  toHex,
  type UserData,
  udhOf,
  userDataText,
} from '../sms/index.ts';
import { encodeText } from './charset.ts';
import type { MessageState } from './message-memory.ts';
import type { CharacterSet, Settings } from './settings.ts';
import type { PduInfo } from './tpdus.ts';

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

/** What a text mode shows of a time that is none. */
const NO_TIME = timeStamp(0);

/** `"yy/MM/dd,hh:mm:ss+zz"`, the zone in quarters of an hour. */
function time({ iso } = NO_TIME): string {
  const match = /^\d\d(\d\d)-(\d\d)-(\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|([+-])(\d\d):(\d\d))$/.exec(iso);
  if (match === null) return '""';
  const [, year, month, day, clock, sign = '+', hours = '0', minutes = '0'] = match;
  const quarters = String(Number(hours) * 4 + Number(minutes) / 15).padStart(2, '0');
  return `"${year}/${month}/${day},${clock}${sign}${quarters}"`;
}
