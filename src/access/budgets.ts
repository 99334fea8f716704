/**
 * What each principal may use of the gateway, at each door: the one table of limits. Doors read their limits here, and
 * `docs/security.md` is made from it. Plain data: any room may import it.
 */
import { functionRates, type Rates, totalRates } from '../config/ceilings.ts';

/** A limit. */
export interface Budget {
  readonly limit: number;
  readonly unit:
    | 'connections'
    | 'octets'
    | 'calls'
    | 'logins'
    | 'guesses'
    | 'guesses/min'
    | '% of the capacity'
    | 'subscribers'
    | 'accounts'
    | 'messages'
    | 'ms'
    | 'rounds'
    | 'levels'
    | 'fields'
    | 'requests'
    | 'PDUs'
    | 'packets/s'
    | 'numbers'
    | 'answers'
    | 'SMS'
    | 'events'
    | 'lines'
    | '%';
  /** Whose use is counted. */
  readonly by: 'all' | 'address' | 'account' | 'connection' | 'message' | 'function' | 'sender' | 'recipient';
  readonly what: string;
  /** What happens to what goes beyond. */
  readonly beyond: string;
  /** UCI option that sets it, `section.option`; the limit here is its default. */
  readonly option?: string;
}

export type BudgetGroup = Readonly<Record<string, Budget>>;

const evicted =
  'a silent connection of the address with the most of them makes room; without one the new one is closed';

/** The built-in web server. */
const http = {
  connections: { limit: 64, unit: 'connections', by: 'all', what: 'Connections', beyond: evicted },
  connectionsAddress: { limit: 24, unit: 'connections', by: 'address', what: 'Connections', beyond: evicted },
  reserve: {
    limit: 8,
    unit: 'connections',
    by: 'all',
    what: 'Connections kept for this machine and for addresses that have logged in',
    beyond: 'others get none of them',
  },
  headers: { limit: 16_384, unit: 'octets', by: 'message', what: 'Request line and header fields', beyond: '431' },
  headersTimeout: { limit: 10_000, unit: 'ms', by: 'connection', what: 'Time for the header fields', beyond: '408' },
  requestTimeout: { limit: 20_000, unit: 'ms', by: 'connection', what: 'Time for a request', beyond: '408' },
  idleTimeout: { limit: 65_000, unit: 'ms', by: 'connection', what: 'Time without traffic', beyond: 'closed' },
  keepAliveTimeout: { limit: 5_000, unit: 'ms', by: 'connection', what: 'Time between requests', beyond: 'closed' },
  cgiBody: { limit: 65_536, unit: 'octets', by: 'message', what: 'Body of a cgi-bin request', beyond: '413' },
  apiBody: {
    limit: 65_536,
    unit: 'octets',
    by: 'message',
    what: 'Body of a request to the REST interface',
    beyond: '413',
  },
  alertBody: {
    limit: 262_144,
    unit: 'octets',
    by: 'message',
    what: 'Body of a notification of alerts',
    beyond: '413',
  },
  apiSessions: {
    limit: 64,
    unit: 'logins',
    by: 'all',
    what: 'Logins by `/api/login` that are in force, 299 s each',
    beyond: 'the oldest ends',
  },
  cgiAnswer: { limit: 55_000, unit: 'ms', by: 'message', what: 'Time for a cgi-bin answer', beyond: '504' },
} as const satisfies BudgetGroup;

/** `/rpc`. */
const webSocket = {
  connections: {
    limit: 16,
    unit: 'connections',
    by: 'all',
    what: 'Connections',
    beyond: 'one without a login makes room; without one the new one gets 503',
  },
  reserve: {
    limit: 4,
    unit: 'connections',
    by: 'all',
    what: 'Connections kept for this machine and for addresses that have logged in',
    beyond: 'others get none of them',
  },
  message: { limit: 65_536, unit: 'octets', by: 'message', what: 'A message', beyond: 'closed' },
  inFlight: { limit: 8, unit: 'calls', by: 'connection', what: 'Calls under way', beyond: 'not read until one ends' },
  unread: { limit: 1_048_576, unit: 'octets', by: 'connection', what: 'Output that is not read', beyond: 'closed' },
  loginMs: { limit: 10_000, unit: 'ms', by: 'connection', what: 'Time until the login', beyond: 'closed' },
  pingMs: { limit: 30_000, unit: 'ms', by: 'connection', what: 'Time until a ping is answered', beyond: 'closed' },
  closeMs: { limit: 1_000, unit: 'ms', by: 'connection', what: 'Time to close', beyond: 'cut off' },
} as const satisfies BudgetGroup;

/** The unix socket, also what the cgi-bin program connects to. */
const unixSocket = {
  connections: {
    limit: 80,
    unit: 'connections',
    by: 'all',
    what: 'Connections',
    beyond: 'one that has never asked for anything, or long ago, makes room; without one `too_many`',
  },
  subscribers: {
    limit: 16,
    unit: 'subscribers',
    by: 'all',
    what: 'Connections that subscribe to events, which others get no place from',
    beyond: '`subscribe` is answered `too_many`',
  },
  waiting: {
    limit: 256,
    unit: 'connections',
    by: 'all',
    what: 'Connections that wait up to half a second for the place of a silent one',
    beyond: '`too_many`',
  },
  silentMs: {
    limit: 50,
    unit: 'ms',
    by: 'connection',
    what: 'Time that a connection which never asked for anything keeps its place when others want it',
    beyond: 'closed',
  },
  idleMs: {
    limit: 60_000,
    unit: 'ms',
    by: 'connection',
    what: 'Time that an idle connection keeps its place when others want it',
    beyond: 'closed',
  },
  lineLength: { limit: 524_288, unit: 'octets', by: 'message', what: 'A line', beyond: '`too_large`, closed' },
  inFlight: { limit: 8, unit: 'calls', by: 'connection', what: 'Calls under way', beyond: 'not read until one ends' },
  unreadOutput: {
    limit: 1_048_576,
    unit: 'octets',
    by: 'connection',
    what: 'Events that are not read',
    beyond: 'closed',
  },
  drainMs: { limit: 30_000, unit: 'ms', by: 'connection', what: 'Time until output is read', beyond: 'closed' },
  lingerMs: {
    limit: 5_000,
    unit: 'ms',
    by: 'connection',
    what: 'Time for calls of a client that has closed its side',
    beyond: 'given up',
  },
  closeMs: { limit: 1_000, unit: 'ms', by: 'connection', what: 'Time to close', beyond: 'cut off' },
} as const satisfies BudgetGroup;

/** ubusd, and who calls by it. */
const ubus = {
  /** ubusd.h UBUS_MAX_MSGLEN, beyond which ubusd cuts the client off. */
  messageLength: {
    limit: 1_048_576,
    unit: 'octets',
    by: 'message',
    what: 'A message',
    beyond: 'the connection ends, and begins again',
  },
  attributes: {
    limit: 64,
    unit: 'fields',
    by: 'message',
    what: 'Attributes of a message',
    beyond: 'the connection ends, and begins again',
  },
  depth: { limit: 32, unit: 'levels', by: 'message', what: 'Tables and arrays in each other', beyond: '`too_large`' },
  fields: { limit: 10_000, unit: 'fields', by: 'message', what: 'Fields on all levels', beyond: '`too_large`' },
  requestMs: {
    limit: 5_000,
    unit: 'ms',
    by: 'connection',
    what: 'Time until ubusd answers',
    beyond: 'the connection ends, and begins again',
  },
  openRequests: {
    limit: 1024,
    unit: 'requests',
    by: 'connection',
    what: 'Requests that ubusd has not answered',
    beyond: 'events are dropped',
  },
  /** ubusd does not say when the caller of a call has gone. `message.send` waits up to 300 s. */
  callMs: { limit: 310_000, unit: 'ms', by: 'message', what: 'Time of a call', beyond: '`timeout`' },
  inFlight: { limit: 64, unit: 'calls', by: 'all', what: 'Calls under way', beyond: '`queue_full`' },
  octetsInFlight: {
    limit: 4_194_304,
    unit: 'octets',
    by: 'all',
    what: 'Arguments of the calls under way',
    beyond: '`queue_full`',
  },
  unreadEvents: {
    limit: 1_048_576,
    unit: 'octets',
    by: 'connection',
    what: 'Output that ubusd has not read',
    beyond: 'events are dropped',
  },
  unreadOutput: {
    limit: 4_194_304,
    unit: 'octets',
    by: 'connection',
    what: 'Output that ubusd has not read',
    beyond: 'the connection ends, and begins again',
  },
  againMs: { limit: 1_000, unit: 'ms', by: 'connection', what: 'Time until the next try', beyond: '' },
  closeMs: { limit: 1_000, unit: 'ms', by: 'connection', what: 'Time to close', beyond: 'cut off' },
} as const satisfies BudgetGroup;

/** The SMPP server. */
const smpp = {
  connections: {
    limit: 20,
    unit: 'connections',
    by: 'all',
    what: 'Connections',
    beyond: `${evicted}, after its bind has been refused`,
    option: 'smpp.max_sessions',
  },
  connectionsAddress: {
    limit: 10,
    unit: 'connections',
    by: 'address',
    what: 'Connections',
    beyond: `${evicted}, after its bind has been refused`,
    option: 'smpp.max_sessions_per_address',
  },
  connectionsAccount: {
    limit: 10,
    unit: 'connections',
    by: 'account',
    what: 'Bound sessions',
    beyond: 'ESME_RBINDFAIL',
    option: 'smpp_account.max_sessions',
  },
  /** Of the total at most a quarter. */
  reserve: {
    limit: 4,
    unit: 'connections',
    by: 'all',
    what: 'Connections kept for this machine and for addresses that have bound, at most a quarter of all',
    beyond: 'others get none of them',
  },
  unwanted: {
    limit: 16,
    unit: 'connections',
    by: 'all',
    what: 'Connections beyond the limits that stay until their bind is refused',
    beyond: 'the oldest is closed',
  },
  bindMs: { limit: 10_000, unit: 'ms', by: 'connection', what: 'Time until the bind', beyond: 'closed' },
  unboundPdu: {
    limit: 1024,
    unit: 'octets',
    by: 'message',
    what: 'A PDU before the bind',
    beyond: 'generic_nack, closed',
  },
  pdu: { limit: 70_000, unit: 'octets', by: 'message', what: 'A PDU', beyond: 'generic_nack, closed' },
  drainMs: { limit: 10_000, unit: 'ms', by: 'connection', what: 'Time until answers are read', beyond: 'closed' },
} as const satisfies BudgetGroup;

/** The MQTT broker, which may be a stranger's. */
const mqtt = {
  packet: {
    limit: 262_144,
    unit: 'octets',
    by: 'message',
    what: 'A packet of the broker',
    beyond: 'the connection ends, and begins again',
  },
  answers: {
    limit: 1000,
    unit: 'packets/s',
    by: 'connection',
    what: 'Packets that are no publications, and acknowledge none',
    beyond: 'the connection ends, and begins again',
  },
  waiting: {
    limit: 20,
    unit: 'requests',
    by: 'connection',
    what: 'Requests that are not acknowledged',
    beyond: 'the broker keeps them',
  },
  inFlight: {
    limit: 16,
    unit: 'messages',
    by: 'connection',
    what: 'Publications that the broker has not acknowledged; fewer where it says so',
    beyond: 'wait',
  },
  recipients: { limit: 100, unit: 'numbers', by: 'message', what: 'Numbers of a request', beyond: '`too_large`' },
  closeMs: { limit: 1_000, unit: 'ms', by: 'connection', what: 'Time to close', beyond: 'cut off' },
} as const satisfies BudgetGroup;

/** Logins, counted at each door apart. */
const logins = {
  failures: {
    limit: 10,
    unit: 'guesses',
    by: 'address',
    what: 'Failed logins in a row, for one account; an own login forgives only those to the same account',
    beyond: 'locked out for 300 s (`lockout`)',
    option: 'post_get.max_failures',
  },
  accountBurst: {
    limit: 30,
    unit: 'guesses',
    by: 'account',
    what: 'Failed logins of clients that have not logged in to it before; private and public addresses apart',
    beyond: 'refused, except from addresses that logged in to it before',
  },
  accountRate: {
    limit: 6,
    unit: 'guesses/min',
    by: 'account',
    what: 'Of these, what becomes free again',
    beyond: 'as above',
  },
  guessesBurst: {
    limit: 100,
    unit: 'guesses',
    by: 'all',
    what: 'Failed logins of clients that have not logged in before; private and public addresses apart',
    beyond: 'refused, except from addresses that logged in before',
  },
  guessesRate: {
    limit: 60,
    unit: 'guesses/min',
    by: 'all',
    what: 'Of these, what becomes free again',
    beyond: 'as above',
  },
  accounts: {
    limit: 256,
    unit: 'accounts',
    by: 'all',
    what: 'Names that guesses are counted for',
    beyond: 'the one with the fewest is forgotten',
  },
  waitingAddress: {
    limit: 32,
    unit: 'logins',
    by: 'address',
    what: 'Logins that wait to be checked',
    beyond: 'answered busy',
  },
  waiting: { limit: 128, unit: 'logins', by: 'all', what: 'Logins that wait to be checked', beyond: 'answered busy' },
  checksKnown: {
    limit: 2,
    unit: 'logins',
    by: 'all',
    what: 'Logins under check, of clients that have logged in to the account before; one an address',
    beyond: 'wait',
  },
  checksStrange: {
    limit: 2,
    unit: 'logins',
    by: 'all',
    what: 'Logins under check, of all others; one an address',
    beyond: 'wait',
  },
  rounds: {
    limit: 50_000,
    unit: 'rounds',
    by: 'account',
    what: 'Rounds of a password hash',
    beyond: '`config_invalid`',
  },
  password: { limit: 256, unit: 'octets', by: 'message', what: 'A password', beyond: 'wrong' },
} as const satisfies BudgetGroup;

const brokenOff = 'the connection is broken off, and tried again later';

/** Servers that the gateway connects to: mailboxes, mail servers, HTTP receivers. */
const servers = {
  smtpAnswers: { limit: 100, unit: 'answers', by: 'connection', what: 'Answers of a mail server', beyond: brokenOff },
  smtpDialogue: {
    limit: 65_536,
    unit: 'octets',
    by: 'connection',
    what: 'All that a mail server says, TLS included',
    beyond: brokenOff,
  },
} as const satisfies BudgetGroup;

const incompleteGoes = 'the oldest one is shown with its gap; in a full inbox the new one stays on the modem';

/** Messages that come over the air. */
const inbox = {
  messages: {
    limit: 1000,
    unit: 'messages',
    by: 'all',
    what: 'Messages in the inbox',
    beyond: 'as `evict` says; what no module takes away stays on the modem',
    option: 'gateway.capacity',
  },
  incomplete: {
    limit: 10,
    unit: '% of the capacity',
    by: 'all',
    what: 'Messages with missing parts, in the inbox or beyond its capacity; from 10 to 500',
    beyond: incompleteGoes,
  },
  incompleteSender: {
    limit: 2.5,
    unit: '% of the capacity',
    by: 'sender',
    what: 'Messages with missing parts; no fewer than 3',
    beyond: incompleteGoes,
  },
  passing: {
    limit: 100,
    unit: '% of the capacity',
    by: 'all',
    what: 'Messages without room that modules take away, until their deliveries have ended',
    beyond: 'stays on the modem',
  },
} as const satisfies BudgetGroup;

/** What hooks and webhooks learn beside messages, and what programs print. */
const events = {
  waiting: {
    limit: 200,
    unit: 'events',
    by: 'function',
    what: 'Calls and states of modems that wait for one hook or webhook',
    beyond: 'not stored',
  },
  calls: {
    limit: 120,
    unit: 'events',
    by: 'all',
    what: 'Calls at one modem within an hour that hooks and webhooks learn of',
    beyond: 'only on the bus',
  },
  states: {
    limit: 20,
    unit: 'events',
    by: 'all',
    what: 'States of one modem within an hour that hooks and webhooks learn of soon',
    beyond: 'learned of when they last for ten minutes',
  },
  output: { limit: 8192, unit: 'octets', by: 'message', what: 'Output of a hook that is kept', beyond: 'dropped' },
  lines: { limit: 20, unit: 'lines', by: 'message', what: 'Lines of it in the log', beyond: 'left out' },
} as const satisfies BudgetGroup;

const untilRoom = '`limit_reached` until there is room again';

/** The rows of the three windows. */
function rateRows(
  name: string,
  rates: Rates,
  { what, by }: Pick<Budget, 'by' | 'what'>,
  option: (window: keyof Rates) => string,
): BudgetGroup {
  const row = (window: keyof Rates): Budget => ({
    ...{ limit: rates[window], unit: 'SMS', by, beyond: untilRoom },
    what: `${what} within ${window === 'hour' ? 'an' : 'a'} ${window}`,
    option: option(window),
  });
  return { [`${name}Minute`]: row('minute'), [`${name}Hour`]: row('hour'), [`${name}Day`]: row('day') };
}

/** What may be sent; counted over restarts. */
const sms: BudgetGroup = Object.assign(
  rateRows('all', totalRates.all, { by: 'all', what: 'SMS' }, (window) => `gateway.sms_per_${window}`),
  rateRows(
    'recipient',
    totalRates.recipient,
    { by: 'recipient', what: 'SMS to one number' },
    (window) => `gateway.recipient_per_${window}`,
  ),
  ...Object.entries(functionRates).map(([name, rates]) =>
    rateRows(name, rates, { by: 'function', what: `SMS of \`${name}\`` }, () => 'gateway.function_limit'),
  ),
);

const waits = 'wait in order; `queue_full` after that, or when too many wait (SMPP: ESME_RTHROTTLED)';

/** What all doors together may hold of the memory. A small router gives the process 48 MiB of heap. */
const memory = {
  answers: {
    limit: 6_291_456,
    unit: 'octets',
    by: 'all',
    what: 'Listings under way: their messages, and their text until the client has read it',
    beyond: waits,
  },
  answersWaitMs: {
    limit: 30_000,
    unit: 'ms',
    by: 'message',
    what: 'Time until a listing begins',
    beyond: '`queue_full`',
  },
  work: {
    limit: 4_194_304,
    unit: 'octets',
    by: 'all',
    what: 'Requests to send, until all their messages are stored: text, recipients, and what each takes',
    beyond: waits,
  },
  workWaitMs: { limit: 10_000, unit: 'ms', by: 'message', what: 'Time until a send begins', beyond: '`queue_full`' },
  storing: {
    limit: 4_194_304,
    unit: 'octets',
    by: 'all',
    what: 'Messages of all sources that are being stored, with their parts',
    beyond: 'wait in order',
  },
  storingWaitMs: {
    limit: 60_000,
    unit: 'ms',
    by: 'message',
    what: 'Time until the storing of a message begins',
    beyond: '`queue_full`',
  },
  waiting: {
    limit: 128,
    unit: 'requests',
    by: 'all',
    what: 'Listings, and sends, that wait for room',
    beyond: '`queue_full`',
  },
  input: {
    limit: 6_291_456,
    unit: 'octets',
    by: 'all',
    what: 'What has come on connections and is not answered: parts of lines, bodies, PDUs, and requests under way',
    beyond: 'the connection that holds the most is closed (`too_many`)',
  },
  heapShare: {
    limit: 80,
    unit: '%',
    by: 'all',
    what: 'Share of the heap that is in use after a collection',
    beyond:
      'new listings, sends and logins of strangers are answered `queue_full`, and received messages stay on the modem, until it is less',
  },
} as const satisfies BudgetGroup;

export const budgets = {
  http,
  webSocket,
  unixSocket,
  ubus,
  smpp,
  mqtt,
  logins,
  servers,
  inbox,
  events,
  sms,
  memory,
} as const satisfies Readonly<Record<string, BudgetGroup>>;

/** The limits of a group as plain numbers. */
export function limitsOf<G extends BudgetGroup>(group: G): { readonly [K in keyof G]: number } {
  return Object.fromEntries(Object.entries(group).map(([name, { limit }]) => [name, limit])) as {
    readonly [K in keyof G]: number;
  };
}
