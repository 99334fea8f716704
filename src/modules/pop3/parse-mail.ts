import { isUtf8 } from 'node:buffer';
import PostalMime, { type Address, type Email } from 'postal-mime';
import { GatewayError } from '../../base/errors.ts';
import { decodeText, decodeWords } from './charset.ts';
import { htmlToText } from './mail-text.ts';

/** A parsed mail. All fields are chosen by strangers. */
export interface Mail {
  /** Address of the From line in lower case; absent without one, and where there are several. */
  readonly from?: string;
  /** Address for an answer: Reply-To, else From. */
  readonly answerTo?: string;
  readonly subject: string;
  readonly messageId?: string;
  readonly date?: string;
  /** The visible text, lines ending in LF; with the marks of mail-text.ts where it was HTML. */
  readonly text: string;
  /** Written by a program, or sent by a list: never answered. RFC 3834 2. */
  readonly automatic: boolean;
}

/** Real mails have a dozen parts in four levels; each part costs the parser memory and time. */
const MAX_PARTS = 500;
/** A text of the greatest size that is read has some ten thousand lines; each line costs the parser time and memory. */
const MAX_LINES = 20_000;
const limits = { maxNestingDepth: 20, maxHeadersSize: 256 * 1024, forceRfc822Attachments: true } as const;

/** Parses a mail. Throws GatewayError invalid_argument for a mail that cannot be read. The only file that imports postal-mime. */
export async function parseMail(raw: Uint8Array): Promise<Mail> {
  const received = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  if (count(received, '\n') > MAX_LINES) throw new GatewayError('invalid_argument', `more than ${MAX_LINES} lines`);
  const octets = withReadableHeader(received);
  if (count(octets, '\n--') > MAX_PARTS) throw new GatewayError('invalid_argument', `more than ${MAX_PARTS} parts`);
  const reader = new MailReader(limits);
  try {
    const email = await reader.parse(octets);
    return mailOf(email, await reader.text());
  } catch (error) {
    throw new GatewayError('invalid_argument', 'a mail that cannot be parsed', { cause: error });
  }
}

/** Old programs write 8-bit text into header lines, and the parser reads UTF-8 only. */
function withReadableHeader(octets: Buffer): Buffer {
  const end = /\r?\n\r?\n/.exec(octets.subarray(0, limits.maxHeadersSize).toString('latin1'))?.index ?? 0;
  const header = octets.subarray(0, end);
  return isUtf8(header) ? octets : Buffer.concat([Buffer.from(decodeText(header)), octets.subarray(end)]);
}

type TextType = 'plain' | 'html';

/** The used fields of a node in the parser's tree. */
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
 * The mail parser with the encodings of iconv-lite, and with the HTML reader of mail-text.ts. The parser calls these
 * methods for each part of the mail.
 */
class MailReader extends PostalMime {
  /** By the part that holds the alternatives, in the order of the mail. */
  readonly #bodies = new Map<object, Texts>();
  readonly #attached: { readonly type: TextType; readonly part: Part }[] = [];

  /** Whether the part is text and not an attachment. Converts it to UTF-8 for the parser. */
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

  /** The visible text. A mail of attachments only, as phones send MMS by mail, has its text in one of them. */
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

/** Undefined for a part without readable text. */
function textTypeOf(type: string, { contentType, contentDisposition }: Part): TextType | undefined {
  if (type === 'text/html' || type === 'application/xhtml+xml') return 'html';
  // Some programs write only "text", or no type.
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

/** The plain text of each body, else its HTML as text. */
async function joined(bodies: Iterable<Texts>): Promise<string> {
  const texts: string[] = [];
  for (const { plain, html } of bodies) {
    const text = readable(withoutNonCharacters(plain.join('\n')));
    if (isVisible(text) || html.length === 0) texts.push(text);
    else texts.push(readable(await htmlToText(withoutNonCharacters(html.join('<br>')))));
  }
  return texts.filter(isVisible).join('\n');
}

/** Removes invisible characters, and unifies line ends and blanks. */
const readable = (text: string): string =>
  text
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replace(/[\u00a0\u2007\u202f]/g, ' ')
    .replace(/\u00ad|\u034f|\u200b|\u2060|\ufeff/g, '')
    .replaceAll('\0', '');

/** Removes the characters that serve as marks of quoted text. */
const withoutNonCharacters = (text: string): string => text.replace(/[\ufdd0-\ufdef]/g, '');

/** Blanks and invisible characters: joiners, direction marks, variation selectors, fillers, marks of quoted text. */
const invisible =
  /\s|\u00ad|\u034f|\u061c|[\u115f-\u1160]|[\u17b4-\u17b5]|[\u180b-\u180e]|[\u200b-\u200f]|[\u202a-\u202e]|[\u2060-\u206f]|\u2800|\u3164|[\ufdd0-\ufdef]|[\ufe00-\ufe0f]|\ufeff|\uffa0/g;

const isVisible = (text: string): boolean => text.replace(invisible, '') !== '';

function mailOf(email: Email, text: string): Mail {
  const lines = email.headers.filter(({ key }) => key === 'from').length;
  // RFC 5322 3.6: exactly one. Of two the mail server may have checked the other one.
  const from = lines === 1 ? addressOf(email.from) : undefined;
  const answerTo = lines > 1 ? undefined : (addressOf(email.replyTo?.[0]) ?? from);
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
/** Undefined for a group, an empty address, and one that cannot receive mail. */
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
