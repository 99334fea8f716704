const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * The base64 of crypt(3): groups of up to three octets, taken from the digest in the order that each scheme lays down,
 * first octet of a group the most significant; six bits a character, least significant first.
 */
export function cryptBase64(digest: Uint8Array, groups: readonly (readonly number[])[]): string {
  return groups
    .map((group) => {
      let word = group.reduce((bits, index) => (bits << 8) | (digest[index] ?? 0), 0);
      let text = '';
      for (let i = 0; i <= group.length; i++, word >>>= 6) text += alphabet.charAt(word & 0x3f);
      return text;
    })
    .join('');
}
