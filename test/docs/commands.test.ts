import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { globalOptions, readInput } from '../../src/cli/command.ts';
import { commands } from '../../src/cli/commands/index.ts';

const table = new Map(commands.map((command) => [command.name, command]));
const pages = readdirSync('docs')
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);
const common = new Set([...Object.keys(globalOptions), 'version']);

/** What stands in code on a page: spans, indented and fenced lines. */
function* code(page: string): Generator<string> {
  let fenced = false;
  let paragraph = '';
  for (const line of readFileSync(page, 'utf8').split('\n')) {
    const isFence = line.trimStart().startsWith('```');
    if (isFence) fenced = !fenced;
    if (fenced || isFence || /^( {4}|\t)/.test(line)) {
      // A list item goes on with an indent as well, and has its spans.
      yield line.includes('`') ? '' : line;
      paragraph += line.includes('`') && !fenced ? ` ${line}` : '';
    } else {
      paragraph += line === '' ? '\n' : ` ${line}`;
    }
  }
  for (const [, span = ''] of paragraph.matchAll(/`([^`\n]+)`/g)) yield span;
}

/** The command lines of `smsgw` in code, each without what comes behind a pipe or the like, and without quoted text. */
function* commandLines(text: string): Generator<string> {
  const plain = text.replace(/'[^']*'|"[^"]*"|\$\([^)]*\)/g, 'TEXT').replace(/\s#.*$/, '');
  for (const [, line = ''] of plain.matchAll(/(?:^|[\s/(])smsgw(?:\.js)? ([^|;&>)]*)/g)) yield line.trim();
}

for (const page of ['README.md', 'CONTRIBUTING.md', ...pages]) {
  t.test(`the commands of ${page} are those of smsgw`, (t) => {
    for (const text of code(page)) {
      for (const line of commandLines(text)) {
        const words = line
          .replace(/--socket \S+|--json\b|--utc\b/g, '')
          .trim()
          .split(/\s+/);
        const [first = '', second = ''] = words;
        // COMMAND, … and -h are no commands.
        if (!/^[a-z]+$/.test(first)) continue;
        const command = table.get(`${first} ${second}`) ?? table.get(first);
        t.ok(command ?? first === 'help', `smsgw ${line}`);
        if (command !== undefined) {
          const behind = words.slice(command.name.split(' ').length);
          // A line that only names an option has not its value, and one that only names a command has no arguments.
          const wanted = behind.at(-1)?.startsWith('--') === true ? behind.slice(0, -1) : behind;
          t.doesNotThrow(() => readInput([...wanted, '--help'], command), `what smsgw ${line} is given`);
        }
        for (const [, option = ''] of line.matchAll(/ --([a-z-]+)/g)) {
          t.ok(
            common.has(option) || (command !== undefined && option in command.options),
            `--${option} in: smsgw ${line}`,
          );
        }
      }
    }
    t.end();
  });
}
