import { isUtf8 } from 'node:buffer';
import PostalMime, { type Address, type Email } from 'postal-mime';
import { GatewayError } from '../../base/errors.ts';
import { decodeText, decodeWords } from './charset.ts';
import { htmlToText } from './html-text.ts';
import type { Mail } from './mail.ts';

/** Real mails have a dozen parts in four levels; each part costs the parser memory and time. */
const MAX_PARTS = 500;
const limits = { maxNestingDepth: 20, maxHeadersSize: 256 * 1024, forceRfc822Attachments: true } as const;

/** Reads a mail, MIME and all. Throws GatewayError invalid_argument for one that nobody could read. */
export async function parseMail(raw: Uint8Array): Promise<Mail> {
  const octets = withReadableHeader(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength));
  if (count(octets, '\n--') > MAX_PARTS) throw new GatewayError('invalid_argument', `more than ${MAX_PARTS} parts`);
  const reader = new MailReader(limits);
  try {
    const email = await reader.parse(octets);
    return mailOf(email, await reader.text());
  } catch (error) {
    throw new GatewayError('invalid_argument', 'a mail that cannot be parsed', { cause: error });
  }
}

/** Old programs write 8-bit text into header lines. The parser takes it for UTF-8. */
function withReadableHeader(octets: Buffer): Buffer {
  const end = /\r?\n\r?\n/.exec(octets.subarray(0, limits.maxHeadersSize).toString('latin1'))?.index ?? 0;
  const header = octets.subarray(0, end);
  return isUtf8(header) ? octets : Buffer.concat([Buffer.from(decodeText(header)), octets.subarray(end)]);
}

type TextType = 'plain' | 'html';

/** What of the parser's tree of parts is used here. */
interface Part {
  content: ArrayBuffer | null;
  readonly contentType: {
    readonly parsed: { value: string; readonly params: Record<string, string | undefined> };
  };
  readonly contentDisposition: { readonly parsed: { readonly value: string; readonly params: Record<string, string> } };
  getTextContent(): string;
}

type Texts = Record<TextType, string[]>;

/**
 * The mail parser, with the encodings of iconv-lite and an HTML reader in place of its own. It calls these methods for
 * each part of the mail.
 */
class MailReader extends PostalMime {
  /** By the part that holds the alternatives, in the order of the mail. */
  readonly #bodies = new Map<object, Texts>();
  readonly #attached: { readonly type: TextType; readonly part: Part }[] = [];

  /** Text parts that are no attachments are read in place; given to the parser in UTF-8. */
  isInlineTextNode(part: Part): boolean {
    const { parsed } = part.contentType;
    const type = textTypeOf(parsed.value, part);
    if (type === undefined) return false;
    parsed.value = `text/${type}`;
    if (part.contentDisposition.parsed.value === 'attachment') {
      this.#attached.push({ type, part });
      return false;
    }
    inUtf8(part, type);
    return true;
  }

  addTextEntry(selector: object, type: TextType, { value }: { readonly value: string }): void {
    const texts = this.#bodies.get(selector) ?? { plain: [], html: [] };
    texts[type].push(value);
    this.#bodies.set(selector, texts);
  }

  /** The parser would convert HTML and text into each other here. */
  renderTextContent(): void {}

  /** What a person reads. A mail of attachments alone, as phones send MMS by mail, has its text in one of them. */
  async text(): Promise<string> {
    const bodies = await joined(this.#bodies.values());
    if (isVisible(bodies)) return bodies;
    const texts: Texts = { plain: [], html: [] };
    for (const { type, part } of this.#attached) {
      inUtf8(part, type);
      texts[type].push(part.getTextContent());
    }
    return joined([texts]);
  }
}

/** Undefined for a part that is no text to read. */
function textTypeOf(type: string, { contentType, contentDisposition }: Part): TextType | undefined {
  if (type === 'text/html' || type === 'application/xhtml+xml') return 'html';
  // Just "text", as some programs say, or nothing that one could understand.
  if (/^(text\/plain|text|text\/|plain|plain\/text|)$/.test(type)) return 'plain';
  const name = contentDisposition.parsed.params['filename'] ?? contentType.parsed.params['name'] ?? '';
  return type === 'application/octet-stream' && /\.txt$/i.test(name) ? 'plain' : undefined;
}

function inUtf8(part: Part, type: TextType): void {
  const { params } = part.contentType.parsed;
  const octets = Buffer.from(part.content ?? new ArrayBuffer(0));
  const label = params['charset'] ?? (type === 'html' ? labelWithin(octets) : undefined);
  const text = Buffer.from(decodeText(octets, label));
  part.content = text.buffer.slice(text.byteOffset, text.byteOffset + text.byteLength) as ArrayBuffer;
  params['charset'] = 'utf-8';
}

/** The encoding that an HTML page itself names. */
const labelWithin = (html: Buffer): string | undefined =>
  /<meta[^>]{1,200}?charset\s{0,3}=\s{0,3}["']?([a-z0-9_:.-]{2,40})/i.exec(html.toString('latin1', 0, 2048))?.[1];

/** The plain texts, else what HTML says, of each body. */
async function joined(bodies: Iterable<Texts>): Promise<string> {
  const texts: string[] = [];
  for (const { plain, html } of bodies) {
    const text = readable(withoutNonCharacters(plain.join('\n')));
    if (isVisible(text) || html.length === 0) texts.push(text);
    else texts.push(readable(await htmlToText(withoutNonCharacters(html.join('<br>')))));
  }
  return texts.filter(isVisible).join('\n');
}

/** Without what cannot be seen and would only make an SMS longer, and with line ends and blanks as SMS have them. */
const readable = (text: string): string =>
  text
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replace(/[\u00a0\u2007\u202f]/g, ' ')
    .replace(/\u00ad|\u034f|\u200b|\u2060|\ufeff/g, '')
    .replaceAll('\0', '');

/** The marks of quoted text are of these. */
const withoutNonCharacters = (text: string): string => text.replace(/[\ufdd0-\ufdef]/g, '');

/** Blanks, and what shows nothing: joiners, marks of direction, variation selectors, fillers, our marks. */
const invisible =
  /\s|\u00ad|\u034f|\u061c|[\u115f-\u1160]|[\u17b4-\u17b5]|[\u180b-\u180e]|[\u200b-\u200f]|[\u202a-\u202e]|[\u2060-\u206f]|\u2800|\u3164|[\ufdd0-\ufdef]|[\ufe00-\ufe0f]|\ufeff|\uffa0/g;

const isVisible = (text: string): boolean => text.replace(invisible, '') !== '';

function mailOf(email: Email, text: string): Mail {
  const from = addressOf(email.from);
  const answerTo = addressOf(email.replyTo?.[0]) ?? from;
  const subject = email.headers.find(({ key }) => key === 'subject')?.value ?? '';
  return {
    subject: decodeWords(subject).trim(),
    text: text.trim(),
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
