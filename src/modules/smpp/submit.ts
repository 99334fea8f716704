import { within } from '../../base/abort.ts';
import { GatewayError } from '../../base/errors.ts';
import type { Lease } from '../../base/memory-pool.ts';
import { type Content, type MessageId, type OutboxMessage, outboxStates } from '../../store/message.ts';
import type { SubmitRequest } from '../../store/outbox/outbox.ts';
import { findWaiting, type OperationContext } from './account-messages.ts';
import { checkSource, destinationOf, recipientOf, type SmppAddress, sourceOf } from './address.ts';
import { contentOf, isTransaction, type Submitted } from './content.ts';
import type { Fields } from './layout.ts';
import { clientsId, encodeTag, type SubmitTag, sourceOfAccount, tagOf } from './receipt.ts';
import { SmppError, status } from './status.ts';
import { parseTime } from './time.ts';

/** SMPP 3.4 4.4. The response follows when the message is durable. */
export async function submitSm(fields: Fields<'submit_sm'>, context: OperationContext) {
  if (!context.binding.account.throttle.take()) throw new SmppError(status.RTHROTTLED);
  // Transaction mode is for data_sm.
  if (isTransaction(fields)) throw new SmppError(status.RINVESMCLASS);
  const submission = submissionOf(fields, context);
  const request = requestTo(submission, destinationOf(fields));
  const lease = await admit(request.content, 1, context);
  try {
    const replaces = fields.replace_if_present_flag === 1;
    const replaced = replaces ? await replaceWaiting(submission, fields, context) : undefined;
    return { message_id: clientsId(replaced ?? (await context.outbox.submit(request))) };
  } finally {
    lease.release();
  }
}

/** Room for a message to so many. Throws SmppError RTHROTTLED when no room comes free in time. */
export async function admit(
  content: Content,
  recipients: number,
  { outbox, signal }: OperationContext,
): Promise<Lease> {
  const { length } = content.type === 'text' ? content.text : content.data;
  try {
    return await outbox.admit(length, recipients, signal);
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'queue_full') throw new SmppError(status.RTHROTTLED);
    throw error;
  }
}

/** Replaces a queued message with the same addresses and service type, SMPP 3.4 5.2.18; undefined without one. */
async function replaceWaiting(
  submission: Submission,
  fields: Fields<'submit_sm'>,
  context: OperationContext,
): Promise<OutboxMessage | undefined> {
  const { content, validity, notBefore, report } = submission.request;
  const destination = destinationOf(fields);
  const changes = {
    ...(validity !== undefined && { validity }),
    ...(notBefore !== undefined && { notBefore }),
    ...(report !== undefined && { report }),
  };
  const waiting = findWaiting(
    context,
    recipientOf(destination),
    (tag) => tag.serviceType === fields.service_type && tag.source.address === fields.source_addr,
  );
  for await (const message of waiting) {
    // The first message of a submit_multi still stands for the others.
    const { tag } = requestTo(submission, destination, tagOf(message)?.others);
    try {
      return await context.outbox.replace(message.id, content, { ...changes, ...(tag !== undefined && { tag }) });
    } catch (error) {
      // A modem has begun to send it.
      if (!(error instanceof GatewayError) || error.code !== 'wrong_state') throw error;
    }
  }
  return undefined;
}

/** Longest wait for the network in transaction mode, ms. */
const TRANSACTION_MS = 20_000;
const DPF_NOT_SET = 0;

/** SMPP 3.4 4.7. In transaction mode the response waits until the network has accepted or refused the message. */
export async function dataSm(fields: Fields<'data_sm'>, context: OperationContext) {
  if (!context.binding.account.throttle.take()) throw new SmppError(status.RTHROTTLED);
  if (fields.message_payload === undefined) throw new SmppError(status.RMISSINGTLV);
  const request = requestTo(submissionOf(fields, context), destinationOf(fields));
  const lease = await admit(request.content, 1, context);
  const { id } = await context.outbox.submit(request).finally(() => lease.release());
  if (isTransaction(fields)) await transaction(id, context);
  // A GSM modem does not learn when a phone becomes reachable, so alert_notification is not possible.
  return { message_id: `${id}`, ...(fields.set_dpf === 1 && { dpf_result: DPF_NOT_SET }) };
}

async function transaction(id: MessageId, { outbox, clock, signal }: OperationContext): Promise<void> {
  const settled = outbox.settled(id, signal);
  const state = await within(settled, 'data_sm', { clock, ms: TRANSACTION_MS, signal }).then(
    (message) => message.state,
    () => undefined,
  );
  if (state !== undefined && outboxStates[state].success) return;
  // After a failure response the message must not be sent. A message that a modem has begun to send counts as sent.
  if (state === undefined && !(await cancelled(id, outbox))) return;
  throw new SmppError(status.RDELIVERYFAILURE);
}

const cancelled = (id: MessageId, outbox: OperationContext['outbox']): Promise<boolean> =>
  outbox.cancel(id).then(
    () => true,
    () => false,
  );

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

/** A checked message without its recipient. */
export interface Submission {
  readonly request: Omit<SubmitRequest, 'number' | 'tag'>;
  readonly tag: Omit<SubmitTag, 'destination' | 'others'>;
}

/** Throws SmppError for the first parameter that is wrong. */
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
      by: binding.address,
      priority: priorityOf(fields.priority_flag),
      ...times,
      ...(wantsReceipt(registered) && { report: true }),
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

/** The message to one recipient; `others` may follow it under its message_id. Throws SmppError. */
export function requestTo({ request, tag }: Submission, destination: SmppAddress, others?: number): SubmitRequest {
  return { ...request, number: recipientOf(destination), tag: encodeTag({ ...tag, destination, others }) };
}

function checkFlags(fields: SubmitFields): void {
  if (fields.service_type === 'USSD') throw new SmppError(status.RINVSERTYP);
  // SMPP 3.4 5.2.12: of the message types (bits 5 to 2) a client sends the default one and acknowledgements.
  if (![0x00, 0x08, 0x10].includes(fields.esm_class & 0x3c)) throw new SmppError(status.RINVESMCLASS);
  if ((fields.replace_if_present_flag ?? 0) > 1) throw new SmppError(status.RINVREPFLAG);
  // The gateway has no predefined messages.
  if ((fields.sm_default_msg_id ?? 0) !== 0) throw new SmppError(status.RINVDFTMSGID);
}

function priorityOf(flag = 0): 0 | 1 | 2 | 3 {
  if (flag === 0 || flag === 1 || flag === 2 || flag === 3) return flag;
  throw new SmppError(status.RINVPRTFLG);
}

/** SMPP 3.4 5.2.17. Acknowledgements by the user (bits 2 and 3) do not exist in GSM and are ignored. */
export function checkRegistered(flags: number): number {
  if ((flags & 0xe0) !== 0 || (flags & 0x03) === 0x03) throw new SmppError(status.RINVREGDLVFLG);
  return flags;
}

export const wantsReceipt = (registered: number): boolean => (registered & 0x03) !== 0;

interface Times {
  readonly schedule_delivery_time?: string;
  readonly validity_period?: string;
}

/** Throws SmppError for malformed times, and for times in the past. */
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
