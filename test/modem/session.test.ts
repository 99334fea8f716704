import t from 'tap';
import { GatewayError } from '../../src/base/errors.ts';
import { byHand, partOf, SessionBench } from './support/session-bench.ts';

const { signal } = new AbortController();

/** The error code of what failed. */
const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error) => (error instanceof GatewayError ? error.code : String(error)),
  );

t.test('becomes ready and knows its modem', async (t) => {
  const bench = await new SessionBench().ready();
  t.same(bench.states, ['opening', 'probing', 'ready']);
  await bench.until(() => bench.session.status().signal !== undefined && bench.session.status().storage !== undefined);
  const status = bench.session.status();
  t.match(status, {
    name: 'gsm0',
    state: 'ready',
    device: 'sim',
    manufacturer: 'SIMULATED',
    imei: '356938035643809',
    registration: 'home',
    operator: 'SIMNET',
    storage: { name: 'SM', used: 0, total: 30 },
    errors: 0,
    reopened: 0,
  });
  t.match(status.imsi ?? '', /^\d{15}$/);
  t.match(status.iccid ?? '', /^\d{18,20}$/);
  t.match(status.number ?? '', /^\+\d+$/);
  t.ok((status.signal ?? 0) < -50, 'dBm');
  await bench.stop();
  t.equal(bench.session.status().state, 'stopped');
  t.equal(bench.clock.pending, 0, 'nothing is left behind');
});

t.test('sends, and hands over the reports', async (t) => {
  const bench = await new SessionBench().ready();
  t.match(await bench.send('+37060000001', 'one'), { type: 'accepted' });
  t.match(await bench.send('112', 'two ąčę'), { type: 'accepted' });
  t.same(
    bench.modem.sent().map(({ to, text, report }) => [to, text, report]),
    [
      ['+37060000001', 'one', true],
      ['112', 'two ąčę', true],
    ],
  );
  await bench.until(() => bench.reports.length === 2);
  t.same(
    bench.reports.map(({ modem, mr, number, status }) => [modem, mr, number, status]),
    bench.modem.sentParts().map(({ mr, to }) => ['gsm0', mr, to, 0]),
  );
  t.match(bench.session.status(), { sent: 2, errors: 0 });
  const tooLong = { ...partOf('+37060000001', 'x'), data: new Uint8Array(161) };
  t.match(await bench.session.send(tooLong, signal), { type: 'rejected', permanent: true }, 'what no PDU can hold');
  const given = new AbortController();
  given.abort();
  t.match(await bench.send('+37060000001', 'x', given.signal), { type: 'unavailable' }, 'given up before it began');
  await bench.stop();
  t.match(await bench.session.send(partOf('+37060000001', 'x'), signal), { type: 'unavailable' });
});

t.test('the service centre of the option is in the PDU', async (t) => {
  const bench = new SessionBench({ simulator: { smsc: '' } });
  await bench.ready();
  t.match(await bench.send(), { type: 'rejected', cause: 330 });
  t.ok(bench.log.some((text) => text.includes('service centre')));
  await bench.stop();
  const { number } = partOf('+37069900000', 'x');
  const other = await new SessionBench({ simulator: { smsc: '' }, config: { smsc: number } }).ready();
  t.match(await other.send(), { type: 'accepted' });
  await other.stop();
});

t.test('receives what came before, bursts, and what comes later, each once', async (t) => {
  const bench = new SessionBench();
  for (let i = 0; i < 5; i++) bench.modem.receive({ from: '+37060000001', text: `before ${i}` });
  await bench.ready();
  await bench.until(() => bench.texts.length === 5);
  // More than the SIM holds: the network brings the rest as the modem is emptied.
  for (let i = 0; i < 50; i++) bench.modem.receive({ from: 'INFO', text: `burst ${i}` });
  await bench.until(() => bench.texts.length === 55);
  bench.modem.receive({ from: '+37060000001', text: 'after' });
  await bench.until(() => bench.texts.at(-1) === 'after');
  await bench.clock.advance(700_000);
  t.equal(bench.texts.length, 56, 'a sweep finds nothing left');
  t.equal(new Set(bench.texts).size, 56);
  t.match(bench.session.status(), { received: 56, storage: { used: 0 } });
  await bench.stop();
});

t.test('a burst is listed, a few are read one by one', async (t) => {
  const bench = await new SessionBench({ level: 'debug' }).ready();
  const asked = (command: string) => bench.log.filter((line) => line.includes(`> ${command}`)).length;
  const [reads, lists] = [asked('AT+CMGR='), asked('AT+CMGL=')];
  for (let i = 0; i < 3; i++) bench.modem.receive({ from: 'INFO', text: `few ${i}` });
  await bench.until(() => bench.texts.length === 3);
  t.same([asked('AT+CMGR=') - reads, asked('AT+CMGL=') - lists], [3, 0]);
  for (let i = 0; i < 20; i++) bench.modem.receive({ from: 'INFO', text: `many ${i}` });
  await bench.until(() => bench.texts.length === 23);
  t.ok(asked('AT+CMGL=') > lists);
  t.ok(asked('AT+CMGR=') - reads < 13, 'most of them by the list');
  await bench.stop();
});

t.test('a message stays on the modem until it is durable', async (t) => {
  let open: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  let asked = 0;
  const bench = new SessionBench({
    store: () => {
      asked++;
      return gate;
    },
  });
  bench.modem.receive({ from: '+37060000001', text: 'precious' });
  await bench.ready();
  await bench.until(() => asked === 1);
  await bench.clock.advance(60_000);
  t.match(await byHand(bench.modem, bench.clock, 'AT+CMGF=0\r', 'AT+CPMS="SM"\r'), /\+CPMS: 1,/, 'still there');
  open();
  await bench.until(() => bench.session.status().reopened === 1 && bench.session.ready);
  await bench.until(() => bench.texts.includes('precious'));
  await bench.clock.advance(1_000);
  t.match(await byHand(bench.modem, bench.clock, 'AT+CPMS="SM"\r'), /\+CPMS: 0,/, 'and gone when it is safe');
  await bench.stop();
});

t.test('a full store leaves messages on the modem and they come when there is room', async (t) => {
  let full = true;
  let tries = 0;
  const bench = new SessionBench({
    store: async () => {
      tries++;
      if (full) throw new GatewayError('store_full', 'the inbox is full');
    },
  });
  await bench.ready();
  bench.modem.receive({ from: '+37060000001', text: 'patience' });
  await bench.clock.advance(600_000);
  t.same(bench.texts, []);
  t.ok(tries >= 5 && tries <= 20, `tried again with back-off (${tries} times)`);
  t.equal(bench.log.filter((text) => text.includes('inbox is full')).length, 1, 'logged once');
  full = false;
  await bench.until(() => bench.texts.length === 1);
  t.same(bench.texts, ['patience']);
  await bench.stop();
});

t.test('messages that somebody composed on the SIM are left alone', async (t) => {
  const bench = new SessionBench();
  const submit = '0011000B917360000000F10000AA0568656C6C6F'.replace('0568656C6C6F', '05E8329BFD06');
  const heard = await byHand(bench.modem, bench.clock, 'AT+CMGF=0\r', 'AT+CMGW=19,2\r', `${submit}\x1a`);
  t.match(heard, /\+CMGW: 1/);
  await bench.ready();
  await bench.clock.advance(400_000);
  t.match(await byHand(bench.modem, bench.clock, 'AT+CPMS="SM"\r'), /\+CPMS: 1,/);
  t.same(bench.texts, []);
  t.notOk(bench.log.some((text) => text.includes('stay on the modem')));
  await bench.stop();
});

t.test('reports by all ways', async (t) => {
  const twoReports = async (bench: SessionBench) => {
    await bench.ready();
    await bench.send();
    await bench.until(() => bench.reports.length === 1);
    await bench.clock.advance(20_000);
    await bench.send();
    await bench.until(() => bench.reports.length === 2);
    await bench.clock.advance(700_000);
    t.same(
      bench.reports.map(({ mr }) => mr),
      bench.modem.sentParts().map(({ mr }) => mr),
      'each once',
    );
    await bench.stop();
  };
  await twoReports(new SessionBench({ simulator: { deviations: { noDirectReports: true } } }));
  const misnamed = { noDirectReports: true, reportIndicationNamesSim: true };
  await twoReports(new SessionBench({ simulator: { deviations: misnamed } }));
  await twoReports(new SessionBench({ config: { init: ['AT+CSMS=1'] } }));
  await twoReports(new SessionBench({ config: { init: ['AT+CSMS=1', 'AT+CNMI=2,2,0,1,0'] } }));
  const none = await new SessionBench({ config: { reports: false } }).ready();
  await none.send();
  await none.clock.advance(60_000);
  t.same(none.reports, [], 'reports can be switched off');
  await none.stop();
});

t.test('messages that the modem passes on directly are acknowledged when they are safe', async () => {
  let fail = false;
  const bench = new SessionBench({
    config: { init: ['AT+CSMS=1', 'AT+CNMI=2,2,0,1,0'] },
    store: async () => {
      if (fail) throw new GatewayError('store_unavailable', 'no disk');
    },
  });
  await bench.ready();
  for (let i = 0; i < 3; i++) bench.modem.receive({ from: '+37060000001', text: `direct ${i}` });
  await bench.until(() => bench.texts.length === 3);
  fail = true;
  bench.modem.receive({ from: '+37060000001', text: 'late' });
  await bench.clock.advance(60_000);
  fail = false;
  await bench.until(() => bench.texts.includes('late'));
  bench.modem.receive({ from: '+37060000001', text: 'next' });
  await bench.until(() => bench.texts.includes('next'));
  await bench.stop();
});

t.test('USSD', async (t) => {
  const bench = await new SessionBench().ready();
  const ask = async (code: string, given = signal) => {
    let ended = false;
    const answer = bench.session.ussd(code, given).finally(() => {
      ended = true;
    });
    answer.catch(() => {});
    await bench.until(() => ended);
    return answer;
  };
  t.match(await ask('*100#'), 'Your balance is 5.20 EUR');
  t.equal(await ask('*111#'), 'Ваш баланс: 5,20 €', 'UCS2');
  t.equal(await ask('*123#'), '1 Balance\n2 Data left\n0 Quit', 'a menu of several lines');
  t.match(await ask('2'), '1.5 GB', 'and an answer to it');
  t.equal(await failure(ask('*999#')), 'not_supported');
  t.equal(await failure(ask('*100#"\r')), 'invalid_argument', 'nothing is injected into the command');
  const [first, second] = [bench.session.ussd('*100#', signal), bench.session.ussd('*100#', signal)];
  first.catch(() => {});
  t.equal(await failure(second), 'wrong_state', 'one at a time');
  await bench.until(() => bench.clock.pending >= 0);
  await bench.clock.advance(100);
  await first;
  await bench.stop();
  t.equal(await failure(bench.session.ussd('*100#', signal)), 'modem_unavailable');

  const slow = await new SessionBench({ simulator: { latency: { submit: 120_000 } } }).ready();
  const late = slow.session.ussd('*100#', signal);
  late.catch(() => {});
  await slow.clock.advance(60_000);
  t.equal(await failure(late), 'timeout', 'a network that does not answer');
  const abort = new AbortController();
  const given = slow.session.ussd('*100#', abort.signal);
  given.catch(() => {});
  await slow.clock.advance(100);
  abort.abort();
  t.equal(await failure(given), 'timeout', 'given up');
  const lost = slow.session.ussd('*100#', signal);
  lost.catch(() => {});
  await slow.clock.advance(100);
  await slow.stop();
  t.equal(await failure(lost), 'modem_unavailable', 'the session stops');
});

t.test('registration', async (t) => {
  const bench = new SessionBench();
  bench.modem.setRegistration('searching');
  bench.session.start();
  await bench.until(() => bench.session.status().state === 'registering');
  t.match(bench.session.status(), { registration: 'searching', error: 'there is no network' });
  t.match(await bench.session.send(partOf('+37060000001', 'x'), signal), { type: 'unavailable' });
  bench.modem.setRegistration('roaming');
  await bench.until(() => bench.session.ready);
  await bench.until(() => bench.session.status().operator !== undefined);
  t.match(bench.session.status(), { registration: 'roaming', operator: 'SIMNET' });
  bench.modem.setRegistration('denied');
  await bench.until(() => bench.session.status().state === 'denied');
  t.equal(bench.session.status().operator, undefined);
  bench.modem.setRegistration('home');
  await bench.until(() => bench.session.ready);
  t.same(bench.states, ['opening', 'probing', 'registering', 'ready', 'denied', 'ready']);
  const before = bench.session.epoch;
  bench.modem.setRegistration('none');
  await bench.clock.advance(310_000);
  await bench.until(() => bench.session.epoch > before);
  t.ok(
    bench.log.some((text) => text.includes('set up again')),
    'after network_timeout',
  );
  await bench.stop();
});

t.test('restart, and a stop at any moment', async (t) => {
  const bench = await new SessionBench().ready();
  const { epoch } = bench.session;
  bench.session.restart();
  await bench.until(() => bench.session.status().reopened === 1 && bench.session.ready, 1_000);
  t.equal(bench.session.epoch, epoch, 'the modem goes on counting');
  await bench.stop();
  for (let ms = 0; ms < 40; ms++) {
    const early = new SessionBench({ simulator: { latency: { answer: 1 } } });
    early.session.start();
    await early.clock.advance(ms);
    await early.stop();
    t.equal(early.clock.pending, 0);
  }
});

t.test('whether the modem may have restarted its count of TP-MR since the last run of the gateway', async (t) => {
  const first = await new SessionBench().ready();
  t.equal(first.session.epoch, 1, 'it may, when it was never seen before');
  await first.stopSession();
  const second = await new SessionBench({ after: first }).ready();
  t.equal(second.session.epoch, 0, 'not when it is as the last run left it');
  await second.stopSession();
  first.modem.faults.add({ type: 'reboot' });
  await first.clock.advance(1_000);
  // The port goes when all is set that shows a reset, and not yet all there is.
  first.modem.faults.add({ type: 'lose_answer', command: '+CMMS' });
  const interrupted = new SessionBench({ after: first });
  interrupted.session.start();
  await first.clock.advance(500);
  t.equal(interrupted.session.status().state, 'probing');
  first.modem.faults.add({ type: 'port_gone', ms: 1_000 });
  await interrupted.until(() => interrupted.session.ready);
  t.equal(interrupted.session.epoch, 1, 'a start that was interrupted does not hide a reset');
  await interrupted.stopSession();
  const other = await new SessionBench({ after: first, config: { reports: false } }).ready();
  t.equal(other.session.epoch, 1, 'nor do other settings');
  await other.stop();
});
