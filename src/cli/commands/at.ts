import { printableLines } from '../../base/printable.ts';
import type { Command } from '../command.ts';
import { onlyModem } from './ussd.ts';

/** A command may wait for others, and take a minute itself, ms. */
const ANSWER_MS = 120_000;

export const at: Command = {
  name: 'at',
  arguments: '[--modem NAME] COMMAND',
  help: 'Give a modem one AT command, such as AT+CSQ, and print its answer.',
  details: 'Commands that only read are allowed; the option at_commands "all" of the modem allows every one.',
  options: { modem: { value: 'NAME', help: 'The modem; needed when there are several.' } },
  count: [1, 1],
  async run(input, context) {
    const client = await context.client();
    const modem = input.text('modem') ?? (await onlyModem(client));
    const answer = await client.call('sms_gateway.modem', 'at', { modem, command: input.words[0] }, ANSWER_MS);
    context.show(answer, ({ lines, result }) =>
      printableLines([...(Array.isArray(lines) ? lines : []), result].map(String).join('\n')),
    );
    return answer['result'] === 'OK' ? 0 : 1;
  },
};
