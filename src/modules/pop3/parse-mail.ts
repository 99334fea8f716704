import PostalMime, { type Address, type Email } from 'postal-mime';
import { GatewayError } from '../../base/errors.ts';
import { htmlToText } from './html-to-text.ts';
import type { Mail } from './mail.ts';
import { codePageOf, mendTextDecoder } from './text-decoder.ts';

/** Real mails have a dozen parts in four levels; each part costs the parser memory and time. */
const MAX_PARTS = 500;
const limits = { maxNestingDepth: 20, maxHeadersSize: 256 * 1024, forceRfc822Attachments: true } as const;

/** Reads a mail, MIME and all. Throws GatewayError invalid_argument for one that nobody could read. */
export async function parseMail(raw: Uint8Array): Promise<Mail> {
  mendTextDecoder();
  const octets = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  if (count(octets, '\n--') > MAX_PARTS) throw new GatewayError('invalid_argument', `more than ${MAX_PARTS} parts`);
  const email = await parse(octets);
  return mailOf(garbled(email) ? await parseUndeclared(octets, email) : email);
}

async function parse(octets: Buffer): Promise<Email> {
  try {
    return await PostalMime.parse(octets, limits);
  } catch (error) {
    throw new GatewayError('invalid_argument', 'a mail that cannot be parsed', { cause: error });
  }
}

const garbled = ({ subject = '', text = '', html = '' }: Email): boolean =>
  `${subject}${text}${html}`.includes('\ufffd');

/** Old programs send 8-bit text and do not say in which encoding; it is taken for UTF-8, then for windows-1252. */
async function parseUndeclared(octets: Buffer, asUtf8: Email): Promise<Email> {
  const page = codePageOf('windows-1252');
  const text = new TextDecoder(page).decode(octets);
  const other = await parse(Buffer.from(text, 'utf8'));
  return garbled(other) ? asUtf8 : other;
}

function mailOf(email: Email): Mail {
  const from = addressOf(email.from);
  const answerTo = addressOf(email.replyTo?.[0]) ?? from;
  const plain = email.text?.trim() ?? '';
  const text = plain === '' && email.html !== undefined ? htmlToText(email.html) : plain;
  return {
    subject: (email.subject ?? '').trim(),
    text: text
      .replace(/\r\n?/g, '\n')
      .replace(/\u00a0/g, ' ')
      .replace(/\ufeff/g, ''),
    automatic: isAutomatic(email),
    ...(from !== undefined && { from }),
    ...(answerTo !== undefined && { answerTo }),
    ...(email.messageId !== undefined && { messageId: email.messageId.trim() }),
    ...(email.date !== undefined && { date: email.date }),
  };
}

/** Undefined for a group, an empty one, and whatever could not be written to. */
function addressOf(address: Address | undefined): string | undefined {
  const text = address?.address?.toLowerCase() ?? '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an address holds none
  return /^[^\s\u0000-\u001f\u007f-\u009f@<>(),;:"\\]{1,64}@[a-z0-9.-]{1,190}$/u.test(text) ? text : undefined;
}

function isAutomatic({ headers, returnPath, from }: Email): boolean {
  const has = (key: string, value: RegExp) => headers.some((header) => header.key === key && value.test(header.value));
  return (
    has('auto-submitted', /^(?!\s*no\b)/i) ||
    has('precedence', /^\s*(bulk|junk|list|auto_reply)/i) ||
    has('list-id', /./) ||
    has('x-autoreply', /./) ||
    has('x-autorespond', /./) ||
    has('return-path', /^\s*<\s*>/) ||
    /^(mailer-daemon|postmaster|no-?reply)@/i.test(returnPath ?? from?.address ?? '')
  );
}

function count(octets: Buffer, text: string): number {
  let found = 0;
  for (let at = octets.indexOf(text); at >= 0; at = octets.indexOf(text, at + 1)) found += 1;
  return found;
}
