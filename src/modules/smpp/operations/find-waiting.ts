import type { PhoneNumber } from '../../../base/phone-number.ts';
import type { MessageId, OutboxMessage } from '../../../store/message.ts';
import { accountOf, type SubmitTag, tagOf } from '../tag.ts';
import type { OperationContext } from './context.ts';

const PAGE = 1000;

/** The messages of the account to a number that wait, oldest first, and that `fits` takes. */
export async function* findWaiting(
  { binding, outbox }: OperationContext,
  number: PhoneNumber,
  fits: (tag: SubmitTag) => boolean,
): AsyncGenerator<OutboxMessage, void, void> {
  let after: MessageId | undefined;
  do {
    const page = await outbox.list({
      ...{ state: 'queued', number, limit: PAGE },
      ...(after !== undefined && { after }),
    });
    for (const message of page.messages) {
      const tag = tagOf(message);
      if (accountOf(message) === binding.account.name && tag !== undefined && fits(tag)) yield message;
    }
    after = page.more ? page.messages.at(-1)?.id : undefined;
  } while (after !== undefined);
}
