import type { Deliver, UserData } from '../../sms/index.ts';
import {
  decodeDcs,
  indicationText,
  isSimDownload,
  joinData,
  joinParts,
  mmsText,
  octetText,
  PART_MISSING,
  portsOf,
  readMmsNotification,
  toHex,
  udhOf,
  WAP_PUSH_PORT,
  waitingIndications,
} from '../../sms/index.ts';
import { type Encoding, type InboxMessage, UNDECODABLE } from '../message.ts';
import { readIncoming } from './incoming.ts';
import type { PartRecord } from './records.ts';
import type { MessageRow } from './row.ts';

/** Elements that only say how parts belong together (TS 23.040 9.2.3.24.1 and .8): of no meaning once they are joined. */
const CONCATENATION_IDS: ReadonlySet<number> = new Set([0x00, 0x08]);

/** The message of `row`, from its parts as the journal has them. */
export function composeMessage(row: MessageRow, records: readonly PartRecord[]): InboxMessage {
  const parts = Array.from({ length: row.total }, (_, at) => {
    const record = records.find(({ place }) => (place?.sequence ?? 1) === at + 1);
    return record && readIncoming(record.pdu).deliver;
  });
  const first = parts.find((part) => part !== undefined);
  return {
    box: 'inbox',
    id: row.id,
    index: row.index,
    modem: row.modem,
    number: row.number,
    time: row.time,
    received: row.received,
    state: row.read ? 'read' : 'unread',
    parts: row.total,
    missing: row.missing,
    ...(first === undefined || isEmptied(first) ? undecodable(records) : content(first, parts)),
  };
}

type Content = Pick<InboxMessage, 'text' | 'data' | 'udh' | 'encoding' | 'messageClass' | 'notice'>;

/** Nothing but the sender is left of it: the octets may tell more. */
const isEmptied = ({ time, userData }: Deliver) => time === undefined && userData.data.length === 0;

function undecodable(records: readonly PartRecord[]): Content {
  return { text: UNDECODABLE, data: records.map(({ pdu }) => toHex(pdu)).join(''), encoding: '8bit' };
}

function content(first: Deliver, parts: readonly (Deliver | undefined)[]): Content {
  const { alphabet, compressed, messageClass } = decodeDcs(first.dcs);
  // Compressed text is no text to us, and what is meant for the SIM must not be shown as such.
  const binary = alphabet === '8bit' || compressed || isSimDownload(first.pid, first.dcs);
  const encoding: Encoding = binary ? '8bit' : alphabet;
  const udh = headerOf(first.userData);
  const notice = binary ? mmsNotice(first, parts) : waitingNotice(parts);
  return {
    encoding,
    ...(notice ?? { text: binary ? dataText(first, parts) : joinParts(parts) }),
    ...(binary && { data: toHex(joinData(parts)) }),
    ...((binary || portsOf(first.userData) !== undefined) && udh !== '' && { udh }),
    ...(messageClass !== undefined && { messageClass }),
  };
}

/** TS 31.115: headers of command packets, for the SIM's applications. */
const isForSim = ({ elements }: UserData) => elements.some(({ id }) => id >= 0x70 && id <= 0x7f);

/** The text that 8-bit data is, empty for data that is none. */
function dataText(first: Deliver, parts: readonly (Deliver | undefined)[]): string {
  const { alphabet, compressed } = decodeDcs(first.dcs);
  if (alphabet !== '8bit' || compressed || isSimDownload(first.pid, first.dcs)) return '';
  if (portsOf(first.userData) !== undefined || isForSim(first.userData)) return '';
  const text = octetText(joinData(parts));
  if (text === undefined || parts.every((part) => part !== undefined)) return text ?? '';
  return parts.map((part) => (part === undefined ? PART_MISSING : (octetText(part.userData.data) ?? ''))).join('');
}

function mmsNotice(
  first: Deliver,
  parts: readonly (Deliver | undefined)[],
): Pick<Content, 'text' | 'notice'> | undefined {
  if (portsOf(first.userData)?.destination !== WAP_PUSH_PORT || parts.includes(undefined)) return undefined;
  const notification = readMmsNotification(joinData(parts));
  return notification && { text: mmsText(notification), notice: 'mms' };
}

function waitingNotice(parts: readonly (Deliver | undefined)[]): Pick<Content, 'text' | 'notice'> | undefined {
  const indications = parts.flatMap((part) =>
    part === undefined ? [] : waitingIndications(part.userData.elements, part.dcs, part.pid),
  );
  if (indications.length === 0) return undefined;
  const lines = [...new Set(indications.map(indicationText)), joinParts(parts)];
  return { text: lines.filter((line) => line !== '').join('\n'), notice: 'waiting' };
}

function headerOf({ elements }: UserData): string {
  return toHex(udhOf({ elements: elements.filter(({ id }) => !CONCATENATION_IDS.has(id)) }));
}
