import type { OutboxMessage } from '../../store/message.ts';
import type { SmppAddress } from './address.ts';

/** What is kept with a submitted message, to find it by and to write its receipts. */
export interface SubmitTag {
  readonly source: SmppAddress;
  readonly destination: SmppAddress;
  readonly serviceType: string;
  readonly dataCoding: number;
  /** registered_delivery, SMPP 3.4 5.2.17. */
  readonly registered: number;
  /** user_message_reference, SMPP 3.4 5.3.2.17: the client's own number for the message. */
  readonly reference?: number | undefined;
}

/** The messages of an account in the outbox have this source. */
const PREFIX = 'smpp:';
export const sourceOfAccount = (account: string): string => `${PREFIX}${account}`;

export const accountOf = ({ source }: Pick<OutboxMessage, 'source'>): string | undefined =>
  source.startsWith(PREFIX) ? source.slice(PREFIX.length) : undefined;

/** Short: it is stored with every message. */
export function encodeTag({ source, destination, serviceType, dataCoding, registered, reference }: SubmitTag): string {
  const values = [registered, dataCoding, serviceType, ...fields(source), ...fields(destination)];
  return JSON.stringify(reference === undefined ? values : [...values, reference]);
}

/** Undefined for a message that is none of this module. */
export function tagOf({ source, tag }: Pick<OutboxMessage, 'source' | 'tag'>): SubmitTag | undefined {
  if (accountOf({ source }) === undefined || tag === undefined) return undefined;
  const values: unknown = JSON.parse(tag);
  if (!Array.isArray(values) || values.length < 9) return undefined;
  // Written by encodeTag: its kinds and their order are known.
  const [registered, dataCoding, serviceType, ...rest] = values as [number, number, string, ...(number | string)[]];
  const [reference] = rest.slice(6);
  return {
    ...{ registered, dataCoding, serviceType, source: address(rest), destination: address(rest.slice(3)) },
    ...(typeof reference === 'number' && { reference }),
  };
}

const fields = ({ ton, npi, address }: SmppAddress) => [ton, npi, address];
const address = ([ton, npi, address]: readonly (number | string)[]): SmppAddress => ({
  ...{ ton: Number(ton), npi: Number(npi), address: String(address) },
});
