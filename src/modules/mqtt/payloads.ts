/** The JSON that is published. `docs/mqtt.md` promises its fields. */
import { isoTime } from '../../base/clock.ts';
import { defined, isJsonObject, type JsonObject } from '../../base/json.ts';
import type { InboxMessage, OutboxMessage, OutboxState } from '../../store/message.ts';
import type { ModemFacts } from '../host/contract.ts';
import { isDerived } from './redeliveries.ts';

/** `event_type` makes it the payload of an event entity of Home Assistant as it is. */
export function receivedPayload(message: InboxMessage): JsonObject {
  const { id, number, alphanumeric, text, data, notice, modem, parts, missing, encoding, messageClass, masked } =
    message;
  return defined({
    event_type: 'received',
    ...{ id, number, alphanumeric, text },
    time: isoTime(message.time),
    received: isoTime(message.received),
    ...{ modem, parts, encoding },
    missing: missing > 0 ? missing : undefined,
    ...{ data, notice, masked },
    message_class: messageClass,
  });
}

/** The state that a sent message has come to. It is stored until the broker has it, so it holds no text. */
export function sentPayload(message: OutboxMessage): JsonObject {
  const { id, number, state, modem, parts, time, changed, source, clientRef, batch, error } = message;
  return defined({
    ...{ id, number, state, error, modem, parts },
    time: isoTime(time),
    changed: isoTime(changed),
    source,
    client_ref: clientRef === undefined || isDerived(clientRef) ? undefined : clientRef,
    batch,
  });
}

export function modemPayload(facts: ModemFacts): JsonObject {
  const { name, state, since, signal, operator, technology, registration, number, error, warning } = facts;
  return defined({
    ...{ name, state },
    since: isoTime(since),
    ...{ signal, operator, technology, registration, number, error, warning },
  });
}

export const queuePayload = ({ queued, sending }: Readonly<Record<OutboxState, number>>): JsonObject => ({
  waiting: queued + sending,
  queued,
  sending,
});

/** The id of the message in a payload of this file, for the log. */
export function idIn(payload: string): string {
  const value: unknown = JSON.parse(payload);
  return isJsonObject(value) ? String(value['id']) : '';
}
