import type { Clock } from '../../../clock.ts';
import { GatewayError, toGatewayError } from '../../../errors.ts';
import type { JsonObject } from '../../../json.ts';
import { type PhoneNumber, parsePhoneNumber } from '../../../phone-number.ts';
import type { MessageId, OutboxMessage } from '../../../store/message.ts';
import type { Outbox } from '../../../store/outbox.ts';
import { clip } from '../../arguments.ts';
import type { ArgumentsOf, Caller } from '../../method.ts';
import { defined } from '../defined.ts';
import type { ModemDirectory } from '../modem.ts';
import type { messageSignatures } from './signatures.ts';

/** The phone groups of the config. */
export interface GroupDirectory {
  /** The members as the config has them; undefined when there is no such group. */
  find(name: string): readonly string[] | undefined;
}

export interface SendServices {
  readonly outbox: Outbox;
  readonly groups: GroupDirectory;
  readonly modems: ModemDirectory;
  readonly clock: Clock;
}

type SendArguments = ArgumentsOf<typeof messageSignatures.send>;

/** What became of one recipient. */
type Outcome =
  | { readonly number: string; readonly message: OutboxMessage }
  | { readonly number: string; readonly error: GatewayError };
type Accepted = Extract<Outcome, { message: OutboxMessage }>;

const isAccepted = (outcome: Outcome): outcome is Accepted => 'message' in outcome;

export async function sendMessage(args: SendArguments, caller: Caller, services: SendServices): Promise<JsonObject> {
  if (args.modem !== undefined && services.modems.find(args.modem) === undefined) {
    throw new GatewayError('modem_not_found', `no modem ${clip(args.modem)}`);
  }
  const submitted = await submitAll(recipientsOf(args, services.groups), args, services.outbox);
  const outcomes = args.wait ? await waitFor(submitted, args.wait, caller.signal, services) : submitted;
  const first = outcomes.find(isAccepted);
  if (first === undefined) throw firstError(outcomes);
  const { id, state, parts, encoding, error } = first.message;
  const recipients = args.group === undefined ? undefined : outcomes.map(recipientFields);
  return defined({ id, state, parts, encoding, error, recipients });
}

function recipientsOf({ number, group }: SendArguments, groups: GroupDirectory): readonly string[] {
  if ((number === undefined) === (group === undefined)) {
    throw new GatewayError(
      'invalid_argument',
      `wanted number or group, got ${number === undefined ? 'neither' : 'both'}`,
    );
  }
  if (number !== undefined) return [number];
  const name = group ?? '';
  const members = groups.find(name);
  if (members === undefined) throw new GatewayError('group_not_found', `no group ${clip(name)}`);
  if (members.length === 0) throw new GatewayError('group_empty', `group ${clip(name)} has no members`);
  // A number that stands in the group twice, in whatever form, gets the message once.
  return [...new Map(members.map((member) => [parsePhoneNumber(member) ?? member, member])).values()];
}

/** Submits one message a recipient: the first that is accepted alone, as its id names the batch, then all others at once. */
async function submitAll(numbers: readonly string[], args: SendArguments, outbox: Outbox): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  let batch: MessageId | undefined;
  while (batch === undefined && outcomes.length < numbers.length) {
    const outcome = await submitOne(numbers[outcomes.length] ?? '', undefined, args, outbox);
    outcomes.push(outcome);
    if (isAccepted(outcome)) batch = outcome.message.id;
  }
  const others = numbers.slice(outcomes.length).map((number) => submitOne(number, batch, args, outbox));
  return [...outcomes, ...(await Promise.all(others))];
}

async function submitOne(
  text: string,
  batch: MessageId | undefined,
  args: SendArguments,
  outbox: Outbox,
): Promise<Outcome> {
  try {
    const number = parsePhoneNumber(text);
    if (number === undefined) throw new GatewayError('invalid_number', `${clip(text)} is no phone number`);
    const message = await outbox.submit(
      defined({
        number,
        content: { type: 'text' as const, text: args.text, ...(args.flash === true && { flash: true }) },
        source: 'rpc',
        modem: args.modem,
        priority: args.priority as 0 | 1 | 2 | 3 | undefined,
        validity: args.validity === undefined ? undefined : args.validity * 60,
        report: args.report,
        clientRef: clientRefOf(args, number),
        batch,
      }),
    );
    // A free modem may have it in hand already; to a caller who does not wait, that makes no difference.
    return { number, message: message.state === 'sending' ? { ...message, state: 'queued' } : message };
  } catch (error) {
    // What a group member runs into must not hide what the others came to; an unforeseen error may.
    if (!(error instanceof GatewayError)) throw error;
    return { number: text, error };
  }
}

/** Each member of a group has a reference of its own, so that a repeated group send finds every first message. */
function clientRefOf({ client_ref: ref, group }: SendArguments, number: PhoneNumber): string | undefined {
  return ref === undefined || group === undefined ? ref : `${ref}/${number}`;
}

/** The outcomes as they stand when every message has settled, or the time is over. */
async function waitFor(
  outcomes: readonly Outcome[],
  seconds: number,
  signal: AbortSignal,
  { outbox, clock }: SendServices,
): Promise<readonly Outcome[]> {
  const over = new AbortController();
  const end = () => over.abort();
  const cancelTimer = clock.after(seconds * 1000, end);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    await Promise.allSettled(outcomes.filter(isAccepted).map(({ message }) => outbox.settled(message.id, over.signal)));
  } finally {
    cancelTimer();
    signal.removeEventListener('abort', end);
  }
  return Promise.all(
    outcomes.map(async (outcome) =>
      isAccepted(outcome)
        ? { ...outcome, message: (await outbox.get(outcome.message.id)) ?? outcome.message }
        : outcome,
    ),
  );
}

function recipientFields(outcome: Outcome): JsonObject {
  if (!isAccepted(outcome)) {
    const { number, error } = outcome;
    return { number, state: 'failed', error: error.message, code: error.code };
  }
  const { id, state, error } = outcome.message;
  return defined({ number: outcome.number, id, state, error });
}

function firstError(outcomes: readonly Outcome[]): GatewayError {
  const refused = outcomes.find((outcome) => !isAccepted(outcome));
  return toGatewayError(refused !== undefined && 'error' in refused ? refused.error : undefined);
}
