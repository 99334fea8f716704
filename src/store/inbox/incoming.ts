import {
  type Concatenation,
  concatenationOf,
  type Deliver,
  decodeDcs,
  decodePdu,
  isSilent,
  replaceType,
  SmsError,
  waitingIndications,
} from '../../sms/index.ts';

/** Stands as the sender of what could not be decoded. */
export const UNKNOWN_SENDER = 'unknown';

/** A PDU as the inbox sees it. */
export interface Incoming {
  /** Undefined when the PDU is none that a person was sent; it is kept and shown as it is all the same. */
  readonly deliver: Deliver | undefined;
  readonly sender: string;
  /** TP-SCTS, ms since the epoch. */
  readonly time: number | undefined;
  /** Only for a message of several parts. */
  readonly concatenation: Concatenation | undefined;
  /** Replace short message type, 0 for none. */
  readonly replaces: number;
}

/** Never throws: a PDU that cannot be decoded must not block the modem's storage. Of a damaged one all that is there counts. */
export function readIncoming(pdu: Uint8Array): Incoming {
  const deliver = decodeDeliver(pdu);
  if (deliver === undefined) {
    return { deliver, sender: UNKNOWN_SENDER, time: undefined, concatenation: undefined, replaces: 0 };
  }
  const concatenation = concatenationOf(deliver.userData);
  return {
    deliver,
    sender: deliver.from.value === '' ? UNKNOWN_SENDER : deliver.from.value,
    time: deliver.time?.ms,
    concatenation: concatenation !== undefined && concatenation.total > 1 ? concatenation : undefined,
    replaces: replaceType(deliver.pid) ?? 0,
  };
}

/**
 * Whether nobody is to see it: short message type 0 (TS 23.040 9.2.3.9), and a message-waiting indication to be
 * discarded (TS 23.038 4, group 1100) that carries no text and says that nothing waits.
 */
export function isForNobody({ deliver }: Incoming): boolean {
  if (deliver === undefined) return false;
  if (isSilent(deliver.pid)) return true;
  if (decodeDcs(deliver.dcs).waiting?.store !== false || deliver.userData.data.length > 0) return false;
  return waitingIndications(deliver.userData.elements, deliver.dcs, deliver.pid).every(({ active }) => !active);
}

function decodeDeliver(pdu: Uint8Array): Deliver | undefined {
  try {
    const { tpdu } = decodePdu(pdu, 'to-mobile', 'lenient');
    return tpdu.type === 'deliver' ? tpdu : undefined;
  } catch (error) {
    if (error instanceof SmsError) return undefined;
    throw error;
  }
}
