import { chmodSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import {
  commitPackage,
  exportForm,
  fileForm,
  loadPackage,
  parsePackage,
  UciError,
  UciPackage,
} from '../../../src/config/uci-parse-lite/index.ts';
import { testFolder } from '../../support/folder.ts';

/** What a reader can see of a package; lines aside, as they change. */
const shape = (uci: UciPackage) =>
  uci.sections.map((section) => ({
    name: section.name,
    type: section.type,
    anonymous: section.anonymous,
    options: [...section.options].map(([name, option]) => [name, option.value]),
  }));

const characters = (allowed: string) => fc.string({ unit: fc.constantFrom(...allowed), minLength: 1, maxLength: 12 });
const name = characters('abcXYZ019_');
const type = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 12 }).map((text) => text.replace(/ /g, '~'));
/** Text of any kind with the characters that matter to the grammar in it often. */
const value = fc
  .string({
    unit: fc.oneof(fc.constantFrom(...`'"\\#; \t\r\n\x0b=`), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })),
  })
  .map((text) => text.replaceAll('\0', ''));

const option = fc.oneof(value, fc.array(value, { maxLength: 4 }));
const section = fc.record({
  type,
  name: fc.option(name, { nil: undefined }),
  options: fc.array(fc.tuple(name, option), { maxLength: 6 }),
});

function build(
  sections: readonly { type: string; name: string | undefined; options: [string, string | string[]][] }[],
) {
  const uci = new UciPackage('test');
  for (const each of sections) {
    if (each.name !== undefined && uci.section(each.name) !== undefined) continue;
    const added = uci.add(each.type, each.name);
    for (const [key, content] of each.options) added.set(key, content);
  }
  return uci;
}

t.test('any package comes back from its file form', (t) => {
  fc.assert(
    fc.property(fc.array(section, { maxLength: 8 }), (sections) => {
      const uci = build(sections);
      const again = parsePackage('test', fileForm(uci));
      if (!isDeepStrictEqual(shape(again), shape(uci))) throw new Error('changed');
      const exported = exportForm(again);
      if (!exportForm(parsePackage('test', exported)).equals(exported))
        throw new Error('the export form is not stable');
    }),
    { numRuns: 300 },
  );
  t.end();
});

t.test('values of any bytes come back byte for byte', (t) => {
  const bytes = fc.uint8Array({ min: 1, minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(bytes, (content) => {
      const inside = Buffer.from(content).toString('latin1').replaceAll("'", "'\\''");
      const file = Buffer.from(`\nconfig s 'x'\n\toption v '${inside}'\n\n`, 'latin1');
      if (!fileForm(parsePackage('test', file)).equals(file)) throw new Error('changed');
    }),
    { numRuns: 500 },
  );
  t.end();
});

t.test('any bytes give a package or a UciError', (t) => {
  const words = fc.constantFrom(
    'config ',
    'option ',
    'list ',
    'package ',
    "'",
    '"',
    '\\',
    '#',
    ';',
    '\n',
    '\r\n',
    '\0',
    ' ',
    'a',
  );
  const source = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.array(words, { maxLength: 60 }).map((pieces) => Buffer.from(pieces.join(''))),
  );
  let parsed = 0;
  fc.assert(
    fc.property(source, (bytes) => {
      try {
        parsePackage('test', bytes);
        parsed++;
      } catch (error) {
        if (!(error instanceof UciError)) throw error;
      }
    }),
    { numRuns: 3000 },
  );
  t.ok(parsed > 0, 'some of it parses');
  t.end();
});

t.test('edits', (t) => {
  const uci = parsePackage('test', Buffer.from('config a one\noption v 1\noption w 2\nconfig b\nconfig a\n'));
  uci.set('one', 'v', 'new');
  uci.set('one', 'w', '');
  uci.set('@b[0]', 'list', ['x', 'y']);
  uci.addList('@b[0]', 'list', 'z');
  uci.addList('one', 'v', 'second');
  uci.rename('@a[1]', 'two');
  uci.reorder('two', 0);
  uci.add('c', 'three').set('it', "it's");
  t.ok(uci.delete('@b[0]', 'none') === false);
  t.equal(
    exportForm(uci).toString(),
    [
      'package test',
      '',
      `config a 'two'`,
      '',
      `config a 'one'`,
      `\tlist v 'new'`,
      `\tlist v 'second'`,
      '',
      'config b',
      `\tlist list 'x'`,
      `\tlist list 'y'`,
      `\tlist list 'z'`,
      '',
      `config c 'three'`,
      `\toption it 'it'\\''s'`,
      '',
      '',
    ].join('\n'),
  );
  t.equal(uci.delete('one'), true);
  t.equal(uci.delete('one'), false);
  t.equal(uci.section('one'), undefined);
  t.same(uci.get('@b[0]', 'list'), ['x', 'y', 'z']);
  uci.set('@b[0]', 'list', []);
  t.equal(uci.get('@b[0]', 'list'), undefined);

  t.throws(() => uci.set('none', 'v', '1'), { message: 'section not found' });
  t.throws(() => uci.set('two', 'bad-name', '1'), { message: 'invalid character in name field' });
  t.throws(() => uci.set('two', 'v', 'a\0b'), { message: 'a value cannot hold a NUL byte' });
  t.throws(() => uci.add('bad type'), { message: 'invalid character in type field' });
  t.throws(() => uci.add('a', 'two'), { message: 'section exists' });
  t.throws(() => uci.rename('two', 'three'), { message: 'section exists' });
  t.throws(() => uci.rename('two', 'bad-name'), { message: 'invalid character in name field' });
  t.throws(() => new UciPackage('bad.name'), { message: 'invalid package name' });
  t.end();
});

t.test('commit and load', async (t) => {
  const directory = testFolder(t, { config: {}, elsewhere: {} });
  const config = join(directory, 'config');
  const uci = new UciPackage('test');
  uci.add('s', 'x').set('v', '1');

  t.equal(await loadPackage(config, 'test'), undefined, 'no file, no package');
  await commitPackage(config, uci);
  const file = join(config, 'test');
  t.equal(readFileSync(file, 'utf8'), `\nconfig s 'x'\n\toption v '1'\n\n`);
  t.equal(statSync(file).mode & 0o777, 0o600, 'a new file is private');

  chmodSync(file, 0o640);
  const inode = statSync(file).ino;
  uci.set('x', 'v', '2');
  await commitPackage(config, uci);
  t.equal(statSync(file).mode & 0o777, 0o640, 'the mode stays');
  t.not(statSync(file).ino, inode, 'replaced by rename, not rewritten');
  t.same(readdirSync(config), ['test'], 'no temporary file is left');
  t.equal((await loadPackage(config, 'test'))?.get('x', 'v'), '2');

  writeFileSync(join(directory, 'elsewhere/real'), '');
  symlinkSync('../elsewhere/real', join(config, 'linked'));
  await commitPackage(config, new UciPackage('linked'));
  t.equal(readlinkSync(join(config, 'linked')), '../elsewhere/real', 'a link stays a link');
  t.equal(readFileSync(join(directory, 'elsewhere/real'), 'utf8'), '\n');

  await t.rejects(commitPackage(join(directory, 'none'), uci), { code: 'ENOENT' });
  await t.rejects(loadPackage(directory, 'config'), { name: 'UciError', reason: 'not a regular file' });
  writeFileSync(file, 'config s x\nbroken');
  await t.rejects(loadPackage(config, 'test'), { name: 'UciError', file, reason: 'invalid command', line: 1 });
  writeFileSync(file, Buffer.alloc(2_000_000, '#'));
  await t.rejects(loadPackage(config, 'test'), { name: 'UciError', reason: /^file of more than/ });
});
