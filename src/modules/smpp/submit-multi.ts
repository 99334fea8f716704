import type { PhoneNumber } from '../../base/phone-number.ts';
import type { MessageId } from '../../store/message.ts';
import type { Hold } from '../../store/outbox/ceilings.ts';
import type { SubmitRequest } from '../../store/outbox/outbox.ts';
import type { OperationContext } from './account-messages.ts';
import { recipientOf, type SmppAddress, smppAddress } from './address.ts';
import type { Destination, Fields } from './layout.ts';
import { SmppError, status, statusOf } from './status.ts';
import { admit, requestTo, type Submission, submissionOf } from './submit.ts';

interface Failure {
  readonly destination: SmppAddress;
  readonly status: number;
}

/** SMPP 3.4 5.2.24. */
const MAX_DESTINATIONS = 254;

/** SMPP 3.4 4.5: a message to many. All share the message_id of the first; the receipts name the recipient. */
export async function submitMulti(fields: Fields<'submit_multi'>, context: OperationContext) {
  const recipients = eachOnce(fields.dest_address.flatMap((destination) => recipientsOf(destination, context)));
  if (recipients.length > MAX_DESTINATIONS) throw new SmppError(status.RINVNUMDESTS);
  if (!context.binding.account.throttle.take(recipients.length)) throw new SmppError(status.RTHROTTLED);
  const submission = submissionOf(fields, context);
  const lease = await admit(submission.request.content, recipients.length, context);
  let hold: Hold | undefined;
  try {
    // A wrong address is refused alone.
    hold = context.outbox.hold(recipients.flatMap((destination) => requestOrNone(submission, destination)));
    return await submitHeld(submission, recipients, context, hold);
  } finally {
    hold?.release();
    lease.release();
  }
}

function requestOrNone(submission: Submission, destination: SmppAddress): readonly SubmitRequest[] {
  try {
    return [requestTo(submission, destination)];
  } catch {
    return [];
  }
}

async function submitHeld(
  submission: Submission,
  recipients: readonly SmppAddress[],
  context: OperationContext,
  hold: Hold | undefined,
) {
  const failed: Failure[] = [];
  const submit = async (destination: SmppAddress, batch?: MessageId): Promise<MessageId | undefined> => {
    const others = batch === undefined ? recipients.length - failed.length - 1 : 0;
    try {
      const request = {
        ...requestTo(submission, destination, others || undefined),
        ...(hold !== undefined && { hold }),
      };
      const { id } = await context.outbox.submit(batch === undefined ? request : { ...request, batch });
      return id;
    } catch (error) {
      failed.push({ destination, status: statusOf(error) });
      return undefined;
    }
  };
  // One by one until the outbox accepts a message, whose id is the batch; then the others at once.
  let batch: MessageId | undefined;
  for (const destination of recipients) {
    batch = await submit(destination);
    if (batch !== undefined) break;
  }
  if (batch === undefined) {
    throw new SmppError(sameStatus(failed) ?? status.RCNTSUBDL, { unsuccess_sme: failed.map(unsuccessful) });
  }
  await Promise.all(recipients.slice(failed.length + 1).map((destination) => submit(destination, batch)));
  return { message_id: `${batch}`, unsuccess_sme: failed.map(unsuccessful) };
}

/** SMPP 3.4 5.2.26. */
const unsuccessful = ({ destination: { ton, npi, address }, status: value }: Failure) => ({
  ...{ dest_addr_ton: ton, dest_addr_npi: npi, destination_addr: address, error_status_code: value },
});

/** A distribution list is a phone group of the config. */
function recipientsOf(destination: Destination, { groups }: OperationContext): readonly SmppAddress[] {
  if (!('dl_name' in destination)) {
    const { dest_addr_ton: ton, dest_addr_npi: npi, destination_addr: address } = destination;
    return [{ ton, npi, address }];
  }
  const group = groups.find(({ name }) => name === destination.dl_name);
  if (group === undefined || group.tel.length === 0) throw new SmppError(status.RINVDLNAME);
  return group.tel.map(smppAddress);
}

/** Somebody may be given twice, or stand in two lists, and gets the message once. What is no number stays, to be refused. */
function eachOnce(destinations: readonly SmppAddress[]): readonly SmppAddress[] {
  const seen = new Set<PhoneNumber>();
  return destinations.filter((destination) => {
    const number = numberOrNone(destination);
    if (number === undefined) return true;
    const isNew = !seen.has(number);
    seen.add(number);
    return isNew;
  });
}

function numberOrNone(destination: SmppAddress): PhoneNumber | undefined {
  try {
    return recipientOf(destination);
  } catch {
    return undefined;
  }
}

/** The status that all share: the fault then lies in the request, or in the gateway, such as a full queue. */
function sameStatus(failed: readonly { readonly status: number }[]): number | undefined {
  const [first] = failed;
  return failed.every((each) => each.status === first?.status) ? first?.status : undefined;
}
