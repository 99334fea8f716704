import t, { type Test } from 'tap';
import { AtError } from '../../src/modem/at/answer.ts';
import { busyness } from '../../src/modem/at/line.ts';
import { familyOf } from '../../src/modem/families.ts';
import { readRegistration } from '../../src/modem/network.ts';
import { chooseIndications } from '../../src/modem/routing.ts';
import { smsFullIndicators } from '../../src/modem/set-up.ts';
import { byHand, SessionBench } from './support/session-bench.ts';

/** Both ways work. */
async function works(t: Test, bench: SessionBench, name: string): Promise<void> {
  bench.modem.receive({ from: '+37060000001', text: `in ${name}` });
  await bench.until(() => bench.texts.includes(`in ${name}`));
  await bench.until(() => bench.session.ready);
  t.match(await bench.send('+37060000001', `out ${name}`), { type: 'accepted' }, name);
}

t.test('a SIM that is busy in the first seconds', async (t) => {
  for (const cause of [14, 301, 302, 314, 500, 515]) {
    const bench = new SessionBench();
    bench.modem.receive({ from: '+37060000001', text: 'before' });
    bench.modem.faults.add({ type: 'busy', cause, ms: 8_000 });
    const began = bench.clock.monotonic();
    bench.session.start();
    await bench.until(() => bench.session.status().state === 'setting_up');
    t.match(bench.session.status().error, /busy/);
    await bench.until(() => bench.session.ready);
    t.ok(bench.clock.monotonic() - began >= 8_000, 'not ready before');
    await bench.until(() => bench.texts.includes('before'));
    t.match(await byHand(bench.modem, bench.clock, 'AT+CNMI?\r'), /\+CNMI: 2,1,0,1,0/, `set up to the end (${cause})`);
    await bench.until(() => bench.session.status().reopened > 0 && bench.session.ready);
    await works(t, bench, `after ${cause}`);
    await bench.stop();
  }
  // Only the listing is refused at first.
  const late = new SessionBench();
  late.modem.faults.add({ type: 'cms_error', command: '+CMGL', cause: 314, times: 4 });
  late.modem.receive({ from: '+37060000001', text: 'patience' });
  late.session.start();
  await late.until(() => late.session.status().state === 'setting_up');
  await late.until(() => late.session.ready && late.texts.length > 0);
  t.same(late.texts, ['patience']);
  await late.stop();
});

t.test('which refusals may pass', (t) => {
  const cases = [
    ['cme', 14, 'busy'],
    ['cms', 14, 'busy'],
    ['cms', 314, 'busy'],
    ['cme', 515, 'busy'],
    ['cms', 515, 'busy'],
    ['cms', 301, 'perhaps'],
    ['cms', 302, 'perhaps'],
    ['cms', 500, 'perhaps'],
    ['cms', 303, undefined],
    ['cme', 10, undefined],
    ['error', undefined, undefined],
    ['timeout', undefined, undefined],
  ] as const;
  for (const [kind, cause, expected] of cases)
    t.equal(busyness(new AtError(kind, 'x', cause)), expected, `${kind} ${cause}`);
  t.end();
});

t.test('the radio is off, or the SIM has failed', async (t) => {
  for (const level of [0, 4]) {
    const bench = new SessionBench();
    bench.modem.faults.add({ type: 'radio_off', level });
    await bench.ready();
    await works(t, bench, `CFUN ${level}`);
    await bench.stop();
  }
  for (const cause of [13, 15]) {
    const bench = new SessionBench();
    bench.modem.faults.add({ type: 'sim_failed', cause });
    await bench.ready();
    t.ok(bench.states.includes('no_sim'));
    await works(t, bench, `CME ${cause}`);
    await bench.stop();
  }
});

t.test('a modem that does not list its messages is read place by place', async (t) => {
  for (const cause of [303, 0, 500]) {
    for (const indexBase of [0, 1] as const) {
      const bench = new SessionBench({ simulator: { deviations: { indexBase } } });
      bench.modem.faults.add({ type: 'no_listing', cause });
      for (let i = 0; i < 3; i++) bench.modem.receive({ from: '+37060000001', text: `stored ${i}` });
      await bench.ready();
      await bench.until(() => bench.texts.length === 3);
      await works(t, bench, `after ${cause}`);
      t.match(bench.session.status(), { storage: { total: 30 } });
      await bench.stop();
    }
  }
});

t.test('a restart without a word, or with few', async (t) => {
  for (const code of [undefined, 'Call Ready', 'SMS Ready']) {
    for (const [text_mode, echo] of [
      [true, true],
      [true, false],
      [false, true],
      [false, false],
    ] as const) {
      const bench = await new SessionBench().ready();
      const { epoch } = bench.session;
      bench.modem.faults.add({ type: 'settings_lost', text_mode, echo });
      if (code !== undefined) bench.modem.faults.add({ type: 'urc_flood', text: code, interval: 1, count: 1 });
      const began = bench.clock.monotonic();
      await bench.until(() => bench.session.epoch > epoch && bench.session.ready);
      const took = bench.clock.monotonic() - began;
      t.ok(took < (code === undefined ? 60_000 : 10_000), `${code} ${text_mode} ${echo}: ${took} ms`);
      await works(t, bench, 'after');
      await bench.stop();
    }
  }
  const kept = await new SessionBench().ready();
  const { epoch } = kept.session;
  kept.modem.faults.add({ type: 'urc_flood', text: 'Call Ready', interval: 1, count: 3 });
  await kept.clock.advance(10_000);
  t.equal(kept.session.epoch, epoch, 'the code alone changes nothing');
  await kept.stop();
});

t.test('a message that is announced without its place', async (t) => {
  for (const code of ['+CMTI: "SM",-1', '+CMTI: ,-1', '+CMTI: "MMS PUSH",1', '+CDSI: "SM"', '+CMTI:']) {
    const bench = await new SessionBench().ready();
    await byHand(bench.modem, bench.clock, 'AT+CNMI=2,0,0,0,0\r');
    await bench.until(() => bench.session.status().reopened > 0 && bench.session.ready);
    await bench.clock.advance(2_000);
    const began = bench.clock.monotonic();
    bench.modem.receive({ from: '+37060000001', text: 'somewhere' });
    bench.modem.faults.add({ type: 'urc_flood', text: code, interval: 1, count: 1 });
    await bench.until(() => bench.texts.includes('somewhere'));
    t.ok(bench.clock.monotonic() - began < 3_000, code);
    await bench.stop();
  }
});

t.test('a memory that is full, in the words of all families', async (t) => {
  const codes = ['^SMMEMFULL: "SM"', '+QIND: "smsfull","ME"', '+SMS FULL', '+CIEV: "smsfull",1', '+CIEV: "SMSFULL"'];
  for (const code of codes) {
    const bench = await new SessionBench().ready();
    await bench.clock.advance(15_000);
    bench.modem.faults.add({ type: 'urc_flood', text: code, interval: 1, count: 1 });
    await bench.until(() => bench.log.some((line) => line.includes('memory is full')), 2_000);
    await bench.clock.advance(2_000);
    t.equal(bench.session.status().warning, undefined, 'empty again');
    await bench.stop();
  }
  // Full of what was read before, and of what somebody composed.
  const submit = '0011000B917360000000F10000AA05E8329BFD06';
  const bench = new SessionBench({ simulator: { memory: 1 } });
  await byHand(bench.modem, bench.clock, 'AT+CMGF=0\r', 'AT+CMGW=19,2\r', `${submit}\x1a`);
  await bench.ready();
  await bench.until(() => bench.session.status().warning !== undefined);
  t.match(bench.session.status().warning, /message memory SM is full/);
  await bench.stop();
});

t.test('left by another program: results in digits, none at all, data mode', async (t) => {
  for (const command of ['ATV0\r', 'ATQ1\r', 'ATV0Q1\r']) {
    const bench = new SessionBench();
    await byHand(bench.modem, bench.clock, command);
    await bench.ready();
    await works(t, bench, command);
    await bench.stop();
  }
  const bench = new SessionBench();
  bench.modem.faults.add({ type: 'data_mode' });
  await bench.ready();
  await works(t, bench, 'data mode');
  await bench.stop();
});

t.test('direct delivery', async (t) => {
  const direct = await new SessionBench({ config: { delivery: 'direct' } }).ready();
  t.match(await byHand(direct.modem, direct.clock, 'AT+CNMI?\r', 'AT+CSMS?\r'), /\+CNMI: 2,2.*\+CSMS: 1/s);
  await direct.until(() => direct.session.status().reopened > 0 && direct.session.ready);
  await works(t, direct, 'direct');
  await direct.stop();

  const auto = new SessionBench({ config: { delivery: 'auto' } });
  auto.modem.faults.add({ type: 'stores_nowhere' });
  await auto.ready();
  // The first one is lost by the modem itself.
  auto.modem.receive({ from: '+37060000001', text: 'lost' });
  await auto.clock.advance(5_000);
  await works(t, auto, 'auto');
  await auto.stop();
});

t.test('a message passed on directly: another code before its PDU, a digit too few or too many', async (t) => {
  const pdu = '07917360990000F0040B917360000000F100006210101000000005E8329BFD06';
  const forms = [
    ['as it should be', `+CMT: ,24\r\n${pdu}`],
    ['a call in between', `+CMT: ,24\r\nRING\r\n${pdu}`],
    ['a vendor code in between', `+CMT: ,24\r\n^HCSQ: "LTE",40,31,131,20\r\n${pdu}`],
    ['two codes in between', `+CMT: ,24\r\n+CREG: 1\r\n^RSSI: 17\r\n${pdu}`],
    ['with the name of the sender', `+CMT: "Alice",24\r\n${pdu}`],
    ['a digit too many', `+CMT: ,24\r\n${pdu}0`],
  ] as const;
  for (const [name, text] of forms) {
    const bench = await new SessionBench({ config: { delivery: 'direct' } }).ready();
    bench.modem.faults.add({ type: 'urc_flood', text, interval: 1, count: 1 });
    await bench.until(() => bench.texts.length > 0, 5_000);
    t.same(bench.texts, ['hello'], name);
    await works(t, bench, name);
    await bench.stop();
  }
  // A digit short: the text lacks its end, the sender is there.
  const bench = await new SessionBench({ config: { delivery: 'direct' } }).ready();
  bench.modem.faults.add({ type: 'urc_flood', text: `+CMT: ,24\r\n${pdu.slice(0, -1)}`, interval: 1, count: 1 });
  await bench.until(() => bench.texts.length > 0, 5_000);
  t.match(bench.texts, [/^hel/]);
  await works(t, bench, 'a digit too few');
  await bench.stop();
});

t.test('a memory that is full, by the indicator table of the modem', async (t) => {
  const bench = new SessionBench();
  bench.modem.faults.add({ type: 'reply', command: '+CIND', text: '+CIND: ("signal",(0-5)),("smsfull",(0,1))' });
  await bench.ready();
  await bench.clock.advance(15_000);
  const full = () => bench.log.filter((line) => line.includes('memory is full')).length;
  for (const [text, expected] of [
    ['+CIEV: 1,5', 0],
    ['+CIEV: 2,0', 0],
    ['+CIEV: 2,1', 1],
  ] as const) {
    bench.modem.faults.add({ type: 'urc_flood', text, interval: 1, count: 1 });
    await bench.clock.advance(1_000);
    t.equal(full(), expected, text);
  }
  await bench.stop();
});

t.test('a modem that sends its codes to another port is set right', async (t) => {
  const bench = new SessionBench();
  bench.modem.faults.add({ type: 'reply', command: '+CGMI', text: 'Quectel' });
  bench.modem.faults.add({ type: 'reply', command: '+QURCCFG', text: '+QURCCFG: "urcport","uart1"', times: 2 });
  await bench.ready();
  t.ok(bench.log.some((line) => line.includes('AT+QURCCFG="urcport","usbat"')));
  t.equal(bench.modem.faults.take('reply', '+QURCCFG'), undefined, 'asked, and set');
  await bench.stop();
});

t.test('what is refused with a cause of busy SIMs for good is waited for once', async (t) => {
  for (const cause of [302, 500]) {
    const bench = new SessionBench();
    bench.modem.faults.add({ type: 'cms_error', command: '+CNMI', cause, times: 10_000 });
    const starts: number[] = [];
    for (let start = 0; start < 3; start++) {
      const began = bench.clock.monotonic();
      if (start === 0) bench.session.start();
      else bench.session.restart();
      await bench.until(() => !bench.session.ready);
      await bench.until(() => bench.session.ready);
      starts.push(bench.clock.monotonic() - began);
    }
    t.ok((starts[0] ?? 0) >= 30_000, `${starts}`);
    t.ok(
      starts.slice(1).every((ms) => ms < 5_000),
      `${starts}`,
    );
    bench.modem.receive({ from: '+37060000001', text: 'found by looking' });
    await bench.until(() => bench.texts.includes('found by looking'), 310_000);
    // It was busy after all.
    bench.modem.faults.clear('cms_error');
    await bench.clock.advance(310_000);
    t.match(await bench.session.at('AT+CNMI?', new AbortController().signal), { lines: ['+CNMI: 2,1,0,1,0'] });
    await bench.stop();
  }
});

t.test('what is chosen from what a modem offers', (t) => {
  t.same(chooseIndications('+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)', true, true), [2, 2, 0, 1, 0]);
  t.same(chooseIndications('+CNMI: (0-2),(0,1),(0,2),(0-2),(0,1)', true, true), [2, 1, 0, 1, 0], 'cannot');
  const indicators = [
    ['+CIND: ("battchg",(0-5)),("signal",(0-5)),("service",(0,1)),("smsfull",(0,1))', [4]],
    ['+CIND: ( "smsfull" , (0-1) ),("call",(0,1))', [1]],
    ['+CIND: ("message",(0,1))', []],
    ['', []],
  ] as const;
  for (const [answer, places] of indicators) t.same([...smsFullIndicators(answer)], places, answer);
  const registrations = [
    ['+CREG: 0,1', { mode: 0, stat: 1 }],
    ['+CREG: 2, 10, 01A2, 0B3C', { mode: 2, stat: 10 }],
    ['+CREG: 1,11', { mode: 1, stat: 11 }],
    ['+CREG: 9', { stat: 9 }],
    ['+CREG: 1,"01A2","0B3C"', { stat: 1 }],
    ['+CREG: x', {}],
  ] as const;
  for (const [answer, read] of registrations) t.same(readRegistration(answer), read, answer);
  const ports = [
    ['Quectel', ['+QURCCFG: "urcport","uart1"'], '/dev/ttyUSB2', 'AT+QURCCFG="urcport","usbat"'],
    ['Quectel', ['+QURCCFG: "urcport","usbat"'], '/dev/ttyUSB2', undefined],
    ['Quectel', ['+QURCCFG: "urcport","all"'], '/dev/ttyUSB2', undefined],
    ['Quectel', ['+QURCCFG: "urcport","usbat"'], '/dev/ttyS1', 'AT+QURCCFG="urcport","uart1"'],
    ['Quectel', [], '/dev/ttyUSB2', undefined],
    ['Quectel', ['+QURCCFG: "urcport","usbmodem"'], '/dev/ttyUSB2', 'AT+QURCCFG="urcport","all"'],
    ['Quectel', ['+QURCCFG: "urcport","usbmodem"'], '/dev/ttyUSB3', 'AT+QURCCFG="urcport","all"'],
    ['Quectel', ['+QURCCFG: "urcport","usbat"'], '/dev/ttyUSB3', 'AT+QURCCFG="urcport","all"'],
    ['Quectel', ['+QURCCFG: "urcport","uart1"'], '/dev/ttyUSB3', 'AT+QURCCFG="urcport","usbat"'],
    ['Quectel', ['+QURCCFG: "urcport","usbat"'], '/dev/ttyACM0', undefined],
    ['Quectel', ['+QURCCFG: "urcport","uart1"'], 'tcp://10.0.0.1:2000', undefined],
    ['SIMCOM INCORPORATED', ['+CATR: 2'], '/dev/ttyUSB2', 'AT+CATR=0'],
    ['SIMCOM INCORPORATED', ['+CATR: 0'], '/dev/ttyUSB2', undefined],
  ] as const;
  for (const [maker, answer, device, command] of ports) {
    t.equal(familyOf(maker).codePort?.set(answer, device), command, `${maker} ${answer} ${device}`);
  }
  t.end();
});

t.test('registration by more values than one digit', async (t) => {
  const bench = await new SessionBench().ready();
  for (const [stat, state] of [
    [11, 'registering'],
    [9, 'ready'],
    [0, 'registering'],
    [10, 'ready'],
  ] as const) {
    for (const domain of ['CREG', 'CGREG', 'CEREG']) {
      bench.modem.faults.add({ type: 'urc_flood', text: `+${domain}: ${stat}`, interval: 1, count: 1 });
      await bench.clock.advance(10);
    }
    await bench.until(() => bench.session.status().state === state, 2_000);
    t.pass(`${stat} is ${state}`);
  }
  await bench.stop();
});
