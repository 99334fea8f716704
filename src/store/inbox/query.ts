import { sameSubscriber } from '../../base/phone-number.ts';
import type { InboxMessage, MessageQuery } from '../message.ts';
import type { MessageRow } from './row.ts';

/** What can be told from memory; the text is left to `textMatches`. */
export function rowMatches(row: MessageRow, { state, number, since, after }: MessageQuery): boolean {
  if (after !== undefined && row.id <= after) return false;
  if (since !== undefined && row.received < since) return false;
  if (state !== undefined && state !== (row.read ? 'read' : 'unread')) return false;
  return number === undefined || sameSubscriber(row.number, number);
}

export function textMatches(message: InboxMessage, text: string | undefined): boolean {
  return text === undefined || message.text.toLowerCase().includes(text.toLowerCase());
}
