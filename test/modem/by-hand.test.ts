import t from 'tap';
import { onlyReads } from '../../src/modem/at-by-hand.ts';
import { Calls } from '../../src/modem/calls.ts';
import { ResetLadder } from '../../src/modem/reset-ladder.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SessionBench } from './support/session-bench.ts';

const { signal } = new AbortController();

t.test('which AT commands only read', (t) => {
  const readers = ['AT', 'ATI', 'AT+CSQ', 'at+creg?', 'AT+CPMS=?', 'AT^HCSQ?', 'AT+QENG="servingcell"'];
  const others = [
    'ATZ',
    'AT&F',
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

t.test('AT commands by a person', async (t) => {
  const bench = await new SessionBench().ready();
  const give = async (on: SessionBench, command: string) => {
    const answer = on.session.at(command, signal).catch((error) => ({ lines: [], result: String(error.code) }));
    let ended = false;
    void answer.then(() => {
      ended = true;
    });
    await on.until(() => ended);
    return answer;
  };
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
});

t.test('the reset ladder: rungs in order, and rounds that grow', async (t) => {
  const clock = new ManualClock();
  const ladder = new ResetLadder(clock, true);
  t.equal(ladder.next, undefined);
  ladder.trouble();
  const seen: string[] = [];
  for (let s = 0; s < 3_600; s += 10) {
    if (ladder.due !== undefined) {
      seen.push(`${ladder.due} ${s}`);
      ladder.climbed();
    }
    await clock.advance(10_000);
  }
  t.same(seen.slice(0, 5), ['radio_cycle 60', 'restart 180', 'reset_command 360', 'radio_cycle 480', 'restart 720']);
  ladder.over();
  t.equal(ladder.due, undefined);
});
