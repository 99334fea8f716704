import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';

/** Labels that mean another encoding than their name says, https://encoding.spec.whatwg.org/#names-and-labels */
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

/** Labels that say nothing of 8-bit text, although iconv-lite would take some of them. */
const saysNothing =
  /^(|usascii|ascii|ansix34.*|iso646us|unknown.*|.*[78]bit|binary|base64|hex|default|none|null|userdefined)$/;

/** The encoding that iconv-lite knows for the label; undefined when the label says nothing, or something unknown. */
function encodingOf(label: string): string | undefined {
  const bare = label.toLowerCase().replace(/^\W*(x-|cs(?!a|b))?|[^a-z0-9]+/g, '');
  if (saysNothing.test(bare)) return undefined;
  const name = otherNames.get(bare) ?? bare;
  return iconv.encodingExists(name) ? name : undefined;
}

/**
 * Text in the encoding that a mail's label names. Without a label, and with one that nobody knows, it is UTF-8 where it
 * is valid as such, else windows-1252, as old programs send it. Never throws.
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

/** ISO-2022-JP and the like, which iconv-lite lacks: by the runtime, where it was built with Intl. */
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

/** RFC 2047 2, with blanks in the text and a language (RFC 2231 5) as programs send them. */
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
