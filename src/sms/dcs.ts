export type Alphabet = 'gsm7' | '8bit' | 'ucs2';
export type MessageClass = 0 | 1 | 2 | 3;

/** Message waiting indication, TS 23.038 4, groups 1100 to 1110. */
export interface MessageWaiting {
  readonly active: boolean;
  /** Whether the text is to be kept; a mobile may discard it otherwise. */
  readonly store: boolean;
  readonly type: 'voice' | 'fax' | 'email' | 'other';
}

/** What a TP-DCS octet says. */
export interface DataCoding {
  readonly alphabet: Alphabet;
  readonly messageClass?: MessageClass;
  /** The user data is compressed (TS 23.042) and cannot be shown as text. */
  readonly compressed: boolean;
  /** The message asks to be deleted once read. */
  readonly autoDelete: boolean;
  readonly waiting?: MessageWaiting;
  /** The value is reserved; it is read as the standard requires of receivers. */
  readonly reserved: boolean;
}

const ALPHABETS: readonly Alphabet[] = ['gsm7', '8bit', 'ucs2', 'gsm7'];
const WAITING: readonly MessageWaiting['type'][] = ['voice', 'fax', 'email', 'other'];

// TS 23.038 4, by the groups of bits 7 to 4.
function interpret(dcs: number): DataCoding {
  const plain = { compressed: false, autoDelete: false, reserved: false };
  if (dcs < 0x80) {
    return {
      alphabet: alphabetAt(dcs >> 2),
      ...((dcs & 0x10) !== 0 && { messageClass: classAt(dcs) }),
      compressed: (dcs & 0x20) !== 0,
      autoDelete: (dcs & 0x40) !== 0,
      reserved: (dcs & 0x0c) === 0x0c,
    };
  }
  if (dcs < 0xc0) return { ...plain, alphabet: 'gsm7', reserved: true };
  if (dcs < 0xf0) {
    const store = dcs >= 0xd0;
    const waiting = { active: (dcs & 0x08) !== 0, store, type: WAITING[dcs & 0x03] ?? 'other' };
    return { ...plain, alphabet: dcs >= 0xe0 ? 'ucs2' : 'gsm7', waiting, reserved: (dcs & 0x04) !== 0 };
  }
  const alphabet = (dcs & 0x04) !== 0 ? '8bit' : 'gsm7';
  return { ...plain, alphabet, messageClass: classAt(dcs), reserved: (dcs & 0x08) !== 0 };
}

function alphabetAt(bits: number): Alphabet {
  return ALPHABETS[bits & 0x03] ?? 'gsm7';
}

function classAt(dcs: number): MessageClass {
  return (dcs & 0x03) as MessageClass;
}

const CODINGS: readonly DataCoding[] = Array.from({ length: 256 }, (_, dcs) => Object.freeze(interpret(dcs)));
const UNSPECIFIED = interpret(0);

export function decodeDcs(dcs: number): DataCoding {
  return CODINGS[dcs & 0xff] ?? UNSPECIFIED;
}

/** TP-DCS of the general group 00xx. Class 0 makes a flash message. */
export function encodeDcs(alphabet: Alphabet, messageClass?: MessageClass): number {
  const bits = ALPHABETS.indexOf(alphabet) << 2;
  return messageClass === undefined ? bits : bits | 0x10 | messageClass;
}

/** Whether the user data is counted in septets and packed, TS 23.040 9.2.3.16. */
export function isPacked(dcs: number): boolean {
  const { alphabet, compressed } = decodeDcs(dcs);
  return alphabet === 'gsm7' && !compressed;
}
