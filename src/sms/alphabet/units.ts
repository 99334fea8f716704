/** `String.fromCharCode` takes its units as arguments, and the stack bounds those. */
const CHUNK = 4096;

export function unitsToText(units: Uint16Array): string {
  if (units.length <= CHUNK) return String.fromCharCode.apply(undefined, units as unknown as number[]);
  let text = '';
  for (let at = 0; at < units.length; at += CHUNK) text += unitsToText(units.subarray(at, at + CHUNK));
  return text;
}
