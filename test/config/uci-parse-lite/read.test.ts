import t from 'tap';
import {
  exportForm,
  limits,
  parsePackage,
  UciError,
  type UciPackage,
} from '../../../src/config/uci-parse-lite/index.ts';
import { readBytes, readVectors, skipVectors } from '../../conformance/vectors.ts';

interface Vector {
  readonly id: string;
  readonly package: string;
  readonly file: string;
  readonly ok: boolean;
  readonly parse_error?: string;
  readonly parse_error_line?: number;
  readonly sections: Readonly<Record<string, unknown>> | null;
  readonly export: string | null;
}

/** The sections as rpcd's `uci get` shows them, and as the vectors hold them. */
function sectionsOf(uci: UciPackage): Record<string, unknown> {
  const entries = uci.sections.map((section, index) => {
    const head = {
      '.anonymous': section.anonymous,
      '.type': section.type,
      '.name': section.name,
      '.index': index,
    };
    const options = [...section.options].map(([name, option]) => [name, option.value]);
    return [section.name, { ...head, ...Object.fromEntries(options) }];
  });
  return Object.fromEntries(entries);
}

const parse = (text: string) => parsePackage('test', Buffer.from(text));

function errorOf(run: () => unknown): UciError {
  try {
    run();
  } catch (error) {
    if (error instanceof UciError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

t.test('agrees with the real uci on files from the field', { skip: skipVectors }, (t) => {
  const all = readVectors<Vector>('uci/expected.jsonl');
  t.equal(all.length, 340);
  for (const vector of all) {
    const bytes = readBytes(`uci/${vector.file}`);
    if (vector.ok) {
      const uci = parsePackage(vector.package, bytes);
      // Compared as text: the order of sections and options counts.
      t.equal(JSON.stringify(sectionsOf(uci)), JSON.stringify(vector.sections), `${vector.id} sections`);
      t.equal(exportForm(uci).toString(), vector.export, `${vector.id} export`);
    } else {
      const error = errorOf(() => parsePackage(vector.package, bytes));
      t.equal(error.reason, vector.parse_error, `${vector.id} reason`);
      t.equal(error.line, vector.parse_error_line, `${vector.id} line`);
    }
  }
  t.end();
});

/** One option `v` in one section, as the file writes its value. */
const values: readonly (readonly [written: string, value: string | undefined])[] = [
  [`'plain'`, 'plain'],
  [`"double"`, 'double'],
  ['bare', 'bare'],
  [`'a'"b"c\\ d`, 'abc d'],
  [`'it'\\''s'`, `it's`],
  [`'no \\n escape'`, 'no \\n escape'],
  [`"an \\n escape"`, 'an n escape'],
  [`"a \\" quote"`, 'a " quote'],
  ['foo#bar', 'foo'],
  [`'foo#bar'`, 'foo#bar'],
  [`'x' # comment`, 'x'],
  ['a\\\nb', 'ab'],
  ['a\\\r\nb', 'ab'],
  [`'a\\\nb'`, 'a\\\nb'],
  [`"a\\\nb"`, 'ab'],
  [`'two\nlines'`, 'two\nlines'],
  [`'crlf\r\nline'`, 'crlf\r\nline'],
  ["'a'\r", 'a'],
  ["'a'\v\f", 'a'],
  [`''`, undefined],
  [`""`, undefined],
  ['', undefined],
  ['# only a comment', undefined],
  [`'Čia žinutė 😀'`, 'Čia žinutė 😀'],
  ['a; option v b', 'a'],
  [`'a'; option v b`, 'b'],
];

t.test('values', (t) => {
  for (const [written, value] of values) {
    t.same(parse(`config s x\n\toption v ${written}\n`).get('x', 'v'), value, JSON.stringify(written));
  }
  t.end();
});

const statements: readonly (readonly [what: string, text: string, value: string | readonly string[] | undefined])[] = [
  ['abbreviated keywords', 'c s x\no v 1', '1'],
  ['the last of two options wins', 'config s x\noption v 1\noption v 2\n', '2'],
  ['an empty option does not undo an earlier one', `config s x\noption v 1\noption v ''\n`, '1'],
  ['a list', 'config s x\nlist v 1\nlist v 2\n', ['1', '2']],
  ['an empty element stays', `config s x\nlist v ''\nlist v 2\n`, ['', '2']],
  ['option, then list', 'config s x\noption v 1\nlist v 2\n', ['1', '2']],
  ['list, then option', 'config s x\nlist v 1\noption v 2\n', '2'],
  ['a section continued', 'config s x\noption v 1\nconfig s y\nconfig s x\noption v 2\n', '2'],
  ['a package line', `package other\nconfig s x\noption v 1\n`, '1'],
  ['blanks of all kinds', '\v\f config\ts\vx\n \t option  v\t\t1 \n', '1'],
  ['a NUL hides the rest of the line', 'config s x\noption v 1\0 2 3\n\noption w 4\n', '1'],
];

t.test('statements', (t) => {
  for (const [what, text, value] of statements) t.same(parse(text).get('x', 'v'), value, what);
  t.end();
});

const faults: readonly (readonly [text: string, reason: string, line: number])[] = [
  ['config s x\nbroken\n', 'invalid command', 2],
  ['CONFIG s x\n', 'invalid command', 1],
  ['config\n', 'invalid command', 1],
  [`config s x\n\toption v 'a';\n`, 'invalid command', 2],
  ['\ufeffconfig s x\n', 'invalid command', 1],
  ['config', 'config without name', 0],
  ['config \n', 'insufficient arguments', 1],
  [`config ''\n`, 'insufficient arguments', 1],
  ['config s bad-name\n', 'invalid character in name field', 1],
  ['config "a b"\n', 'invalid character in type field', 1],
  ['config s x y\n', 'too many arguments', 1],
  ['config s x\noption bad-name 1\n', 'invalid character in name field', 2],
  ['config s x\noption v 1 2\n', 'too many arguments', 2],
  ['config s x\noption', 'option without name', 1],
  ['option v 1\n', 'option/list command found before the first section', 1],
  ['config a x\nconfig b x\n', 'section of different type overwrites prior section with same name', 2],
  [`config s x\noption v 'open\n\n`, `EOF with unterminated '`, 3],
  [`config s x\noption v "open\n`, `EOF with unterminated "`, 2],
  ['package', 'package without name', 0],
  ['package a.b\n', 'invalid character in name field', 1],
];

t.test('errors by reason and line', (t) => {
  for (const [text, reason, line] of faults) {
    const error = errorOf(() => parsePackage('test', Buffer.from(text), '/etc/config/test'));
    t.match(error, { reason, line, file: '/etc/config/test' }, JSON.stringify(text));
  }
  t.end();
});

const unclosed: readonly (readonly [what: string, text: string, openQuote: number | undefined])[] = [
  ['the text of the next option', `config s x\n\toption v 'open\n\toption w 'two words'\n`, 2],
  ['far above', `config s x\n\toption v "open\n${'\toption w "a"\n'.repeat(50)}\toption z "b c"\n`, 2],
  ['a comment with an apostrophe', `config s x\n\toption v 'open\n# don't do this\n`, 2],
  ['the end of the file', `config s x\n\toption v 'open\n\n`, 2],
  ['what it hides has no error, and the next has', `config s 'x\n\toption v 1 # don't\nbroken\n`, 1],
  ['lines of a text, and another error', `config s x\n\toption v 'two\nlines'\nbroken\n`, undefined],
  ['no quote', 'config s x y\n', undefined],
];

t.test('an error names a quote that is perhaps not closed', (t) => {
  for (const [what, text, openQuote] of unclosed) {
    const error = errorOf(() => parsePackage('test', Buffer.from(text)));
    t.equal(error.openQuote, openQuote, what);
    const hint = `; a quote that opens in line ${openQuote} is perhaps not closed`;
    t.equal(error.explanation, openQuote === undefined ? error.reason : error.reason + hint);
  }
  t.end();
});

t.test('unnamed sections get the names that uci gives', (t) => {
  const uci = parse('config rule\nconfig zone lan\nconfig rule\noption v 1\n');
  t.same(
    uci.sections.map((section) => [section.name, section.anonymous]),
    [
      ['cfg0192bd', true],
      ['lan', false],
      ['cfg0392bd', true],
    ],
  );
  t.equal(uci.get('@rule[1]', 'v'), '1');
  t.equal(uci.get('@rule[-1]', 'v'), '1');
  t.equal(uci.section('@[1]')?.name, 'lan');
  t.equal(uci.section('@rule[2]'), undefined);
  t.end();
});

t.test('options know their lines', (t) => {
  const uci = parse(`# comment\nconfig s x\n\toption a 'two\nlines'\n\tlist b 1\n\n\tlist b 2\n\toption c 3`);
  const options = uci.section('x')?.options;
  t.equal(uci.section('x')?.line, 2);
  t.same(options?.get('a')?.lines, [3]);
  t.same(options?.get('b')?.lines, [5, 7]);
  t.same(options?.get('c')?.lines, [8]);
  t.end();
});

t.test('sizes are bounded', (t) => {
  const reason = (text: string) => errorOf(() => parse(text)).reason;
  t.match(reason('#'.repeat(limits.bytes + 1)), /^file of more than/);
  t.match(reason('config s\n'.repeat(limits.sections + 1)), /^more than \d+ sections$/);
  t.match(reason(`config s\n${'list l x\n'.repeat(limits.options + 1)}`), /^more than \d+ options$/);
  const long = `config s x\noption v '${'a\n'.repeat(500_000)}'\n`;
  t.equal(parse(long).get('x', 'v')?.length, 1_000_000);
  t.end();
});
