import type { SubmitRequest } from '../../../store/outbox/outbox.ts';
import { checkSource, recipientOf, type SmppAddress, sourceOf } from '../address.ts';
import { contentOf, type Submitted } from '../content.ts';
import { SmppError, status } from '../status.ts';
import { encodeTag, type SubmitTag, sourceOfAccount } from '../tag.ts';
import { parseTime } from '../time.ts';
import type { OperationContext } from './context.ts';

/** The parameters that submit_sm, submit_multi and data_sm share; data_sm has not all of them. */
export interface SubmitFields extends Submitted {
  readonly service_type: string;
  readonly source_addr_ton: number;
  readonly source_addr_npi: number;
  readonly source_addr: string;
  readonly registered_delivery: number;
  readonly priority_flag?: number;
  readonly schedule_delivery_time?: string;
  readonly validity_period?: string;
  readonly replace_if_present_flag?: number;
  readonly sm_default_msg_id?: number;
}

/** A message that was looked through, still without its recipient. */
export interface Submission {
  readonly request: Omit<SubmitRequest, 'number' | 'tag'>;
  readonly tag: Omit<SubmitTag, 'destination'>;
}

/** Throws SmppError for the first parameter that does not do. */
export function submissionOf(fields: SubmitFields, { binding, clock }: OperationContext): Submission {
  const { account } = binding;
  const source = checkSource(sourceOf(fields));
  checkFlags(fields);
  const registered = checkRegistered(fields.registered_delivery);
  const times = timesOf(fields, clock.now());
  return {
    request: {
      content: contentOf(fields, account.alphabet),
      source: sourceOfAccount(account.name),
      priority: priorityOf(fields.priority_flag),
      ...times,
      ...(wantsOutcome(registered) && { report: true }),
      ...(account.modem !== undefined && { modem: account.modem }),
      // The client has chosen the alphabet.
      ...(fields.data_coding === 0x08 && { transliterate: false }),
    },
    tag: {
      ...{ source, serviceType: fields.service_type, dataCoding: fields.data_coding, registered },
      reference: fields.user_message_reference,
    },
  };
}

/** The message to one recipient. Throws SmppError. */
export function requestTo({ request, tag }: Submission, destination: SmppAddress): SubmitRequest {
  return { ...request, number: recipientOf(destination), tag: encodeTag({ ...tag, destination }) };
}

function checkFlags(fields: SubmitFields): void {
  if (fields.service_type === 'USSD') throw new SmppError(status.RINVSERTYP);
  // SMPP 3.4 5.2.12: of the message types (bits 5 to 2) a client sends the default one and acknowledgements.
  if (![0x00, 0x08, 0x10].includes(fields.esm_class & 0x3c)) throw new SmppError(status.RINVESMCLASS);
  if ((fields.replace_if_present_flag ?? 0) > 1) throw new SmppError(status.RINVREPFLAG);
  // There are no messages of our own.
  if ((fields.sm_default_msg_id ?? 0) !== 0) throw new SmppError(status.RINVDFTMSGID);
}

function priorityOf(flag = 0): 0 | 1 | 2 | 3 {
  if (flag === 0 || flag === 1 || flag === 2 || flag === 3) return flag;
  throw new SmppError(status.RINVPRTFLG);
}

/** SMPP 3.4 5.2.17. Acknowledgements by a person (bits 2 and 3) do not exist over GSM and are not sent. */
export function checkRegistered(flags: number): number {
  if ((flags & 0xe0) !== 0 || (flags & 0x03) === 0x03) throw new SmppError(status.RINVREGDLVFLG);
  return flags;
}

export const wantsOutcome = (registered: number): boolean => (registered & 0x03) !== 0;

interface Times {
  readonly schedule_delivery_time?: string;
  readonly validity_period?: string;
}

/** Throws SmppError for times that are none, or over. */
export function timesOf(
  { schedule_delivery_time: schedule = '', validity_period: expiry = '' }: Times,
  now: number,
): Pick<SubmitRequest, 'notBefore' | 'validity'> {
  const notBefore = schedule === '' ? undefined : parseTime(schedule, now);
  if (schedule !== '' && (notBefore === undefined || notBefore < now)) throw new SmppError(status.RINVSCHED);
  const expires = expiry === '' ? undefined : parseTime(expiry, now);
  const from = notBefore ?? now;
  if (expiry !== '' && (expires === undefined || expires <= from)) throw new SmppError(status.RINVEXPIRY);
  return {
    ...(notBefore !== undefined && { notBefore }),
    ...(expires !== undefined && { validity: (expires - from) / 1000 }),
  };
}
