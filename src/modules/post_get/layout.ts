import type { InboxMessage } from '../../store/message.ts';
import { readableText } from '../kit/received-message.ts';
import type { DateWriter } from './date.ts';

/** Clients compare this line for equality or split at it. */
const DASHES = '-'.repeat(30);

/** An entry of sms_list: Text before Status, and the dashes after every message, the last one too. */
export function listEntry(message: InboxMessage, date: DateWriter): string {
  return `${head(message, date)}Text: ${textLines(readableText(message))}\nStatus: ${message.state}\n${DASHES}\n`;
}

/** The answer of sms_read: Status before Text. */
export function readEntry(message: InboxMessage, date: DateWriter): string {
  return `${head(message, date)}Status: ${message.state}\nText: ${textLines(readableText(message))}\n`;
}

export function totals(used: number, total: number): string {
  return `Used: ${used}\nTotal: ${total}\n`;
}

function head(message: InboxMessage, date: DateWriter): string {
  const sender = printable(message.number).replaceAll('\n', ' ');
  return `Index: ${message.index}\nDate: ${date(message.time)}\nSender: ${sender}\n`;
}

/**
 * Clients know LF only as the end of a line, C programs stop at NUL, and an escape sequence could steer the terminal of
 * whoever calls curl. The JSON form has the text as it came.
 */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all but line breaks and tabs
  return text.replace(/\r\n?/g, '\n').replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\u{FFFD}');
}

/**
 * A line of a text that looks like a part of the layout gets a blank in front: a stranger could else forge a sender, or
 * the next message of the list.
 */
function textLines(text: string): string {
  return printable(text).replace(/(?<=\n)(?=---|(?:Index|Date|Sender|Text|Status):)/g, ' ');
}
