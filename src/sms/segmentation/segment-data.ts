import { areSeptets } from '../alphabet/packing.ts';
import { concatenationOf } from '../concatenation.ts';
import { decodeDcs, isPacked } from '../dcs.ts';
import { SmsError } from '../error.ts';
import { type Part, type SplitOptions, split } from './split.ts';

/**
 * Octets that are already in the alphabet of `dcs` (one septet an octet for GSM 7-bit, UTF-16BE for UCS2) as parts.
 * Throws SmsError `too_long` above 255 parts, `invalid` for septets above 127 and for half a UCS2 unit, except in what is
 * a part of a message itself by an element of the options.
 */
export function segmentData(dcs: number, data: Uint8Array, options: SplitOptions = {}): readonly Part[] {
  if (isPacked(dcs) && !areSeptets(data)) {
    throw new SmsError('invalid', 'a septet is above 127');
  }
  const isPart = concatenationOf({ elements: options.elements ?? [] }) !== undefined;
  if (decodeDcs(dcs).alphabet === 'ucs2' && data.length % 2 !== 0 && !isPart) {
    throw new SmsError('invalid', `UCS2 data of ${data.length} octets is no whole number of characters`);
  }
  return split(dcs, data, options).parts;
}
