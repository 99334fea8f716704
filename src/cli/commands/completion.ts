import { type Command, UsageError } from '../command.ts';
import { bashCompletion } from '../completion.ts';

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
