import {
  type Address,
  addressOf,
  concatenationElement,
  decodeSeptets,
  decodeTpdu,
  decodeUcs2,
  encodeDcs,
  encodeDeliver,
  encodePdu,
  encodeSeptets,
  encodeSubmit,
  fromHex,
  type InformationElement,
  type MessageClass,
  nameAddress,
  type Part,
  packSeptets,
  packUssd,
  portsElement,
  relativeValidity,
  type Segmentation,
  type SegmentOptions,
  type Shift,
  segment,
  segmentData,
  shiftOf,
  timeStamp,
  toHex,
  toUserData,
  udhOf,
  type Validity,
} from '../../src/sms/index.ts';
import type { EncodeVector } from './vectors.ts';

/** The inputs of all kinds of vectors. */
interface Input {
  readonly text?: string;
  readonly repeat?: readonly (readonly [text: string, times: number])[];
  readonly data_hex?: string;
  readonly encoding?: 'gsm7' | 'ucs2' | '8bit';
  readonly transliterate?: boolean;
  readonly truncate?: boolean;
  readonly class?: MessageClass;
  readonly concat_ref?: number;
  readonly concat_bits?: 8 | 16;
  readonly extra_ie?: readonly (readonly [id: number, data: string])[];
  readonly national_allowed?: readonly number[];
  readonly single_allowed?: readonly number[];
  readonly locking_allowed?: readonly number[];
  readonly allowed_pairs?: readonly (readonly [locking: number, single: number])[];
  readonly locking?: number;
  readonly single?: number;
  readonly to?: string;
  readonly from?: string;
  readonly address?: string;
  readonly toa?: number;
  readonly to_toa?: number;
  readonly smsc?: string;
  readonly smsc_toa?: number;
  readonly smsc_form?: boolean;
  readonly mr?: number;
  readonly mr_increments?: boolean;
  readonly status_report?: boolean;
  readonly reject_duplicates?: boolean;
  readonly vp?: Readonly<Record<string, unknown>>;
  readonly scts_local?: string;
  readonly iso?: string;
  readonly minutes?: number;
  readonly fill_bits?: number;
  readonly septet_count?: number;
  readonly ref?: number;
  readonly seq?: number;
  readonly total?: number;
  readonly bits?: 8 | 16;
  readonly dst?: number;
  readonly src?: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** What our encoder makes of a vector, under the names of its expectation. Throws SmsError where it refuses. */
export function encodeVector({ kind, input }: EncodeVector): Fields {
  const encode = kinds[kind];
  if (encode === undefined) throw new Error(`no encoder for vectors of kind ${kind}`);
  return encode(input);
}

const kinds: Readonly<Record<string, (input: Input) => Fields>> = {
  submit: (input) => ({ pdus: submits(input) }),
  deliver: (input) => ({ pdus: delivers(input) }),
  segments: segments,
  'nl-choice': nationalChoice,
  'national-encode': nationalEncoding,
  'national-pack': (input) => ({ packed: toHex(packSeptets(septetsIn(input))) }),
  'gsm7-pack': packing,
  'gsm7-pack-ussd': (input) => ({ packed: toHex(packUssd(septetsIn(input))) }),
  'address-encode': addressField,
  'timestamp-encode': ({ iso = '' }) => ({ hex: timeField(isoTime(iso)) }),
  'vp-relative': ({ minutes = 0 }) => ({ value: relativeValidity(minutes * 60).value }),
  'ie-encode': (input) => ({ hex: toHex(udhOf({ elements: [elementOf(input)] })) }),
  constants: () => ({
    single_septets: { default: perPart(0), one: perPart(1), two: perPart(2) },
    multipart_septets: { default: perPart(0, 400), one: perPart(1, 400), two: perPart(2, 400) },
    udh_septets: {
      concat8_only: 160 - perPart(0, 400),
      one_shift_table: 160 - perPart(1),
      two_shift_tables: 160 - perPart(2),
      one_shift_table_plus_concat8: 160 - perPart(1, 400),
      two_shift_tables_plus_concat8: 160 - perPart(2, 400),
    },
  }),
};

function perPart(tables: number, characters = 1): number {
  const shift = { locking: tables > 0 ? 1 : 0, single: tables > 1 ? 1 : 0 };
  return segment('a'.repeat(characters), { shifts: [shift] }).perPart;
}

function textOf({ text, repeat = [] }: Input): string {
  return text ?? repeat.map(([piece, times]) => piece.repeat(times)).join('');
}

function segmentationOf(input: Input): Segmentation {
  const { encoding, transliterate, truncate, concat_ref, concat_bits, national_allowed, extra_ie } = input;
  const options: SegmentOptions = {
    encoding: encoding === 'gsm7' || encoding === 'ucs2' ? encoding : 'auto',
    ...(transliterate !== undefined && { transliterate }),
    ...(concat_ref !== undefined && { reference: concat_ref }),
    ...(concat_bits !== undefined && { referenceBits: concat_bits }),
    ...(national_allowed && { nationalTables: national_allowed }),
    ...(extra_ie && { elements: elementsOf(extra_ie) }),
    ...shiftsIn(input),
  };
  const text = textOf(input);
  return segment(truncate ? text.slice(0, encoding === 'ucs2' ? 70 : 160) : text, options);
}

function elementsOf(elements: readonly (readonly [id: number, data: string])[]): readonly InformationElement[] {
  return elements.map(([id, data]) => ({ id, data: fromHex(data) }));
}

function shiftsIn({ allowed_pairs, locking_allowed, single_allowed }: Input): { shifts?: readonly Shift[] } {
  if (allowed_pairs) return { shifts: allowed_pairs.map(([locking, single]) => ({ locking, single })) };
  if (!locking_allowed || !single_allowed) return {};
  const singles = [0, ...single_allowed];
  return { shifts: [0, ...locking_allowed].flatMap((locking) => singles.map((single) => ({ locking, single }))) };
}

/** The vectors' `class` is any class; `segment` makes only flash, and a caller with other wishes writes the DCS. */
function partsOf(input: Input): { dcs: number; parts: readonly Part[] } {
  if (input.encoding === '8bit') {
    const dcs = encodeDcs('8bit', input.class);
    return { dcs, parts: segmentData(dcs, fromHex(input.data_hex ?? ''), { reference: input.concat_ref ?? 0 }) };
  }
  const { encoding, parts } = segmentationOf(input);
  return { dcs: encodeDcs(encoding, input.class), parts };
}

function submits(input: Input): readonly string[] {
  const { dcs, parts } = partsOf(input);
  const validity = validityOf(input.vp);
  return parts.map(({ udh, data }, at) => {
    const tpdu = encodeSubmit({
      mr: (input.mr ?? 0) + (input.mr_increments ? at : 0),
      to: typed(input.to ?? '', input.to_toa ?? input.toa),
      dcs,
      ...(validity && { validity }),
      userData: toUserData(udh, data),
      statusReportRequest: input.status_report ?? false,
      rejectDuplicates: input.reject_duplicates ?? false,
    });
    return toHex(encodePdu(smscOf(input), tpdu));
  });
}

function delivers(input: Input): readonly string[] {
  const { dcs, parts } = partsOf(input);
  const [, year, month, day, hour, minute, second] =
    /^(....)(..)(..)T(..)(..)(..)$/.exec(input.scts_local ?? '')?.map(Number) ?? [];
  const ms = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second);
  return parts.map(({ udh, data }) => {
    const from = typed(input.from ?? '');
    // The vectors' frames have TP-MMS clear.
    const tpdu = encodeDeliver({ from, dcs, time: timeStamp(ms), userData: toUserData(udh, data), moreMessages: true });
    return toHex(encodePdu(smscOf(input), tpdu));
  });
}

function smscOf({ smsc, smsc_toa }: Input): Address | undefined {
  return smsc === undefined ? undefined : typed(smsc, smsc_toa);
}

/** An address of a given type octet, or of the kind that its first character suggests. */
function typed(text: string, toa?: number): Address {
  if (text === '') return { type: 'unknown', plan: 0, value: '' };
  const type = toa === undefined ? undefined : (toa >> 4) & 0x07;
  if (type === 5 || (type === undefined && !/^\+?[0-9*#]/.test(text))) {
    return { ...nameAddress(text), plan: (toa ?? 0) & 0x0f };
  }
  if (type === 2) return { ...addressOf(text), type: 'national' };
  return addressOf(type === 1 ? `+${text}` : text);
}

function validityOf(vp: Input['vp']): Validity | undefined {
  const { relative_minutes: minutes, relative_value: value, absolute, enhanced_hex: hex } = vp ?? {};
  if (typeof minutes === 'number') return relativeValidity(minutes * 60);
  if (typeof value === 'number') return { format: 'relative', value };
  if (typeof absolute === 'string') return { format: 'absolute', time: isoTime(absolute) };
  if (typeof hex !== 'string') return undefined;
  const submit = decodeTpdu(fromHex(`090000810000${hex}00`), 'to-network');
  return submit.type === 'submit' ? submit.validity : undefined;
}

function isoTime(iso: string) {
  const [, sign, hours, minutes] = /([+-])(..):(..)$/.exec(iso) ?? [];
  const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  // Date.parse knows no offset of 24 hours.
  return timeStamp(Date.parse(`${iso.slice(0, 19)}Z`) - offset * 60_000, offset);
}

function timeField(time: ReturnType<typeof timeStamp>): string {
  const submit = encodeSubmit({
    to: addressOf('1'),
    dcs: 0,
    validity: { format: 'absolute', time },
    userData: toUserData(new Uint8Array(0), new Uint8Array(0)),
  });
  return toHex(submit.subarray(-8, -1));
}

function segments(input: Input): Fields {
  const { parts, encoding, characters, remaining, perPart: per_message } = segmentationOf(input);
  const { locking, single } = shiftOf(toUserData(parts[0]?.udh ?? new Uint8Array(0), new Uint8Array(0)).elements);
  const texts = parts.map(({ data }) =>
    encoding === 'gsm7' ? decodeSeptets(data, { locking, single }) : decodeUcs2(data),
  );
  return {
    segments: parts.length,
    septets: characters,
    units: characters,
    parts_septets: parts.map(({ data }) => data.length),
    parts: texts,
    parts_chars: texts.map((text) => text.length),
    ...{ encoding, remaining, per_message, locking, single },
  };
}

function nationalChoice(input: Input): Fields {
  const { parts, characters } = segmentationOf(input);
  const udh = parts[0]?.udh ?? new Uint8Array(0);
  return { units: characters, udhl: udh.length, ...shiftOf(toUserData(udh, new Uint8Array(0)).elements) };
}

function nationalEncoding(input: Input): Fields {
  if (!input.national_allowed) return { septets: hexOf(septetsIn(input)) };
  const [{ udh, data } = { udh: new Uint8Array(0), data: new Uint8Array(0) }] = segmentationOf(input).parts;
  const { elements } = toUserData(udh, data);
  return {
    // The vectors name the locking table first.
    ies_any_order: [...elements].sort((a, b) => b.id - a.id).map((element) => [element.id, hexOf(element.data)]),
    septets: hexOf(data),
  };
}

function septetsIn({ text = '', locking = 0, single = 0 }: Input): Uint8Array {
  const septets = encodeSeptets(text, { locking, single });
  if (septets === undefined) throw new Error('a packing vector holds a character outside its alphabet');
  return septets;
}

function packing(input: Input): Fields {
  const septets = input.septet_count === undefined ? septetsIn(input) : new Uint8Array(input.septet_count);
  const packed = packSeptets(septets, input.fill_bits);
  return { packed: toHex(packed), octets: packed.length, septets: septets.length };
}

function addressField({ address = '', toa, smsc_form }: Input): Fields {
  const typedAddress = typed(address, toa);
  const submit = encodeSubmit({
    to: typedAddress,
    dcs: 0,
    userData: toUserData(new Uint8Array(0), new Uint8Array(0)),
  });
  const field = smsc_form ? encodePdu(typedAddress, new Uint8Array(0)) : submit.subarray(2, submit.length - 3);
  return { hex: toHex(field), octets: field.length, truncated_to: typedAddress.value };
}

function elementOf({ ref, seq = 0, total = 0, bits = 8, dst = 0, src = 0 }: Input): InformationElement {
  return ref === undefined
    ? portsElement({ bits, destination: dst, source: src })
    : concatenationElement({ reference: ref, bits, total, sequence: seq });
}

function hexOf(octets: Uint8Array): string {
  return toHex(octets).toLowerCase();
}
