import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';

/** Labels with another meaning than their name, https://encoding.spec.whatwg.org/#names-and-labels */
const otherNames: ReadonlyMap<string, string> = new Map([
  ...of('windows-1252', 'iso88591 iso885911987 isoir100 latin1 l1 isolatin1 cp819 ibm819 8859 iso8859'),
  ...of('windows-1254', 'iso88599 iso885991989 isoir148 latin5 l5 isolatin5'),
  ...of('windows-874', 'iso885911 tis620 dos874'),
  ...of('iso-8859-6', 'iso88596e iso88596i'),
  ...of('iso-8859-7', 'suneugreek'),
  ...of('iso-8859-8', 'iso88598e iso88598i visual logical'),
  ...of('iso-8859-15', 'isolatin9'),
  ...of('koi8-r', 'koi koi8'),
  ...of('koi8-u', 'koi8ru'),
  ...of('macroman', 'mac macintosh'),
  ...of('maccyrillic', 'macukrainian'),
  ...of('euc-jp', 'eucpkdfmtjapanese'),
  ...of('utf-8', 'utf8mb3 utf8mb4 utf8bom unicode20utf8'),
  ...of('utf-7', 'utf7imap unicode11utf7'),
  ...of('utf-16le', 'unicode unicodefeff iso10646ucs2'),
  ...of('utf-16be', 'unicodefffe'),
]);

function of(name: string, labels: string): readonly (readonly [label: string, name: string])[] {
  return labels.split(' ').map((label) => [label, name]);
}

/** Labels without a meaning for 8-bit text, although iconv-lite accepts some of them. */
const meaningless =
  /^(|usascii|ascii|ansix34.*|iso646us|unknown.*|.*[78]bit|binary|base64|hex|default|none|null|userdefined)$/;

/** The name of the encoding in iconv-lite; undefined for a label that is unknown or has no meaning. */
function encodingOf(label: string): string | undefined {
  const bare = label.toLowerCase().replace(/^\W*(x-|cs(?!a|b))?|[^a-z0-9]+/g, '');
  if (meaningless.test(bare)) return undefined;
  const name = otherNames.get(bare) ?? bare;
  return iconv.encodingExists(name) ? name : undefined;
}

/**
 * Decodes text by the label of a mail. Without a label, or with an unknown one, the text is UTF-8 where it is valid as
 * such, else windows-1252, as old programs send it. Never throws. The only file that imports iconv-lite.
 */
export function decodeText(octets: Uint8Array, label = ''): string {
  const buffer = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  const encoding = encodingOf(label);
  if (encoding !== undefined && !/^utf-?8$/.test(encoding)) return iconv.decode(buffer, encoding);
  if (isUtf8(buffer)) return decodedByRuntime(buffer, label) ?? iconv.decode(buffer, 'utf-8');
  if (encoding !== undefined) {
    const text = iconv.decode(buffer, 'utf-8');
    if (isMostlyWhole(text)) return text;
  }
  return decodedByRuntime(buffer, label) ?? iconv.decode(buffer, 'windows-1252');
}

/** ISO-2022-JP and similar encodings, which iconv-lite lacks: decoded by Node where it has Intl. */
function decodedByRuntime(buffer: Buffer, label: string): string | undefined {
  if (!/2022|hz-gb/i.test(label)) return undefined;
  try {
    return new TextDecoder(label.trim()).decode(buffer);
  } catch {
    return undefined;
  }
}

/** UTF-8 in which a few characters are damaged, such as one that was cut off at the end. */
function isMostlyWhole(text: string): boolean {
  const damaged = text.split('\ufffd').length - 1;
  const others = text.match(/[\u0080-\ufffc]/g)?.length ?? 0;
  return damaged < others;
}

/** RFC 2047 2, also with blanks in the text and with a language (RFC 2231 5). */
const encodedWord = /=\?([^?\s*]{1,60})(?:\*[^?\s]{0,30})?\?([bq])\?([^?]{0,2000})\?=/gi;

/** A header's value with its encoded words decoded. A character may be split between two words of one encoding. */
export function decodeWords(value: string): string {
  let text = '';
  let from = 0;
  let run: { readonly label: string; readonly octets: Buffer[] } | undefined;
  const flush = () => {
    if (run !== undefined) text += decodeText(Buffer.concat(run.octets), run.label);
    run = undefined;
  };
  for (const { 0: word, 1: label = '', 2: kind = '', 3: content = '', index } of value.matchAll(encodedWord)) {
    const between = value.slice(from, index);
    const adjacent = run !== undefined && /^\s*$/.test(between);
    if (!adjacent || run?.label !== label.toLowerCase()) flush();
    if (!adjacent) text += between;
    run ??= { label: label.toLowerCase(), octets: [] };
    run.octets.push(/b/i.test(kind) ? Buffer.from(content, 'base64') : unquoted(content));
    from = index + word.length;
  }
  flush();
  return text + value.slice(from);
}

/** RFC 2047 4.2. */
function unquoted(content: string): Buffer {
  const plain = content.replace(/_/g, ' ');
  const octets = Buffer.from(plain, 'utf8').toString('latin1');
  const text = octets.replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(text, 'latin1');
}
