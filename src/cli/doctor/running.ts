import type { Json, JsonObject } from '../../base/json.ts';
import { counted } from '../../base/printable.ts';
import { cell, lockOutTexts, type ShowTime, signalText, table, tables } from '../layout.ts';
import { type Finding, failed, modemMissing, ok, warning } from './finding.ts';

/** What the daemon's `status` says of modems, functions, store and limits. */
export function runningFindings(status: JsonObject, time: ShowTime): readonly Finding[] {
  const modems = tables(status['modems']);
  return [
    ...(modems.length === 0 ? [modemMissing] : modems.flatMap(modemFindings)),
    ...functionFindings(tables(status['modules']), time),
    ...queueFindings(table(status['oldest']), table(status['queue'])),
    ...storeFindings(table(status['store'])),
    ...limitFindings(status),
  ];
}

/** What to do about a modem in a state other than `ready`; its error says the rest. */
const cures: Readonly<Record<string, string>> = {
  opening: 'see what it says of the device; docs/troubleshooting.md',
  probing: 'is it the AT port? Try the next port of the modem, or device auto; with a UART look at baudrate',
  setting_up: 'seconds after power-up this is normal; for minutes: the SIM, its contact, or the supply',
  no_sim: 'seat or clean the SIM; try it in a phone',
  pin_required: 'set the option pin of the modem',
  pin_wrong: 'correct the option pin; it is not tried again before',
  puk_required: 'unlock the SIM in a phone with its PUK',
  registering: 'antenna, coverage, contract',
  denied: 'the network refuses this SIM: ask the operator about contract, block and roaming',
  hung: 'it is reset by itself; name a reset_command that takes its power',
  stopped: 'its section is off: option enabled',
};

const simStates = new Set(['no_sim', 'pin_required', 'pin_wrong', 'puk_required']);
const networkStates = new Set(['registering', 'denied']);

/** A signal below is lost now and then, dBm. */
const WEAK = -105;

function modemFindings(modem: JsonObject): readonly Finding[] {
  const { state } = modem;
  const name = cell(modem['name']);
  const found: Finding[] = [];
  const word = String(state);
  const why = `${word.replaceAll('_', ' ')}${modem['error'] === undefined ? '' : `: ${cell(modem['error'])}`}`;
  const isReady = word === 'ready';
  const beyondPort = isReady || simStates.has(word) || networkStates.has(word);
  const what = [modem['manufacturer'], modem['model']].filter((part) => part !== undefined).map(cell);
  const device = cell(modem['device']);
  if (!beyondPort) {
    found.push(stateFinding(`modem ${name}`, word, why.includes(device) ? why : `${device} is ${why}`));
  } else found.push(ok(`modem ${name}`, `${[...what, 'at', device].join(' ')}`));
  if (modem['warning'] !== undefined) found.push(warning(`modem ${name}`, cell(modem['warning'])));
  if (!beyondPort) return found;
  found.push(simStates.has(word) ? stateFinding(`SIM ${name}`, word, why) : simFinding(name, modem));
  if (networkStates.has(word)) found.push(stateFinding(`network ${name}`, word, why));
  else if (isReady) found.push(networkFinding(name, modem));
  return found;
}

const stateFinding = (area: string, state: string, text: string): Finding => failed(area, text, cures[state]);

function simFinding(name: string, modem: JsonObject): Finding {
  const { name: memory, used, total } = table(modem['storage']);
  if (typeof used !== 'number' || typeof total !== 'number' || total === 0) return ok(`SIM ${name}`, 'works');
  const text = `its memory ${cell(memory)} holds ${used} of ${total} messages`;
  return used < total
    ? ok(`SIM ${name}`, text)
    : warning(`SIM ${name}`, `${text}: no more can come`, 'make room in the inbox: smsgw delete --read');
}

function networkFinding(name: string, { operator, registration, technology, signal }: JsonObject): Finding {
  const facts = [operator, registration, technology, signalText(signal) || undefined];
  const text = facts
    .filter((fact) => fact !== undefined)
    .map(cell)
    .join(', ');
  if (typeof signal !== 'number' || signal >= WEAK) return ok(`network ${name}`, text || 'registered');
  return warning(`network ${name}`, `${text}: the signal is weak`, 'another place, or a better antenna');
}

function functionFindings(modules: readonly JsonObject[], time: ShowTime): readonly Finding[] {
  const used = modules.filter(({ enabled }) => enabled === true);
  const bad = used.flatMap(({ name, state, error, next_try: next }) => {
    const again = next === undefined ? '' : `; next try ${time(next)}`;
    if (state === 'error') return [failed(`function ${cell(name)}`, cell(error), 'smsgw config check')];
    if (state === 'failed') return [failed(`function ${cell(name)}`, `does not start: ${cell(error)}${again}`)];
    if (error === undefined) return [];
    const test = `smsgw module test ${cell(name)} tries it now`;
    return [warning(`function ${cell(name)}`, `${cell(error)}${again}`, test)];
  });
  if (bad.length > 0) return bad;
  const names = used.map(({ name }) => cell(name)).join(', ');
  return [ok('functions', names === '' ? 'none is switched on' : names)];
}

/** A message that is due for so long does not go out by itself, ms. */
const STUCK = 10 * 60_000;

function queueFindings({ id, time, due = time, error }: JsonObject, queue: JsonObject): readonly Finding[] {
  const waits = Date.now() - Date.parse(String(due ?? ''));
  if (id === undefined || !(waits > STUCK)) return [ok('queue', waitingText(Number(queue['queued'] ?? 0)))];
  const why = error === undefined ? '' : `: ${cell(error)}`;
  return [warning('queue', `message ${cell(id)} waits for ${Math.round(waits / 60_000)} min${why}`)];
}

const waitingText = (count: number): string => counted(count, 'message waits', 'messages wait');

function storeFindings({ inbox, journal }: JsonObject): readonly Finding[] {
  const { used, total } = table(inbox);
  const { error, size, maximum } = table(journal);
  const broken = 'df -h, dmesg; until it works nothing is accepted, and messages wait on the SIM';
  if (error !== undefined) return [failed('store', cell(error), broken)];
  const text = `inbox ${cell(used)} of ${cell(total)}, journal ${kib(size)} of ${kib(maximum)}`;
  const isFull = typeof used === 'number' && typeof total === 'number' && used >= total;
  return [isFull ? warning('store', `${text}: the inbox is full`, 'smsgw delete --read') : ok('store', text)];
}

const kib = (value: Json | undefined): string => `${Math.round(Number(value ?? 0) / 1024)} KiB`;

/** Share of a limit from which on it is worth a look. */
const NEAR = 0.8;

function limitFindings(status: JsonObject): readonly Finding[] {
  const limits = table(status['limits']);
  const named: readonly (readonly [string, Json | undefined])[] = [
    ['all messages', limits['all']],
    ...Object.entries(table(limits['functions'])).map(([name, use]) => [name, use] as const),
    ['the busiest recipient', limits['recipient']],
  ];
  const near = named.flatMap(([name, use]) =>
    Object.entries(table(use)).flatMap(([window, value]) => {
      const { used, limit } = table(value);
      return isNear(used, limit) ? [`${name}: ${cell(used)} of ${cell(limit)} a ${window}`] : [];
    }),
  );
  const modems = tables(status['modems']).flatMap(({ name, sent_today: sent, daily_limit: limit }) =>
    isNear(sent, limit) ? [`modem ${cell(name)}: ${cell(sent)} of ${cell(limit)} today`] : [],
  );
  const found = [...near, ...modems].map((text) =>
    warning('limits', text, 'is something running wild? Else raise the limit'),
  );
  for (const text of lockOutTexts(table(status['doors']))) {
    const advice = 'the log says whom, and for how long; a client of yours needs its password mended';
    found.push(warning('logins', `locked out: ${text}`, advice));
  }
  if (found.length > 0) return found;
  // What is refused now is among the warnings of the daemon.
  const refused = Number(limits['refused'] ?? 0);
  const before = refused === 0 ? '' : `; ${counted(refused, 'message was', 'messages were')} refused since the start`;
  return [ok('limits', `none is near${before}`)];
}

/** What to do about the daemon's warnings, by what they say. */
const remedies: readonly (readonly [RegExp, string])[] = [
  [
    /^the limit of .* is reached/,
    'find who sends so much: smsgw list --box outbox; else raise the limit, docs/config.md',
  ],
  [/ may not send to /, 'if it should: the options deny_prefix and allow_prefix of gateway'],
  [/received parts? of .* on the modem|^the inbox holds/, 'smsgw delete --read'],
  [/^nothing can be stored/, 'df -h, dmesg; until it works nothing is accepted, and messages wait on the SIM'],
  [/journal\.corrupt/, 'the flash wears out: replace it'],
  [/^the journal is /, 'delete messages, or lower keep_sent and capacity of gateway'],
  [/_group: /, 'make the group, then: smsgw reload; or correct the option'],
  [/^all users can |, who can change it/, 'give the file to the gateway alone, mode 0600'],
];

/** A sentence of `warnings`. The number of a recipient stays out of it. */
export function warningFinding(sentence: string): Finding {
  const advice = remedies.find(([pattern]) => pattern.test(sentence))?.[1];
  return warning('service', sentence.replace(/ to [+0-9*#]+(?=[ :])/g, ' to a number'), advice);
}

const isNear = (used: Json | undefined, limit: Json | undefined): boolean =>
  typeof used === 'number' && typeof limit === 'number' && limit > 0 && used >= limit * NEAR;
