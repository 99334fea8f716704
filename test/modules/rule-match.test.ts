import fc from 'fast-check';
import t from 'tap';
import { type PhoneNumber, parsePhoneNumber } from '../../src/base/phone-number.ts';
import type { GroupConfig, RuleConfig } from '../../src/config/config.ts';
import { matchingRule, senderCheck } from '../../src/modules/kit/received-message.ts';

const number = (text: string): PhoneNumber => {
  const parsed = parsePhoneNumber(text);
  if (parsed === undefined) throw new Error(`no number: ${text}`);
  return parsed;
};
const ALICE = number('+37060000001');
const BOB = number('+37060000002');
const groups: readonly GroupConfig[] = [
  { section: 'g', name: 'staff', tel: [ALICE, BOB] },
  { section: 'h', name: 'nobody', tel: [] },
];

const rule = (smstext: string, more: Partial<RuleConfig> = {}): RuleConfig => ({
  ...{
    section: smstext,
    enabled: true,
    action: 'send_status',
    smstext,
    match: 'exact',
    otp: 'counter',
    authorisation: 'no',
  },
  ...{ allowed_phone: 'all', status_sms: false, to_other_phone: false, to_number: [], reply: true },
  ...{ max_parts: 3, max_age: 24, max_per_hour: 20, write_wifi: false, write_mobile: false, timeout: false },
  ...{ ssh_access_enabled: false, ssh_access_remote: false, web_access_enabled: false },
  ...{ web_access_enabled_https: false, web_access_http: false, web_access_https: false, uci_option: [] },
  ...more,
});

const isFrom = senderCheck(() => ({ gateway: { country_code: '370' }, modems: [] }), {
  list: () => [],
  find: () => undefined,
});

/** The rule's text and the secret that a message was taken to carry. */
const match = (rules: readonly RuleConfig[], text: string, sender: string = ALICE) => {
  const found = matchingRule({ number: sender, text, modem: 'gsm0' }, { rules, groups }, isFrom);
  return found && [found.rule.smstext, found.secret];
};

t.test('texts', (t) => {
  const rules = [
    rule('status'),
    rule('wifi off', { match: 'prefix' }),
    rule('wifi', { match: 'prefix' }),
    rule('reboot', { authorisation: 'password' }),
    rule('cellular', { authorisation: 'serial', match: 'prefix' }),
    rule('Ačiū  Jums'),
    rule('sleeping', { enabled: false }),
    rule(' ', { match: 'prefix' }),
  ];
  const cases: readonly (readonly [string, readonly [string, string | undefined] | undefined])[] = [
    ['status', ['status', undefined]],
    [' \n STATUS\t', ['status', undefined]],
    ['status now', undefined],
    ['statuses', undefined],
    ['my status', undefined],
    ['wifi', ['wifi', undefined]],
    ['WiFi on', ['wifi', undefined]],
    ['wifi  OFF', ['wifi off', undefined]],
    ['wifi off now', ['wifi off', undefined]],
    ['wifi offer', ['wifi', undefined]],
    ['wifion', undefined],
    ['secret reboot', ['reboot', 'secret']],
    ['Secret\u00a0\r\n ReBoot ', ['reboot', 'Secret']],
    ['reboot', undefined],
    ['reboot reboot', ['reboot', 'reboot']],
    ['two words reboot', undefined],
    ['secret reboot now', undefined],
    ['1102345678 cellular on', ['cellular', '1102345678']],
    ['cellular on', undefined],
    ['ačiū JUMS', ['Ačiū  Jums', undefined]],
    ['ačiū jums'.normalize('NFD'), ['Ačiū  Jums', undefined]],
    ['sleeping', undefined],
    ['', undefined],
    ['   ', undefined],
  ];
  for (const [text, expected] of cases) t.strictSame(match(rules, text), expected, JSON.stringify(text));
  t.end();
});

t.test('phones', (t) => {
  const cases: readonly (readonly [Partial<RuleConfig>, string, boolean])[] = [
    [{ allowed_phone: 'all' }, 'Anybody', true],
    [{ allowed_phone: 'single', tel: ALICE }, ALICE, true],
    [{ allowed_phone: 'single', tel: ALICE }, '860000001', true],
    [{ allowed_phone: 'single', tel: number('860000001') }, ALICE, true],
    [{ allowed_phone: 'single', tel: ALICE }, BOB, false],
    [{ allowed_phone: 'single' }, ALICE, false],
    [{ allowed_phone: 'group', group: 'staff' }, BOB, true],
    [{ allowed_phone: 'group', group: 'staff' }, '+37060000003', false],
    [{ allowed_phone: 'group', group: 'nobody' }, ALICE, false],
    [{ allowed_phone: 'group', group: 'unknown' }, ALICE, false],
    [{ allowed_phone: 'group' }, ALICE, false],
  ];
  for (const [more, sender, may] of cases) {
    t.equal(match([rule('go', more)], 'go', sender) !== undefined, may, `${JSON.stringify(more)} ${sender}`);
  }
  const two = [rule('go', { allowed_phone: 'single', tel: ALICE, match: 'prefix' }), rule('go on')];
  t.strictSame(match(two, 'go on', ALICE), ['go on', undefined], 'the whole text goes first');
  t.end();
});

t.test('any text is matched or not, and what is matched stands in it', (t) => {
  const text = fc.string({ unit: 'grapheme', maxLength: 40 });
  const anyRule = fc.record({
    smstext: fc.string({ minLength: 1, maxLength: 10 }),
    match: fc.constantFrom('exact', 'prefix'),
    authorisation: fc.constantFrom('no', 'serial', 'password'),
  });
  fc.assert(
    fc.property(fc.array(anyRule, { maxLength: 4 }), text, fc.nat(9), (options, free, choice) => {
      const rules = options.map(({ smstext, ...more }) => rule(smstext, more));
      const chosen = rules[choice];
      const message = chosen === undefined ? free : `${free} ${chosen.smstext}`;
      const found = matchingRule({ number: ALICE, text: message, modem: 'gsm0' }, { rules, groups }, isFrom);
      if (found?.secret === undefined) return found === undefined || found.rule.authorisation === 'no';
      return found.rule.authorisation !== 'no' && /^\S+$/.test(found.secret) && message.trim().startsWith(found.secret);
    }),
  );
  t.end();
});
