import { decodeDcs, type MessageWaiting } from './dcs.ts';
import type { InformationElement } from './information-element.ts';

/** What a message says of messages that wait elsewhere, or of a call that is asked for. */
export interface WaitingIndication {
  readonly type: MessageWaiting['type'] | 'video' | 'return-call';
  /** Whether messages wait. */
  readonly active: boolean;
  /** How many, 0 to 255; 255 is 255 or more. Undefined where only their presence is said. */
  readonly count: number | undefined;
}

/** Special SMS message indication, TS 23.040 9.2.3.24.2. */
const SPECIAL = 0x01;
/** Return call message, TS 23.040 9.2.3.9. */
const RETURN_CALL = 0x5f;
const TYPES: readonly WaitingIndication['type'][] = ['voice', 'fax', 'email', 'other'];
/** Basic type 11 with extended type 001. */
const VIDEO = 0x07;

/** All that the elements, the TP-DCS and the TP-PID indicate: an element of a type goes before the TP-DCS. */
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
