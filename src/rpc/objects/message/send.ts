import type { Clock } from '../../../base/clock.ts';
import { GatewayError } from '../../../base/errors.ts';
import type { Json, JsonObject } from '../../../base/json.ts';
import { defined } from '../../../base/json.ts';
import { type PhoneNumber, parsePhoneNumber } from '../../../base/phone-number.ts';
import type { ModemStatus } from '../../../modem/status.ts';
import { type Outcome, outcomeFields, submitToAll, waitForAll } from '../../../store/group-send.ts';
import type { OutboxMessage } from '../../../store/message.ts';
import type { Outbox, SubmitRequest } from '../../../store/outbox/outbox.ts';
import type { ArgumentsOf, Caller } from '../../method.ts';
import { clip } from '../../method.ts';
import type { ModemDirectory } from '../modem.ts';
import { parseTime } from './list.ts';
import type { messageSignatures } from './signatures.ts';
import { whyNoModem, whyWaiting } from './waiting.ts';

/** The phone groups of the config. */
export interface GroupDirectory {
  /** The members; undefined when there is no such group. */
  find(name: string): readonly PhoneNumber[] | undefined;
}

export interface SendServices {
  readonly outbox: Outbox;
  readonly groups: GroupDirectory;
  readonly modems: ModemDirectory;
  readonly clock: Clock;
}

/** Calls that wait for the modem at once, over all transports: others are to find their transport free. */
const MAX_WAITING = 48;

type SendArguments = ArgumentsOf<typeof messageSignatures.send>;

type Accepted = Extract<Outcome, { message: OutboxMessage }>;

const isAccepted = (outcome: Outcome): outcome is Accepted => 'message' in outcome;

/** `message.send`. One object for all transports. */
export class MessageSender {
  readonly #services: SendServices;
  #waiting = 0;

  constructor(services: SendServices) {
    this.#services = services;
  }

  /** Throws queue_full, and accepts nothing, when too many callers wait already. */
  async send(args: SendArguments, caller: Caller): Promise<JsonObject> {
    if (!args.wait) return sendMessage(args, caller, this.#services);
    if (this.#waiting >= MAX_WAITING) {
      throw new GatewayError('queue_full', `${MAX_WAITING} calls wait for the modem already; send without wait`);
    }
    this.#waiting++;
    try {
      return await sendMessage(args, caller, this.#services);
    } finally {
      this.#waiting--;
    }
  }
}

async function sendMessage(args: SendArguments, caller: Caller, services: SendServices): Promise<JsonObject> {
  if (args.modem !== undefined && services.modems.find(args.modem) === undefined) {
    throw new GatewayError('modem_not_found', `no modem ${clip(args.modem)}`);
  }
  const { outbox, clock, groups } = services;
  const numbers = recipientsOf(args, groups);
  const cost = { characters: args.text.length, signal: caller.signal };
  const submitted = await submitToAll(outbox, numbers, (number) => requestFor(number, args, caller), cost);
  const outcomes = args.wait
    ? await waitForAll(outbox, submitted, clock, args.wait * 1000, [caller.signal])
    : submitted.map(asQueued);
  const first = outcomes.find(isAccepted);
  if (first === undefined) throw firstError(outcomes);
  const { id, state, parts, encoding } = first.message;
  const recipients = args.number === undefined ? outcomes.map(outcomeFields) : undefined;
  const waits = args.wait !== undefined && args.wait > 0 && (state === 'queued' || state === 'sending');
  const error = waits ? whyWaiting(first.message, services.modems, clock.now()) : first.message.error;
  // To somebody who waited, the error says it already.
  const warning = waits ? undefined : missingModem(args.modem, services.modems);
  const duplicate = submitted.filter(isAccepted).every(({ message }) => message.repeated === true) || undefined;
  return defined({ id, state, parts, encoding, duplicate, error, warning, recipients });
}

/** Why the message waits for a person: there is no modem at all, or none whose port can be opened. */
function missingModem(wanted: string | undefined, modems: ModemDirectory): string | undefined {
  const able = modems.list().filter(({ name }) => wanted === undefined || name === wanted);
  const isAway = ({ state, error }: ModemStatus) => state === 'opening' && error !== undefined;
  return able.every((modem) => isAway(modem.status())) ? whyNoModem(wanted, modems) : undefined;
}

function recipientsOf({ number, numbers, group }: SendArguments, groups: GroupDirectory): readonly PhoneNumber[] {
  const given = Object.entries({ number, numbers, group }).filter(([, value]) => value !== undefined);
  if (given.length !== 1) {
    const got = given.length === 0 ? 'none' : given.map(([name]) => name).join(' and ');
    throw new GatewayError('invalid_argument', `wanted number, numbers or group, got ${got}`);
  }
  // A number that stands there twice gets the message once.
  if (group === undefined) return [...new Set((numbers ?? [number]).map(parseRecipient))];
  const members = groups.find(group);
  if (members === undefined) throw new GatewayError('group_not_found', `no group ${clip(group)}`);
  if (members.length === 0) throw new GatewayError('group_empty', `group ${clip(group)} has no members`);
  return [...new Set(members)];
}

/** One wrong number refuses the call: nobody is to believe that all were reached. */
function parseRecipient(text: Json | undefined): PhoneNumber {
  const parsed = typeof text === 'string' ? parsePhoneNumber(text) : undefined;
  if (parsed !== undefined) return parsed;
  throw new GatewayError(
    'invalid_number',
    `${clip(typeof text === 'string' ? text : JSON.stringify(text))} is no phone number`,
  );
}

function requestFor(
  number: PhoneNumber,
  args: SendArguments,
  { transport, who, source = 'rpc', share }: Caller,
): SubmitRequest {
  return defined({
    number,
    content: { type: 'text' as const, text: args.text, ...(args.flash === true && { flash: true }) },
    source,
    share,
    by: who === undefined ? transport : `${who} by ${transport}`,
    modem: args.modem,
    priority: args.priority as 0 | 1 | 2 | 3 | undefined,
    validity: args.validity === undefined ? undefined : args.validity * 60,
    report: args.report,
    notBefore: args.not_before === undefined ? undefined : parseTime('not_before', args.not_before),
    clientRef: clientRefOf(args, number),
  });
}

/** Each of several recipients has a reference of its own, so that a repeated send finds every first message. */
function clientRefOf({ client_ref: ref, number }: SendArguments, recipient: PhoneNumber): string | undefined {
  return ref === undefined || number !== undefined ? ref : `${ref}/${recipient}`;
}

/** A free modem may have it in hand already; to a caller who does not wait, that makes no difference. */
function asQueued(outcome: Outcome): Outcome {
  if (!isAccepted(outcome) || outcome.message.state !== 'sending') return outcome;
  return { ...outcome, message: { ...outcome.message, state: 'queued' } };
}

function firstError(outcomes: readonly Outcome[]): GatewayError {
  for (const outcome of outcomes) if ('error' in outcome) return outcome.error;
  return new GatewayError('internal', 'nothing was sent');
}
