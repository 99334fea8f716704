const CARRIAGE_RETURN = 0x0d;

/** Whether every octet is a septet: at most 127. */
export function areSeptets(octets: Uint8Array): boolean {
  let bits = 0;
  for (let at = 0; at < octets.length; at++) bits |= octets[at] ?? 0;
  return bits <= 0x7f;
}

/** Septets as octets, TS 23.038 6.1.2.1, after `fill` bits (0 to 6) of zero. */
export function packSeptets(septets: Uint8Array, fill = 0): Uint8Array {
  const octets = new Uint8Array(Math.ceil((fill + septets.length * 7) / 8));
  let held = 0;
  let bits = fill;
  let at = 0;
  for (let next = 0; next < septets.length; next++) {
    held |= ((septets[next] ?? 0) & 0x7f) << bits;
    bits += 7;
    if (bits >= 8) {
      octets[at++] = held;
      held >>= 8;
      bits -= 8;
    }
  }
  if (bits > 0) octets[at] = held;
  return octets;
}

/** `count` septets from octets, from bit `start` on. Bits beyond the end read as 0. */
export function unpackSeptets(octets: Uint8Array, count: number, start = 0): Uint8Array {
  const septets = new Uint8Array(count);
  const skipped = start & 7;
  let next = start >> 3;
  let held = 0;
  let bits = 0;
  if (skipped > 0) {
    held = (octets[next++] ?? 0) >> skipped;
    bits = 8 - skipped;
  }
  for (let at = 0; at < count; at++) {
    if (bits < 7) {
      held |= (octets[next++] ?? 0) << bits;
      bits += 8;
    }
    septets[at] = held & 0x7f;
    held >>= 7;
    bits -= 7;
  }
  return septets;
}

/**
 * USSD has no length in septets: seven spare bits at the end hold a carriage return, so that they do not read as `@`, and a
 * text that really ends in one on an octet boundary gets a second (TS 23.038 6.1.2.3.1).
 */
export function packUssd(septets: Uint8Array): Uint8Array {
  const spare = septets.length % 8;
  const pad = spare === 7 || (spare === 0 && septets.at(-1) === CARRIAGE_RETURN);
  return packSeptets(pad ? Uint8Array.of(...septets, CARRIAGE_RETURN) : septets);
}

export function unpackUssd(octets: Uint8Array): Uint8Array {
  const septets = unpackSeptets(octets, Math.floor((octets.length * 8) / 7));
  const padded = septets.length % 8 === 0 && septets.at(-1) === CARRIAGE_RETURN;
  return padded ? septets.subarray(0, -1) : septets;
}
