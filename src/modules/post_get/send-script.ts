import { createHash } from 'node:crypto';
import { GatewayError } from '../../base/errors.ts';
import { type PhoneNumber, parsePhoneNumber, plainNumberText } from '../../base/phone-number.ts';
import { type Outcome, outcomeFields, submitToAll, waitForAll } from '../../store/group-send.ts';
import { type OutboxState, outboxStates } from '../../store/message.ts';
import { errorReply, type Reply } from './answer.ts';
import type { PostGetContext } from './context.ts';

type Parameters = ReadonlyMap<string, string>;

/** Numbers in one request. */
const MAX_NUMBERS = 100;

/**
 * Submits the text and waits until a modem has sent it. To a group or to several numbers: OK when every member's message was sent, ERROR when
 * one failed, else TIMEOUT; the JSON form tells of each member.
 */
export async function smsSend(
  context: PostGetContext,
  parameters: Parameters,
  client: string,
  signal: AbortSignal,
): Promise<Reply> {
  const { outbox, clock, config } = context;
  const number = parameters.get('number') ?? '';
  const group = parameters.get('group') ?? '';
  const text = parameters.get('text') ?? '';
  if (number === '' && group === '') required('"number" or "group"');
  if (text === '') required('"text"');
  const numbers = number === '' ? membersOf(group, context) : numbersOf(number);
  const toSeveral = number === '' || numbers.length > 1;

  const submitted = await submitToAll(outbox, numbers, (to) => ({
    number: to,
    content: { type: 'text', text },
    source: 'cgi',
    joinKey: joinKey(client, group, to, text),
    ...(config.modem === undefined ? {} : { modem: config.modem }),
  }));
  if (config.send_timeout === 0) return replyOf(submitted, isOnTheWay, toSeveral);
  const wait = config.send_timeout * 1000;
  const outcomes = await waitForAll(outbox, submitted, clock, wait, [signal, context.signal]);
  return replyOf(outcomes, isSent, toSeveral);
}

function required(name: string): never {
  throw new GatewayError('invalid_argument', `${name} parameter is required`);
}

/**
 * One number, or several with commas, each once. A client that does not escape the `+` of `+370…` sends a blank in its
 * place. Behind a comma that is not certain unless the first number came so too: it may be a national number.
 */
function numbersOf(text: string): readonly PhoneNumber[] {
  const items = plainNumberText(text)
    .split(',')
    .filter((item, at) => at === 0 || item.trim() !== '');
  if (items.length > MAX_NUMBERS) throw new GatewayError('invalid_argument', `more than ${MAX_NUMBERS} numbers`);
  const unescaped = /^ [1-9]/.test(items[0] ?? '');
  const numbers = items.map((item, at) => {
    if (unescaped) return numberOf(item.replace(/^ +(?=[1-9])/, '+'));
    if (at > 0 && /^ +[1-9]/.test(item)) throw new GatewayError('invalid_number', 'a + is to be written as %2B');
    return numberOf(item);
  });
  return [...new Set(numbers)];
}

function numberOf(text: string): PhoneNumber {
  const number = parsePhoneNumber(text);
  if (number === undefined) throw new GatewayError('invalid_number', 'number is not a phone number');
  return number;
}

function membersOf(name: string, { shared }: PostGetContext): readonly PhoneNumber[] {
  const group = shared.groups.find((candidate) => candidate.name === name);
  if (group === undefined) throw new GatewayError('group_not_found', 'no group of that name');
  if (group.tel.length === 0) throw new GatewayError('group_empty', 'the group has no members');
  return [...new Set(group.tel)];
}

/** The same request from the same client, repeated while the first one is pending, joins it. Holds no text in clear. */
function joinKey(client: string, group: string, number: PhoneNumber, text: string): string {
  const digest = createHash('sha256').update(JSON.stringify([client, group, number, text]));
  return `cgi:${digest.digest('base64url')}`;
}

/** Whether a state is what the client waited for. */
type Good = (state: OutboxState) => boolean;

const isSent: Good = (state) => outboxStates[state].success;
const isOnTheWay: Good = (state) => isSent(state) || !outboxStates[state].settled;
/** Nothing is certain yet: the message waits, or the modem never answered. */
const isOpen: Good = (state) => state === 'unknown' || !outboxStates[state].settled;

function replyOf(outcomes: readonly Outcome[], isGood: Good, toSeveral: boolean): Reply {
  const messages = outcomes.flatMap((outcome) => ('error' in outcome ? [] : [outcome.message]));
  const first = messages[0];
  if (first === undefined) throw outcomes.find((outcome) => 'error' in outcome)?.error;
  const { id, state, parts, encoding } = first;
  const json = { id, state, parts, encoding, ...(toSeveral ? { recipients: outcomes.map(outcomeFields) } : {}) };
  const error = errorOf(outcomes, isGood);
  if (error === undefined) return { text: () => (parts === 1 ? 'OK\n' : `OK\n${parts}/${parts}\n`), json: () => json };
  const failed = errorReply(error);
  return { ...failed, json: () => ({ ...failed.json(), ...json }) };
}

function errorOf(outcomes: readonly Outcome[], isGood: Good): GatewayError | undefined {
  const bad = outcomes.filter((outcome) => 'error' in outcome || !isGood(outcome.message.state));
  const refused = bad.find((outcome) => 'error' in outcome);
  if (refused !== undefined && 'error' in refused) return refused.error;
  const failed = bad.find((outcome) => !('error' in outcome) && !isOpen(outcome.message.state));
  if (failed !== undefined && 'message' in failed) {
    return new GatewayError('modem_rejected', failed.message.error ?? `the message is ${failed.message.state}`);
  }
  return bad.length === 0 ? undefined : new GatewayError('timeout', 'not sent yet; the message stays in the queue');
}
