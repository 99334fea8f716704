import {
  type Address,
  concatenationOf,
  type Direction,
  decodeDcs,
  decodePdu,
  fromHex,
  type Pdu,
  portsOf,
  relativeSeconds,
  relativeValidity,
  replaceType,
  shiftOf,
  statusOf,
  type TimeStamp,
  type Tpdu,
  toHex,
  type UserData,
  udhOf,
  userDataText,
  type Validity,
} from '../../src/sms/index.ts';
import type { Json, PduVector } from './vectors.ts';

const TO_NETWORK = new Set(['submit', 'deliver-report', 'command']);

/** Vectors from issue threads name no direction; all of them were received. */
export function directionOf({ direction, tpdu_direction }: PduVector): Direction {
  return TO_NETWORK.has(direction ?? '') || tpdu_direction === 'MO' ? 'to-network' : 'to-mobile';
}

export function decodeVector(vector: PduVector): Pdu {
  return decodePdu(fromHex(vector.pdu), directionOf(vector));
}

/** What vectors assert that lies above the TPDU: CPHS, e-mail gateways, MMS; and marks that are no assertion. */
const NOT_OF_A_TPDU = new Set(['mwi_cphs', 'email_from', 'email_body', 'mms_sender', 'mms_address', 'mms_size']);
const MARKS = new Set(['decodes', 'ok']);

/** One line for each asserted field that reads otherwise. */
export function mismatches(expect: Json, pdu: Pdu): readonly string[] {
  return Object.entries(expect).flatMap(([field, wanted]) => {
    if (NOT_OF_A_TPDU.has(field) || MARKS.has(field)) return [];
    const read = readers[field];
    if (read === undefined) return [`${field}: nothing reads this field`];
    const got = read(pdu.tpdu, pdu, wanted);
    return agrees(wanted, got) ? [] : [`${field}: ${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`];
  });
}

/** Objects agree when the asserted properties do. */
function agrees(wanted: unknown, got: unknown): boolean {
  if (!isObject(wanted)) return JSON.stringify(wanted) === JSON.stringify(got ?? null);
  return isObject(got) && Object.entries(wanted).every(([key, value]) => agrees(value, got[key]));
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const readers: Readonly<Record<string, (tpdu: Tpdu, pdu: Pdu, wanted: unknown) => unknown>> = {
  smsc: (_, { smsc }) => smsc?.value ?? null,
  address: (tpdu) => addressIn(tpdu)?.value,
  address_type: (tpdu) => addressIn(tpdu)?.type,
  pid: (tpdu) => ('pid' in tpdu ? tpdu.pid : undefined),
  mr: (tpdu) => ('mr' in tpdu ? tpdu.mr : undefined),
  dcs: (tpdu) => dcsOf(tpdu),
  encoding: (tpdu) => decodeDcs(dcsOf(tpdu)).alphabet,
  class: (tpdu) => decodeDcs(dcsOf(tpdu)).messageClass ?? null,
  compressed: (tpdu) => decodeDcs(dcsOf(tpdu)).compressed,
  mwi: (tpdu, _, wanted) => {
    const { waiting } = decodeDcs(dcsOf(tpdu));
    return wanted === true ? waiting?.active : waiting;
  },
  text: (tpdu) => userDataText(dcsOf(tpdu), userDataOf(tpdu)),
  data_hex: (tpdu) => toHex(userDataOf(tpdu).data).toLowerCase(),
  udl: (tpdu) => lengthOf(tpdu),
  udhl: (tpdu) => udhOf(userDataOf(tpdu)).length,
  udh: (tpdu) => userDataOf(tpdu).elements.map(({ id, data }) => [id, toHex(data).toLowerCase()]),
  multipart: (tpdu) => concatenationOf(userDataOf(tpdu)) !== undefined,
  concat: (tpdu) => {
    const { reference: ref, total, sequence: seq, bits } = concatenationOf(userDataOf(tpdu)) ?? {};
    return { ref, total, seq, bits };
  },
  // Elements that do not make a part of the message are kept all the same.
  concat_raw: (tpdu) => {
    const data = userDataOf(tpdu).elements.find(({ id }) => id === 0)?.data;
    return concatenationOf(userDataOf(tpdu)) === undefined && data && toHex(data);
  },
  ports: (tpdu) => {
    const { destination: dst, source: src, bits } = portsOf(userDataOf(tpdu)) ?? {};
    return { dst, src, bits };
  },
  national: (tpdu) => shiftOf(userDataOf(tpdu).elements),
  scts: (tpdu) => timeIn(tpdu)?.iso,
  scts_local: (tpdu) => timeIn(tpdu)?.iso.slice(0, 19),
  scts_utc: (tpdu) => utc(timeIn(tpdu)),
  scts_any_of: (tpdu, _, wanted) => (Array.isArray(wanted) && wanted.includes(timeIn(tpdu)?.iso) ? wanted : undefined),
  discharge: (tpdu) => ('discharge' in tpdu ? tpdu.discharge?.iso : undefined),
  discharge_utc: (tpdu) => ('discharge' in tpdu ? utc(tpdu.discharge) : undefined),
  status: (tpdu) => ('status' in tpdu ? tpdu.status : undefined),
  delivered: (tpdu) => 'status' in tpdu && statusOf(tpdu.status) === 'delivered',
  vp: (tpdu) => ('validity' in tpdu && tpdu.validity ? validityIn(tpdu.validity) : undefined),
  replace: (tpdu) => 'pid' in tpdu && tpdu.pid !== undefined && replaceType(tpdu.pid) !== undefined,
  rd: (tpdu) => 'rejectDuplicates' in tpdu && tpdu.rejectDuplicates,
  srr: (tpdu) => 'statusReportRequest' in tpdu && tpdu.statusReportRequest,
  rp: (tpdu) => 'replyPath' in tpdu && tpdu.replyPath,
  sri: (tpdu) => 'statusReportIndication' in tpdu && tpdu.statusReportIndication,
  mms: (tpdu) => 'moreMessages' in tpdu && tpdu.moreMessages,
  ct: (tpdu) => (tpdu.type === 'command' ? tpdu.commandType : undefined),
  mn: (tpdu) => (tpdu.type === 'command' ? tpdu.messageNumber : undefined),
  pi: (tpdu) =>
    ('pid' in tpdu && tpdu.pid !== undefined ? 1 : 0) |
    ('dcs' in tpdu && tpdu.dcs !== undefined ? 2 : 0) |
    ('userData' in tpdu && tpdu.userData !== undefined ? 4 : 0),
};

const NO_USER_DATA: UserData = { elements: [], data: new Uint8Array(0) };

export function userDataOf(tpdu: Tpdu): UserData {
  return tpdu.userData ?? NO_USER_DATA;
}

/** Command data is 8-bit by nature. */
export function dcsOf(tpdu: Tpdu): number {
  return tpdu.type === 'command' ? 0x04 : (tpdu.dcs ?? 0);
}

function addressIn(tpdu: Tpdu): Address | undefined {
  switch (tpdu.type) {
    case 'deliver':
      return tpdu.from;
    case 'submit':
    case 'command':
      return tpdu.to;
    case 'status-report':
      return tpdu.recipient;
    default:
      return undefined;
  }
}

function timeIn(tpdu: Tpdu): TimeStamp | undefined {
  return 'time' in tpdu ? tpdu.time : undefined;
}

function utc(time: TimeStamp | undefined): string | undefined {
  return time && new Date(time.ms).toISOString().replace('.000', '');
}

/** TP-UDL, computed from what was decoded. */
function lengthOf(tpdu: Tpdu): number {
  const { alphabet, compressed } = decodeDcs(dcsOf(tpdu));
  const { elements, data } = userDataOf(tpdu);
  const header = elements.length === 0 ? 0 : udhOf({ elements }).length + 1;
  return data.length + (alphabet === 'gsm7' && !compressed ? Math.ceil((header * 8) / 7) : header);
}

const ENHANCED_FORMS = {
  none: 'none',
  relative: 'relative',
  seconds: 'relative-integer-seconds',
  hhmmss: 'relative-hhmmss',
};

function validityIn(validity: Validity): Json {
  const { format } = validity;
  switch (format) {
    case 'relative':
      return { format, value: validity.value, seconds: relativeSeconds(validity.value) };
    case 'absolute':
      return { format, time: validity.time.iso };
    case 'enhanced': {
      const { seconds, singleShot: single_shot, form } = validity;
      const value = relativeValidity(seconds).value;
      return { format, seconds, single_shot, enhanced_format: ENHANCED_FORMS[form], value };
    }
  }
}
