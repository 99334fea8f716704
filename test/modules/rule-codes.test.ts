import t, { type Test } from 'tap';
import { codeOf, fromBase32, keyUri, newSecret, STEP_MS, toBase32 } from '../../src/access/one-time-code.ts';
import { testFolder } from '../support/folder.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ModuleRig } from '../support/module-rig.ts';

const KEY = Buffer.from('12345678901234567890');
const SECRET = toBase32(KEY);
const OWNER = '+37060000001';
const FRIEND = '+37060000009';
const HOUR = 3_600_000;

t.test('RFC 4226 appendix D', async (t) => {
  const codes = '755224 287082 359152 969429 338314 254676 287922 162583 399871 520489'.split(' ');
  t.same(
    codes.map((_, counter) => codeOf(KEY, counter)),
    codes,
  );
});

t.test('RFC 6238 appendix B, the last six digits', async (t) => {
  const cases = [
    [59, '287082'],
    [1111111109, '081804'],
    [1111111111, '050471'],
    [1234567890, '005924'],
    [2000000000, '279037'],
    [20000000000, '353130'],
  ] as const;
  for (const [seconds, code] of cases) t.equal(codeOf(KEY, Math.floor((seconds * 1000) / STEP_MS)), code);
});

t.test('RFC 4648, 10: base32', async (t) => {
  const cases = [
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foo', 'MZXW6'],
    ['foob', 'MZXW6YQ'],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI'],
  ] as const;
  for (const [text, encoded] of cases) {
    t.equal(toBase32(Buffer.from(text)), encoded);
    t.same(fromBase32(`${encoded.toLowerCase().replace(/(..)/g, '$1 ')}====`), Buffer.from(text));
  }
  t.match(newSecret(), /^[A-Z2-7]{32}$/);
  t.not(newSecret(), newSecret());
  t.equal(
    keyUri(SECRET, 'counter', 'a b'),
    `otpauth://hotp/SMS%20Gateway%3Aa%20b?secret=${SECRET}&issuer=SMS%20Gateway&algorithm=SHA1&digits=6&counter=0`,
  );
});

const config = (more = '', secret = SECRET) => `config rule 'go'
	option enabled '1'
	option action 'send_sms'
	option smstext 'go'
	option message 'done'
	list to_number '${FRIEND}'
	option authorisation 'code'
	option otp_secret '${secret}'
	option max_per_hour '1000'
${more}`;

interface Options {
  readonly more?: string;
  readonly secret?: string;
  readonly clock?: ManualClock;
}

class Phone {
  rig: ModuleRig;
  constructor(rig: ModuleRig) {
    this.rig = rig;
  }

  /** Whether the code was obeyed. */
  async sends(code: string, sender = OWNER, text = 'go'): Promise<boolean> {
    const before = (await this.rig.outbox()).length;
    const arriving = { time: this.rig.clock.now() };
    await this.rig.receive(sender, `${code} ${text}`, arriving);
    await this.rig.clock.advance(1_000);
    await this.rig.handled('rules');
    return (await this.rig.outbox()).length > before;
  }
}

async function phoneFor(t: Test, options: Options = {}) {
  const { clock } = options;
  const rig = await ModuleRig.open(testFolder(t), {
    config: config(options.more, options.secret),
    ...(clock && { clock }),
  });
  const phone = new Phone(rig);
  t.teardown(() => phone.rig.close());
  return phone;
}

t.test('a code works once, and those before it no more; some that were made and not sent are no matter', async (t) => {
  const phone = await phoneFor(t);
  t.equal(await phone.sends(codeOf(KEY, 0)), true);
  t.equal(await phone.sends(codeOf(KEY, 0)), false, 'again');
  t.equal(await phone.sends(codeOf(KEY, 9)), true, 'eight were not sent');
  t.equal(await phone.sends(codeOf(KEY, 5)), false, 'an older one');
  t.equal(await phone.sends('000000'), false);
  t.equal(await phone.sends('10'), false);
  t.equal(await phone.sends(codeOf(KEY, 10)), true);
});

t.test('no code works twice over a crash', async (t) => {
  const phone = await phoneFor(t);
  t.equal(await phone.sends(codeOf(KEY, 0)), true);
  phone.rig = await phone.rig.crash();
  t.equal(await phone.sends(codeOf(KEY, 0)), false);
  t.equal(await phone.sends(codeOf(KEY, 1)), true);
});

t.test('the message of a code is obeyed when its delivery is repeated after a crash', async (t) => {
  const phone = await phoneFor(t);
  await phone.sends(codeOf(KEY, 0));
  // The counter is noted, and nothing else.
  const rig = await phone.rig.crash({ before: /"done"/ });
  phone.rig = rig;
  await rig.handled('rules');
  t.equal((await rig.outbox()).length, 1);
  t.equal(await phone.sends(codeOf(KEY, 0)), false, 'another message with it is not');
});

t.test('a counter that ran away: two codes one after the other', async (t) => {
  const phone = await phoneFor(t);
  t.equal(await phone.sends(codeOf(KEY, 100)), false);
  t.equal(await phone.sends(codeOf(KEY, 102)), false, 'not the next one');
  t.equal(await phone.sends(codeOf(KEY, 103)), true);
  t.equal(await phone.sends(codeOf(KEY, 104)), true);
  t.equal(await phone.sends(codeOf(KEY, 400)), false, 'too far');
  t.equal(await phone.sends(codeOf(KEY, 401)), false);
});

t.test('guesses by forged senders make one code too few, and lock nobody out', async (t) => {
  const phone = await phoneFor(t, { more: `\toption allowed_phone 'single'\n\toption tel '${OWNER}'\n` });
  const wrong = new Set(Array.from({ length: 300 }, (_, counter) => codeOf(KEY, counter)));
  for (let guess = 100_000, sent = 0; sent < 12; guess++) {
    if (wrong.has(`${guess}`)) continue;
    sent += 1;
    t.equal(await phone.sends(`${guess}`), false);
  }
  await phone.rig.configure(config(`\toption allowed_phone 'single'\n\toption tel '${OWNER}'\n\toption max_age '5'\n`));
  t.equal(await phone.sends(codeOf(KEY, 0)), false, 'a right code alone could be a guess, also behind a commit');
  t.equal(await phone.sends(codeOf(KEY, 1)), true, 'two could not');
  await phone.rig.clock.advance(2 * HOUR);
  t.equal(await phone.sends(codeOf(KEY, 2)), true, 'later one is enough again');
});

t.test('codes by the time, each once, in spite of the time that an SMS takes', async (t) => {
  const clock = new ManualClock();
  const phone = await phoneFor(t, { clock, more: "\toption otp 'time'\n" });
  const step = () => Math.floor(clock.now() / STEP_MS);
  const code = codeOf(KEY, step());
  await clock.advance(2 * 60_000);
  t.equal(await phone.sends(code), true, 'two minutes old');
  t.equal(await phone.sends(code), false, 'again');
  t.equal(await phone.sends(codeOf(KEY, step())), true);
  t.equal(await phone.sends(codeOf(KEY, step() - 2)), false, 'one before the last that was used');
  t.equal(await phone.sends(codeOf(KEY, step() + 20)), false, 'ten minutes ahead');
  await clock.advance(HOUR);
  t.equal(await phone.sends(codeOf(KEY, step() - 30)), false, 'a quarter of an hour old');
  phone.rig = await phone.rig.crash();
  t.equal(await phone.sends(codeOf(KEY, step())), true);
  t.equal(await phone.sends(codeOf(KEY, step())), false);
});

t.test('two rules with one secret share its codes; the log and others see none', async (t) => {
  const second = `config rule 'stop'\n\toption enabled '1'\n\toption action 'send_sms'\n\toption smstext 'stop'
	option message 'done'\n\tlist to_number '${FRIEND}'\n\toption authorisation 'code'
	option otp_secret '${SECRET.toLowerCase().replace(/(....)/g, '$1 ')}'\n`;
  const phone = await phoneFor(t, { more: `\n${second}` });
  t.equal(await phone.sends(codeOf(KEY, 0), OWNER, 'stop'), true);
  t.equal(await phone.sends(codeOf(KEY, 0)), false);
  t.equal(await phone.sends(codeOf(KEY, 1)), true);
  const { messages } = await phone.rig.store.inbox.list({ limit: 10 });
  t.same(
    messages.map(({ text }) => text),
    ['*** stop', '*** go', '*** go'],
  );
  t.notOk(phone.rig.log.some((line) => line.includes(codeOf(KEY, 0)) || line.includes(SECRET)));
});
