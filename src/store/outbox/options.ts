import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { MemoryPool } from '../../base/memory-pool.ts';
import type { PhoneNumber } from '../../base/phone-number.ts';
import type { CeilingPolicy } from '../../config/ceilings.ts';
import type { Journal } from '../journal/journal.ts';
import type { Content, MessageId, OutboxMessage } from '../message.ts';
import type { Hold } from './ceilings.ts';

export interface SubmitRequest {
  readonly number: PhoneNumber;
  readonly content: Content;
  /** Who submits: `cgi`, `rpc`, `smpp:admin`, a module's name. */
  readonly source: string;
  /** Who of the source asks, such as the network of a client: each has a share of the queue. The source alone when absent. */
  readonly share?: string;
  /** Who asks for it, for the log: an account and an address. Not kept. */
  readonly by?: string;
  /** Only this modem may send it; any when absent. */
  readonly modem?: string;
  /** 0 bulk, 1 normal, 2 high, 3 alarm; 1 when absent. */
  readonly priority?: 0 | 1 | 2 | 3;
  /** Seconds that it is worth sending, from `notBefore` or else from now; the policy's when absent. */
  readonly validity?: number;
  /** Not before this time, ms since the epoch by the wall clock. */
  readonly notBefore?: number;
  /** Ask the network for delivery reports; absent, the modem's rules decide. */
  readonly report?: boolean;
  /** The same reference of the same source within a day gets the first message back. */
  readonly clientRef?: string;
  /** As long as a message with this key waits, a request with the same key gets that message back. */
  readonly joinKey?: string;
  /** First message of the group send that this one belongs to. */
  readonly batch?: MessageId;
  /** Kept with the message for the submitter, at most 255 characters. */
  readonly tag?: string;
  /** The policy's when absent. */
  readonly transliterate?: boolean;
  /** Room that was taken for the group send that it belongs to. */
  readonly hold?: Hold;
}

/** What `replace` changes of a waiting message; what is absent stays. */
export interface Replacement {
  readonly validity?: number;
  readonly notBefore?: number;
  readonly report?: boolean;
  readonly tag?: string;
}

/** The rules of the outbox, from the `gateway` section. */
export interface OutboxPolicy {
  /** More waiting messages than this are refused. */
  readonly queueLimit: number;
  readonly validitySeconds: number;
  /** Without evidence, a part that was perhaps sent is sent once more, or held for a person. */
  readonly ambiguous: 'resend' | 'hold';
  /** Days and number of finished messages that are kept. */
  readonly keepDays: number;
  readonly keepCount: number;
  readonly transliterate: boolean;
  /** National language tables that sending may use, TS 23.038 6.2.1.2.4. */
  readonly nationalTables: readonly number[];
  /** Without one everything may be sent. */
  readonly ceilings?: CeilingPolicy;
}

export interface OutboxOptions {
  /** Not yet open: the outbox registers its table. */
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Logger;
  readonly policy: OutboxPolicy;
  /** For requests to send, and for messages that are being stored; without limit when absent. */
  readonly memory?: { readonly work: MemoryPool; readonly storing: MemoryPool };
  /** 0 to below 1, for the jitter of retries. */
  readonly random: () => number;
  /** The modules are asked about each outcome: until then a message stays in the outbox. */
  readonly asksModules?: boolean;
  /** Called when a new message is durable; not for a request that got an earlier message back. */
  readonly onAccepted?: (message: OutboxMessage, by: string | undefined) => void;
  /** A ceiling is reached that was not within the hour before: a sentence. */
  readonly onLimit?: (sentence: string) => void;
  /** Called when a message is new or has come to another state. Must not throw. */
  readonly onChanged?: (id: MessageId) => void;
  /** Called in order, after the change is durable. */
  readonly onSent?: (message: OutboxMessage) => void;
  readonly onDelivered?: (message: OutboxMessage) => void;
  /** For `failed`, `undelivered`, `expired` and `unknown`. */
  readonly onFailed?: (message: OutboxMessage) => void;
}
