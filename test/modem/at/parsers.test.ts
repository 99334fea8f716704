import fc from 'fast-check';
import t from 'tap';
import type { AtError } from '../../../src/modem/at/answer.ts';
import { finalResult, parameters, valueGroups } from '../../../src/modem/at/answer.ts';
import { type AtInput, AtSplitter, MAX_LINE } from '../../../src/modem/at/splitter.ts';
import { type SubmitInput, type SubmitState, submitStart, submitStep } from '../../../src/modem/at/submit-machine.ts';
import { type Unsolicited, UnsolicitedReader } from '../../../src/modem/at/unsolicited.ts';
import { cuts } from '../support/peer.ts';

const line = (text: string): AtInput => ({ type: 'line', text });
const prompt: AtInput = { type: 'prompt' };

function split(chunks: readonly string[], expectPrompt = false): readonly AtInput[] {
  const splitter = new AtSplitter();
  splitter.expectPrompt = expectPrompt;
  return chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk, 'latin1')));
}

t.test('splitter', async (t) => {
  const table: readonly (readonly [string, string, readonly AtInput[], boolean?])[] = [
    ['an answer without echo', '\r\n+CSQ: 14,99\r\n\r\nOK\r\n', [line('+CSQ: 14,99'), line('OK')]],
    [
      'an echo that ends in CR CR LF',
      'AT+CSQ\r\r\n+CSQ: 14,99\r\nOK\r\n',
      [line('AT+CSQ'), line('+CSQ: 14,99'), line('OK')],
    ],
    ['LF alone', '\nOK\n', [line('OK')]],
    ['CR alone', 'OK\r', [line('OK')]],
    ['a code without a leading CR LF', '^RSSI:14\r\n\r\nOK\r\n', [line('^RSSI:14'), line('OK')]],
    [
      'a code in front of the echo',
      '\r\n+CMTI: "SM",1\r\nAT\r\r\nOK\r\n',
      [line('+CMTI: "SM",1'), line('AT'), line('OK')],
    ],
    [
      'several codes in one read',
      '\r\n+CMTI: "SM",1\r\n\r\n+CMTI: "SM",2\r\n',
      [line('+CMTI: "SM",1'), line('+CMTI: "SM",2')],
    ],
    ['a prompt', '\r\n> ', [prompt]],
    ['a prompt without its blank, when one is due', '\r\n>', [prompt], true],
    ['a prompt and its blank, when one is due', '\r\n> \r\n+CMGS: 1\r\n', [prompt, line('+CMGS: 1')], true],
    ['a lone > when none is due', '\r\n>', []],
    ['an unexpected prompt does not stick to the line behind', '> OK\r\n', [prompt, line('OK')]],
    ['the echo of a PDU behind its prompt', '> 0011\x1a\r\nOK\r\n', [prompt, line('0011\x1a'), line('OK')]],
    ['noise in front of a line', '\x00\xff\x80OK\r\n', [line('OK')]],
    ['noise alone', '\x00\xff\xfe\r\n\x7f\x80\x81\r\nOK\r\n', [line('OK')]],
    ['blanks at the end', 'OK  \r\n', [line('OK')]],
    ['blanks alone', '  \r\n \xa0\r\nOK\r\n', [line('OK')]],
    ['the longest line', `${'x'.repeat(MAX_LINE)}\r\nOK\r\n`, [line('x'.repeat(MAX_LINE)), line('OK')]],
    ['a longer line', `${'x'.repeat(MAX_LINE + 5)}\r\nOK\r\n`, [{ type: 'junk', length: MAX_LINE + 5 }, line('OK')]],
    ['a line that is not at its end', 'O', []],
  ];
  for (const [name, text, expected, due = false] of table) {
    t.same(split([text], due), expected, name);
    t.same(split([...text], due), expected, `${name}, an octet a read`);
  }
  const text = table.map(([, bytes]) => bytes.slice(0, 80)).join('\r\n');
  const whole = split([text]);
  fc.assert(
    fc.property(cuts(text), (chunks) => {
      t.same(split(chunks), whole, 'in any chunks');
    }),
    { numRuns: 50 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (octets, due) => {
      const splitter = new AtSplitter();
      splitter.expectPrompt = due;
      for (const input of splitter.push(Buffer.from(octets))) if (input.type === 'line') t.match(input.text, /^[ -~]/);
    }),
  );
});

t.test('values of an information line', async (t) => {
  const table: readonly (readonly [string, readonly string[]])[] = [
    ['+CPMS: "SM",3,50,"ME",0,255', ['SM', '3', '50', 'ME', '0', '255']],
    ['+CMGL: 17,3,35', ['17', '3', '35']],
    ['+CMGR: 0,"",50', ['0', '', '50']],
    ['+CMGR: 0,,23', ['0', '', '23']],
    ['+CREG: 2, 1, 00C3, 0A1B', ['2', '1', '00C3', '0A1B']],
    ['+COPS: 0,0,"Tele2, LT",7', ['0', '0', 'Tele2, LT', '7']],
    ['+CSCA:"+37069900000",145', ['+37069900000', '145']],
    ['+CSQ:14,99', ['14', '99']],
    ['+COPS: 0,0,"T "Mobile" D",7', ['0', '0', 'T "Mobile" D', '7']],
    ['+COPS: 0,0,"5" net, LT",7', ['0', '0', '5" net, LT', '7']],
    ['+CMGL: 1,1,"never closed,25', ['1', '1', '"never closed', '25']],
    ['+CNUM: "Own "a" ","+37060000000",145', ['Own "a" ', '+37060000000', '145']],
    ['+CPMS: ""', ['']],
    ['', ['']],
  ];
  for (const [text, values] of table) t.same(parameters(text), values, text);
});

t.test('value groups of a test command', async (t) => {
  const table: readonly (readonly [string, readonly (readonly string[])[]])[] = [
    [
      '+CNMI: (0-2),(0,1),(0,2),(0-2),(0,1)',
      [
        ['0', '1', '2'],
        ['0', '1'],
        ['0', '2'],
        ['0', '1', '2'],
        ['0', '1'],
      ],
    ],
    ['+CPMS: ("ME","SM"),("SM"),("MT")', [['ME', 'SM'], ['SM'], ['MT']]],
    ['+CPMS: "ME","MT","SM"', [['ME'], ['MT'], ['SM']]],
    ['+CPMS: ("ME","MT"),"ME","SM"', [['ME', 'MT'], ['ME'], ['SM']]],
    ['+CPMS: (),(),()', [[], [], []]],
    ['+X: (0-99999999),(5-3)', [['0-99999999'], []]],
  ];
  for (const [text, groups] of table) t.same(valueGroups(text), groups, text);
});

t.test('final results', async (t) => {
  t.same(finalResult('OK'), { ok: true });
  const errors: readonly (readonly [string, AtError['kind'], number | undefined])[] = [
    ['ERROR', 'error', undefined],
    ['COMMAND NOT SUPPORT', 'error', undefined],
    ['+CMS ERROR: 322', 'cms', 322],
    ['+CMS ERROR:500', 'cms', 500],
    ['+CME ERROR: SIM not inserted', 'cme', 10],
    ['+CME ERROR: SIM PIN required', 'cme', 11],
    ['+CME ERROR: whatever', 'cme', undefined],
    ['+CMS ERROR: 99999999', 'cms', undefined],
    ['+CMS ERROR: 38,5', 'cms', 38],
    ['+CMS ERROR: 38 , 5', 'cms', 38],
    ['+CMS ERROR: 38 (network out of order)', 'cms', 38],
    ['+CMS ERROR: 500: unknown error', 'cms', 500],
    ['+CMS ERROR: "38"', 'cms', 38],
    ['+CME ERROR: 10,1', 'cme', 10],
    ['+CMS ERROR: 0x26', 'cms', undefined],
    ['+CMS ERROR: 3GPP', 'cms', undefined],
    ['+CMS ERROR: SMS network failure', 'cms', 38],
    ['+CMS ERROR: Network timeout', 'cms', 332],
    ['+CMS ERROR: no network service', 'cms', 331],
    ['+CMS ERROR: (U)SIM not inserted', 'cms', 310],
    ['+CMS ERROR: SIM busy', 'cms', 314],
    ['+CMS ERROR: SIM PIN necessary', 'cms', 311],
    ['+CMS ERROR: PH-SIM PIN required', 'cms', 312],
    ['+CMS ERROR: (U)SIM PUK2 required', 'cms', 318],
    ['+CMS ERROR: memory full', 'cms', 322],
    ['+CMS ERROR: invalid memory index', 'cms', 321],
    ['+CMS ERROR: SC busy', 'cms', 192],
    ['+CMS ERROR: SMSC address unknown', 'cms', 330],
    ['+CMS ERROR: ME failure', 'cms', 300],
    ['+CMS ERROR: Invalid short message transfer reference value', 'cms', 81],
    ['+CMS ERROR: Requested facility not subscribed', 'cms', 50],
    ['+CMS ERROR: Telematic interworking not supported', 'cms', 128],
    ['+CMS ERROR: whatever', 'cms', undefined],
  ];
  for (const [text, kind, code] of errors) {
    const result = finalResult(text);
    t.ok(result !== undefined && !result.ok && result.error.kind === kind && result.error.causeCode === code, text);
  }
  for (const text of ['OKAY', '+CMGS: 1', '+CMTI: "SM",1', 'RING', 'ERROR: x', ''])
    t.equal(finalResult(text), undefined);
});

t.test('unsolicited codes', async (t) => {
  const read = (lines: readonly string[], expected?: string) => {
    const codes: Unsolicited[] = [];
    const reader = new UnsolicitedReader((code) => codes.push(code));
    const left = lines.filter((text) => !reader.take(text, expected));
    return { codes, left };
  };
  const table: readonly (readonly [readonly string[], readonly unknown[]])[] = [
    [['+CMTI: "SM",3'], [{ type: 'stored', content: 'message', memory: 'SM', index: 3 }]],
    [['+CMTI:"ME", 12'], [{ type: 'stored', content: 'message', memory: 'ME', index: 12 }]],
    [['+CDSI: "SR",0'], [{ type: 'stored', content: 'report', memory: 'SR', index: 0 }]],
    [['+CMT: ,23', '0791'], [{ type: 'direct', content: 'message', pdu: '0791' }]],
    [['+CMT: ,"23" ', '0791'], [{ type: 'direct', content: 'message', pdu: '0791' }]],
    [['+CMT: "",23', '0791'], [{ type: 'direct', content: 'message', pdu: '0791' }]],
    [['+CDS: 25', '0006ab'], [{ type: 'direct', content: 'report', pdu: '0006ab' }]],
    [['+CBM: 88', '0001'], [{ type: 'other', line: '+CBM' }]],
    [['+CREG: 1'], [{ type: 'registration', domain: 'CREG', stat: 1 }]],
    [['+CREG: 5, 00C3, 0A1B'], [{ type: 'registration', domain: 'CREG', stat: 5 }]],
    [['+CEREG: 2,"01A2","00B3C1",7'], [{ type: 'registration', domain: 'CEREG', stat: 2 }]],
    [['^SMMEMFULL: "SM"'], [{ type: 'memory_full' }]],
    [['RDY'], [{ type: 'started' }]],
    [['^SYSSTART'], [{ type: 'started' }]],
    [['+CPIN: READY'], [{ type: 'sim', state: 'READY' }]],
    [['^RSSI:14'], [{ type: 'signal', rssi: 14 }]],
    [['+CSQ: 14,99'], [{ type: 'signal', rssi: 14 }]],
    [['+CUSD: 0,"5.20 EUR",15'], [{ type: 'ussd', mode: 0, text: '5.20 EUR', dcs: 15 }]],
    [['+CUSD: 4'], [{ type: 'ussd', mode: 4, text: '', dcs: 15 }]],
    [
      ['+CUSD: 1,"1 Balance', '2 Data', '0 Quit",15'],
      [{ type: 'ussd', mode: 1, text: '1 Balance\n2 Data\n0 Quit', dcs: 15 }],
    ],
    [['^BOOT:22,0,0,0,75'], [{ type: 'other', line: '^BOOT:22,0,0,0,75' }]],
    [['RING'], [{ type: 'ring' }]],
    [['+CRING: VOICE'], [{ type: 'ring' }]],
    [['+CLIP: "+37060000001",145,,,,0'], [{ type: 'caller', number: '+37060000001' }]],
    [['+CLIP: "",128'], [{ type: 'caller', number: '' }]],
  ];
  for (const [lines, codes] of table) t.same(read(lines), { codes, left: [] }, lines.join(' / '));
  const examples: Readonly<Partial<Record<Unsolicited['type'], readonly string[]>>> = {
    stored_somewhere: ['+CMTI: "SM",-1', '+CMTI: "MMS PUSH",3', '+CDSI: ,-1'],
    registration: ['+CGREG: 1'],
    memory_full: [
      '+QIND: "smsfull","ME"',
      '+SMS FULL',
      'SMS FULL',
      '+SMS_FULL: 1',
      '+SMSFULL',
      'SMSFULL',
      '+CIEV: "smsfull",1',
    ],
    indicator: ['+CIEV: 7,1'],
    started: ['*ATREADY: 1'],
    other: [
      ...[
        'NO CARRIER',
        'NO ANSWER',
        'BUSY',
        'Call Ready',
        'SMS Ready',
        'SMS DONE',
        'PB DONE',
        'NORMAL POWER DOWN',
        'POWERED DOWN',
      ],
      ...['+CFUN: 1', '+CCWA: "1"', '+CTZV: 8', '+CTZE: 8', '+CTZU: 8', '+NITZ: 8', '+QIND: SMS DONE', '+QUSIM: 1'],
      ...['+CIEV: "x"', '+PBREADY', '+CIEV: "smsfull",0'],
    ],
  };
  for (const [type, lines] of Object.entries(examples)) {
    for (const text of lines) t.match(read([text]), { codes: [{ type }], left: [] }, text);
  }
  t.same(
    read(['+CDS: 25', 'OK', '0011']),
    { codes: [], left: ['OK', '0011'] },
    'a header without its PDU leaves the rest alone',
  );
  const direct = (pdu: string) => ({ type: 'direct', content: 'message', pdu });
  const between: readonly (readonly [string, readonly string[], readonly object[]])[] = [
    ['a call', ['+CMT: ,2', 'RING', '0011'], [{ type: 'ring' }, direct('0011')]],
    ['a vendor code', ['+CMT: ,2', '^RSSI: 17', '0011'], [{ type: 'signal', rssi: 17 }, direct('0011')]],
    ['a digit too many', ['+CMT: ,2', '00112'], [direct('0011')]],
    ['a digit too few', ['+CMT: ,2', '001'], [direct('00')]],
  ];
  for (const [name, lines, codes] of between) t.same(read(lines), { codes, left: [] }, name);
  const flood = Array.from({ length: 100 }, () => 'RING');
  t.same(read(['+CMT: ,2', ...flood, '0011']).left, ['0011'], 'a header whose PDU does not come is forgotten');
  t.same(read(['+CREG: 0,1', '+CPIN: SIM PIN'], '+CREG').left, ['+CREG: 0,1'], 'a query keeps its own answer');
  t.same(read(['+CMTI: "SM",1', '+CMGR: 0,,23', '0791'], '+CMGR').left, ['+CMGR: 0,,23', '0791']);
  t.same(
    read(['^CPIN: READY,,10,3,10,3'], '^CPIN').left,
    ['^CPIN: READY,,10,3,10,3'],
    "a vendor's query keeps its answer",
  );
});

t.test('a USSD text ends by its shape, or where a line with a meaning of its own comes', async (t) => {
  /** What is read of the lines while a command runs whose information bears the name, and what is left of them. */
  const read = (lines: readonly string[], expected?: string) => {
    const codes: Unsolicited[] = [];
    const reader = new UnsolicitedReader((code) => codes.push(code));
    const left = lines.filter((text) => !reader.take(text, expected));
    return { codes, left, reader };
  };
  const ussd = (text: string, dcs = 15, mode = 0) => ({ type: 'ussd', mode, text, dcs });
  const closed: readonly (readonly [string, readonly string[], object])[] = [
    ['a quote in front of the last one', ['+CUSD: 0,"Dial *320#"",15'], ussd('Dial *320#"')],
    ['an odd quote within', ['+CUSD: 0,"Screen of 5" now",15'], ussd('Screen of 5" now')],
    ['a pair within', ['+CUSD: 0,"say "yes" now",15'], ussd('say "yes" now')],
    ['a pair at the end, without <dcs>', ['+CUSD: 0,"say "yes""'], ussd('say "yes"')],
    ['what looks like the end within', ['+CUSD: 0,"a",15,"b",15'], ussd('a",15,"b')],
    ['quotes alone', ['+CUSD: 1,"""",15'], ussd('""', 15, 1)],
    ['a comma and nothing behind the string', ['+CUSD: 0,"text",'], ussd('text')],
    ['a comma behind <dcs>', ['+CUSD: 0,"text",72,'], ussd('text', 72)],
    ['a negative <dcs>', ['+CUSD: 0,"text",-12'], ussd('text', -12)],
    ['no quotes', ['+CUSD: 0,Balance 5,15'], ussd('Balance 5')],
    ['the last quote alone', ['+CUSD: 0,Balance 5",15'], ussd('Balance 5')],
    ['no string', ['+CUSD: 2'], ussd('', 15, 2)],
    ['an empty string', ['+CUSD: 2,"",15'], ussd('', 15, 2)],
    ['a menu', ['+CUSD: 1,"1 Balance', '2 Data', '0 Quit",15'], ussd('1 Balance\n2 Data\n0 Quit', 15, 1)],
    [
      'a line that ends in a quote',
      ['+CUSD: 1,"1 Tariff "Max"', '2 "Min"', '0 Quit",15'],
      ussd('1 Tariff "Max"\n2 "Min"\n0 Quit', 15, 1),
    ],
    ['lines with commas and figures', ['+CUSD: 1,"a, 15', '1,15', 'b",72'], ussd('a, 15\n1,15\nb', 72, 1)],
    ['hexadecimal over two lines', ['+CUSD: 0,"00410042004300', '44",72'], ussd('00410042004300\n44', 72)],
  ];
  for (const [name, lines, code] of closed) {
    const { codes, left, reader } = read(lines);
    t.same({ codes, left, open: reader.open }, { codes: [code], left: [], open: false }, name);
  }
  const unclosed: readonly (readonly [string, object])[] = [
    ['+CUSD: 2,"Screen of 5" now', ussd('Screen of 5" now', 15, 2)],
    ['+CUSD: 2,"Screen of 5" now"', ussd('Screen of 5" now', 15, 2)],
    ['+CUSD: 0,"', ussd('')],
    ['+CUSD: 0,"never closed,15', ussd('never closed')],
  ];
  const behind: readonly (readonly [string, string | undefined])[] = [
    ['OK', undefined],
    ['ERROR', undefined],
    ['+CMS ERROR: 500', '+CMGS'],
    ['+CMGS: 7', '+CMGS'],
    ['+CMGR: 0,,23', '+CMGR'],
    ['+CSQ: 14,99', '+CSQ'],
    ['^ICCID: 8937001000000000014', '^ICCID'],
    ['*PSNETWORK: 1', '*PSNETWORK'],
    ['356938035643809', '+CGSN'],
    ['07917396090000F0040B917396000000F10000621101000000000568656C6C6F', '+CMGR'],
    ['+NOBODY: knows', undefined],
  ];
  for (const [line, code] of unclosed) {
    for (const [next, expected] of behind) {
      const { codes, left } = read([line, next], expected);
      t.same({ codes, left }, { codes: [code], left: [next] }, `${line} / ${next}`);
    }
    for (const next of ['+CMTI: "SM",3', '+CREG: 1', 'RDY', '^SMMEMFULL: "SM"', 'RING', '+CUSD: 4', '+CPIN: READY']) {
      const { codes, left } = read([line, next]);
      t.same([codes.length, codes[0], left], [2, code, []], `${line} / ${next}`);
    }
    const { codes, reader } = read([line]);
    t.same([codes, reader.open], [[], true], 'more may come');
    reader.flush();
    t.same([codes, reader.open], [[code], false], 'or not');
    reader.flush();
    t.equal(codes.length, 1);
  }
  const endless = read(['+CUSD: 0,"a', ...Array.from({ length: 40 }, () => 'x')]);
  t.equal(endless.left.length, 17, 'a text that never ends does not swallow everything');
  t.ok(read(['+CUSD: 0,"a', 'x'.repeat(4_000), 'y']).left.includes('y'));
  t.same(read(['+CUSD: 1'], '+CUSD').left, ['+CUSD: 1'], 'the answer to AT+CUSD? is no text');
});

t.test('whatever a USSD text holds, the lines behind it keep their meaning', (t) => {
  const text = fc.stringMatching(/^["a-z0-9 ,#*>\n]{0,60}$/);
  fc.assert(
    fc.property(text, fc.boolean(), fc.boolean(), (content, close, dcs) => {
      const codes: Unsolicited[] = [];
      const reader = new UnsolicitedReader((code) => codes.push(code));
      const code = `+CUSD: 0,"${content}${close ? `"${dcs ? ',15' : ''}` : ''}`;
      const lines = [...code.split('\n'), '+CMTI: "SM",1', '+CMGS: 5', 'OK'].filter((line) => line.trim() !== '');
      const left = lines.filter((line) => !reader.take(line, '+CMGS'));
      t.same(left.slice(-2), ['+CMGS: 5', 'OK']);
      t.ok(codes.some(({ type }) => type === 'stored'));
      t.equal(codes[0]?.type, 'ussd');
    }),
  );
  t.end();
});

t.test('the machine of a submission', async (t) => {
  const run = (inputs: readonly SubmitInput[]) => {
    let state: SubmitState = submitStart;
    const effects: string[] = [];
    for (const input of inputs) {
      const step = submitStep(state, input);
      state = step.state;
      if (step.effect !== undefined) effects.push(step.effect);
    }
    return { state, effects };
  };
  const written = { type: 'written' } as const;
  const promptInput = { type: 'prompt' } as const;
  const reference = { type: 'reference', mr: 7 } as const;
  const ok = { type: 'ok' } as const;
  const broken = { type: 'broken', reason: 'lost' } as const;
  const refused = { type: 'refused', cause: 500, reason: '+CMS ERROR: 500' } as const;
  const aborted = { type: 'aborted' } as const;
  const table: readonly (readonly [string, readonly SubmitInput[], SubmitState, readonly string[]])[] = [
    ['all well', [written, promptInput, written, reference, ok], { at: 'success', mr: 7 }, ['writePdu']],
    [
      'prompt before the write is done',
      [promptInput, written, written, reference, ok],
      { at: 'success', mr: 7 },
      ['writePdu'],
    ],
    ['no reference', [written, promptInput, written, ok], { at: 'success' }, ['writePdu']],
    ['no prompt', [written, broken], { at: 'failure', failure: { type: 'not_sent', reason: 'lost' } }, ['escape']],
    [
      'OK in place of the prompt',
      [written, ok],
      { at: 'failure', failure: { type: 'not_sent', reason: 'no prompt' } },
      ['escape'],
    ],
    ['refused at once', [written, refused], { at: 'failure', failure: refusedAs(500) }, []],
    [
      'refused by the network',
      [written, promptInput, written, refused],
      { at: 'failure', failure: refusedAs(500) },
      ['writePdu'],
    ],
    [
      'given up before the PDU',
      [written, aborted],
      { at: 'failure', failure: { type: 'not_sent', reason: 'given up' } },
      ['escape'],
    ],
    [
      'given up after the PDU: still waiting',
      [written, promptInput, aborted, written],
      { at: 'waitingForRef' },
      ['writePdu'],
    ],
    [
      'no answer',
      [written, promptInput, written, broken],
      { at: 'failure', failure: { type: 'unanswered', reason: 'lost' } },
      ['writePdu'],
    ],
    [
      'lost while the PDU goes out',
      [written, promptInput, broken],
      { at: 'failure', failure: { type: 'unanswered', reason: 'lost' } },
      ['writePdu'],
    ],
    [
      'reference, and then no OK',
      [written, promptInput, written, reference, broken],
      { at: 'success', mr: 7 },
      ['writePdu'],
    ],
    [
      'reference, and then an error',
      [written, promptInput, written, reference, refused],
      { at: 'failure', failure: refusedAs(500) },
      ['writePdu'],
    ],
    [
      'nothing moves an end',
      [written, broken, promptInput, ok],
      { at: 'failure', failure: { type: 'not_sent', reason: 'lost' } },
      ['escape'],
    ],
  ];
  for (const [name, inputs, state, effects] of table) t.same(run(inputs), { state, effects }, name);

  const any = fc.constantFrom<SubmitInput>(written, promptInput, reference, ok, broken, refused, aborted);
  fc.assert(
    fc.property(fc.array(any, { maxLength: 12 }), (inputs) => {
      const { state, effects } = run(inputs);
      const pdus = effects.filter((effect) => effect === 'writePdu').length;
      t.ok(pdus <= 1, 'the PDU goes out at most once');
      if (state.at === 'success') t.equal(pdus, 1);
      if (state.at !== 'failure') return;
      if (state.failure.type === 'not_sent') t.equal(pdus, 0, 'not sent is certain');
      if (state.failure.type === 'unanswered') t.equal(pdus, 1);
    }),
  );
});

function refusedAs(cause: number) {
  return { type: 'refused', cause, reason: `+CMS ERROR: ${cause}` } as const;
}
