import { existsSync } from 'node:fs';
import { GatewayError } from '../../base/errors.ts';
import { type Command, type TextInput, UsageError } from '../command.ts';
import { configDirectory, configDirectoryOption } from './config.ts';

/** Longest password line, characters. */
const MAX_LINE = 1024;

export const passwd: Command = {
  name: 'passwd',
  arguments: '[--config-dir DIR] [USER]',
  help: 'Set the password of an account of the web pages.',
  details: `Creates the account when it does not exist; without USER it is admin. The password is read from
the terminal, or from the first line of standard input, and stored as a hash in DIR/rpcd.`,
  options: { 'config-dir': configDirectoryOption },
  count: [0, 1],
  async run(input, context) {
    const { FIRST_ACCOUNT, WebAccounts } = await import('../../access/web-accounts.ts');
    const directory = await configDirectory(input, context);
    if (!existsSync(directory)) throw new GatewayError('file_not_found', `there is no directory ${directory}`);
    const username = input.words[0] ?? FIRST_ACCOUNT;
    const { stdin } = context;
    const ask = passwords(stdin, (text) => context.remark(text));
    const password = await ask(`New password for ${username}:`);
    if (stdin.isTTY === true && (await ask('The same again:')) !== password) {
      throw new UsageError('the two passwords differ');
    }
    const accounts = new WebAccounts(directory, async () => undefined);
    await accounts.setPassword(username, password);
    context.show({ username }, () => `${username} has a new password. Open sessions stay open.`);
    return 0;
  },
};

/** Asks for passwords, one a line. A terminal does not show them. */
function passwords(stdin: TextInput, remark: (text: string) => void): (question: string) => Promise<string> {
  const isTerminal = stdin.isTTY === true;
  const chunks = stdin[Symbol.asyncIterator]();
  let pending = '';
  return async (question) => {
    if (isTerminal) {
      remark(question);
      stdin.setRawMode?.(true);
    }
    try {
      for (;;) {
        const end = /[\r\n]/.exec(pending)?.index ?? -1;
        if (pending.includes('\u0003')) throw new UsageError('given up');
        if (end !== -1) {
          const line = pending.slice(0, end);
          pending = pending.slice(end + 1);
          return isTerminal ? withoutErased(line) : line;
        }
        if (pending.length > MAX_LINE) throw new GatewayError('too_large', 'a password of more than a line');
        const { value, done } = await chunks.next();
        if (done === true) return pending;
        pending += Buffer.from(value).toString('utf8');
      }
    } finally {
      if (isTerminal) stdin.setRawMode?.(false);
    }
  };
}

/** Backspace and Ctrl-U, which a terminal in raw mode leaves to the program. */
function withoutErased(line: string): string {
  let text = '';
  for (const character of line) {
    if (character === '\u007f' || character === '\b') text = Array.from(text).slice(0, -1).join('');
    else text = character === '\u0015' ? '' : text + character;
  }
  return text;
}
