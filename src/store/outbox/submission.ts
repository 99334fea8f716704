import { createHash } from 'node:crypto';
import { GatewayError } from '../../base/errors.ts';
import { parsePhoneNumber } from '../../base/phone-number.ts';
import type { Content, MessageId } from '../message.ts';
import { type EncodedMessage, encodeContent } from './encode.ts';
import type { OutboxPolicy, Replacement, SubmitRequest } from './options.ts';
import type { Submitted } from './records.ts';
import { refKeyOf } from './row.ts';

/** What the network takes at the most, TS 23.040 9.2.3.12: 63 weeks. */
const MAX_VALIDITY_S = 63 * 7 * 24 * 3600;

/** Longest reference or name that a submitter may give. */
const MAX_NAME = 255;

/** A request that has been looked through, as its record, and its parts. */
export interface Submission {
  readonly record: Submitted;
  readonly message: EncodedMessage;
}

/** Throws GatewayError invalid_number, invalid_text, text_too_long, invalid_argument. */
export function submission(request: SubmitRequest, id: MessageId, policy: OutboxPolicy, now: number): Submission {
  check(request);
  const { number, content, source, modem, priority = 1, notBefore, report, clientRef, batch, tag } = request;
  const transliterate = request.transliterate ?? policy.transliterate;
  const message = encodeContent(content, id, { transliterate, nationalTables: policy.nationalTables });
  const validity = request.validity ?? policy.validitySeconds;
  const record: Submitted = {
    k: 'submit',
    id,
    number,
    content,
    encoding: message.encoding,
    parts: message.parts.length,
    time: now,
    expires: expiry(validity, Math.max(now, notBefore ?? 0)),
    priority,
    source,
    ...(report !== undefined && { report }),
    ...(modem !== undefined && { modem }),
    ...(notBefore !== undefined && { notBefore }),
    ...(batch !== undefined && { batch }),
    ...(clientRef !== undefined && { ref: clientRef }),
    ...(tag !== undefined && { tag }),
    ...(request.joinKey !== undefined && { join: joinDigest(request.source, request.joinKey) }),
    ...(transliterate && { transliterate }),
    ...(policy.nationalTables.length > 0 && { tables: policy.nationalTables }),
  };
  return { record, message };
}

/** The submit record of a waiting message with new content. Throws as `submission`. */
export function replacement(
  old: Submitted,
  content: Content,
  { validity, notBefore, report, tag }: Replacement,
  now: number,
): Submitted {
  const message = encodeContent(content, old.id, {
    transliterate: old.transliterate === true,
    nationalTables: old.tables ?? [],
  });
  const { report: reported, notBefore: scheduled, ...rest } = old;
  const from = notBefore ?? scheduled;
  const worth = old.expires - Math.max(old.time, scheduled ?? 0);
  const expires = Math.max(old.time, from ?? 0) + worth;
  const asks = report ?? reported;
  return {
    ...rest,
    content,
    encoding: message.encoding,
    parts: message.parts.length,
    expires: validity === undefined ? expires : expiry(validity, Math.max(now, from ?? 0)),
    ...(from !== undefined && { notBefore: from }),
    ...(asks !== undefined && { report: asks }),
    ...(tag !== undefined && { tag }),
  };
}

export const expiry = (seconds: number, from: number): number =>
  Math.round(from + Math.min(Math.max(1, seconds), MAX_VALIDITY_S) * 1000);

/** Keys under which a repeated request finds the first message. */
export const refKey = ({ source, clientRef }: SubmitRequest): string | undefined =>
  clientRef === undefined ? undefined : refKeyOf(source, clientRef);

export const joinKey = ({ source, joinKey }: SubmitRequest): string | undefined =>
  joinKey === undefined ? undefined : joinDigest(source, joinKey);

/** A join key may hold a whole request; the journal holds 22 characters of it. */
function joinDigest(source: string, key: string): string {
  return createHash('sha256').update(`${source}\n${key}`).digest('base64url').slice(0, 22);
}

function check({ number, source, modem, priority, validity, notBefore, clientRef, tag }: SubmitRequest): void {
  if (parsePhoneNumber(number) !== number) throw new GatewayError('invalid_number', 'wanted a phone number');
  for (const [name, text] of Object.entries({ source, modem, clientRef, tag })) {
    if (text !== undefined && text.length > MAX_NAME)
      refuse(name, `at most ${MAX_NAME} characters, got ${text.length}`);
  }
  if (priority !== undefined && ![0, 1, 2, 3].includes(priority)) refuse('priority', '0 to 3');
  if (validity !== undefined && !(validity > 0)) refuse('validity', 'seconds above 0');
  if (notBefore !== undefined && !Number.isSafeInteger(notBefore)) refuse('notBefore', 'a time');
}

function refuse(name: string, wanted: string): never {
  throw new GatewayError('invalid_argument', `${name}: wanted ${wanted}`);
}
