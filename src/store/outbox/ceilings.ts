import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/log.ts';
import { LruMap } from '../../base/lru-map.ts';
import { type CeilingPolicy, type Rates, ratesOf } from '../../config/ceilings.ts';
import { oneFormOf, whyNot } from './destinations.ts';
import { Tally, type Window, windows } from './tally.ts';

/** A message that was submitted: what the ceilings count. */
export interface Submission {
  readonly source: string;
  readonly number: string;
  readonly parts: number;
}

/** A group send has no number. */
type Submitted = Pick<Submission, 'source' | 'parts'> & Partial<Pick<Submission, 'number'>>;

/** Whose limit is reached. */
export type Whose = 'all' | 'function' | 'recipient';

/** A ceiling is reached. */
export class LimitReached extends GatewayError {
  readonly whose: Whose;
  /** Which one, a sentence that is the same each time. */
  readonly limit: string;
  /** Milliseconds until there is room again; 0 where there never is room for so many. */
  readonly after: number;

  constructor(whose: Whose, limit: string, after = 0) {
    const message = after === 0 ? limit : `${limit}: room again in ${Math.ceil(after / 1000)} s`;
    super('limit_reached', message, { retryAfter: after });
    this.name = 'LimitReached';
    this.whose = whose;
    this.limit = limit;
    this.after = after;
  }
}

/** Room for a group send, taken before its first message: it gets all or nothing. */
export interface Hold {
  /** Gives back what was not used. */
  release(): void;
}

/** Source of the gateway's own messages about limits, which no other limit than their own stops. */
const ALARM_SOURCE = 'alarms';

/** Recipients, and functions with accounts, that are counted; the one that was used longest ago makes room. */
const MAX_RECIPIENTS = 10_000;
const MAX_NAMES = 1_000;
/** A ceiling that is reached again within this time is no news, ms. */
const QUIET_MS = 3_600_000;
/** So long after the last refusal `status` still warns of it though there is room again, ms. */
const SHOWN_MS = 5 * 60_000;
const MAX_REACHED = 100;

/** Functions that others than the owner make send, by messages and mails. */
const STRANGERS: ReadonlySet<string> = new Set(['auto_reply', 'rules', 'forwarding_to_sms', 'pop3']);
/** What these get together of a limit that all share: the rest is for the alarms of the owner. */
const STRANGERS_SHARE = 0.5;
/** The last tenth of the limit of all is for functions that have used less than a tenth. */
const SHARE = 0.1;
/** A limit of fewer than this is too small to be shared out. */
const SHARED_FROM = 100;

interface CeilingsOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly policy: () => CeilingPolicy | undefined;
  /** The country codes that national numbers may belong to. */
  readonly countries: () => readonly string[];
  /** A ceiling is reached that was not within the hour before: a sentence. */
  readonly reached: (sentence: string) => void;
}

/** One ceiling, as a submission meets it. */
interface Ceiling {
  readonly whose: Whose;
  readonly name: string;
  readonly rates: Rates;
  readonly tally: Tally;
  /** It is only a part of what the option says. */
  readonly part?: true;
  /** What the function has used, where others are to find the last tenth. */
  readonly own?: Tally;
}

/** Refusals for one reason, without a pause of `SHOWN_MS` between them. */
interface Refusals {
  /** When the log had it, by the monotonic clock. */
  readonly said: number;
  readonly sentence: string;
  /** The last one, by the monotonic clock. */
  readonly last: number;
  readonly count: number;
  /** Whether one more would be refused now. */
  readonly lasts: () => boolean;
}

/** Keeps what is submitted below the ceilings: of all, of each function and account, of each recipient. */
export class Ceilings {
  readonly #options: CeilingsOptions;
  readonly #all = new Tally();
  /** Of the functions that strangers make send. */
  readonly #strange = new Tally();
  readonly #strangeRecipients = new LruMap<string, Tally>(MAX_RECIPIENTS);
  readonly #names = new LruMap<string, Tally>(MAX_NAMES);
  readonly #recipients = new LruMap<string, Tally>(MAX_RECIPIENTS);
  /** By what they were refused for. */
  readonly #reached = new LruMap<string, Refusals>(MAX_REACHED);
  #refused = 0;

  constructor(options: CeilingsOptions) {
    this.#options = options;
  }

  /** Counts what was submitted `age` milliseconds ago, before this run. */
  found(submission: Submission, age: number): void {
    const at = this.#options.clock.monotonic() - age;
    this.#countShared(submission.source, at, submission.parts);
    this.#countRecipient(submission, at, submission.parts);
  }

  /**
   * Counts a submission; the returned function takes it back. Throws LimitReached, and number_denied. A message that is
   * longer than a limit passes when nothing else was sent in its window: it could never go otherwise.
   */
  take(submission: Submission, hold?: Hold): () => void {
    this.#checkNumber(submission);
    const held = hold instanceof Room && hold.take(submission.parts) ? hold : undefined;
    try {
      for (const ceiling of this.#ceilings(submission.source, submission.number)) {
        if (held === undefined || ceiling.whose === 'recipient') this.#check(ceiling, submission, false);
      }
    } catch (error) {
      held?.back(submission.parts);
      throw error;
    }
    const at = this.#options.clock.monotonic();
    const { source, parts } = submission;
    if (held === undefined) this.#countShared(source, at, parts);
    this.#countRecipient(submission, at, parts);
    return () => {
      if (held === undefined) this.#countShared(source, at, -parts);
      else held.back(parts);
      this.#countRecipient(submission, at, -parts);
    };
  }

  /** Takes room for several messages of one source. Throws LimitReached. */
  hold(source: string, parts: number): Hold {
    for (const ceiling of this.#ceilings(source)) this.#check(ceiling, { source, parts }, true);
    const at = this.#options.clock.monotonic();
    this.#countShared(source, at, parts);
    return new Room(parts, (rest) => this.#countShared(source, at, -rest));
  }

  /** For `status`. */
  usage(): JsonObject {
    const policy = this.#options.policy();
    if (policy === undefined) return {};
    const names = new Set([...policy.functions.keys(), ...this.#names.keys()].filter((name) => name !== ALARM_SOURCE));
    const functions = [...names].map(
      (name) => [name, this.#use(ratesOf(policy, name), this.#names.get(name) ?? new Tally())] as const,
    );
    return {
      all: this.#use(policy.all, this.#all),
      functions: Object.fromEntries(functions),
      recipient: this.#busiest(policy.recipient),
      refused: this.#refused,
    };
  }

  /** What is refused now, and was within the last minutes, as sentences. */
  warnings(): readonly string[] {
    const now = this.#options.clock.monotonic();
    return [...this.#reached.values()]
      .filter((refusals) => isShown(refusals, now))
      .map(({ sentence, count, last }) => {
        return `${sentence} (${count} refused, the last ${ago(now - last)})`;
      });
  }

  #use(rates: Rates, tally: Tally): JsonObject {
    const now = this.#options.clock.monotonic();
    return Object.fromEntries(windows.map((each) => [each, { used: tally.used(now, each), limit: rates[each] }]));
  }

  /** Of the number that got most of the day. */
  #busiest(rates: Rates): JsonObject {
    const now = this.#options.clock.monotonic();
    let most: readonly [string, Tally, number] | undefined;
    for (const [number, tally] of this.#recipients.entries()) {
      const used = tally.used(now, 'day');
      if (used > (most?.[2] ?? 0)) most = [number, tally, used];
    }
    return most === undefined ? this.#use(rates, new Tally()) : { number: most[0], ...this.#use(rates, most[1]) };
  }

  /** Without a number: those that a group send meets as a whole. */
  #ceilings(source: string, number?: string): readonly Ceiling[] {
    const policy = this.#options.policy();
    if (policy === undefined) return [];
    const own = namesOf(source).map((name): Ceiling => {
      return { whose: 'function', name, rates: ratesOf(policy, name), tally: this.#names.get(name) ?? new Tally() };
    });
    if (source === ALARM_SOURCE) return own;
    const strange = isStrange(source);
    const [first] = own;
    const shared: readonly Ceiling[] = [
      {
        ...{ whose: 'all', name: 'all functions together', rates: policy.all, tally: this.#all },
        ...(first && { own: first.tally }),
      },
      ...(strange
        ? [{ whose: 'all', name: STRANGE, rates: shareOf(policy.all), tally: this.#strange, part: true } as const]
        : []),
      ...own,
    ];
    if (number === undefined) return shared;
    const key = this.#recipientKey(number);
    const ofRecipient = (rates: Rates, tallies: LruMap<string, Tally>, name: string): Ceiling => {
      return { whose: 'recipient', name, rates, tally: tallies.get(key) ?? new Tally() };
    };
    return [
      ...shared,
      ofRecipient(policy.recipient, this.#recipients, number),
      ...(strange
        ? [
            {
              ...ofRecipient(shareOf(policy.recipient), this.#strangeRecipients, `${number} that strangers may cause`),
              part: true,
            } as const,
          ]
        : []),
    ];
  }

  /** Alone in its window, one message passes whatever its length, and a group send that is more than a minute's worth. */
  #check(ceiling: Ceiling, submission: Submitted, isGroup: boolean): void {
    const { whose, name, rates, tally } = ceiling;
    const { source, parts, number } = submission;
    const now = this.#options.clock.monotonic();
    for (const window of windows) {
      const rate = rates[window];
      const used = tally.used(now, window);
      const isAlone = used === 0 && (!isGroup || window === 'minute');
      if (rate === 0 || isAlone) continue;
      const limit = limitFor(ceiling, window, parts, now);
      if (used + parts <= limit) continue;
      this.#refused += 1;
      const to = whose === 'recipient' ? `to ${name}` : `of ${name}`;
      const rest = limit < rate ? ', but for what is kept for other functions,' : '';
      const what = `the limit of ${rate} SMS ${window === 'hour' ? 'an' : 'a'} ${window} ${to}${rest}`;
      if (parts > limit && isGroup) {
        throw new LimitReached(whose, `${what} is less than the ${parts} that are to be sent`);
      }
      const reached = `${what} is reached`;
      // An alarm about alarms would be one more of them.
      if (name !== ALARM_SOURCE)
        this.#say(
          `${whose} ${name} ${window}`,
          `${reached}: further ones are refused until there is room again; ${optionFor(ceiling, window)}`,
          () =>
            this.#ceilings(source, number).some(
              (each) => each.whose === whose && each.name === name && this.#isFull(each, window),
            ),
        );
      throw new LimitReached(whose, reached, tally.roomIn(now, window, limit, parts));
    }
  }

  #checkNumber({ source, number }: Submission): void {
    const policy = this.#options.policy();
    if (policy === undefined || source === ALARM_SOURCE) return;
    const names = namesOf(source);
    const why = whyNot(number, names, policy, this.#options.countries);
    if (why === undefined) return;
    this.#refused += 1;
    const [name = source] = names;
    // What is not sent to a wrong number stands in nobody's way.
    this.#say(`number ${name} ${why}`, `${name} may not send to ${number}: it ${why}`, () => false);
    throw new GatewayError('number_denied', `no message may go to ${number}: it ${why}`);
  }

  /** Whether one more part has no room now. */
  #isFull(ceiling: Ceiling, window: Window): boolean {
    const now = this.#options.clock.monotonic();
    return ceiling.rates[window] > 0 && ceiling.tally.used(now, window) + 1 > limitFor(ceiling, window, 1, now);
  }

  /** Once an hour for each ceiling. */
  #say(key: string, sentence: string, lasts: () => boolean): void {
    const { clock, log, reached } = this.#options;
    const now = clock.monotonic();
    const before = this.#reached.get(key);
    const isNews = before === undefined || now - before.said >= QUIET_MS;
    const count = before !== undefined && isShown(before, now) ? before.count + 1 : 1;
    this.#reached.set(key, { said: isNews ? now : before.said, sentence, last: now, count, lasts });
    if (!isNews) return;
    log.warning(sentence);
    reached(sentence);
  }

  #countShared(source: string, at: number, parts: number): void {
    for (const name of namesOf(source)) this.#keep(this.#names, name).add(at, parts);
    if (source !== ALARM_SOURCE) this.#all.add(at, parts);
    if (isStrange(source)) this.#strange.add(at, parts);
  }

  #countRecipient({ source, number }: Submission, at: number, parts: number): void {
    if (source === ALARM_SOURCE) return;
    const key = this.#recipientKey(number);
    this.#keep(this.#recipients, key).add(at, parts);
    if (isStrange(source)) this.#keep(this.#strangeRecipients, key).add(at, parts);
  }

  #keep(tallies: LruMap<string, Tally>, key: string): Tally {
    const tally = tallies.get(key) ?? new Tally();
    tallies.set(key, tally);
    const now = this.#options.clock.monotonic();
    for (const [oldest, each] of tallies.entries()) {
      if (oldest === key || !each.isOver(now)) break;
      tallies.delete(oldest);
    }
    return tally;
  }

  #recipientKey(number: string): string {
    return oneFormOf(number, this.#options.countries);
  }
}

/** What may be used of the limit: all of it, or what it leaves for the functions that have used little. */
function limitFor({ rates, own }: Ceiling, window: Window, parts: number, now: number): number {
  const rate = rates[window];
  if (own === undefined || rate < SHARED_FROM) return rate;
  const share = Math.floor(rate * SHARE);
  return own.used(now, window) + parts > share ? rate - share : rate;
}

/** Where the limit is set, for whoever finds it too low. */
function optionFor({ whose, part }: Ceiling, window: Window): string {
  if (whose === 'function') return 'gateway.function_limit sets it';
  const option = `gateway.${whose === 'all' ? 'sms' : 'recipient'}_per_${window}`;
  return part === true ? `it is half of ${option}` : `${option} sets it`;
}

function ago(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  return minutes === 0 ? 'just now' : minutes < 120 ? `${minutes} min ago` : `${Math.floor(minutes / 60)} h ago`;
}

const isShown = ({ last, lasts }: Refusals, now: number): boolean => now - last < SHOWN_MS || lasts();

/** Room that a group send holds. */
class Room implements Hold {
  #left: number;
  readonly #giveBack: (parts: number) => void;
  #released = false;

  constructor(parts: number, giveBack: (parts: number) => void) {
    this.#left = parts;
    this.#giveBack = giveBack;
  }

  take(parts: number): boolean {
    if (this.#released || this.#left < parts) return false;
    this.#left -= parts;
    return true;
  }

  back(parts: number): void {
    if (this.#released) this.#giveBack(parts);
    else this.#left += parts;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#giveBack(this.#left);
  }
}

/** The function that a source stands for, and its account where it has several: `smpp`, `smpp:admin`. */
function namesOf(source: string): readonly string[] {
  const [door = source] = source.split(':');
  const name = door === 'cgi' ? 'post_get' : door;
  return source.includes(':') ? [name, source] : [name];
}

const STRANGE = 'the functions that strangers can make send';

const isStrange = (source: string): boolean => STRANGERS.has(namesOf(source)[0] ?? '');

function shareOf(rates: Rates): Rates {
  const part = (rate: number) => Math.ceil(rate * STRANGERS_SHARE);
  return { minute: part(rates.minute), hour: part(rates.hour), day: part(rates.day) };
}
