/** Vectors of pdu-encode.jsonl that are right in their source and not for us, each with its reason. */
export const exceptions: ReadonlyMap<string, string> = new Map([
  ['wg-addr-ext', 'contradicts gm-addr-6: one source refuses extension characters in names, the other sends them'],
  ['vp-bad-1', 'policy: a validity below 5 minutes becomes 5 minutes'],
  ['vp-bad-2', 'policy: a validity above 63 weeks becomes 63 weeks'],
  ['gecko-nl-bengali', 'its note: Spanish has no locking table, an element for it must not be copied'],
  ['wg-blocks', 'limits of reports, which this codec only reads'],
]);

/**
 * Sources that give the empty address the type octet 0x00; TS 23.040 9.1.2.5 has bit 7 always set, and so have we.
 * Where the octet lies in their PDUs: after 00 (SMSC), first octet, TP-MR and length.
 */
export function withLegalType(pdu: string): string {
  return `${pdu.slice(0, 8)}80${pdu.slice(10)}`;
}
