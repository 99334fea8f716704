import type { InboxMessage } from '../../store/message.ts';
import type { ModuleContext } from '../host/contract.ts';

/**
 * Answers go by the modem that received the message, so that they come from the number that was written to; but not
 * past the modem that a rule has made the sending one.
 */
export function replyModem(
  { modem }: Pick<InboxMessage, 'modem'>,
  { modems, outbox }: Pick<ModuleContext<unknown>, 'modems' | 'outbox'>,
): { readonly modem?: string } {
  return outbox.preferred === undefined && modems.find(modem) !== undefined ? { modem } : {};
}
