import { decodeDcs, type MessageWaiting } from './dcs.ts';
import type { InformationElement } from './information-elements.ts';

// TP-PID, TS 23.040 9.2.3.9.
const TYPE_0 = 0x40;
const REPLACE_1 = 0x41;
const REPLACE_7 = 0x47;
const SIM_DOWNLOAD = 0x7f;

/** 1 to 7 when the message takes the place of an earlier one of this type from the same sender. */
export function replaceType(pid: number): number | undefined {
  return pid >= REPLACE_1 && pid <= REPLACE_7 ? pid - REPLACE_1 + 1 : undefined;
}

/** A short message type 0: it is acknowledged and dropped, and never shown. */
export function isSilent(pid: number): boolean {
  return pid === TYPE_0;
}

/** Meant for the SIM (TS 31.111 7.1), never for a person: class 2 and the PID of (U)SIM data download. */
export function isSimDownload(pid: number, dcs: number): boolean {
  return pid === SIM_DOWNLOAD && decodeDcs(dcs).messageClass === 2;
}

/** Messages that wait elsewhere, or a call that the sender asks for. */
export interface WaitingIndication {
  readonly type: MessageWaiting['type'] | 'video' | 'return-call';
  /** Whether messages wait. */
  readonly active: boolean;
  /** How many, 0 to 255; 255 is 255 or more. Undefined when the message does not give the number. */
  readonly count: number | undefined;
}

/** Special SMS message indication, TS 23.040 9.2.3.24.2. */
const SPECIAL = 0x01;
/** Return call message, TS 23.040 9.2.3.9. */
const RETURN_CALL = 0x5f;
const TYPES: readonly WaitingIndication['type'][] = ['voice', 'fax', 'email', 'other'];
/** Basic type 11 with extended type 001. */
const VIDEO = 0x07;

/** All that the elements, the TP-DCS and the TP-PID indicate: an element takes precedence over the TP-DCS of its type. */
export function waitingIndications(
  elements: readonly InformationElement[],
  dcs: number,
  pid: number,
): readonly WaitingIndication[] {
  const found = new Map<WaitingIndication['type'], WaitingIndication>();
  for (const { id, data } of elements) {
    const [type, count] = data;
    if (id !== SPECIAL || type === undefined || count === undefined) continue;
    const named = (type & 0x1f) === VIDEO ? 'video' : (TYPES[type & 0x03] ?? 'other');
    found.set(named, { type: named, active: count > 0, count });
  }
  const { waiting } = decodeDcs(dcs);
  if (waiting !== undefined && !found.has(waiting.type)) {
    found.set(waiting.type, { type: waiting.type, active: waiting.active, count: undefined });
  }
  if (pid === RETURN_CALL) found.set('return-call', { type: 'return-call', active: true, count: undefined });
  return [...found.values()];
}

const NAMES: Readonly<Record<Exclude<WaitingIndication['type'], 'return-call'>, string>> = {
  voice: 'Voicemail',
  fax: 'Fax',
  email: 'Email',
  video: 'Video mail',
  other: 'Other messages',
};

/** The indication as a sentence for people. */
export function indicationText({ type, active, count }: WaitingIndication): string {
  if (type === 'return-call') return 'The sender asks to be called back.';
  const name = NAMES[type];
  if (!active) return `${name}: no messages waiting.`;
  if (count === undefined) return `${name}: messages waiting.`;
  return `${name}: ${count === 255 ? '255 or more' : count} message${count === 1 ? '' : 's'} waiting.`;
}
