/** The fields of an m-notification-ind (OMA MMS encapsulation 6.2); those that the message does not carry are absent. */
export interface MmsNotification {
  readonly from?: string;
  readonly subject?: string;
  /** Octets of the message that waits. */
  readonly size?: number;
  /** Where it waits. */
  readonly url?: string;
}

/** Destination port of WAP push, connectionless (WAP-259). */
export const WAP_PUSH_PORT = 2948;

// PDU types of WSP (WAP-230 8.2.4).
const PUSH = 0x06;
const CONFIRMED_PUSH = 0x07;
/** application/vnd.wap.mms-message as a well-known media type. */
const MMS_MEDIA = 0x3e;
const MMS_MEDIA_NAME = 'application/vnd.wap.mms-message';

// Header fields of OMA MMS encapsulation 7.4, with their top bit.
const CONTENT_LOCATION = 0x83;
const FROM = 0x89;
const MESSAGE_TYPE = 0x8c;
const MESSAGE_SIZE = 0x8e;
const SUBJECT = 0x96;
const NOTIFICATION_IND = 0x82;
const ADDRESS_PRESENT = 0x80;

/** Longest texts that are kept, characters. */
const MAX_NAME = 200;
const MAX_URL = 1000;

/** Undefined when the octets are no WAP push of an MMS notification. Never throws, whatever they are. */
export function readMmsNotification(octets: Uint8Array): MmsNotification | undefined {
  try {
    const body = mmsBody(new Wsp(octets));
    return body && readHeaders(body);
  } catch (error) {
    if (error instanceof End) return undefined;
    throw error;
  }
}

/** The notification as one line for people. */
export function mmsText({ from, subject, size, url }: MmsNotification): string {
  const facts = [
    ...(subject === undefined ? [] : [`"${subject}"`]),
    ...(size === undefined ? [] : [`${size} bytes`]),
    ...(url === undefined ? [] : [url]),
  ];
  const head = from === undefined ? 'MMS waiting' : `MMS waiting from ${from}`;
  return facts.length === 0 ? head : `${head}: ${facts.join(', ')}`;
}

/** The octets ended before the value did. */
class End extends Error {}

/** The values of WSP (WAP-230 8.4.2), from front to back. Each read consumes an octet at least. */
class Wsp {
  readonly #octets: Uint8Array;
  #at = 0;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
  }

  get remaining(): number {
    return this.#octets.length - this.#at;
  }

  peek(): number {
    const octet = this.#octets[this.#at];
    if (octet === undefined) throw new End();
    return octet;
  }

  octet(): number {
    const octet = this.peek();
    this.#at++;
    return octet;
  }

  take(count: number): Wsp {
    if (count > this.remaining) throw new End();
    this.#at += count;
    return new Wsp(this.#octets.subarray(this.#at - count, this.#at));
  }

  /** Uintvar-integer: at most five octets. */
  uintvar(): number {
    let value = 0;
    for (let count = 0; count < 5; count++) {
      const octet = this.octet();
      value = value * 128 + (octet & 0x7f);
      if ((octet & 0x80) === 0) return value;
    }
    throw new End();
  }

  /** Up to its NUL, or to the end where that was cut off. */
  text(): Buffer {
    const rest = this.#octets.subarray(this.#at);
    const nul = rest.indexOf(0);
    const text = nul < 0 ? rest : rest.subarray(0, nul);
    this.#at += nul < 0 ? rest.length : nul + 1;
    return Buffer.from(text);
  }

  /** Value-length, and the octets that it counts. */
  counted(): Wsp {
    const first = this.octet();
    return this.take(first === 31 ? this.uintvar() : first);
  }

  /** What is left, as a number; 0 for more than six octets. */
  integer(): number {
    const count = this.remaining;
    let value = 0;
    for (let n = 0; n < count; n++) value = value * 256 + this.octet();
    return count > 6 ? 0 : value;
  }

  /** A value of any field, by its first octet (WAP-230 8.4.1.2). */
  skip(): void {
    const first = this.peek();
    if (first <= 31) this.counted();
    else if (first < 128) this.text();
    else this.octet();
  }
}

/** What a push of the media type carries. */
function mmsBody(push: Wsp): Wsp | undefined {
  push.octet();
  const type = push.octet();
  if (type !== PUSH && type !== CONFIRMED_PUSH) return undefined;
  const headers = push.take(push.uintvar());
  return isMms(headers) ? push : undefined;
}

function isMms(headers: Wsp): boolean {
  const first = headers.peek();
  // The general form counts the media type and its parameters.
  const media = first <= 31 ? headers.counted() : headers;
  const octet = media.peek();
  if (octet >= 128) return (octet & 0x7f) === MMS_MEDIA;
  return media.text().toString('latin1').toLowerCase() === MMS_MEDIA_NAME;
}

function readHeaders(body: Wsp): MmsNotification | undefined {
  let isNotification = false;
  const found: { from?: string; subject?: string; size?: number; url?: string } = {};
  try {
    while (body.remaining > 0) {
      const field = body.octet();
      if (field < 128) {
        // An application header: its name is text, and so is its value.
        body.text();
        body.text();
      } else if (field === MESSAGE_TYPE) isNotification = body.octet() === NOTIFICATION_IND;
      else if (field === FROM) keep(found, 'from', sender(body.counted()));
      else if (field === SUBJECT) keep(found, 'subject', encodedString(body));
      else if (field === MESSAGE_SIZE) found.size = body.counted().integer();
      else if (field === CONTENT_LOCATION) keep(found, 'url', clean(body.text().toString('latin1'), MAX_URL));
      else body.skip();
    }
  } catch (error) {
    // Cut off: what came before counts.
    if (!(error instanceof End)) throw error;
  }
  return isNotification ? found : undefined;
}

function keep<K extends string>(found: Partial<Record<K, string>>, key: K, text: string): void {
  if (text !== '') found[key] = text;
}

/** `+491701234567/TYPE=PLMN` without its type; empty where the MMSC is to put it in. */
function sender(value: Wsp): string {
  if (value.octet() !== ADDRESS_PRESENT) return '';
  return encodedString(value).replace(/\/TYPE=.*$/i, '');
}

/** Encoded-string-value: text, or a count, a charset by its MIBenum and text. */
function encodedString(value: Wsp): string {
  if (value.peek() > 31) return clean(decoded(unquoted(value.text()), UTF_8), MAX_NAME);
  const inner = value.counted();
  const first = inner.octet();
  const charset = first >= 128 ? first & 0x7f : inner.take(first).integer();
  return clean(decoded(unquoted(inner.text()), charset), MAX_NAME);
}

const UTF_8 = 106;
const LATIN_1 = 4;

function decoded(octets: Buffer, charset: number): string {
  return octets.toString(charset === LATIN_1 ? 'latin1' : 'utf8');
}

/** A quote stands before a text that begins above 127. */
function unquoted(octets: Buffer): Buffer {
  return octets[0] === 127 ? octets.subarray(1) : octets;
}

/** One line of bounded length: a stranger chose it. */
function clean(text: string, most: number): string {
  return text
    .split(/(?![ -~\u{a0}-\u{2027}\u{202f}-\u{10ffff}])./su)
    .filter((piece) => piece !== '')
    .join(' ')
    .trim()
    .slice(0, most);
}
