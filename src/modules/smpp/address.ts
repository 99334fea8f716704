import { type PhoneNumber, parsePhoneNumber } from '../../base/phone-number.ts';
import type { InboxMessage } from '../../store/message.ts';
import { SmppError, status } from './status.ts';

/** An address as a PDU carries it. */
export interface SmppAddress {
  readonly ton: number;
  readonly npi: number;
  readonly address: string;
}

/** Type of number, SMPP 3.4 5.2.5. */
const ton = { unknown: 0, international: 1, alphanumeric: 5, last: 6 } as const;
const ISDN = 1;
/** Numbering plans, SMPP 3.4 5.2.6. */
const plans: ReadonlySet<number> = new Set([0, 1, 3, 4, 6, 8, 9, 10, 14, 18]);
/** SMPP 3.4 5.2.8: 21 octets with the NUL. */
const MAX_ADDRESS = 20;

/**
 * Checks a source address. It appears only in receipts and queries, since a SIM sends with its own number; so Latin-1 is
 * accepted too. Throws SmppError.
 */
export function checkSource(address: SmppAddress): SmppAddress {
  if (address.ton > ton.last) throw new SmppError(status.RINVSRCTON);
  if (!plans.has(address.npi)) throw new SmppError(status.RINVSRCNPI);
  if (!/^[ -~\x80-\xff]*$/.test(address.address)) throw new SmppError(status.RINVSRCADR);
  return address;
}

/** The phone number of a destination address. Throws SmppError. */
export function recipientOf({ ton: type, npi, address }: SmppAddress): PhoneNumber {
  if (type > ton.last || type === ton.alphanumeric) throw new SmppError(status.RINVDSTTON);
  if (!plans.has(npi)) throw new SmppError(status.RINVDSTNPI);
  // Some clients give the type and the + as well.
  const plain = type === ton.international && /^[1-9]/.test(address) ? `+${address}` : address;
  const number = /^[+0-9*#]+$/.test(address) ? parsePhoneNumber(plain) : undefined;
  if (number === undefined) throw new SmppError(status.RINVDSTADR);
  return number;
}

/** The number or name of a sender or a SIM as an address. Characters outside ASCII become `?`. */
export function smppAddress(number: string): SmppAddress {
  if (number === '') return { ton: ton.unknown, npi: 0, address: '' };
  if (/^\+[0-9]+$/.test(number))
    return { ton: ton.international, npi: ISDN, address: number.slice(1, 1 + MAX_ADDRESS) };
  if (/^[0-9*#]+$/.test(number)) return { ton: ton.unknown, npi: ISDN, address: number.slice(0, MAX_ADDRESS) };
  return named(number);
}

const named = (name: string): SmppAddress => ({
  ...{ ton: ton.alphanumeric, npi: 0 },
  address: name.replace(/[^ -~]/gu, '?').slice(0, MAX_ADDRESS),
});

/** The sender of a received message; a name stays a name, also where it looks like a number. */
export const senderAddress = ({ number, alphanumeric }: Pick<InboxMessage, 'number' | 'alphanumeric'>): SmppAddress =>
  alphanumeric ? named(number) : smppAddress(number);

interface SourceFields {
  readonly source_addr_ton: number;
  readonly source_addr_npi: number;
  readonly source_addr: string;
}

interface DestinationFields {
  readonly dest_addr_ton: number;
  readonly dest_addr_npi: number;
  readonly destination_addr: string;
}

export const sourceOf = (fields: SourceFields): SmppAddress => ({
  ton: fields.source_addr_ton,
  npi: fields.source_addr_npi,
  address: fields.source_addr,
});

export const destinationOf = (fields: DestinationFields): SmppAddress => ({
  ton: fields.dest_addr_ton,
  npi: fields.dest_addr_npi,
  address: fields.destination_addr,
});

export const sourceFields = ({ ton, npi, address }: SmppAddress): SourceFields => ({
  source_addr_ton: ton,
  source_addr_npi: npi,
  source_addr: address,
});

export const destinationFields = ({ ton, npi, address }: SmppAddress): DestinationFields => ({
  dest_addr_ton: ton,
  dest_addr_npi: npi,
  destination_addr: address,
});
