import { getEventListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import t from 'tap';
import { deferred, onAbort, unlessAborted, within } from '../../src/base/abort.ts';
import { BackOff, backOffPause } from '../../src/base/back-off.ts';
import { parseInstant, systemClock } from '../../src/base/clock.ts';
import { countryOfImsi, countryOfNumber } from '../../src/base/country-code.ts';
import { describeError, GatewayError } from '../../src/base/errors.ts';
import { RefusalLog } from '../../src/base/fault-log.ts';
import { formatHostPort, parseHostPort } from '../../src/base/host-port.ts';
import { createLogger } from '../../src/base/log.ts';
import { LruMap } from '../../src/base/lru-map.ts';
import { KeyedMutex, Mutex } from '../../src/base/mutex.ts';
import { isSameNumber, parsePhoneNumber } from '../../src/base/phone-number.ts';
import { printable, printableLines } from '../../src/base/printable.ts';
import { Wake } from '../../src/base/wake.ts';
import { ManualClock } from '../support/manual-clock.ts';

t.test('a mutex runs its sections in turn, whatever becomes of them', async (t) => {
  const mutex = new Mutex();
  const seen: string[] = [];
  const gate = deferred();
  const first = mutex.run(async () => {
    await gate.promise;
    seen.push('first');
    throw new Error('fails');
  });
  const second = mutex.run(() => seen.push('second'));
  seen.push('called');
  gate.resolve();
  await t.rejects(first, { message: 'fails' });
  await second;
  await mutex.idle();
  t.same(seen, ['called', 'first', 'second']);
});

t.test('a keyed mutex holds up only those of the same key', async (t) => {
  const mutex = new KeyedMutex();
  const seen: string[] = [];
  const gate = deferred();
  const a = mutex.run('a', () => gate.promise.then(() => seen.push('a')));
  const again = mutex.run('a', () => seen.push('a again'));
  await mutex.run('b', () => seen.push('b'));
  gate.resolve();
  await Promise.all([a, again]);
  t.same(seen, ['b', 'a', 'a again']);
});

t.test('pauses double up to the longest, and vary by the jitter', async (t) => {
  const rules = { first: 1000, longest: 60_000, jitter: 0.25 };
  const pauses = (random: number) => [1, 2, 3, 6, 7, 50].map((n) => backOffPause(rules, n, () => random));
  t.same(pauses(0.5), [1000, 2000, 4000, 32_000, 60_000, 60_000]);
  t.same(pauses(0), [750, 1500, 3000, 24_000, 45_000, 45_000]);
  const backOff = new BackOff({ first: 10, longest: 30 });
  t.same([backOff.next(), backOff.next(), backOff.next(), backOff.failures], [10, 20, 30, 3]);
  backOff.reset();
  t.equal(backOff.next(), 10);
});

t.test('an abort calls back once, and a removed listener not at all', async (t) => {
  const stop = new AbortController();
  let calls = 0;
  onAbort(stop.signal, () => calls++);
  onAbort(stop.signal, () => calls++)();
  stop.abort(new Error('stop'));
  t.equal(calls, 1);
  onAbort(stop.signal, () => calls++);
  t.equal(calls, 2, 'at once when it has aborted already');
});

t.test('who waits for an abort shares a listener, which goes with the last of them', async (t) => {
  const { signal } = new AbortController();
  const listeners = () => getEventListeners(signal, 'abort').length;
  const callback = () => {};
  const first = onAbort(signal, callback);
  const second = onAbort(signal, callback);
  t.equal(listeners(), 1);
  first();
  first();
  t.equal(listeners(), 1, 'one still waits');
  second();
  t.equal(listeners(), 0, 'a signal that others made of it is not held for nobody');
  const stop = new AbortController();
  const order: string[] = [];
  onAbort(stop.signal, () => order.push('first'));
  const fourth = { remove: () => {} };
  onAbort(stop.signal, () => {
    order.push('second');
    fourth.remove();
  });
  onAbort(stop.signal, () => order.push('third'));
  fourth.remove = onAbort(stop.signal, () => order.push('fourth'));
  stop.abort();
  t.same(order, ['first', 'second', 'third'], 'in order, and not one that another took away');
});

t.test('work ends by itself, by the abort, or by its deadline', async (t) => {
  const clock = new ManualClock();
  const stop = new AbortController();
  t.equal(await unlessAborted(Promise.resolve(1), stop.signal), 1);
  const late = within(new Promise(() => {}), 'the work', { clock, ms: 5000, signal: stop.signal });
  const stopped = unlessAborted(new Promise(() => {}), stop.signal);
  const outcomes = Promise.allSettled([late, stopped]);
  await clock.advance(5000);
  stop.abort(new Error('stop'));
  t.match(await outcomes, [
    { reason: { code: 'timeout', message: 'the work took longer than 5 s' } },
    { reason: { message: 'stop' } },
  ]);
  t.equal(clock.pending, 0, 'no timer is left');
});

t.test('a wake ends a wait, also one that begins later', async (t) => {
  const clock = new ManualClock();
  const { signal } = new AbortController();
  const wake = new Wake();
  wake.call();
  t.equal(await wake.wait(clock, 1000, signal), true);
  const timed = wake.wait(clock, 1000, signal);
  await clock.advance(1000);
  t.equal(await timed, false);
  const called = wake.wait(clock, 1000, signal);
  wake.call();
  t.equal(await called, true);
  await t.rejects(wake.wait(clock, 1000, AbortSignal.abort(new Error('stop'))), { message: 'stop' });
  t.equal(clock.pending, 0);
});

t.test('a full map lets go of what was set longest ago', async (t) => {
  const map = new LruMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  map.set('c', 4);
  t.same(
    [...map.entries()],
    [
      ['a', 3],
      ['c', 4],
    ],
  );
  t.equal(map.get('b'), undefined);
});

t.test('times of the calendar', async (t) => {
  for (const [text, iso] of [
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['2024-02-29T23:59:59.5+01:00', '2024-02-29T22:59:59.500Z'],
    ['2026-12-31T23:30:00-02:00', '2027-01-01T01:30:00.000Z'],
  ] as const) {
    t.equal(parseInstant(text), Date.parse(iso), text);
  }
  for (const text of ['', '2026-02-29', '2027-02-30T12:00Z', '2026-04-31T12:00', '2026-13-01', '2026-01-01T25:00Z']) {
    t.equal(parseInstant(text), undefined, JSON.stringify(text));
  }
});

t.test('hosts and ports', async (t) => {
  for (const [text, host, port] of [
    ['127.0.0.1:8080', '127.0.0.1', 8080],
    ['[::1]:80', '::1', 80],
    ['router.lan:0', 'router.lan', 0],
  ] as const) {
    t.same(parseHostPort(text), { host, port });
    t.equal(formatHostPort({ host, port }), text);
  }
  for (const text of ['', ':80', 'a:', 'a:65536', '::1:80', '[x]:1', 'a b:1', 'a:1x', 'http://a:1']) {
    t.equal(parseHostPort(text), undefined, JSON.stringify(text));
  }
});

t.test('printable text does nothing to a terminal or to the lines of a log', async (t) => {
  t.equal(printable('a\nb\u001b[31m\u202ec'), 'a\\u000ab\\u001b[31m\\u202ec');
  t.equal(printableLines('a\r\nb\tc\u0007'), 'a\nb\tc\\u0007');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const shown = printable(text);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
      return !/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/.test(shown);
    }),
  );
});

t.test('phone numbers as people paste them', async (t) => {
  const cases: readonly (readonly [text: string, number: string | undefined])[] = [
    ['+370 600 00001', '+37060000001'],
    ['0037060000001', '+37060000001'],
    ['(0209) 1234-567', '02091234567'],
    ['*100#', '*100#'],
    ['\u202a+49 170 1234567\u202c', '+491701234567'],
    ['\u200e+49\u00a0170\u20111234567\u200f', '+491701234567'],
    ['\ufeff0170\u200b123\u200c456\u200d7', '01701234567'],
    ['\u2066+49\u2069\u2060 170\u00ad1234567', '+491701234567'],
    ['+49\u2212170\u20131234\u2014567', '+491701234567'],
    ['\uff0b\uff14\uff19\uff11\uff17\uff10\uff11\uff12\uff13\uff14', '+491701234'],
    ['\uff08\uff10\uff12\uff10\uff19\uff09\uff0d\uff11\uff12\uff13', '0209123'],
    ['+\u0664\u0669\u0661\u0667\u0660\u0661\u0662\u0663\u0664', '+491701234'],
    ['\u06f0\u06f0\u06f9\u06f8\u06f9\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6\u06f7', '+9891234567'],
    ['+49 (0) 209 123456', '+49209123456'],
    ['+49(0)209/123456', '+49209123456'],
    ['0049 (0) 209 123456', '+49209123456'],
    ['+49 ( 0 )209 123456', '+49209123456'],
    ['\u202a+44 (0)20 7946 0958', '+442079460958'],
    ['+353-(0)1-123456', '+3531123456'],
    ['+49 (0209) 123456', undefined],
    ['+49 0209 123456', undefined],
    ['+490209123456', undefined],
    ['00490209123456', undefined],
    ['+39 (0)6 1234567', undefined],
    ['+39 06 1234567', '+39061234567'],
    ['+225 07 00000000', '+2250700000000'],
    ['(0) 209 123456', '0209123456'],
    ['+4912345 (0)', '+49123450'],
    ['+', undefined],
    ['', undefined],
    ['\u200e', undefined],
    ['+49 170 x', undefined],
    ['+12', undefined],
    ['1'.repeat(21), undefined],
    ['\u0967\u0968', '12'],
    ['²³', undefined],
  ];
  for (const [text, number] of cases) t.equal(parsePhoneNumber(text), number, JSON.stringify(text));
  const piece = fc.constantFrom(...'+0049(0)-123456789 \u202a\uff10\u0660\u200b#*x');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const number = parsePhoneNumber(pieces.join(''));
      if (number === undefined) return true;
      return /^\+?[0-9*#]{1,20}$/.test(number) && parsePhoneNumber(number) === number;
    }),
  );
});

t.test('whether two numbers are surely one', (t) => {
  const cases: readonly (readonly [string, string, string | undefined, boolean])[] = [
    ['+37060000001', '+37060000001', undefined, true],
    ['+37060000001', '860000001', '370', true],
    ['+37060000001', '060000001', '370', true],
    ['+37060000001', '60000001', '370', true],
    ['+37060000001', '37060000001', '370', true],
    ['+37060000001', '0037060000001', '370', true],
    ['37060000001', '860000001', '370', true],
    ['+37060000001', '860000001', '371', false],
    ['+37060000001', '60000001', '45', false],
    ['+4560000001', '060000001', '370', false],
    ['+491511234567', '01511234567', '49', true],
    ['+49851234567', '851234567', '49', true],
    ['+4951234567', '851234567', '49', false],
    ['+36201234567', '06201234567', '36', true],
    ['+12125551234', '12125551234', '1', true],
    ['+12125551234', '2125551234', '1', true],
    ['+390612345678', '0612345678', '39', true],
    ['+4512345678', '12345678', undefined, false],
    ['+491511234567', '01511234567', undefined, true],
    ['+491511234567', '491511234567', undefined, true],
    ['+491511234567', '+491511234568', '49', false],
    ['1337', '1337', '49', true],
    ['+491337', '1337', '49', false],
  ];
  for (const [a, b, country, same] of cases) {
    t.equal(isSameNumber(a, b, country), same, `${a} ${b} in ${country}`);
    t.equal(isSameNumber(b, a, country), same, `${b} ${a} in ${country}`);
  }
  t.strictSame(['246010000000001', '310150123456789', '901700000000001'].map(countryOfImsi), ['370', '1', undefined]);
  t.strictSame(['+37060000001', '+12125551234', '+491511', '60000001', '+999'].map(countryOfNumber), [
    ...['370', '1', '49', undefined, undefined],
  ]);
  t.end();
});

t.test('an error and its cause name a file once', async (t) => {
  const cause = new Error("EACCES: permission denied, mkdir '/x/y'");
  const shown = (message: string) => describeError(new GatewayError('store_unavailable', message, { cause }));
  t.equal(shown("mkdir '/x/y'"), "mkdir '/x/y' (EACCES: permission denied)");
  t.equal(shown('no store'), "no store (EACCES: permission denied, mkdir '/x/y')");
  t.equal(shown(`no store: ${cause.message}`), `no store: ${cause.message}`);
});

t.test('what others cause as often as they like has one line, and then a count', async (t) => {
  const clock = new ManualClock();
  const log: string[] = [];
  const refusals = new RefusalLog(createLogger({ level: 'info', write: (line) => log.push(line) }), clock);
  const lines = () => log.splice(0).map((line) => line.slice('warning '.length).trimEnd());
  refusals.refused('request', '"a" is no number');
  refusals.refused('topic', '"x" is no request');
  for (let n = 0; n < 100; n++) refusals.refused('request', `"${n}" is no number`);
  t.same(lines(), ['"a" is no number', '"x" is no request']);
  await clock.advance(600_000);
  t.same(lines(), ['"99" is no number; the last of 100 since the line before']);
  refusals.refused('request', '"b" is no number');
  t.same(lines(), [], 'they go on');
  refusals.refused('topic', '"y" is no request');
  t.same(lines(), ['"y" is no request'], 'this kind had come to its end');
  await clock.advance(600_000);
  t.same(lines(), ['"b" is no number']);
  await clock.advance(600_000);
  t.equal(clock.pending, 0);
  refusals.refused('request', '"c" is no number');
  refusals.refused('request', '"d" is no number');
  refusals.stop();
  t.same(lines(), ['"c" is no number', '"d" is no number']);
  t.equal(clock.pending, 0);
});

t.test('a timer that was cancelled leaves nothing behind, however long it was', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const held = async (from: number) => {
    for (let ms = 0; ms < 50_000; ms++) systemClock.after(from + ms, () => undefined)();
    await wait(1);
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = await held(3_600_000);
  const kept = (await held(7_200_000)) - before;
  t.ok(kept < 2_000_000, `${kept} octets of 50,000 timers`);
});

t.test('a timer that has fired can be cancelled, and does not keep the process alive then', async (t) => {
  let fired = false;
  const cancel = systemClock.after(1, () => {
    fired = true;
  });
  while (!fired) await wait(1);
  const alive = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = alive();
  cancel();
  t.equal(alive(), before);
});
