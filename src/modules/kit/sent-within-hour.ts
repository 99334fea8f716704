import type { MessageId, OutboxMessage } from '../../store/message.ts';
import type { ModuleContext } from '../host/contract.ts';

const HOUR_MS = 3_600_000;
const PAGE = 1_000;

/** What the module itself submitted within the last hour, oldest first, each with its age in ms. */
export async function* sentWithinHour({
  outbox,
  clock,
  name,
  signal,
}: Pick<ModuleContext<unknown>, 'outbox' | 'clock' | 'name' | 'signal'>): AsyncIterable<
  OutboxMessage & { readonly age: number }
> {
  const now = clock.now();
  let after: MessageId | undefined;
  do {
    const page = await outbox.list({ since: now - HOUR_MS, limit: PAGE, ...(after !== undefined && { after }) });
    signal.throwIfAborted();
    for (const message of page.messages) {
      if (message.source === name) yield { ...message, age: Math.max(0, now - message.time) };
    }
    after = page.more ? page.messages.at(-1)?.id : undefined;
  } while (after !== undefined);
}
