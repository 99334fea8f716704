import {
  type Address,
  addressOf,
  type Direction,
  decodePdu,
  encodeDcs,
  encodeDeliver,
  encodePdu,
  encodeStatusReport,
  nameAddress,
  SmsError,
  type Submit,
  segment,
  type Tpdu,
  timeStamp,
  toHex,
  toUserData,
} from '../sms/index.ts';
import type { IncomingMessage } from './messages.ts';

/** A PDU as commands show it. */
export interface PduInfo {
  /** Undefined when the octets are no TPDU, which the network may well bring. */
  readonly tpdu: Tpdu | undefined;
  readonly smsc: string;
  readonly hex: string;
  /** Octets of the TPDU, without the SMSC field. */
  readonly length: number;
  readonly firstOctet: number;
}

/** The octets behind the SMSC field. Empty when the field is longer than the PDU. */
export function tpduOctets(pdu: Uint8Array): Uint8Array {
  return pdu.subarray(1 + (pdu[0] ?? 0));
}

export function pduInfo(pdu: Uint8Array, direction: Direction): PduInfo {
  const octets = tpduOctets(pdu);
  const bare = { hex: toHex(pdu), length: octets.length, firstOctet: octets[0] ?? 0 };
  try {
    const { smsc, tpdu } = decodePdu(pdu, direction);
    return { ...bare, tpdu, smsc: smsc?.value ?? '' };
  } catch (error) {
    if (!(error instanceof SmsError)) throw error;
    return { ...bare, tpdu: undefined, smsc: '' };
  }
}

/** A service centre's address; undefined for the empty number. */
export function centreAddress(smsc: string): Address | undefined {
  return smsc === '' ? undefined : addressOf(smsc);
}

const PHONE_NUMBER = /^\+?[0-9*#a-c]+$/;

/** The SMS-DELIVERs of a message, with their SMSC field. Throws SmsError for a text or sender that cannot be sent. */
export function deliverPdus(
  message: IncomingMessage,
  { smsc, reference, time }: { readonly smsc: string; readonly reference: number; readonly time: number },
): readonly Uint8Array[] {
  const { from, text, messageClass, pid = 0, encoding = 'auto' } = message;
  const { encoding: alphabet, parts } = segment(text, { encoding, reference });
  const address = PHONE_NUMBER.test(from) ? addressOf(from) : nameAddress(from);
  return parts.map(({ udh, data }, at) =>
    encodePdu(
      centreAddress(smsc),
      encodeDeliver({
        from: address,
        pid,
        dcs: encodeDcs(alphabet, messageClass),
        time: timeStamp(time),
        userData: toUserData(udh, data),
        moreMessages: at + 1 < parts.length,
      }),
    ),
  );
}

/** The SMS-STATUS-REPORT about a SMS-SUBMIT. `status` is TP-ST; times in ms since the epoch. */
export function statusReportPdu(
  { mr, to }: Submit,
  smsc: string,
  { status, time, discharged }: { readonly status: number; readonly time: number; readonly discharged: number },
): Uint8Array {
  const report = { mr, recipient: to, time: timeStamp(time), discharge: timeStamp(discharged), status };
  return encodePdu(centreAddress(smsc), encodeStatusReport(report));
}
