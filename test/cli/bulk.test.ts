import { execFile, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { rowsOfList } from '../../src/cli/bulk.ts';
import { csvLine, parseCsv } from '../../src/cli/csv.ts';
import { Progress } from '../../src/cli/progress.ts';
import { Daemon } from '../support/daemon.ts';
import { testFolder } from '../support/folder.ts';

t.test('CSV', async (t) => {
  for (const [text, cells] of [
    ['', []],
    [
      'a,b\n1,2',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      '\ufeffa;b\r\n1;2,5\r\n',
      [
        ['a', 'b'],
        ['1', '2,5'],
      ],
    ],
    [
      'a\tb\n1\t\n',
      [
        ['a', 'b'],
        ['1', ''],
      ],
    ],
    [
      'a,b\n"x ""y"", z","1\n2"\n',
      [
        ['a', 'b'],
        ['x "y", z', '1\n2'],
      ],
    ],
    [
      'a,b\n\n\n,\n',
      [
        ['a', 'b'],
        ['', ''],
      ],
    ],
  ] as const) {
    t.same(
      parseCsv(text).map((row) => row.cells),
      cells,
      JSON.stringify(text),
    );
  }
  t.same(
    parseCsv('a,b\n"1\n2",x\n\nz,z').map(({ line }) => line),
    [1, 2, 5],
    'the lines at which rows begin',
  );
  t.throws(() => parseCsv('a,b\n1,"2'), { code: 'parse_error', message: /^line 2: a quote/ });
  t.throws(() => parseCsv('a,b\n1,"2"x'), { code: 'parse_error', message: /^line 2: something/ });
  for (const [cell, written] of [
    ['=1+1', "'=1+1"],
    ['=HYPERLINK("http://x")', `"'=HYPERLINK(""http://x"")"`],
    ["+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"],
    ['-2+3', "'-2+3"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', `"'\t=1"`],
    ['\r\n=1', `"'\r\n=1"`],
    ['\uff1d1+1', "'\uff1d1+1"],
    ["'=1+1", "''=1+1"],
    ["''-x", "'''-x"],
    ["'tis", "'tis"],
    ['+37060000001', '+37060000001'],
    ['-2.5', '-2.5'],
    ['a=1', 'a=1'],
  ] as const) {
    t.equal(csvLine([cell, 'x']), `${written},x\r\n`, `as a spreadsheet sees ${JSON.stringify(cell)}`);
    t.strictSame(parseCsv(`a,b\r\n${csvLine([cell, 'x'])}`)[1]?.cells, [cell, 'x']);
  }
  // A first row of plain words says what separates fields; one empty cell alone is an empty line.
  const start = fc.constantFrom('', "'", '=', "'=", "''+", '-', '\t', '@', '\r');
  const cell = fc.tuple(start, fc.string({ unit: 'grapheme' })).map((parts) => parts.join(''));
  const row = fc.array(cell, { minLength: 2, maxLength: 2 });
  fc.assert(
    fc.property(fc.array(row), (rows) => {
      const text = [['number', 'text'], ...rows].map(csvLine).join('');
      t.strictSame(
        parseCsv(text).map(({ cells }) => cells),
        [['number', 'text'], ...rows],
      );
    }),
  );
});

t.test('a list and its template', async (t) => {
  const list = 'Number;Name;text\n+37060000001;Ann;own\n860000002;"Bob; Jr";\n';
  t.same(rowsOfList(list, 'Hello {name}, {{x}} {Number}'), [
    { line: 2, number: '+37060000001', text: 'Hello Ann, {x} +37060000001' },
    { line: 3, number: '860000002', text: 'Hello Bob; Jr, {x} 860000002' },
  ]);
  t.same(
    rowsOfList(list, undefined).map(({ text }) => text),
    ['own', ''],
  );
  t.throws(() => rowsOfList(list, 'Hello {nane}'), {
    message: /no column "nane", there are number, name, text, did you mean name\?/,
  });
  t.throws(() => rowsOfList('nmber,text\n', undefined), { message: /no column "number".*did you mean nmber/ });
  t.throws(() => rowsOfList('', 'x'), { message: /it is empty/ });
  t.throws(() => rowsOfList(list, 'a { b'), { message: /a single brace/ });
  t.match(
    rowsOfList('number,name,day\n+37060000001,Ann\n+37060000002,Bob,\n', '{name}, {day}'),
    [{ fault: 'the row ends before day' }, { text: 'Bob, ', fault: undefined }],
    'a cell that is not there is no empty one',
  );
  t.match(
    rowsOfList('number,name,notes\n+37060000001,Ann\n', 'Hello {name}'),
    [{ text: 'Hello Ann', fault: undefined }],
    'one that nobody asks for may be missing',
  );
});

t.test('the bar is for terminals', async (t) => {
  let out = '';
  const write = (text: string) => (out += text);
  new Progress({ write }, true).show(1, 1, '');
  new Progress({ write, isTTY: true }, false).show(1, 1, '');
  t.equal(out, '');
  const bar = new Progress({ write, isTTY: true }, true);
  bar.show(5, 10, 'half');
  bar.clear();
  t.equal(out, `\r[${'#'.repeat(15)}${'.'.repeat(15)}] 5/10 half\r${' '.repeat(42)}\r`);
});

interface End {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function running(t: Test, config: string, folder = testFolder(t)) {
  const daemon = new Daemon({ folder, config });
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.start();
  const smsgw = (...args: string[]) =>
    new Promise<End>((resolve) => {
      execFile(process.execPath, ['dist/smsgw.js', '--socket', daemon.socket, ...args], (error, out, err) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, out, err }),
      );
    });
  return { daemon, smsgw };
}

const sim = "config modem 'gsm0'\n\toption device 'sim'\n\toption reports '0'\n";

t.test('send --file', async (t) => {
  // No more than a few wait at once, so that the list has to wait for the modem.
  const { daemon, smsgw } = await running(t, `config gateway 'gateway'\n\toption queue_limit '3'\n${sim}`);
  const list = `${daemon.folder}/list.csv`;
  const numbers = Array.from({ length: 12 }, (_, i) => `+3706000${String(1000 + i)}`);
  const rows = numbers.map((number, i) => `${number},name ${i}`);
  writeFileSync(list, ['number,name', ...rows, 'junk,x', ''].join('\n'));
  const result = `${daemon.folder}/out.csv`;
  const send = ['send', '--file', list, '--result', result];

  t.match(await smsgw('send', '--file', `${daemon.folder}/none`, 'x'), { code: 66, err: /there is no file/ });
  t.match(await smsgw('send', '--result', 'x', '+37060000001', 'x'), { code: 64, err: /--result goes with --file/ });
  t.match(await smsgw(...send, 'Hello {nam}'), { code: 64, err: /did you mean name\?/ });
  t.match(await smsgw(...send, '+37060000001', 'x {name}'), { code: 64, err: /\+37060000001 is a recipient/ });
  t.match(await smsgw('send', '+37060000001', '+37060000002', 'x'), { code: 64, err: /is a second recipient/ });
  t.match(await smsgw('send', '@alarms', '@others', 'x'), { code: 64, err: /@others is a second recipient/ });
  t.match(await smsgw('send', '--file', daemon.folder, 'x'), { code: 66, err: /is a folder, wanted a file/ });
  t.match(await smsgw(...send.slice(0, 3), '--result', '/nowhere/out.csv', 'x'), {
    code: 66,
    err: /no folder \/nowhere/,
  });
  writeFileSync(`${daemon.folder}/short.csv`, 'number,name\n+37060009999\n');
  t.match(await smsgw('send', '--file', `${daemon.folder}/short.csv`, 'Hello {name}'), {
    code: 65,
    err: /line 2: the row ends before name/,
  });
  const dry = await smsgw(...send, '--dry-run', `Hello {name}${' long'.repeat(32)}`);
  t.match(dry, {
    code: 65,
    out: /^13 rows, 12 messages, 24 SMS\n {2}12 of 2 parts\nline 14: "junk" is no phone number\nNothing was sent\.\n$/,
  });
  const checked = readFileSync(result, 'utf8').split('\r\n');
  t.equal(checked[1], '2,+37060001000,,dry run,2,');
  t.match(checked[13], /^14,junk,,failed,,/);
  t.match(await daemon.call('sms_gateway.message', 'list'), { messages: [] });

  const first = await smsgw(...send, 'Hello {name}');
  t.same(first, {
    code: 65,
    out: '13 rows: 12 accepted, 12 SMS, 1 failed\n',
    err: 'line 14: "junk" is no phone number\n',
  });
  const outcome = readFileSync(result, 'utf8').split('\r\n');
  t.equal(outcome[0], 'line,number,id,state,parts,error');
  t.match(outcome[1], /^2,\+37060001000,\d+,(?:queued|sending|sent),1,$/);
  t.match(outcome[13], /^14,junk,,failed,,"""junk"" is no phone number"$/);
  t.equal(statSync(result).mode & 0o077, 0, 'numbers are for nobody else');

  // The row that was wrong is mended, and one is new: only these are sent.
  writeFileSync(list, ['number,name', ...rows, '+37060002001,x', '+37060002001,x', ''].join('\n'));
  t.same(await smsgw(...send, 'Hello {name}'), {
    code: 0,
    out: '14 rows: 14 accepted (12 by an earlier run), 14 SMS, 0 failed\n',
    err: '',
  });
  const { messages } = await daemon.until('sms_gateway.message', 'list', {}, (answer) =>
    (answer['messages'] as { state: string }[]).every(({ state }) => state === 'sent'),
  );
  t.same(
    (messages as { number: string; text: string }[]).map(({ number, text }) => `${number} ${text}`),
    [...rows.map((row, i) => `${numbers[i]} Hello ${row.split(',')[1]}`), ...Array(2).fill('+37060002001 Hello x')],
  );
  await daemon.stop();
  t.match(await smsgw(...send, 'x'), { code: 69, err: /cannot reach the gateway/ });
});

t.test('export and import', async (t) => {
  const folder = testFolder(t, { from: {}, to: {} });
  const from = await running(t, '', `${folder}/from`);
  for (const text of ['plain', 'with "quotes", commas\nand lines', 'taken back']) {
    await from.daemon.call('sms_gateway.message', 'send', { number: '+37060000001', text });
  }
  await from.daemon.call('sms_gateway.message', 'cancel', { id: 3 });
  const csv = `${from.daemon.folder}/all.csv`;
  const jsonl = `${from.daemon.folder}/all.jsonl`;
  t.same(await from.smsgw('export', csv), { code: 0, out: `3 messages are in ${csv}.\n`, err: '' });
  t.match(await from.smsgw('export', '--state', 'queued', jsonl), { code: 0, out: /^2 messages/ });
  t.equal((await from.smsgw('export')).out, readFileSync(csv, 'utf8'));
  t.match(readFileSync(csv, 'utf8'), /^id,box,number,text,.*\r\n1,outbox,\+37060000001,plain,/);
  t.equal(statSync(csv).mode & 0o077, 0, 'texts are for nobody else');
  t.match(await from.smsgw('export', '--format', 'xml'), { code: 64 });
  t.equal((await from.smsgw('--json', 'export', '--state', 'queued')).out, readFileSync(jsonl, 'utf8'));
  const whole = readFileSync(csv, 'utf8');
  t.match(await from.smsgw('export', '--state', 'foo', csv), { code: 64, err: /foo/ });
  t.equal(readFileSync(csv, 'utf8'), whole, 'the export before stays until the new one is whole');
  symlinkSync(csv, `${from.daemon.folder}/link.csv`);
  t.match(await from.smsgw('export', '--state', 'queued', `${from.daemon.folder}/link.csv`), { code: 0 });
  t.equal(readFileSync(csv, 'utf8').split('\r\n').length, 4, 'a link is followed');
  const pipe = `${from.daemon.folder}/pipe`;
  execFileSync('mkfifo', [pipe]);
  const [read] = await Promise.all([readFile(pipe, 'utf8'), from.smsgw('export', pipe)]);
  t.equal(read, whole, 'a pipe is written to');
  t.match(await from.smsgw('export', csv), { code: 0 });
  t.same(
    readdirSync(from.daemon.folder).filter((name) => name.endsWith('.part')),
    [],
  );

  const to = await running(t, sim, `${folder}/to`);
  await to.daemon.until('sms_gateway.modem', 'list', {}, (answer) => JSON.stringify(answer).includes('"ready"'));
  await to.daemon.call('sms_gateway.simulator', 'receive', { from: '+37060000009', text: 'in' });
  await to.daemon.until('sms_gateway.message', 'total', {}, ({ used }) => used === 1);
  t.match(await to.smsgw('import', '--dry-run', csv), { code: 0, out: /3 rows, 3 messages, 3 SMS/ });
  t.match(await to.smsgw('import', '--state', 'queued', csv), {
    code: 0,
    out: /^2 rows: 2 accepted, 2 SMS, 0 failed; 1 are/,
  });
  t.match(await to.smsgw('import', jsonl), { code: 0, out: /^2 rows: 2 accepted \(2 by an earlier run\)/ });
  const { messages } = await to.daemon.until('sms_gateway.message', 'list', { box: 'outbox' }, (answer) =>
    (answer['messages'] as { state: string }[]).every(({ state }) => state === 'sent'),
  );
  t.match(messages, [{ text: 'plain' }, { text: 'with "quotes", commas\nand lines' }]);
  t.equal((messages as unknown[]).length, 2);
  for (const [file, number] of [
    ['later.csv', '+37060000011'],
    ['later.jsonl', '+37060000012'],
  ] as const) {
    const later = `${from.daemon.folder}/${file}`;
    const at = '2099-01-02T03:04:05.000Z';
    await from.daemon.call('sms_gateway.message', 'send', { number, text: 'later', not_before: at });
    await from.smsgw('export', '--number', number, later);
    t.match(await to.smsgw('import', later), { code: 0, out: /^1 row: 1 accepted/ });
    const imported = await to.daemon.call('sms_gateway.message', 'list', { number });
    t.match(imported, { messages: [{ state: 'queued', not_before: at }] }, file);
    const [message] = imported['messages'] as { id: number }[];
    t.match(await to.smsgw('--utc', 'read', `${message?.id}`), { out: /^Not before: +2099-01-02 03:04:05Z$/m });
    const id = message?.id ?? 0;
    await to.daemon.call('sms_gateway.message', 'cancel', { id });
    await to.daemon.call('sms_gateway.message', 'delete', { id });
  }
  const everything = `${to.daemon.folder}/again.csv`;
  await to.smsgw('export', everything);
  t.match(
    await from.smsgw('import', everything),
    { out: /^0 rows: .*; 3 are not to be sent/ },
    'neither sent ones nor received',
  );
  t.match(await to.smsgw('import', `${to.daemon.folder}/none`), { code: 66 });
});
