import type { Command } from '../command.ts';

export const otpSecret: Command = {
  name: 'otp secret',
  arguments: '[--time] [NAME]',
  help: 'Make a secret for rules with one-time codes.',
  details: `Prints the option for the rule, and a URI for an authenticator app, under NAME in its list. Codes
follow a counter, with --time the time. Nothing is stored.`,
  options: { time: { help: 'Codes follow the time, option otp of the rule.' } },
  count: [0, 1],
  async run(input, context) {
    const { keyUri, newSecret } = await import('../../access/one-time-code.ts');
    const kind = input.flag('time') ? 'time' : 'counter';
    const secret = newSecret();
    const uri = keyUri(secret, kind, input.words[0] ?? 'rules');
    context.show({ secret, otp: kind, uri }, () =>
      [
        "option authorisation 'code'",
        `option otp '${kind}'`,
        `option otp_secret '${secret}'`,
        '',
        `For the app: ${uri}`,
      ].join('\n'),
    );
    return 0;
  },
};
