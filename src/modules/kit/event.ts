/** What happens in the gateway, as hooks and webhooks hand it on. */
import { createHash } from 'node:crypto';
import { isoTime } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import { defined, isJsonObject } from '../../base/json.ts';
import { parsePhoneNumber } from '../../base/phone-number.ts';
import type { HookConfig, WebhookConfig } from '../../config/config.ts';
import { eventNames } from '../../config/schema/event-rows.ts';
import {
  type InboxMessage,
  type MessageId,
  type OutboxMessage,
  type OutboxState,
  outboxStates,
} from '../../store/message.ts';
import type { Delivery, DeliveryEvent, DeliveryRequest, ModemEvent, ModuleContext } from '../host/contract.ts';
import { comparable, isBinary } from './received-message.ts';

type EventName = (typeof eventNames)[number];

/** One event. Of a message what is known of it: the text of a sent one only while it is in the outbox. */
export interface GatewayEvent {
  readonly event: EventName | 'test';
  /** The same at each try, and of no other event. */
  readonly eventId: string;
  /** When it happened, ms since the epoch. */
  readonly time: number;
  /** Absent while no modem has taken the message. */
  readonly modem?: string;
  /** Sender, recipient or caller. */
  readonly number?: string;
  /** State of the message or of the modem. */
  readonly state?: string;
  readonly error?: string;
  readonly id?: number;
  readonly message?: InboxMessage | OutboxMessage;
}

/** The facts of an event, in the order in which they are documented: fields of JSON, forms and templates, and variables. */
const fieldNames = [
  ...[
    'version',
    'event',
    'event_id',
    'time',
    'router',
    'modem',
    'id',
    'number',
    'alphanumeric',
    'text',
    'masked',
    'state',
    'error',
  ],
  ...['message_time', 'parts', 'missing', 'encoding', 'message_class', 'data', 'udh', 'source', 'client_ref'],
] as const;

type FieldName = (typeof fieldNames)[number];
export type EventFields = Readonly<Partial<Record<FieldName, string | number | boolean>>>;

export const isEventField = (name: string): name is FieldName => fieldNames.some((each) => each === name);

/** An event for a try by hand. */
export const testEvent = (now: number): GatewayEvent => ({
  ...{ event: 'test', eventId: `test.${now}`, time: now, modem: 'test', number: '+000', id: 0, state: 'unread' },
  message: {
    ...{ box: 'inbox', id: 0 as MessageId, index: 0, modem: 'test', number: '+000', text: 'Test of the SMS gateway' },
    ...{ time: now, received: now, state: 'unread', parts: 1, missing: 0, encoding: 'gsm7' },
  },
});

/** `router`: name of the router. */
export function eventFields(given: GatewayEvent, router: string | undefined): EventFields {
  const { event, eventId, time, modem, number, state, error, id, message } = given;
  const inbox = message?.box === 'inbox' ? message : undefined;
  const outbox = message?.box === 'outbox' ? message : undefined;
  return defined({
    version: 1,
    event,
    event_id: eventId,
    time: isoTime(time),
    router,
    modem,
    id,
    number,
    alphanumeric: inbox?.alphanumeric,
    text: message?.text,
    masked: inbox?.masked,
    state,
    error,
    message_time: message && isoTime(message.time),
    parts: message?.parts,
    missing: inbox !== undefined && inbox.missing > 0 ? inbox.missing : undefined,
    encoding: message?.encoding,
    message_class: inbox?.messageClass,
    data: inbox?.data ?? (outbox?.content.type === 'data' ? outbox.content.data : undefined),
    udh: inbox?.udh ?? (outbox?.content.type === 'data' ? outbox.content.udh : undefined),
    source: outbox?.source,
    client_ref: outbox?.clientRef,
  });
}

/** The event that modules are asked about; undefined for what is no event, such as a cancelled message. */
export function eventOf(asked: DeliveryEvent): GatewayEvent | undefined {
  switch (asked.kind) {
    case 'message':
      return receivedEvent(asked.message);
    case 'receipt':
      return outcomeEvent(asked.message);
    case 'modem':
      return eventOfModem(asked.modemEvent);
    default:
      return asked satisfies never;
  }
}

function receivedEvent(message: InboxMessage): GatewayEvent {
  const { id, received, modem, number, state } = message;
  return { event: 'sms.received', eventId: `sms.received.${id}`, time: received, modem, number, state, id, message };
}

function outcomeEvent(message: OutboxMessage): GatewayEvent | undefined {
  const { id, changed, modem, number, state, error } = message;
  const event = eventOfState(state);
  if (event === undefined) return undefined;
  const eventId = `${event}.${id}.${changed}`;
  return defined({ event, eventId, time: changed, modem, number, state, error, id, message });
}

function eventOfState(state: OutboxState): EventName | undefined {
  if (state === 'sent') return 'sms.sent';
  if (state === 'delivered') return 'sms.delivered';
  return outboxStates[state].failure ? 'sms.failed' : undefined;
}

function eventOfModem(happened: ModemEvent): GatewayEvent {
  const { event, modem, time } = happened;
  const what = { event, eventId: `${event}.${modem}.${time}`, time, modem };
  if (happened.event === 'call.incoming') return defined({ ...what, number: happened.number });
  return defined({ ...what, state: happened.state, error: happened.error });
}

/** Characters of an error that a note keeps. */
const MAX_ERROR = 200;

/** What a delivery keeps of an event that is not of a received message. */
function noteOf({ message: _, error, ...event }: GatewayEvent): string {
  return JSON.stringify(defined({ ...event, error: error?.slice(0, MAX_ERROR) }));
}

/** The event of a delivery; undefined when nothing is known of it. */
export async function eventOfDelivery(
  delivery: Delivery,
  outbox: Pick<ModuleContext<unknown>['outbox'], 'get'>,
): Promise<GatewayEvent | undefined> {
  if (delivery.kind === 'message') return receivedEvent(delivery.message);
  const event = readNote(delivery.note);
  if (event?.id === undefined) return event;
  const message = await outbox.get(event.id as MessageId);
  return message === undefined ? event : { ...event, message };
}

/** Reads what noteOf wrote, perhaps another version of it. */
function readNote(note: string): GatewayEvent | undefined {
  const value: unknown = JSON.parse(note);
  if (!isJsonObject(value)) return undefined;
  const { eventId, time, id } = value;
  const event = eventNames.find((name) => name === value['event']);
  if (event === undefined || typeof eventId !== 'string' || typeof time !== 'number') return undefined;
  const text = (name: 'modem' | 'number' | 'state' | 'error') => {
    const field = value[name];
    return typeof field === 'string' ? field : undefined;
  };
  return defined({
    ...{ event, eventId, time },
    ...{ modem: text('modem'), number: text('number'), state: text('state'), error: text('error') },
    id: typeof id === 'number' ? id : undefined,
  });
}

type EventConfig = HookConfig | WebhookConfig;

/** How the test of one target went. */
export interface TestResult {
  readonly good: boolean;
  readonly text: string;
}

/** The answer to a test of several targets, a line each. Throws GatewayError peer_rejected when one failed. */
export function testReport(results: readonly TestResult[]): string {
  const lines = results.map(({ good, text }) => (good ? text : `failed: ${text.replaceAll('\n', ' ')}`)).join('\n');
  if (results.every(({ good }) => good)) return lines;
  throw new GatewayError('peer_rejected', lines);
}

/** The sections that are switched on, by the target of their deliveries. */
export function targetsOf<C extends EventConfig>(
  sections: readonly C[],
  identity: (section: C) => string,
): ReadonlyMap<string, C> {
  const targets = new Map<string, C>();
  for (const config of sections) {
    if (!config.enabled) continue;
    // The name of an unnamed section is its place, which changes when others come and go.
    const name = config.section.startsWith('@') ? digestOf(identity(config)) : config.section;
    let target = name;
    for (let twin = 2; targets.has(target); twin++) target = `${name}.${twin}`;
    targets.set(target, config);
  }
  return targets;
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 8);

/** The deliveries that an event needs: one for each target whose section takes it. */
export function deliveriesTo(
  targets: ReadonlyMap<string, EventConfig>,
  asked: DeliveryEvent,
  context: Pick<ModuleContext<unknown>, 'isFrom' | 'isRuleMessage'>,
): readonly DeliveryRequest[] {
  const event = eventOf(asked);
  if (event === undefined) return [];
  const takers = [...targets].filter(([, config]) => takes(config, event, context));
  const note = takers.length > 0 && asked.kind !== 'message' ? { note: noteOf(event) } : {};
  return takers.map(([target]) => ({ target, ...note }));
}

/** Whether the section wants the event. Each filter is about the events that have what it looks at. */
export function takes(
  config: Pick<EventConfig, 'event' | 'number' | 'text' | 'match' | 'modem' | 'every_sms'>,
  { event, number, modem, message }: GatewayEvent,
  { isFrom, isRuleMessage }: Pick<ModuleContext<unknown>, 'isFrom' | 'isRuleMessage'>,
): boolean {
  if (!config.event.some((wanted) => wanted === event)) return false;
  if (config.modem.length > 0 && (modem === undefined || !config.modem.includes(modem))) return false;
  if (event === 'modem.state') return true;
  const party = { number: number ?? '', modem: modem ?? '', ...alphanumeric(message) };
  if (config.number.length > 0 && !config.number.some((each) => isParty(party, each, isFrom))) return false;
  if (message === undefined) return true;
  if (config.text.length > 0 && !hasText(message, config)) return false;
  return message.box === 'outbox' || config.every_sms || !isRuleMessage(message);
}

const alphanumeric = (message: GatewayEvent['message']): { readonly alphanumeric?: true } =>
  message?.box === 'inbox' && message.alphanumeric ? { alphanumeric: true } : {};

function isParty(
  party: Pick<InboxMessage, 'number' | 'alphanumeric' | 'modem'>,
  wanted: string,
  isFrom: ModuleContext<unknown>['isFrom'],
): boolean {
  if (party.alphanumeric) return comparable(party.number) === comparable(wanted);
  const number = parsePhoneNumber(wanted);
  return number !== undefined && isFrom(party, number);
}

function hasText(
  message: InboxMessage | OutboxMessage,
  { text: wanted, match }: Pick<EventConfig, 'text' | 'match'>,
): boolean {
  if (message.box === 'inbox' && isBinary(message)) return false;
  const text = comparable(message.text);
  return wanted.some((each) => {
    const sought = comparable(each);
    if (match === 'exact') return text === sought;
    return match === 'prefix' ? text === sought || text.startsWith(`${sought} `) : text.includes(sought);
  });
}
