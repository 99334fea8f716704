import { isoTime } from '../base/clock.ts';
import type { JsonObject } from '../base/json.ts';
import { defined } from '../base/json.ts';
import type { InboxMessage, Message, OutboxMessage } from './message.ts';

/** A message as listings and events show it, whichever door they leave by. */
export function messageFields(message: Message): JsonObject {
  return defined({
    id: message.id,
    index: message.box === 'inbox' ? message.index : undefined,
    box: message.box,
    number: message.number,
    alphanumeric: message.box === 'inbox' ? message.alphanumeric : undefined,
    text: message.text,
    masked: message.box === 'inbox' ? message.masked : undefined,
    time: isoTime(message.time),
    not_before: message.box === 'outbox' && message.notBefore !== undefined ? isoTime(message.notBefore) : undefined,
    state: message.state,
    modem: message.modem,
    parts: message.parts,
    encoding: message.encoding,
    data: message.box === 'inbox' && message.text === '' ? message.data : undefined,
    notice: message.box === 'inbox' ? message.notice : undefined,
    missing: message.box === 'inbox' && message.missing > 0 ? message.missing : undefined,
    error: message.box === 'outbox' ? message.error : undefined,
  });
}

/** Everything known about a message. */
export function messageDetails(message: Message): JsonObject {
  return { ...messageFields(message), ...(message.box === 'inbox' ? inboxDetails(message) : outboxDetails(message)) };
}

function inboxDetails({ received, data, udh, messageClass }: InboxMessage): JsonObject {
  return defined({ received: isoTime(received), data, udh, message_class: messageClass });
}

function outboxDetails(message: OutboxMessage): JsonObject {
  const { content } = message;
  return defined({
    data: content.type === 'data' ? content.data : undefined,
    udh: content.type === 'data' ? content.udh : undefined,
    part_states: message.partStates.map(({ state, mr }) => defined({ state, mr })),
    priority: message.priority,
    expires: isoTime(message.expires),
    report: message.report,
    attempts: message.attempts,
    source: message.source,
    client_ref: message.clientRef,
    batch: message.batch,
    changed: isoTime(message.changed),
  });
}
