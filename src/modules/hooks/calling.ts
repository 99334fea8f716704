/** How programs that were written for other gateways are called, so that they run here as they are. */
import { printable } from '../../base/printable.ts';
import type { HookConfig } from '../../config/config.ts';
import { localTime, type TimeZone } from '../../system/time-zone.ts';
import type { EventFields, GatewayEvent } from '../kit/event.ts';
import { isBinary } from '../kit/received-message.ts';

/** What a program gets beside the event on stdin. */
export interface Calling {
  /** What follows the configured arguments. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Its path is the second of the arguments. */
  readonly file?: Buffer;
}

/** Stands for the path of the file among the arguments. */
export const FILE = '\0file';

/** `attempt` counts from 1. */
export function callingOf(
  event: GatewayEvent,
  fields: EventFields,
  { style }: Pick<HookConfig, 'style'>,
  { attempt, zone }: { readonly attempt: number; readonly zone: TimeZone },
): Calling {
  const own = Object.entries({ ...fields, attempt }).map(([name, value]) => [`SMSGW_${name.toUpperCase()}`, value]);
  const environment = clean({ ...Object.fromEntries(own), ...gammuEnvironment(event) });
  if (style === 'own') return { args: [], environment };
  if (style === 'gammu') return { args: gammuArguments(event), environment };
  const local = (ms: number) => new Date(localTime(zone, ms)).toISOString();
  return { ...smsdCall(event, local), environment };
}

/** An environment knows no NUL, and no text is too long for it: 255 parts of 153 characters of at most 3 octets. */
function clean(values: Readonly<Record<string, string | number | boolean>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, `${value}`.replaceAll('\0', '')]));
}

/** The variables of gammu-smsd-run(7). The message is whole: it counts as one. */
function gammuEnvironment({ event, modem = '', number = '', message }: GatewayEvent): Readonly<Record<string, string>> {
  const phone = { PHONE_ID: modem };
  if (message === undefined) return phone;
  const hasText = message.box === 'outbox' ? message.content.type === 'text' : !isBinary(message);
  const text = event === 'sms.delivered' ? 'Delivered' : message.text;
  const reference = message.box === 'outbox' ? message.partStates[0]?.mr : undefined;
  const messageClass = message.box === 'inbox' ? message.messageClass : undefined;
  return {
    ...phone,
    SMS_MESSAGES: '1',
    SMS_1_NUMBER: number,
    SMS_1_CLASS: `${messageClass ?? -1}`,
    SMS_1_REFERENCE: `${reference ?? 0}`,
    DECODED_PARTS: hasText ? '1' : '0',
    ...(hasText && { SMS_1_TEXT: text, DECODED_1_TEXT: text }),
  };
}

/** RunOnReceive gets the id of the message, RunOnIncomingCall the number. */
function gammuArguments({ event, number = '', id }: GatewayEvent): readonly string[] {
  if (event === 'call.incoming') return [number];
  return id === undefined ? [] : [`${id}`];
}

const smsdWords = {
  'sms.received': 'RECEIVED',
  'sms.sent': 'SENT',
  'sms.delivered': 'REPORT',
  'sms.failed': 'FAILED',
  'call.incoming': 'CALL',
  test: 'TEST',
} as const;

type LocalTime = (ms: number) => string;

/** What smsd of smstools gives its eventhandler; of a modem, what it gives its alarmhandler. */
function smsdCall(event: GatewayEvent, local: LocalTime): Pick<Calling, 'args' | 'file'> {
  const { modem = '', state = '', error } = event;
  if (event.event === 'modem.state') {
    const at = local(event.time);
    const severity = state === 'ready' ? '2' : '1';
    const text = `modem ${modem} is ${state}${error === undefined ? '' : `: ${error}`}`;
    return { args: ['ALARM', at.slice(0, 10), at.slice(11, 19), severity, modem, text] };
  }
  const id = event.id === undefined ? [] : [`${event.id}`];
  return { args: [smsdWords[event.event], FILE, ...id], file: smsdFile(event, local) };
}

/** The file of a message as smsd writes it. */
function smsdFile(event: GatewayEvent, local: LocalTime): Buffer {
  const time: LocalTime = (ms) => local(ms).slice(2, 19).replace('T', ' ');
  const lines = headerOf(event, time);
  const head = lines.map(([name, value]) => `${name}: ${printable(value)}\n`).join('');
  return Buffer.concat([Buffer.from(`${head}\n`), bodyOf(event, time)]);
}

type HeaderLines = readonly (readonly [name: string, value: string])[];

function headerOf(event: GatewayEvent, time: LocalTime): HeaderLines {
  const { number = '', modem = '', message, error = '' } = event;
  const known = message?.time ?? event.time;
  const from: HeaderLines = [
    ['From', number.replace(/^\+/, '')],
    ['From_TOA', typeOfAddress(event)],
  ];
  const received = (sent: number): HeaderLines => [
    ['Sent', time(sent)],
    ['Received', time(message?.box === 'inbox' ? message.received : event.time)],
    ['Subject', modem],
    ['Modem', modem],
  ];
  const alphabet: HeaderLines = [['Alphabet', message !== undefined && isOctets(message) ? 'binary' : 'UTF-8']];
  const length: HeaderLines = [['Length', `${[...(message?.text ?? '')].length}`]];
  const udh = message?.box === 'inbox' ? message.udh : undefined;
  const header: HeaderLines =
    udh === undefined
      ? []
      : [
          ['UDH-DATA', udh.replace(/..(?=.)/g, '$& ')],
          ['UDH', 'true'],
        ];
  const to: HeaderLines = [['To', number.replace(/^\+/, '')], ...alphabet];
  switch (event.event) {
    case 'sms.received':
    case 'test':
      return [...from, ...received(known), ['Report', 'no'], ...alphabet, ...header, ...length];
    case 'sms.delivered':
      return [...from, ...received(known), ['Report', 'no'], ['Alphabet', 'ISO'], ['UDH', 'no']];
    case 'call.incoming':
      return [...from, ...received(event.time), ['Call_type', 'missed'], ['Alphabet', 'ISO'], ['UDH', 'no']];
    case 'sms.sent':
      return [...to, ['Modem', modem], ['Sent', time(event.time)], ['Message_id', `${event.id}`]];
    case 'sms.failed':
      return [...to, ['Modem', modem], ['Fail_reason', error], ['Failed', time(event.time)]];
    case 'modem.state':
      return [];
    default:
      return event.event satisfies never;
  }
}

type Shown = NonNullable<GatewayEvent['message']>;

const isOctets = (message: Shown): boolean =>
  message.box === 'inbox' ? isBinary(message) : message.content.type === 'data';

function bodyOf({ event, message, id, time: at }: GatewayEvent, time: LocalTime): Buffer {
  if (event === 'call.incoming') return Buffer.from('CALL MISSED\n');
  if (event === 'sms.delivered') {
    return Buffer.from(
      `SMS STATUS REPORT\nMessage_id: ${id}\nDischarge_timestamp: ${time(at)}\n` +
        'Status: 0,Ok,short message received by the SME\n',
    );
  }
  if (message?.box === 'inbox' && isBinary(message)) return Buffer.from(message.data ?? '', 'hex');
  if (message?.box === 'outbox' && message.content.type === 'data') return Buffer.from(message.content.data, 'hex');
  return Buffer.from(message?.text ?? '');
}

/** TS 23.040 9.1.2.5, in the words of smsd. */
function typeOfAddress({ number = '', message }: GatewayEvent): string {
  if (message?.box === 'inbox' && message.alphanumeric) return 'D0 alphanumeric, unknown';
  return number.startsWith('+') ? '91 international, ISDN/telephone' : '81 unknown, ISDN/telephone';
}
