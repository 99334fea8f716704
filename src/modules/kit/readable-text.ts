import { type InboxMessage, UNDECODABLE } from '../../store/message.ts';

type Shown = Pick<InboxMessage, 'text' | 'data'>;

/** Whether there are octets alone, and no text. */
export const isBinary = ({ text, data }: Shown): boolean => data !== undefined && (text === '' || text === UNDECODABLE);

/** The text, or what people can be shown of a binary message. */
export function readableText(message: Shown): string {
  return isBinary(message) ? `Binary message: ${message.data}` : message.text;
}
