import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { manPage } from '../../scripts/package/man-page.ts';
import { bashCompletion } from '../../src/cli/commands/completion.ts';
import { commands } from '../../src/cli/commands/index.ts';
import { testFolder } from '../support/folder.ts';
import { missingPrograms } from '../support/programs.ts';

const skip = missingPrograms(['bash'], 'bash');

t.test('completion of bash', { skip }, async (t) => {
  const folder = testFolder(t, { 'list.csv': '' });
  writeFileSync(`${folder}/smsgw`, bashCompletion(commands));
  /** What is offered for the last word. */
  const complete = (...words: string[]) => {
    const script = `. ./smsgw; COMP_WORDS=(smsgw "$@"); COMP_CWORD=$#; _smsgw; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const out = execFileSync('bash', ['-c', script, 'bash', ...words], { cwd: folder, encoding: 'utf8' });
    return out.split('\n').filter((word) => word !== '');
  };
  t.match(complete(''), ['send', 'list', 'read']);
  t.same(complete('do'), ['doctor']);
  t.same(complete('--j'), ['--json']);
  t.same(complete('config', ''), ['check', 'get', 'set']);
  t.same(complete('--json', 'token', 'c'), ['create']);
  t.same(complete('help', 'doc'), ['doctor']);
  t.same(complete('list', '--box', ''), ['inbox', 'outbox']);
  t.same(complete('list', '--box', 'inbox', '--si'), ['--since']);
  t.same(complete('token', 'create', '--sc'), ['--scope']);
  t.same(complete('send', '--modem', ''), []);
  t.same(complete('--socket', 'li'), ['list.csv']);
  t.same(complete('config', 'check', 'li'), ['list.csv']);
  t.same(complete('send', ''), []);
  for (const { name, options } of commands) {
    t.ok(complete(...name.split(' ')).includes(name.split(' ').at(-1) ?? ''), name);
    const offered = complete(...name.split(' '), '--');
    for (const option of [...Object.keys(options), 'socket', 'json', 'help']) {
      t.ok(offered.includes(`--${option}`), `${name} --${option}`);
    }
  }
});

t.test('the man page has every command and option', async (t) => {
  const page = manPage().replaceAll('\\-', '-');
  for (const { name, arguments: args, options } of commands) {
    t.ok(page.includes(`.SS ${`${name} ${args}`.trimEnd()}\n`), name);
    for (const option of Object.keys(options)) t.ok(page.includes(`\\fB--${option}\\fR`), `${name} --${option}`);
  }
});
