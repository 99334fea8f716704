import { createHash } from 'node:crypto';
import type { MsgConfig } from '../../config/config.ts';
import { type Recurrence, recurrenceOf } from './recurrence.ts';

/** One `msg` section that is enabled and says when. */
export interface Rule {
  /** Stays the same over restarts and when other sections come and go, which the name of an unnamed section does not. */
  readonly id: string;
  readonly msg: MsgConfig;
  readonly text: string;
  readonly recurrence: Recurrence;
}

/** A rule is what it says: once edited it is another one, with no past. Twins are told apart by their order. */
export function rulesOf(messages: readonly MsgConfig[]): readonly Rule[] {
  const twins = new Map<string, number>();
  return messages.flatMap((msg) => {
    const recurrence = msg.enable ? recurrenceOf(msg) : undefined;
    if (recurrence === undefined) return [];
    const digest = digestOf(msg);
    const twin = (twins.get(digest) ?? 0) + 1;
    twins.set(digest, twin);
    return [{ id: twin === 1 ? digest : `${digest}.${twin}`, msg, text: textOf(msg), recurrence }];
  });
}

function digestOf({ section: _, ...options }: MsgConfig): string {
  const sorted = Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('base64url').slice(0, 16);
}

const textOf = ({ message, is_b64 }: MsgConfig): string =>
  is_b64 ? Buffer.from(message, 'base64').toString('utf8') : message;
