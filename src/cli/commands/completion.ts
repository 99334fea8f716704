import { type Command, globalOptions, type OptionHelp, UsageError } from '../command.ts';

/** The command that prints the completion of all of them, itself included. */
export const completion = (commands: () => readonly Command[]): Command => ({
  name: 'completion',
  arguments: 'bash',
  help: 'Print what lets a shell complete commands and options.',
  details: 'Such as: smsgw completion bash > /etc/bash_completion.d/smsgw. The package of Debian has it in place.',
  options: {},
  count: [1, 1],
  async run({ words: [shell = ''] }, context) {
    if (shell !== 'bash') throw new UsageError(`no completion for ${JSON.stringify(shell)}, there is one for bash`);
    const script = bashCompletion(commands());
    context.show({ script }, () => script.trimEnd());
    return 0;
  },
});

const takesFile = /^(?:PATH|DIR|FILE)$/;

/** The completion of bash for `smsgw`, from the table of commands. */
export function bashCompletion(commands: readonly Command[]): string {
  const rows = commands.map(({ name, options }) => {
    const words = Object.keys({ ...options, ...globalOptions }).map((option) => `--${option}`);
    return `    ${quoted(name)}) words=${quoted(words.join(' '))} ;;`;
  });
  const files = commands.filter(({ arguments: args }) => /\bFILE\b/.test(args)).map(({ name }) => quoted(name));
  const starts = new Map<string, string[]>();
  for (const { name } of commands) {
    const [first = '', second] = name.split(' ');
    starts.set(first, [...(starts.get(first) ?? []), ...(second === undefined ? [] : [second])]);
  }
  const pairs = [...starts].filter(([, seconds]) => seconds.length > 0);
  const seconds = pairs.map(([first, words]) => `    ${quoted(first)}) words=${quoted(words.join(' '))} ;;`);
  return `# bash completion for smsgw. Made by: smsgw completion bash
_smsgw() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} words= names=() i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
    ${withValue(commands).join(' | ')}) ((i++)) ;;
    -*) ;;
    *) names+=("\${COMP_WORDS[i]}") ;;
    esac
  done
  case $prev in
${valueRows(commands).join('\n')}
  esac
  if [ \${#names[@]} -eq 0 ]; then
    words=${quoted([...starts.keys(), 'help', '--help', '--version', '--socket', '--json', '--utc'].join(' '))}
  elif [ \${#names[@]} -eq 1 ] && [[ $cur != -* ]]; then
    case \${names[0]} in
    help) words=${quoted([...starts.keys()].join(' '))} ;;
${seconds.join('\n')}
    esac
  fi
  if [[ $cur == -* ]] && [ \${#names[@]} -gt 0 ]; then
    case "\${names[0]} \${names[1]-}" in
${twoWords(rows)}
    esac
    [ -n "$words" ] || case \${names[0]} in
${oneWord(rows)}
    esac
  fi
  if [ -z "$words" ]; then
    case "\${names[*]:0:2}" in
    ${files.join(' | ') || "''"}) COMPREPLY=($(compgen -f -- "$cur")) ;;
    esac
    return
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o filenames -F _smsgw smsgw
`;
}

/** Of a pattern that has a name of two words, and of one. */
const twoWords = (rows: readonly string[]) => rows.filter((row) => /^ *'[^']* /.test(row)).join('\n');
const oneWord = (rows: readonly string[]) => rows.filter((row) => !/^ *'[^']* /.test(row)).join('\n');

function valued(commands: readonly Command[]): ReadonlyMap<string, string> {
  const all = [globalOptions, ...commands.map(({ options }) => options)] as readonly Readonly<
    Record<string, OptionHelp>
  >[];
  return new Map(
    all.flatMap((options) =>
      Object.entries(options).flatMap(([name, { value }]) =>
        value === undefined ? [] : [[`--${name}`, value] as const],
      ),
    ),
  );
}

const withValue = (commands: readonly Command[]): readonly string[] => [...valued(commands).keys()];

/** What may follow an option: files, words that stand in its help, or what only the user knows. */
function valueRows(commands: readonly Command[]): readonly string[] {
  const all = [...valued(commands)];
  const isList = (value: string) => /^[a-z]+(?:\|[a-z]+)+$/.test(value);
  const names = (of: readonly (readonly [string, string])[]) => of.map(([option]) => option).join(' | ');
  const files = all.filter(([, value]) => takesFile.test(value));
  const lists = all.filter(([, value]) => isList(value));
  const others = all.filter(([, value]) => !takesFile.test(value) && !isList(value));
  return [
    `  ${names(files)}) COMPREPLY=($(compgen -f -- "$cur")); return ;;`,
    ...lists.map(([option, value]) => {
      return `  ${option}) COMPREPLY=($(compgen -W '${value.replaceAll('|', ' ')}' -- "$cur")); return ;;`;
    }),
    `  ${names(others)}) return ;;`,
  ];
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
