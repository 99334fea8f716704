import type { InboxMessage } from '../../store/message.ts';

/** The text, or what people can be shown of a binary message. */
export function readableText({ text, data }: Pick<InboxMessage, 'text' | 'data'>): string {
  return data === undefined ? text : `Binary message: ${data}`;
}
