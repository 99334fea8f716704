import { fromHex, toUserData, userDataText } from '../../sms/index.ts';
import type { Content, OutboxMessage, OutboxPart } from '../message.ts';
import { mrOf, type Part, progress, progressOf } from './part.ts';
import type { Progressed, Submitted } from './records.ts';

const names = ['queued', 'sending', 'sent', 'delivered', 'undelivered', 'expired'] as const;

/** A message as its submit record and what has happened since tell it. `inHand`: a modem is at it right now. */
export function outboxMessage(submitted: Submitted, now: Progressed, inHand: boolean): OutboxMessage {
  const { id, number, content, encoding, priority, source, batch, ref, tag, report } = submitted;
  const modem = now.v ?? submitted.modem;
  return {
    box: 'outbox',
    id,
    number,
    content,
    text: textOf(content),
    encoding,
    time: now.t,
    state: now.s,
    parts: now.q.length,
    partStates: now.q.map((part) => outboxPart(part, inHand)),
    priority,
    expires: now.x,
    attempts: now.a,
    source,
    changed: now.c,
    ...(report !== undefined && { report }),
    ...(modem !== undefined && { modem }),
    ...(now.b !== undefined && { notBefore: now.b }),
    ...(ref !== undefined && { clientRef: ref }),
    ...(batch !== undefined && { batch }),
    ...(tag !== undefined && { tag }),
    ...(now.e !== undefined && { error: now.e }),
  };
}

function textOf(content: Content): string {
  if (content.type === 'text') return content.text;
  return userDataText(content.dcs, toUserData(fromHex(content.udh ?? ''), fromHex(content.data)));
}

function outboxPart(part: Part, inHand: boolean): OutboxPart {
  const at = progressOf(part);
  if (at === progress.attempted) return { state: inHand ? 'sending' : 'ambiguous' };
  if (at === progress.queued) return { state: 'queued' };
  return { state: names[at], mr: mrOf(part) };
}
