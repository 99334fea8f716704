import { printableLines } from '../../base/printable.ts';
import { tables } from '../answer.ts';
import type { RpcClient } from '../client.ts';
import { type Command, UsageError } from '../command.ts';

/** Networks may take a minute to answer, ms. */
const ANSWER_MS = 120_000;

export const ussd: Command = {
  name: 'ussd',
  arguments: '[--modem NAME] CODE',
  help: 'Send a USSD code, such as *100#, and print what the network answers.',
  options: { modem: { value: 'NAME', help: 'The modem; needed when there are several.' } },
  count: [1, 1],
  async run(input, context) {
    const client = await context.client();
    const modem = input.text('modem') ?? (await onlyModem(client));
    const result = await client.call('sms_gateway.modem', 'ussd', { modem, code: input.words[0] }, ANSWER_MS);
    context.show(result, ({ answer }) => printableLines(String(answer ?? '')));
    return 0;
  },
};

export async function onlyModem(client: RpcClient): Promise<string> {
  const { modems } = await client.call('sms_gateway.modem', 'list');
  const names = tables(modems).map(({ name }) => String(name));
  const [name] = names;
  if (name !== undefined && names.length === 1) return name;
  throw new UsageError(names.length === 0 ? 'there is no modem' : `which modem? --modem ${names.join('|')}`);
}
