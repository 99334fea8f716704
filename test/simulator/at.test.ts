import fc from 'fast-check';
import t, { type Test } from 'tap';
import { cme, cms, code, ERROR, Host, info, OK } from './simulator-host.ts';

/** Command lines and what the modem says to each, in one conversation. */
type Conversation = readonly (readonly [string, string])[];

async function hold(t: Test, host: Host, conversation: Conversation): Promise<void> {
  for (const [line, answer] of conversation) t.equal(await host.ask(line), answer, JSON.stringify(line).slice(0, 60));
}

t.test('command lines: V.250', async (t) => {
  await hold(t, new Host(), [
    ['AT\r', 'AT\r\r\nOK\r\n'],
    ['ATE0\r', 'ATE0\r\r\nOK\r\n'],
    ['AT\r', OK],
    ['at+cmee?\r', info('+CMEE: 0')],
    ['AT + CMEE ?\r', info('+CMEE: 0')],
    ['noise before AT\r', OK],
    ['hello\r', ''],
    ['\r\n', ''],
    ['ATX\x08E0\r', OK],
    ['A/', OK],
    ['ATE0V1+CMEE=1;+CMEE?;S3?\r', '\r\n+CMEE: 1\r\n\r\n013\r\n\r\nOK\r\n'],
    ['AT+CSQ;+NOSUCH;+CSQ\r', '\r\n+CSQ: 21,99\r\n\r\nERROR\r\n'],
    ['ATS7=60\r', OK],
    ['ATS7?\r', info('060')],
    ['ATS99=1\r', ERROR],
    ['ATDT12345;\r', code('NO CARRIER')],
    ['AT?\r', ERROR],
    ['AT+CSQ=\r', ERROR],
    ['AT+CSCS="no such;set"\r', cme(50)],
    ['AT+CMGF="1"\r', cms(304)],
    ['AT+CMGF=1,2\r', cms(304)],
    [`AT${'+'.repeat(3_000)}\r`, ERROR],
    ['ATV0\r', '0\r'],
    ['AT+CSQ\r', '+CSQ: 21,99\r\n0\r'],
    ['AT+NOSUCH\r', '4\r'],
    ['ATV1Q1\r', ''],
    ['AT\r', ''],
    ['ATZ\r', OK],
    ['AT\r', 'AT\r\r\nOK\r\n'],
  ]);
});

t.test('+CMEE words errors, +CMS ERROR is a number in any case', async (t) => {
  const host = await new Host({ sim: false }).setUp();
  await hold(t, host, [
    ['AT+CIMI\r', ERROR],
    ['AT+CMGL\r', cms(310)],
    ['AT+CMEE=1\r', OK],
    ['AT+CIMI\r', cme(10)],
    ['AT+CPIN?\r', cme(10)],
    ['AT+CMEE=2\r', OK],
    ['AT+CIMI\r', code('+CME ERROR: SIM not inserted')],
    ['AT+CMGL\r', code('+CMS ERROR: SIM not inserted')],
    ['AT+CMEE=3\r', code('+CME ERROR: incorrect parameters')],
    ['AT+NOSUCH\r', ERROR],
  ]);
});

t.test('who it is', async (t) => {
  const host = await new Host({ imei: '490154203237518', number: '+37061234567' }).setUp();
  await hold(t, host, [
    ['ATI\r', '\r\nSIMULATED\r\nSM-27005\r\nRevision: SM27005R01A01\r\n\r\nOK\r\n'],
    ['AT+CGSN\r', info('490154203237518')],
    ['AT+CIMI\r', info('001010000000001')],
    ['AT+CCID\r', info('+CCID: 8999010000000000014')],
    ['AT+CNUM\r', info('+CNUM: "Own","+37061234567",145')],
    ['AT+CSCS="UCS2"\r', OK],
    ['AT+CNUM\r', info('+CNUM: "004F0077006E","002B00330037003000360031003200330034003500360037",145')],
    ['AT+CGMI=?\r', OK],
  ]);
});

t.test('PIN and PUK', async (t) => {
  const host = await new Host({ pin: '1234', puk: '87654321' }).setUp('AT+CMEE=1', 'AT+CREG=1');
  await hold(t, host, [
    ['AT+CPIN?\r', info('+CPIN: SIM PIN')],
    ['AT+CREG?\r', info('+CREG: 1,0')],
    ['AT+CIMI\r', cme(11)],
    ['AT+CMGF=0\r', OK],
    ['AT+CMGR=1\r', cms(311)],
    ['AT+CMGS=20\r', cms(311)],
    ['AT+CPIN=1111\r', cme(16)],
    ['AT+CPINR\r', '\r\n+CPINR: SIM PIN,2,3\r\n+CPINR: SIM PUK,10,10\r\n\r\nOK\r\n'],
    ['AT+CPIN="1111"\r', cme(16)],
    ['AT+CPIN=1111\r', cme(12)],
    ['AT+CPIN?\r', info('+CPIN: SIM PUK')],
    ['AT+CMGR=1\r', cms(316)],
    ['AT+CPIN=1234\r', cme(3)],
    ['AT+CPIN="11111111","4321"\r', cme(12)],
    ['AT+CPIN="87654321","4321"\r', `${code('+CREG: 1')}${OK}`],
    ['AT+CPIN?\r', info('+CPIN: READY')],
    ['AT+CPIN=4321\r', cme(3)],
    ['AT+CLCK="SC",2\r', info('+CLCK: 1')],
    ['AT+CPWD="SC","0000","5555"\r', cme(16)],
    ['AT+CPWD="SC","4321","5555"\r', OK],
    ['AT+CLCK="SC",0,"5555"\r', OK],
    ['AT+CLCK="SC",2\r', info('+CLCK: 0')],
  ]);
  const blocked = await new Host({ pin: '1234' }).setUp('AT+CMEE=1');
  for (let i = 0; i < 3; i++) await blocked.ask('AT+CPIN=0000\r');
  for (let i = 0; i < 10; i++) await blocked.ask('AT+CPIN=00000000,1111\r');
  t.equal(await blocked.ask('AT+CPIN?\r'), cme(13));
});

t.test('registration, signal, operator', async (t) => {
  const host = await new Host({ latency: { registration: 2_000 } }).setUp('AT+CREG=2', 'AT+CMEE=1');
  t.equal(await host.ask('AT+CREG?\r'), info('+CREG: 2,2'));
  t.equal(await host.ask('AT+CSQ\r'), info('+CSQ: 99,99'));
  t.equal(await host.hear(2_000), code('+CREG: 1,"01A2","00B3C1",7'));
  host.modem.setSignal(14);
  await hold(t, host, [
    ['AT+CSQ\r', info('+CSQ: 14,99')],
    ['AT+COPS?\r', info('+COPS: 0,0,"SIMNET",7')],
    ['AT+COPS=3,2;+COPS?\r', info('+COPS: 0,2,"00101",7')],
    ['AT+CFUN=4\r', `${code('+CREG: 0')}${OK}`],
    ['AT+COPS?\r', info('+COPS: 0')],
    ['AT+CFUN=1\r', `${code('+CREG: 2')}${OK}`],
    ['AT+CFUN=2\r', cme(50)],
  ]);
  await host.hear(2_000);
  host.modem.setRegistration('denied');
  t.equal(await host.hear(), code('+CREG: 3'));
  host.modem.setRegistration('roaming');
  t.equal(await host.hear(), code('+CREG: 5,"01A2","00B3C1",7'));
});

t.test('a reboot forgets the settings, announces itself, and keeps the SIM', async (t) => {
  const host = await new Host({ pin: '1234', latency: { boot: 500 } }).setUp('AT+CPIN=1234', 'AT+CREG=1', 'AT+CMGF=1');
  host.modem.receive({ from: '+37060000001', text: 'hi' });
  t.equal(await host.ask('AT+CFUN=1,1\r'), OK);
  t.equal(await host.ask('AT\r'), '', 'deaf while it boots');
  t.equal(await host.hear(500), code('RDY') + code('+CFUN: 1') + code('+CPIN: SIM PIN'));
  t.equal(
    await host.ask('ATE0;+CMGF?;+CREG?\r'),
    `ATE0;+CMGF?;+CREG?\r${info('+CMGF: 0').slice(0, -6)}${info('+CREG: 0,0')}`,
  );
  t.equal(await host.ask('AT+CPIN=1234;+CPMS?\r'), info('+CPMS: "SM",1,30,"SM",1,30,"SM",1,30'));
});

t.test('USSD', async (t) => {
  const host = await new Host().setUp('AT+CUSD=1');
  const balance = '+CUSD: 0,"Your balance is 5.20 EUR, valid until 31.12.2030.",15';
  t.equal(await host.ask('AT+CUSD=1,"*100#",15\r'), OK + code(balance));
  t.match(await host.ask('AT+CUSD=1,"*123#"\r'), /\+CUSD: 1,"1 Balance\n2 Data left\n0 Quit",15/);
  t.match(await host.ask('AT+CUSD=1,"2",15\r'), /\+CUSD: 0,"You have 1.5 GB left.",15/);
  t.equal(await host.ask('AT+CUSD=1,"2",15\r'), OK + code('+CUSD: 4'), 'the session is over');
  t.match(await host.ask('AT+CUSD=1,"*111#",15\r'), /\+CUSD: 0,"04120430044800200[0-9A-F]*20AC",72/);
  await host.ask('AT+CUSD=1,"*123#"\r');
  t.equal(await host.ask('AT+CUSD=2\r'), OK);
  t.equal(await host.ask('AT+CUSD=1,"1",15\r'), OK + code('+CUSD: 4'), 'cancelled');
  const coded = await host.ask('AT+CSCS="UCS2";+CUSD=1,"002A0031003000300023",15\r');
  t.ok(coded.startsWith(`${OK}\r\n+CUSD: 0,"0059006F00750072`), 'in the TE character set');
});

t.test('it bears any octets, and answers again after ESC and CR', async (t) => {
  const host = new Host({ memory: 3 });
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    fc.constantFrom(
      'AT+CMGS=20\r',
      'AT+CMGF=1\r',
      'AT+CMGW="',
      'AT+CNMI=2,2,0,1;',
      '"\r',
      '\x1a',
      'A/',
      '+CMGL=4\r',
      '0001',
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(octets, { maxLength: 12 }), async (pieces) => {
      for (const piece of pieces) await host.ask(piece);
      await host.ask('\x1b\r');
      await host.ask('AT&FE0Q0V1\r');
      return (await host.ask('AT\r')).endsWith(OK);
    }),
    { numRuns: 150, examples: [[['AT+CMGF=1\r', 'AT+CMGW="', 'AT+CMGW="']], [['AT+CMGF=1\r', 'AT+CMGW="', '"']]] },
  );
  t.pass('150 runs');
});

t.test('ESC gives up a line that is half typed', async (t) => {
  await hold(t, await new Host().setUp('AT+CMGF=1'), [
    ['AT+CMGS="+37060000001"\x1b\r', ''],
    ['AT+NOSUCH\x1bAT+CMGF?\r', info('+CMGF: 1')],
  ]);
});

t.test('the line is taken up where it was left', async (t) => {
  const host = await new Host().setUp('AT+CMGF=1');
  t.equal(await host.ask('AT+CMGS="+37060000001"\r'), '\r\n> ');
  host.modem.detach();
  host.replug();
  t.equal(await host.ask('AT\r'), '', 'the prompt is still open');
  t.equal(await host.ask('\x1b'), OK);
  t.equal(await host.ask('AT+CMGF?\r'), info('+CMGF: 1'));
});
