import type { Config } from '../config.ts';
import type { KnownNames, Report, Where } from './report.ts';

/** Options that name a modem. */
export function checkModemNames(config: Config, report: Report, known: KnownNames): void {
  const check = (where: Where, option: string, name: string | undefined) => {
    if (name === undefined || known.modems.has(name)) return;
    report.error(where, option, `there is no modem section ${JSON.stringify(name)}`);
  };
  for (const key of ['post_get', 'pop3', 'forwarding_to_sms'] as const) check(key, 'modem', config[key].modem);
  for (const { section, modem } of config.scheduled) check(['scheduled', section], 'modem', modem);
  for (const { section, modem } of config.rules) check(['rules', section], 'modem', modem);
  const checkAccount = (where: Where, { modem, receive_modem }: Pick<Config['smpp'], 'modem' | 'receive_modem'>) => {
    check(where, 'modem', modem);
    for (const name of receive_modem) check(where, 'receive_modem', name);
  };
  checkAccount('smpp', config.smpp);
  for (const account of config.smpp_accounts) checkAccount(['smpp_accounts', account.section], account);
}
