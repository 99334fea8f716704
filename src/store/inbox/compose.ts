import type { Deliver, UserData } from '../../sms/index.ts';
import { decodeDcs, isSimDownload, joinData, joinParts, portsOf, toHex, udhOf } from '../../sms/index.ts';
import type { Encoding, InboxMessage } from '../message.ts';
import { readIncoming } from './incoming.ts';
import type { PartRecord } from './records.ts';
import type { MessageRow } from './row.ts';

/** Shown as the text of a PDU that cannot be decoded; its octets are in `data`. */
export const UNDECODABLE = '<undecodable>';

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
    ...(first === undefined ? undecodable(records) : content(first, parts)),
  };
}

type Content = Pick<InboxMessage, 'text' | 'data' | 'udh' | 'encoding' | 'messageClass'>;

function undecodable(records: readonly PartRecord[]): Content {
  return { text: UNDECODABLE, data: records.map(({ pdu }) => toHex(pdu)).join(''), encoding: '8bit' };
}

function content(first: Deliver, parts: readonly (Deliver | undefined)[]): Content {
  const { alphabet, compressed, messageClass } = decodeDcs(first.dcs);
  // Compressed text is no text to us, and what is meant for the SIM must not be shown as such.
  const binary = alphabet === '8bit' || compressed || isSimDownload(first.pid, first.dcs);
  const encoding: Encoding = binary ? '8bit' : alphabet;
  const udh = headerOf(first.userData);
  return {
    encoding,
    text: binary ? '' : joinParts(parts),
    ...(binary && { data: toHex(joinData(parts)) }),
    ...((binary || portsOf(first.userData) !== undefined) && udh !== '' && { udh }),
    ...(messageClass !== undefined && { messageClass }),
  };
}

function headerOf({ elements }: UserData): string {
  return toHex(udhOf({ elements: elements.filter(({ id }) => !CONCATENATION_IDS.has(id)) }));
}
