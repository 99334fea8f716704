/**
 * An error of OpenSSL as Node and `ERR_print_errors` write it, one line for each of its queue:
 * `802C2E359B7F0000:error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:../deps/….c:1601:SSL alert number 40`.
 * Thread, code, library, routine and line of the source say nothing to whoever reads it.
 */
const FAULT = /(?:[0-9A-F]+:)?error:[0-9A-F]{8}:[^:\n]*:[^:\n]*:([^:\n]+)(?::[^\n]*)?\n?/g;

/** The text with nothing but the reason of each error of OpenSSL in it, on one line. Other texts stay as they are. */
export function plainOpenSsl(text: string): string {
  if (!text.includes('error:')) return text;
  let reasons = 0;
  const plain = text.replace(FAULT, (_, reason: string) => (reasons++ === 0 ? reason : `, ${reason}`));
  // The call in which Node heard of it.
  return reasons === 0 ? text : plain.replace(/^write EPROTO /, '').trim();
}
