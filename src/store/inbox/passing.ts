import { within } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import { describeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Entry, Journal } from '../journal/journal.ts';
import type { InboxMessage, MessageId } from '../message.ts';
import type { Group } from './groups.ts';
import { type Arrival, composeMessage, type IncomingPart, type KnownPart } from './incoming.ts';
import { type Completion, decodeRecord, type Place } from './records.ts';

/**
 * Asks who takes a message away that there is no room for; its number is not given yet. Resolves to the records that
 * its deliveries need under the number that it gets, or to undefined when nobody does.
 */
export type Takers = (message: InboxMessage) => Promise<((id: MessageId) => readonly Entry[]) | undefined>;

/** A message as its last part makes it. */
export interface Whole {
  readonly part: IncomingPart;
  readonly arrival: Arrival;
  /** What it replaces. */
  readonly replaced: readonly Entry[];
  /** The parts that came before it. */
  readonly group?: Group;
  readonly place?: Place;
}

/** The last part, which need not be read back. */
export const lastOf = ({ part: { pdu }, arrival, place }: Whole): KnownPart => ({
  pdu,
  deliver: arrival.incoming.deliver,
  ...(place && { place }),
});

/** Modules that are asked about a message, and may be starting, have answered by then. Milliseconds. */
const ASKING = 10_000;

export interface AskOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Logger;
  readonly takers: Takers;
}

/** Who takes the message away; undefined also when they do not say so in time, for it is offered again. Never rejects. */
export async function askTakers(
  whole: Whole,
  { journal, clock, log, takers }: AskOptions,
): Promise<{ readonly message: InboxMessage; readonly deliveriesOf: (id: MessageId) => readonly Entry[] } | undefined> {
  try {
    const message = await compose(whole, journal);
    const deliveriesOf = await within(takers(message), 'asking the modules', { clock, ms: ASKING });
    return deliveriesOf && { message, deliveriesOf };
  } catch (error) {
    log.debug(() => `nobody is known who takes a message that there is no room for: ${describeError(error)}`);
    return undefined;
  }
}

const NO_NUMBER: Completion = { id: 0 as MessageId, index: 0 };

/** The message under no number. Throws GatewayError store_unavailable. */
async function compose(whole: Whole, journal: Journal): Promise<InboxMessage> {
  const records = await Promise.all((whole.group?.refs ?? []).map((ref) => journal.read(ref)));
  const stored = records.map(decodeRecord).filter((record) => record?.kind === 'part');
  return messageOf(whole, stored, NO_NUMBER);
}

/** The message as it will be once it is stored; `stored` are the parts that came before. */
export function messageOf(whole: Whole, stored: readonly KnownPart[], completion: Completion): InboxMessage {
  const { part, arrival, group, place } = whole;
  const { sender, replaces, time = part.received } = arrival.incoming;
  const first = place?.sequence === 1 ? time : group?.parts.get(1)?.time;
  const row = {
    id: completion.id,
    index: completion.index,
    modem: part.modem,
    replaces,
    read: false,
    number: group === undefined || sender.startsWith('+') ? sender : group.sender,
    time: first ?? time,
    total: place?.total ?? 1,
    received: part.received,
    missing: 0,
  };
  return composeMessage(row, [...stored, lastOf(whole)]);
}
