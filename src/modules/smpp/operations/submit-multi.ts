import type { MessageId } from '../../../store/message.ts';
import { type SmppAddress, smppAddress } from '../address.ts';
import { SmppError, status, statusOf } from '../status.ts';
import type { Destination, Fields } from '../wire/layout.ts';
import type { OperationContext } from './context.ts';
import { requestTo, submissionOf } from './submission.ts';

interface Failure {
  readonly destination: SmppAddress;
  readonly status: number;
}

/** SMPP 3.4 5.2.24. */
const MAX_DESTINATIONS = 254;

/** SMPP 3.4 4.5: one message to many. All have the message_id of the first; its receipts name the recipient. */
export async function submitMulti(fields: Fields<'submit_multi'>, context: OperationContext) {
  const recipients = fields.dest_address.flatMap((destination) => recipientsOf(destination, context));
  if (recipients.length > MAX_DESTINATIONS) throw new SmppError(status.RINVNUMDESTS);
  if (!context.binding.account.throttle.take(recipients.length)) throw new SmppError(status.RTHROTTLED);
  const submission = submissionOf(fields, context);
  const failed: Failure[] = [];
  const submit = async (destination: SmppAddress, batch?: MessageId): Promise<MessageId | undefined> => {
    try {
      const request = requestTo(submission, destination);
      const { id } = await context.outbox.submit(batch === undefined ? request : { ...request, batch });
      return id;
    } catch (error) {
      failed.push({ destination, status: statusOf(error) });
      return undefined;
    }
  };
  // One after the other until the first is accepted, as its id names them all; then all others at once.
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

/** What is wrong with all of them is wrong with the request: a full queue above all. */
function sameStatus(failed: readonly { readonly status: number }[]): number | undefined {
  const [first] = failed;
  return failed.every((each) => each.status === first?.status) ? first?.status : undefined;
}
