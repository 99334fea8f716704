import t from 'tap';
import { onlyReads } from '../../src/modem/at-by-hand.ts';
import { Calls } from '../../src/modem/calls.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { partOf, SessionBench } from './support/session-bench.ts';

const { signal } = new AbortController();

t.test('which AT commands only read', (t) => {
  const readers = ['AT', 'ATI', 'AT$QCCNMI?', 'AT+CSQ', 'at+creg?', 'AT+CPMS=?', 'AT^HCSQ?', 'AT+QENG="servingcell"'];
  const others = [
    'ATZ',
    'AT&F',
    'AT&F?',
    'AT&W?',
    'ATE1',
    'AT+CFUN=0',
    'AT+CMGF=1',
    'AT+CMGS=20',
    'AT+CMGR=1',
    'AT+CSQ;+CFUN=0',
    'ATD112;',
    'AT+COPS=?',
    'AT+CPIN="1234"',
  ];
  for (const command of readers) t.ok(onlyReads(command), command);
  for (const command of others) t.notOk(onlyReads(command), command);
  t.end();
});

async function give(on: SessionBench, command: string) {
  const answer = on.session.at(command, signal).catch((error) => ({ lines: [], result: String(error.code) }));
  let ended = false;
  void answer.then(() => {
    ended = true;
  });
  await on.until(() => ended);
  return answer;
}

t.test('AT commands by a person', async (t) => {
  const bench = await new SessionBench().ready();
  t.match(await give(bench, 'AT+CSQ'), { lines: [/^\+CSQ:/], result: 'OK' });
  t.equal((await give(bench, 'AT+NONSENSE?')).result, 'ERROR');
  for (const command of ['AT+CFUN=0', 'ATE1']) t.equal((await give(bench, command)).result, 'access_denied');
  for (const command of ['', 'hello', 'AT\rAT']) t.equal((await give(bench, command)).result, 'invalid_argument');
  await bench.stop();

  const open = await new SessionBench({ config: { at_commands: 'all' } }).ready();
  for (const command of ['ATE1', 'AT+CMGF=1', 'ATZ', 'AT+CFUN=0', 'AT+CMGS=20']) {
    await give(open, command);
    await open.until(() => open.session.ready);
    t.match(await open.send(), { type: 'accepted' }, `after ${command}`);
  }
  await open.stop();
});

t.test('a call is reported once', async (t) => {
  const clock = new ManualClock();
  const heard: (string | undefined)[] = [];
  const calls = new Calls(clock, (number) => void heard.push(number));
  for (let i = 0; i < 4; i++) {
    calls.ring();
    calls.caller('+37060000001');
    await clock.advance(5_000);
  }
  await clock.advance(20_000);
  for (let i = 0; i < 3; i++) {
    calls.ring();
    await clock.advance(5_000);
  }
  t.same(heard, ['+37060000001', undefined]);
  await clock.advance(20_000);
  for (const number of ['+37060000002', '+37060000002', '+37060000003', '+37060000003', '']) {
    calls.caller(number);
    await clock.advance(2_000);
  }
  t.same(heard.slice(2), ['+37060000002', '+37060000003'], 'the next caller follows at once');
});

t.test('AT commands by a person while a SIM is waited for', async (t) => {
  const states = [
    ['no_sim', { simulator: { sim: false } }],
    ['pin_required', { simulator: { pin: '1234' } }],
  ] as const;
  for (const [state, options] of states) {
    const bench = new SessionBench({ ...options, config: { at_commands: 'all' } });
    bench.session.start();
    await bench.until(() => bench.session.status().state === state);
    const began = bench.clock.monotonic();
    t.match(await give(bench, 'AT+CPIN?'), { result: /^\+CME ERROR: 10$|^OK$/ }, state);
    t.ok(bench.clock.monotonic() - began < 1_000, 'at once');
    t.match(await give(bench, 'AT+CREG=0'), { result: 'OK' });
    await bench.until(() => bench.session.status().state === 'probing' || bench.states.at(-1) === state);
    await bench.stop();
  }
  const busy = new SessionBench();
  busy.modem.faults.add({ type: 'busy', cause: 314, ms: 60_000 });
  busy.session.start();
  await busy.until(() => busy.session.status().state === 'setting_up');
  t.match(await give(busy, 'AT+CSQ'), { result: 'OK' }, 'between the steps of setting up');
  await busy.until(() => busy.session.ready);
  await busy.stop();
});

t.test('a command that never got the line touches nothing', async (t) => {
  const bench = await new SessionBench({ config: { at_commands: 'all' } }).ready();
  bench.modem.faults.add({ type: 'late_answer', ms: 100_000 });
  const { epoch } = bench.session;
  const sent = bench.send();
  await bench.clock.advance(1_000);
  t.equal((await give(bench, 'AT+CFUN=0')).result, 'modem_unavailable');
  t.match(await sent, { type: 'accepted' }, 'the message that holds the line is not disturbed');
  t.equal(bench.session.epoch, epoch);
  t.equal(bench.session.ready, true);

  // The same for USSD: what was given up does not go out later.
  bench.modem.faults.add({ type: 'late_answer', ms: 100_000 });
  const late = bench.send();
  await bench.clock.advance(1_000);
  let error: unknown;
  void bench.session.ussd('*100#', signal).catch((caught) => {
    error = caught;
  });
  bench.modem.faults.add({ type: 'ussd_answer', parameters: '0,"charged",15', times: 1 });
  await bench.until(() => error !== undefined);
  t.match(error, { code: 'timeout', message: /busy/ });
  await late;
  await bench.clock.advance(30_000);
  t.equal(bench.modem.faults.take('ussd_answer')?.parameters, '0,"charged",15', 'the network was not asked');
  await bench.stop();
});

t.test('people are served while a long queue is sent', async (t) => {
  const bench = await new SessionBench({ simulator: { latency: { submit: 5_000 } } }).ready();
  let sending = true;
  const queue = (async () => {
    while (sending) await bench.session.send(partOf('+37060000001', 'one of many'), signal);
  })();
  await bench.clock.advance(1_000);
  const began = bench.clock.monotonic();
  t.match(await give(bench, 'AT+CSQ'), { result: 'OK' });
  let text: string | undefined;
  void bench.session.ussd('*100#', signal).then((answer) => {
    text = answer;
  });
  await bench.until(() => text !== undefined);
  t.match(text, /balance/);
  t.ok(bench.clock.monotonic() - began < 25_000, `${bench.clock.monotonic() - began} ms`);
  sending = false;
  let over = false;
  void queue.then(() => {
    over = true;
  });
  await bench.until(() => over);
  await bench.stop();
});
