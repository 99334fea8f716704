import { Memory } from '../../../access/memory.ts';
import { isoTime } from '../../../base/clock.ts';
import { GatewayError } from '../../../base/errors.ts';
import type { JsonObject } from '../../../base/json.ts';
import { makeAnswer } from '../../../base/memory-pool.ts';
import { refusingText } from '../../../sms/index.ts';
import type { Inbox } from '../../../store/inbox/inbox.ts';
import type { Message, MessageId } from '../../../store/message.ts';
import { messageDetails, messageFields } from '../../../store/message-fields.ts';
import type { Traffic } from '../../../store/traffic.ts';
import { type Caller, implement, type RpcObject } from '../../method.ts';
import { costOfPage, listMessages } from './list.ts';
import { MessageSender, type SendServices } from './send.ts';
import { messageSignatures } from './signatures.ts';
import { isUnderWay, whyWaiting } from './waiting.ts';

/** How a text would be sent. */
export interface TextSegments {
  readonly encoding: string;
  readonly parts: number;
  readonly characters: number;
  readonly remaining: number;
}

export interface MessageServices extends SendServices {
  readonly inbox: Inbox;
  readonly traffic: Pick<Traffic, 'last'>;
  /** Shared with the other doors; its own when absent. */
  readonly memory?: Memory;
  /** Splits a text by the options of the gateway. Throws SmsError. */
  segments(text: string): TextSegments;
}

/** Hours. */
const DAY = 24;

/** `sms_gateway.message`: inbox and outbox. */
export function messageObject(services: MessageServices): RpcObject {
  const { inbox, outbox, modems, clock, memory = new Memory(clock) } = services;
  const sender = new MessageSender(services);
  const find = async (id: MessageId): Promise<Message> => {
    const message = (await inbox.get(id)) ?? (await outbox.get(id));
    if (message === undefined) throw notFound(id);
    return message;
  };
  /** A long message waits for room as a listing does: clients that read nothing hold its text. Others wait for nobody. */
  const inRoom = async (fields: JsonObject, { room, signal }: Caller, work = async () => {}): Promise<JsonObject> => {
    const characters = JSON.stringify(fields).length;
    if (characters <= SHORT_MESSAGE) await work();
    else await makeAnswer(room, memory.answers, characters * CHARACTER, signal, work);
    return fields;
  };
  return implement('sms_gateway.message', messageSignatures, {
    send: (args, caller) => sender.send(args, caller),
    list: (args, { room, signal }) =>
      makeAnswer(room, memory.answers, costOfPage(args), signal, () => listMessages(args, inbox, outbox)),
    async read({ id, mark }, caller) {
      const message = await find(messageId(id));
      const marks = message.box === 'inbox' && message.state !== 'read' && mark !== false;
      return inRoom(marks ? messageFields({ ...message, state: 'read' }) : messageFields(message), caller, async () => {
        if (marks) await inbox.markRead(message.id);
      });
    },
    async delete({ id }) {
      const gone = (await inbox.delete(messageId(id))) || (await outbox.delete(messageId(id)));
      if (!gone) throw notFound(id);
      return { id };
    },
    total: async () => {
      const { used, total, unread } = inbox.total();
      return { used, total, unread };
    },
    statistics: async ({ hours }) => ({
      hours: services.traffic.last(hours ?? DAY).map(({ time, ...counts }) => ({ time: isoTime(time), ...counts })),
    }),
    async status({ id }, caller) {
      const message = await find(messageId(id));
      const waits = message.box === 'outbox' && isUnderWay(message, clock.now());
      const error = waits ? whyWaiting(message, modems, clock.now()) : undefined;
      return inRoom({ ...messageDetails(message), ...(error !== undefined && { error }) }, caller);
    },
    async cancel({ id }) {
      const { state } = await outbox.cancel(messageId(id));
      return { id, state };
    },
    async retry({ id }) {
      const { state } = await outbox.retry(messageId(id));
      return { id, state };
    },
    async segments({ text }) {
      const { encoding, parts, characters, remaining } = refusingText(() => services.segments(text));
      return { encoding, parts, characters, remaining };
    },
  });
}

/** Characters of an answer that is counted nowhere: as many as all connections may ask for at once do no harm. */
const SHORT_MESSAGE = 4_096;
/** Octets that a character takes at most. */
const CHARACTER = 2;

/** The signature has checked the range. */
const messageId = (id: number) => id as MessageId;

const notFound = (id: number) => new GatewayError('message_not_found', `no message ${id}`);
