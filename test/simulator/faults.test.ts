import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import t from 'tap';
import { type Fault, faultTable, parseFault } from '../../src/simulator/index.ts';
import { obey } from '../../src/simulator/servers.ts';
import { cme, cmgs, cms, code, ERROR, Host, info, OK } from './simulator-host.ts';

/** SMS-SUBMIT of "Hello" to +37060000001, with an empty SMSC field. */
const [CMGS, PDU] = cmgs('0001000B917360000000F1000005C8329BFD06');
const ACCEPTED = /^\r\n\+CMGS: \d+\r\n\r\nOK\r\n$/;

async function hostWith(...faults: readonly Fault[]): Promise<Host> {
  const host = await new Host().setUp();
  for (const fault of faults) host.modem.faults.add(fault);
  return host;
}

t.test('faults of one command', async (t) => {
  const rows: readonly (readonly [string, Fault, string, string | RegExp, number])[] = [
    ['answer lost', { type: 'lose_answer' }, '\r\n> ', '', 1],
    ['error', { type: 'cms_error', cause: 38 }, '\r\n> ', cms(38), 0],
    ['error although sent', { type: 'sent_with_error', cause: 500 }, '\r\n> ', cms(500), 1],
    ['prompt lost', { type: 'lose_prompt' }, '', ACCEPTED, 1],
    ['noise', { type: 'noise_before_answer', hex: 'feff' }, '\r\n> ', /^\xfe\xff\r\n\+CMGS: /, 1],
  ];
  for (const [name, fault, prompt, answer, sent] of rows) {
    const host = await hostWith(fault);
    t.equal(await host.ask(CMGS), prompt, name);
    const said = await host.ask(PDU);
    if (typeof answer === 'string') t.equal(said, answer, name);
    else t.match(said, answer, name);
    t.equal(host.modem.sent().length, sent, name);
    await host.ask('\x1b\r');
    await host.ask(CMGS);
    t.match(await host.ask(PDU), ACCEPTED, `${name}: once`);
  }
});

t.test('skip and times count occasions', async (t) => {
  const host = await hostWith({ type: 'cms_error', skip: 1, times: 2, command: '+CMGS' });
  const answers: string[] = [];
  for (let i = 0; i < 4; i++) {
    await host.ask(CMGS);
    answers.push((await host.ask(PDU)).slice(2, 17));
  }
  t.strictSame(answers, ['+CMGS: 0\r\n\r\nOK\r', '+CMS ERROR: 500', '+CMS ERROR: 500', '+CMGS: 1\r\n\r\nOK\r']);
  host.modem.faults.add({ type: 'lose_answer', command: '+CSQ', times: 5 });
  t.equal(await host.ask('AT+CSQ\r'), '');
  host.modem.faults.clear('lose_answer');
  t.match(await host.ask('AT+CSQ\r'), /\+CSQ: 21/);
});

t.test('echo faults', async (t) => {
  const host = new Host();
  host.modem.faults.add({ type: 'urc_before_echo', text: '^BOOT:1' });
  t.equal(await host.ask('AT\r'), '^BOOT:1\r\nAT\r\r\nOK\r\n');
  host.modem.faults.add({ type: 'broken_echo' });
  t.equal(await host.ask('AT\r'), 'T\r\r\nOK\r\n');
  t.equal(await host.ask('AT\r'), 'AT\r\r\nOK\r\n');
});

t.test('the port goes, and comes back', async (t) => {
  const host = await hostWith();
  let back = 0;
  host.modem.on('plugged', () => back++);
  host.modem.faults.add({ type: 'port_gone', ms: 5_000 });
  await host.hear();
  t.ok(host.closed);
  t.notOk(host.modem.plugged);
  t.throws(() => host.modem.connect(), { code: 'connection_failed' });
  await host.hear(5_000);
  t.equal(back, 1);
  host.replug();
  t.equal(await host.ask('AT\r'), OK, 'settings survive');
  host.modem.faults.add({ type: 'port_gone', ms: 5_000, reset: true });
  host.modem.faults.clear();
  t.equal(back, 2, 'a cleared fault ends at once');
  host.replug();
  await host.hear();
  t.equal(await host.ask('AT\r'), `AT\r${OK}`, 'settings are lost with the power');
});

t.test('reboot, silence, slow line, codes and garbage', async (t) => {
  const host = await hostWith({ type: 'reboot', ms: 3_000 });
  t.equal(await host.ask('AT\r'), '');
  t.match(await host.hear(3_000), /^\r\nRDY\r\n\r\n\+CFUN: 1\r\n\r\n\+CPIN: READY/);
  await host.setUp();

  host.modem.faults.add({ type: 'silent', ms: 1_000 });
  t.equal(await host.ask('AT\r'), '');
  t.equal(await host.hear(1_000), '', 'what it did not hear it does not answer');
  t.equal(await host.ask('AT\r'), OK);

  host.modem.faults.add({ type: 'slow_bytes', ms: 10 });
  t.equal(await host.ask('AT\r'), '');
  t.equal(await host.hear(30), '\r\nO');
  host.modem.faults.clear('slow_bytes');
  t.equal(await host.hear(10), 'K\r\n');

  host.modem.faults.add({ type: 'urc_flood', interval: 100, count: 5 });
  t.equal(await host.hear(1_000), '^RSSI:14\r\n'.repeat(5));
  host.modem.faults.add({ type: 'urc_flood', interval: 100, count: 5 });
  host.modem.faults.clear('urc_flood');
  t.equal(await host.hear(1_000), '^RSSI:14\r\n');

  host.modem.faults.add({ type: 'garbage', hex: '00ff' });
  t.equal(await host.hear(), '\x00\xff');
});

t.test('a command that the loss of power overtook opens no prompt afterwards', async (t) => {
  const host = new Host({ latency: { answer: 20 } });
  await host.ask(CMGS);
  host.modem.faults.add({ type: 'reboot', ms: 10 });
  t.match(await host.hear(1_000), /^\r\nRDY\r\n/, 'the codes of the start are not held back by a prompt');
});

t.test('codes wait while a prompt is open', async (t) => {
  const host = await hostWith();
  await host.setUp('AT+CNMI=2,1');
  await host.ask(CMGS);
  host.modem.receive({ from: '+37060000001', text: 'hi' });
  t.equal(await host.hear(), '');
  t.equal(await host.ask(PDU), info('+CMGS: 0') + code('+CMTI: "SM",1'));
});

t.test('memory full, and a late part', async (t) => {
  const host = await hostWith();
  await host.setUp('AT+CNMI=2,1');
  host.modem.receive({ from: '+37060000001', text: 'one' });
  host.modem.faults.add({ type: 'memory_full' });
  host.modem.receive({ from: '+37060000001', text: 'two' });
  t.equal(await host.ask('AT+CPMS?\r'), code('+CMTI: "SM",1') + info('+CPMS: "SM",1,1,"SM",1,1,"SM",1,1'));
  host.modem.faults.clear('memory_full');
  t.equal(await host.hear(), code('+CMTI: "SM",2'));
  host.modem.faults.add({ type: 'part_late', part: 2, ms: 10_000 });
  host.modem.receive({ from: '+37060000001', text: 'x'.repeat(400) });
  t.equal(await host.hear(), code('+CMTI: "SM",3') + code('+CMTI: "SM",4'));
  t.equal(await host.hear(10_000), code('+CMTI: "SM",5'));
});

t.test('deviations', async (t) => {
  const huawei = await new Host({
    deviations: { commandNotSupport: true, indexBase: 0, noDirectReports: true },
  }).setUp();
  t.equal(await huawei.ask('AT+NOSUCH\r'), code('COMMAND NOT SUPPORT'));
  t.match(await huawei.ask('AT+CNMI=?\r'), /\(0,2\),\(0,2\),/);
  t.equal(await huawei.ask('AT+CNMI=2,1,0,1\r'), cms(303));
  await huawei.ask('AT+CNMI=2,1\r');
  huawei.modem.receive({ from: '1234', text: 'hi' });
  t.equal(await huawei.hear(), code('+CMTI: "SM",0'));

  const wavecom = await new Host({
    deviations: { pinWithoutOk: true, noAlphaField: true, bareMemoryList: true },
  }).setUp();
  t.equal(await wavecom.ask('AT+CPIN?\r'), code('+CPIN: READY'));
  t.equal(await wavecom.ask('AT+CPMS=?\r'), info('+CPMS: "SM","ME","SR",(),(),()'));
  wavecom.modem.receive({ from: '1234', text: 'hi' });
  t.match(await wavecom.ask('AT+CMGL=4\r'), /^\r\n\+CMGL: 1,0,\d+\r\n/);

  const quectel = await new Host({ deviations: { reportIndicationNamesSim: true, deleteEmptyFails: true } }).setUp();
  await quectel.setUp('AT+CNMI=2,1,0,2', 'AT+CREG=2');
  await quectel.ask(CMGS);
  t.equal(await quectel.ask(PDU.replace(/^0001/, '0021')), info('+CMGS: 0') + code('+CDSI: "SM",1'));
  t.equal(await quectel.ask('AT+CMGD=3\r'), cms(321));

  const other = await new Host({ deviations: { unquotedCells: true, referenceRestarts: true } }).setUp('AT+CREG=2');
  t.equal(await other.ask('AT+CREG?\r'), info('+CREG: 2, 1, 01A2, 00B3C1'));
  for (const mr of [0, 1]) {
    await other.ask(CMGS);
    t.equal(await other.ask(PDU), info(`+CMGS: ${mr}`));
  }
  await other.ask('AT+CFUN=1,1\r');
  await other.setUp();
  await other.ask(CMGS);
  t.equal(await other.ask(PDU), info('+CMGS: 0'));
});

t.test('faults and orders from outside', (t) => {
  for (const type of Object.keys(faultTable)) t.match(parseFault({ type }), { type });
  const wrong = [{}, { type: 'nope' }, { type: 'toString' }, { type: 'reboot', ms: -1 }, { type: 'reboot', ms: '1' }];
  for (const fault of [...wrong, { type: 'reboot', times: 1 }, { type: 'garbage', hex: 'x'.repeat(5_000) }]) {
    t.throws(() => parseFault(fault), { code: 'invalid_argument' }, JSON.stringify(fault).slice(0, 40));
  }
  const { modem } = new Host();
  const rows: readonly (readonly [string, object])[] = [
    ['nonsense', { ok: false, error: { code: 'parse_error' } }],
    ['[]', { ok: false, error: { code: 'parse_error' } }],
    ['{}', { ok: false, error: { code: 'invalid_request' } }],
    ['{"sent":true,"status":true}', { ok: false, error: { code: 'invalid_request' } }],
    ['{"toString":true}', { ok: false, error: { code: 'invalid_request' } }],
    ['{"receive":{"from":"+37060000001","text":"hi","class":0,"pid":1}}', { ok: true }],
    ['{"receive":{"from":"+37060000001"}}', { ok: false, error: { code: 'invalid_argument' } }],
    ['{"receive":{"from":"+37060000001","text":"hi","class":4}}', { ok: false, error: { code: 'invalid_argument' } }],
    ['{"receive":{"from":"ąčę","text":"hi"}}', { ok: false, error: { code: 'unencodable' } }],
    ['{"receive_pdu":"07"}', { ok: true }],
    ['{"receive_pdu":"0"}', { ok: false, error: { code: 'invalid' } }],
    ['{"fault":{"type":"memory_full"}}', { ok: true }],
    ['{"fault":{"type":"port_gone"}}', { ok: true }],
    ['{"status":true}', { ok: true, plugged: false, counters: { delivered: 2, waiting: 0 } }],
    ['{"clear":"port_gone"}', { ok: true }],
    ['{"clear":"nope"}', { ok: false, error: { code: 'invalid_argument' } }],
    ['{"clear":true}', { ok: true }],
    ['{"registration":"denied"}', { ok: true }],
    ['{"registration":"toString"}', { ok: false, error: { code: 'invalid_argument' } }],
    ['{"signal":32}', { ok: false, error: { code: 'invalid_argument' } }],
    ['{"signal":31}', { ok: true }],
    ['{"sent":true}', { ok: true, sent: [] }],
    ['{"sent_parts":true}', { ok: true, sent_parts: [] }],
  ];
  return rows.reduce(async (before, [line, answer]) => {
    await before;
    t.match(JSON.parse(obey(modem, line)), answer, line);
    // The network delivers between two orders.
    await new Promise((resolve) => setImmediate(resolve));
  }, Promise.resolve());
});

t.test('stop ends timers and takes the modem off its line', async (t) => {
  const host = await hostWith({ type: 'urc_flood', interval: 10, count: 100 });
  host.modem.stop();
  t.equal(host.clock.pending, 0);
  await host.hear();
  t.equal(await host.ask('AT\r'), '');
});

t.test('the program', async (t) => {
  const run = (...args: readonly string[]) =>
    spawn(process.execPath, ['--import', 'tsx', 'src/simulator/program.ts', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const child = run('--listen', 'tcp:127.0.0.1:0', '--control', 'tcp:127.0.0.1:0', '--pin', '1234', '--memory', '7');
  t.teardown(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const port = async (word: string) => {
    const { value } = await lines.next();
    const [, at = ''] = new RegExp(`^${word} on 127\\.0\\.0\\.1:(\\d+)$`).exec(String(value)) ?? [];
    return Number(at);
  };
  const control = connect(await port('control'), '127.0.0.1');
  const answers = createInterface({ input: control })[Symbol.asyncIterator]();
  const line = await port('listening');
  const order = async (request: object) => {
    control.write(`${JSON.stringify(request)}\n`);
    return JSON.parse(String((await answers.next()).value));
  };
  /** A client of the serial line, and how to read from it up to what ends an answer. */
  const dial = () => {
    const socket = connect(line, '127.0.0.1');
    let heard = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
    });
    return async (octets: string, end: string) => {
      socket.write(octets);
      while (!heard.endsWith(end)) await once(socket, 'data');
      const answer = heard;
      heard = '';
      return answer;
    };
  };
  const first = dial();
  t.equal(await first('ATE0+CMEE=1\r', OK), `ATE0+CMEE=1\r${OK}`);
  t.equal(await first('AT+CIMI\r', cme(11)), cme(11));
  t.equal(await first('AT+CPIN=1234;+CPMS?\r', OK), info('+CPMS: "SM",0,7,"SM",0,7,"SM",0,7'));
  const second = dial();
  t.equal(await second('AT\r', OK), OK, 'the newest client has the line');
  t.equal(await second('AT+NOSUCH\r', ERROR), ERROR);
  await second(CMGS, '> ');
  await second(PDU, OK);
  t.match(await order({ sent: true }), { ok: true, sent: [{ to: '+37060000001', text: 'Hello' }] });
  t.match(await order({ fault: { type: 'nope' } }), { ok: false, error: { code: 'invalid_argument' } });
  t.match(await order({ status: true }), { ok: true, plugged: true, spoke: null, counters: { messages: 1 } });
  await second('AT+CNMI=2,1\r', OK);
  const monotonic = () => Number(process.hrtime.bigint()) / 1e6;
  const before = monotonic();
  await order({ receive: { from: '+37060000001', text: 'Hello' } });
  await second('', '\r\n+CMTI: "SM",1\r\n');
  const { spoke } = await order({ status: true });
  t.ok(spoke >= before && spoke <= monotonic(), 'when it announced the message, on the clock of all processes');
  child.kill('SIGTERM');
  t.strictSame(await once(child, 'exit'), [0, null]);

  const wrong = run('--listen', 'udp:nowhere');
  const [complaint] = await once(wrong.stderr.setEncoding('utf8'), 'data');
  t.match(complaint, /--listen wants tcp:HOST:PORT/);
  t.strictSame(await once(wrong, 'exit'), [64, null]);
});
