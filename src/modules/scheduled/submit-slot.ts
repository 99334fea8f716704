import { describeError, GatewayError } from '../../base/errors.ts';
import type { PhoneNumber } from '../../base/phone-number.ts';
import type { MsgConfig } from '../../config/config.ts';
import type { MessageId } from '../../store/message.ts';
import type { ModuleContext } from '../host/contract.ts';
import type { Slot } from './timetable.ts';

/** What became of a slot. */
export interface SlotOutcome {
  /** Recipients whose message is in the outbox. */
  readonly submitted: number;
  /** Why messages cannot be sent, ever. */
  readonly refused: readonly string[];
  /** Why messages are not in the outbox yet: the slot is to be submitted again, which doubles nothing. */
  readonly postponed?: string;
}

type Surroundings = Pick<ModuleContext<unknown>, 'name' | 'outbox' | 'shared' | 'signal'>;

/** Submits the message of a rule to everyone who gets it. */
export async function submitSlot(
  { rule, instant }: Slot,
  { name, outbox, shared, signal }: Surroundings,
): Promise<SlotOutcome> {
  const recipients = recipientsOf(rule.msg, shared.groups);
  const refused: string[] = recipients.length === 0 ? ['nobody is to get it'] : [];
  const { modem } = rule.msg;
  let batch: MessageId | undefined;
  let submitted = 0;
  for (const number of recipients) {
    if (signal.aborted) return { submitted, refused, postponed: 'stopping' };
    try {
      const { id } = await outbox.submit({
        ...{ number, source: name, content: { type: 'text', text: rule.text } },
        clientRef: `${rule.id}/${new Date(instant).toISOString()}/${number}`,
        ...(modem !== undefined && { modem }),
        ...(batch !== undefined && { batch }),
      });
      batch ??= recipients.length > 1 ? id : undefined;
      submitted += 1;
    } catch (error) {
      const reason = describeError(error);
      if (error instanceof GatewayError && error.mapping.retry) return { submitted, refused, postponed: reason };
      refused.push(`${number}: ${reason}`);
    }
  }
  return { submitted, refused };
}

/** A number that stands in the group twice gets the message once. */
function recipientsOf(
  { phonenumber, group }: MsgConfig,
  groups: Surroundings['shared']['groups'],
): readonly PhoneNumber[] {
  if (group === undefined) return phonenumber === undefined ? [] : [phonenumber];
  return [...new Set(groups.find(({ name }) => name === group)?.tel)];
}
