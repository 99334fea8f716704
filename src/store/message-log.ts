import { createHash } from 'node:crypto';
import type { Logger } from '../base/log.ts';
import type { InboxMessage, Message, OutboxMessage } from './message.ts';
import { outboxStates } from './message.ts';

/** One line for each step of each message, so that "did the alarm go out?" is answered by the log alone. */
export class MessageLog {
  /** Whether debug lines show the texts. */
  texts: boolean;
  readonly #log: Logger;

  constructor(log: Logger, texts: boolean) {
    this.#log = log;
    this.texts = texts;
  }

  /** `by`: the account and address that asked for it. */
  accepted(message: OutboxMessage, by?: string): void {
    const { source, notBefore } = message;
    const details = [
      `from ${source}${by === undefined ? '' : ` (${by})`}`,
      `sha256 ${digestOf(message)}`,
      ...(notBefore === undefined ? [] : [`not before ${new Date(notBefore).toISOString()}`]),
    ];
    this.#write('info', message, `accepted, ${details.join(', ')}`);
    this.#text(message);
  }

  /** For every state that a message settles in. */
  settled(message: OutboxMessage): void {
    const { state, modem, error } = message;
    const by = modem === undefined ? '' : ` by ${modem}`;
    const why = error === undefined ? '' : `: ${error}`;
    this.#write(outboxStates[state].failure ? 'warning' : 'info', message, `${state}${by}${why}`);
  }

  received(message: InboxMessage): void {
    const { modem, missing } = message;
    this.#write('info', message, `received by ${modem}${missing > 0 ? `, ${missing} of them missing` : ''}`);
    this.#text(message);
  }

  #text({ id, text }: Message): void {
    if (this.texts) this.#log.debug(() => `${id} text: ${JSON.stringify(text)}`);
  }

  #write(level: 'info' | 'warning', message: Message, what: string): void {
    const { id, box, number, parts } = message;
    const direction = box === 'inbox' ? 'from' : 'to';
    this.#log[level](`${id} ${direction} ${number}, ${parts} ${parts === 1 ? 'part' : 'parts'}: ${what}`);
  }
}

/** For who has the text and wants to know whether it was this one: 16 hexadecimal digits. */
function digestOf({ text }: OutboxMessage): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
