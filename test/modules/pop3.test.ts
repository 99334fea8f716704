import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { System } from '../../src/system/system.ts';
import { testFolder } from '../support/folder.ts';
import { ScriptedPop3, steps } from '../support/mail/scripted-pop3.ts';
import { ScriptedSmtp } from '../support/mail/scripted-smtp.ts';
import { ModuleRig } from '../support/module-rig.ts';
import { numberOf, pass, until } from '../support/outbox-rig.ts';
import { refused } from '../support/scripted-sender.ts';

const ALICE = '+37060000001';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Deadline of each answer of a server, with the usual time-out, ms. */
const ANSWER = 300_000;

type Options = Readonly<Record<string, string | readonly string[]>>;

const section = (name: string, options: Options): string => {
  const lines = Object.entries(options).flatMap(([key, value]) =>
    typeof value === 'string' ? [`\toption ${key} '${value}'\n`] : value.map((item) => `\tlist ${key} '${item}'\n`),
  );
  return `config ${name} '${name}'\n${lines.join('')}\n`;
};

const config = (server: ScriptedPop3, options: Options = {}, more = ''): string =>
  section('pop3', {
    ...{ enabled: '1', host: '127.0.0.1', port: `${server.port}`, username: 'user', password: 'secret' },
    ...options,
  }) + more;

const noLimits = section('gateway', {
  function_limit: ['pop3 0 0 0'],
  ...{ sms_per_minute: '0', sms_per_hour: '0', sms_per_day: '0' },
  ...{ recipient_per_minute: '0', recipient_per_hour: '0', recipient_per_day: '0' },
});

let mails = 0;
const mail = (text: string, subject = ALICE, ...headers: readonly string[]): string =>
  [
    ...['From: a@example.com', `Subject: ${subject}`, `Message-ID: <${++mails}@example.com>`],
    ...headers,
    ...['', text, ''],
  ].join('\r\n');

interface Setting {
  readonly server: ScriptedPop3;
  readonly rig: ModuleRig;
}

async function setUp(t: Test, options: Options = {}, more = '', mails: readonly string[] = []): Promise<Setting> {
  const server = await startServer(t, ...mails);
  const rig = await ModuleRig.open(testFolder(t), { config: config(server, options, more) });
  t.teardown(() => rig.close());
  return { server, rig };
}

const counters = (rig: ModuleRig) => rig.modules.list().find(({ name }) => name === 'pop3')?.counters ?? {};
const notes = (rig: ModuleRig) => rig.store.notes.book('pop3').entries().length;
const texts = async (rig: ModuleRig) => (await rig.outbox()).map(({ number, text }) => `${number} ${text}`);

/** Waits until the mailbox is empty, nothing is noted any more, and no session is open; as long as mails are being read. */
async function emptied({ server, rig }: Setting): Promise<void> {
  const done = () => server.mails.length === 0 && notes(rig) === 0 && server.open === 0;
  while (!done()) {
    const { length } = server.commands;
    await until(() => done() || server.commands.length > length, 'the mailbox is empty');
  }
}

/** Lets time pass, while no session is open, until `check` holds. Two looks have more than the usual step in between. */
async function later({ server, rig }: Setting, check: () => boolean | Promise<boolean>, what: string, step = 10_000) {
  rig.clock.waitsFor(ANSWER);
  rig.clock.waitsForSessions(server);
  await pass(rig.clock, step, check, what);
}

t.test('mails with a number as subject become SMS, and all are deleted', async (t) => {
  const setting = await setUp(t, {}, '', [
    mail('hello'),
    mail('not for us', 'Hello'),
    mail('x'.repeat(161)),
    mail('second', '0037060000002'),
  ]);
  const { server, rig } = setting;
  await emptied(setting);
  t.strictSame(await texts(rig), [`${ALICE} hello`, '+37060000002 second']);
  t.match(await rig.outbox(), [{ source: 'pop3' }, { source: 'pop3' }]);
  await until(() => counters(rig)['deleted'] === 4, 'it is counted');
  t.match(counters(rig), { sent: 2, ignored: 2, deleted: 4, failures: 0 });
  const { details } = rig.modules.status('pop3');
  t.match(details, { server: `127.0.0.1 port ${server.port}`, mails: 0, checked: /^2026-/ });
  t.notOk(
    rig.log.some((line) => /hello|second|secret/.test(line) && !line.startsWith('debug')),
    'texts and passwords stay out of the log',
  );
  server.deliver(mail('third'));
  t.match(await rig.modules.test('pop3', new AbortController().signal), /logged in at .*; mails in the mailbox: 1$/);
  t.equal(server.mails.length, 1, 'a test takes nothing');
  await later(setting, () => server.mails.length === 0, 'it is read after a minute');
  t.equal((await rig.outbox()).length, 3);
});

t.test('delete handled leaves the others, and fetches them once', async (t) => {
  const setting = await setUp(t, { delete: 'handled' }, '', [
    mail('private', 'Hello'),
    mail('sms'),
    mail('also', 'Hi'),
  ]);
  const { server, rig } = setting;
  await until(() => server.mails.length === 2 && server.open === 0, 'the first look is over');
  const fetched = () => server.commands.filter((command) => command.startsWith('RETR')).length;
  t.equal(fetched(), 3);
  server.deliver(mail('new'));
  await later(setting, () => server.mails.length === 2 && fetched() === 4, 'only the new one is fetched');
  t.strictSame(await texts(rig), [`${ALICE} sms`, `${ALICE} new`]);
  server.uidl = false;
  await later(setting, () => fetched() === 6, 'without unique ids they are read again');
  t.equal((await rig.outbox()).length, 2);
});

t.test('a mail without a unique id hides no later mails', async (t) => {
  const setting = await setUp(t, { delete: 'handled' }, '', []);
  const { server, rig } = setting;
  server.mails = [{ uniqueId: '', content: Buffer.from(mail('private', 'Hello')) }];
  await later(setting, () => server.commands.includes('RETR 1'), 'it is read');
  for (const text of ['one', 'two']) {
    server.mails.push({ uniqueId: '', content: Buffer.from(mail(text)) });
    await later(setting, () => server.mails.length === 1, 'only the first stays');
  }
  t.strictSame(await texts(rig), [`${ALICE} one`, `${ALICE} two`]);
});

const status = (rig: ModuleRig) => {
  const module = rig.modules.list().find(({ name }) => name === 'pop3');
  return { error: module?.error, undeletable: rig.modules.status('pop3').details['undeletable'] };
};

t.test('mails that cannot be deleted are sent once', async (t) => {
  const folder = testFolder(t);
  for (const keeps of ['refuses', 'pretends'] as const) {
    for (const ids of ['the same', 'new ones', 'none'] as const) {
      const what = `the server ${keeps}; unique ids: ${ids}`;
      const server = await ScriptedPop3.start();
      server.keeps = keeps;
      server.newIds = ids === 'new ones';
      server.uidl = ids !== 'none';
      // Without a Message-ID, and with a line that the server changes at each look.
      const bare = (n: number) => `Status: ${n}\r\nFrom: a@example.com\r\nSubject: ${ALICE}\r\n\r\nbare\r\n`;
      server.deliver(mail('stays'), mail('not for us', 'Hello'), bare(0));
      let rig = await ModuleRig.open(join(folder, `${keeps} ${ids}`), { config: config(server) });
      const look = async (step = MINUTE) => {
        const { sessions, mails } = server;
        server.mails = mails.map((stored) =>
          stored.content.toString().startsWith('Status') ? { ...stored, content: Buffer.from(bare(sessions)) } : stored,
        );
        await later({ server, rig }, () => server.sessions > sessions && server.open === 0, 'it has looked', step);
      };
      await until(() => server.sessions === 1 && server.open === 0, 'the first look is over');
      for (let n = 0; n < 6; n++) await look();
      for (let n = 0; n < 3; n++) {
        rig.clock.step(2 * DAY);
        await look();
      }
      t.strictSame(await texts(rig), [`${ALICE} stays`, `${ALICE} bare`], what);
      t.match(status(rig), { error: /cannot be deleted from the mailbox: 3; the server/, undeletable: 3 }, what);
      t.match(counters(rig), { sent: 2, ignored: 1 }, 'each is counted once');
      if (ids === 'the same') {
        const fetched = server.commands.filter((command) => command.startsWith('RETR')).length;
        t.ok(fetched <= 8, `${fetched} mails fetched: no traffic for what is known`);
      }
      t.equal(rig.log.filter((line) => /^warning.*cannot be deleted/.test(line)).length, 1, 'the log has it once');
      rig.clock.step(2 * DAY);
      rig = await rig.crash();
      await look();
      await look();
      t.equal((await rig.outbox()).filter(({ text }) => text === 'stays').length, 1, `after a restart, ${what}`);
      server.deliver(mail('later'));
      const count = async (wanted: string) => (await rig.outbox()).filter(({ text }) => text === wanted).length;
      await later({ server, rig }, async () => (await count('later')) === 1, 'others are sent');
      server.mails = [];
      await later({ server, rig }, () => status(rig).error === undefined, 'all is well when they are gone');
      t.equal(status(rig).undeletable, undefined);
      await later({ server, rig }, () => notes(rig) === 0, 'and nothing of them is noted any more');
      await rig.close();
      await server.stop();
    }
  }
});

t.test('a server that deletes nothing, and a restart between any two looks', async (t) => {
  const setting = await setUp(t, {}, '', [mail('once')]);
  const { server, rig } = setting;
  server.keeps = 'pretends';
  await until(() => server.sessions === 1 && server.open === 0, 'the first look');
  for (let day = 0; day < 3; day++) {
    rig.clock.step(2 * DAY);
    const { sessions } = server;
    await rig.modules.restart('pop3');
    await until(() => server.sessions > sessions && server.open === 0, 'one look more');
  }
  t.strictSame(await texts(rig), [`${ALICE} once`]);
});

t.test('a deletion that is not confirmed', async (t) => {
  const setting = await setUp(t, {}, '', []);
  const { server, rig } = setting;
  await until(() => server.sessions === 1 && server.open === 0, 'the first look');
  server.deliver(mail('one'));
  server.keeps = 'pretends';
  server.fault({ at: 'after QUIT', how: { say: '-ERR some deleted messages not removed\r\n' } });
  await later(setting, () => /cannot be deleted.*not removed/.test(status(rig).error ?? ''), 'status has the reason');
  server.keeps = undefined;
  await later(setting, () => server.mails.length === 0 && status(rig).error === undefined, 'it goes in the end');
  await later(setting, () => notes(rig) === 0, 'nothing is noted any more');
  t.strictSame(await texts(rig), [`${ALICE} one`]);
});

t.test('status says why the mailbox cannot be read, until it can', async (t) => {
  const setting = await setUp(t, {}, '', []);
  const { server, rig } = setting;
  await until(() => server.sessions === 1 && server.open === 0, 'the first look');
  t.equal(status(rig).error, undefined);
  server.fault({ at: 'PASS', how: { say: '-ERR [AUTH] no\r\n' } });
  await later(setting, () => /login failed/.test(status(rig).error ?? ''), 'the login fails');
  await later(setting, () => status(rig).error === undefined, 'the login works');
});

t.test('wherever a session breaks, no mail is lost or sent twice', async (t) => {
  const folder = testFolder(t);
  for (const uidl of [true, false]) {
    for (const at of steps) {
      for (const how of ['cut', 'hang'] as const) {
        const server = await ScriptedPop3.start();
        server.uidl = uidl;
        server.deliver(mail('one'), mail('two'));
        // The second time that it comes there, where it comes there twice.
        const nth = ['RETR', 'mid-mail', 'DELE'].includes(at) ? 2 : 1;
        if (uidl || at !== 'UIDL') server.fault({ at, how, nth });
        const rig = await ModuleRig.open(join(folder, `${uidl} ${at} ${how}`), { config: config(server) });
        const setting = { server, rig };
        await until(() => server.sessions === 1, 'it has begun');
        if (how === 'hang') {
          await until(() => server.hung === 1 || server.open === 0, 'it hangs');
          await rig.clock.advance(31_000);
        }
        await until(async () => {
          if (how === 'hang' && server.open > 0) await rig.clock.advance(31_000);
          return server.open === 0;
        }, 'it has ended');
        await later(setting, () => server.mails.length === 0 && notes(rig) === 0, `${at} ${how}: all is tidied up`);
        // A mail at which the connection ended comes after the others.
        t.strictSame(
          [...(await texts(rig))].sort(),
          [`${ALICE} one`, `${ALICE} two`],
          `${how} at ${at}, ${uidl ? 'with' : 'without'} ids`,
        );
        await rig.close();
        await server.stop();
      }
    }
  }
});

t.test('months without power within a session', async (t) => {
  const setting = await setUp(t, {}, '', []);
  let { rig } = setting;
  const { server } = setting;
  await until(() => server.sessions === 1 && server.open === 0, 'the first look is over');
  const sent: string[] = [];
  for (const at of ['DELE', 'QUIT', 'after QUIT'] as const) {
    server.fault({ at, how: 'cut' });
    server.deliver(mail(`cut at ${at}`));
    await later({ server, rig }, () => notes(rig) === 1, 'it is noted');
    await until(async () => (await rig.outbox()).every(({ state }) => state === 'sent'), 'it is sent');
    sent.push(...rig.sent);
    rig.clock.step(100 * DAY);
    rig = await rig.crash();
    const now = { server, rig };
    await later(now, () => server.mails.length === 0 && notes(rig) === 0, 'all is tidied up');
  }
  sent.push(...rig.sent);
  t.strictSame(sent, [`${ALICE} cut at DELE`, `${ALICE} cut at QUIT`, `${ALICE} cut at after QUIT`]);
  await rig.close();
});

t.test('a crash before the note: the reference in the outbox counts', async (t) => {
  const setting = await setUp(t, {}, '', [mail('one'), mail('two')]);
  const { server } = setting;
  server.fault({ at: 'DELE', how: 'cut' });
  await until(() => notes(setting.rig) === 2, 'they are noted');
  const rig = await setting.rig.crash({ before: /"note"/ });
  t.teardown(() => rig.close());
  await later({ server, rig }, () => server.mails.length === 0 && notes(rig) === 0, 'all is tidied up');
  t.strictSame(await texts(rig), [`${ALICE} one`, `${ALICE} two`]);
});

t.test('servers that reuse a unique id', async (t) => {
  const setting = await setUp(t, {}, '', []);
  const { server, rig } = setting;
  for (const text of ['one', 'two', 'three']) {
    server.mails = [{ uniqueId: '1', content: Buffer.from(mail(text)) }];
    server.fault({ at: 'after QUIT', how: 'cut' });
    await later(setting, () => server.mails.length === 0, 'it is read');
  }
  t.strictSame(await texts(rig), [`${ALICE} one`, `${ALICE} two`, `${ALICE} three`], 'each mail is a new one');
});

t.test('a mail at which the connection ends does not delay others', async (t) => {
  const setting = await setUp(t, {}, '', []);
  const { server, rig } = setting;
  await until(() => server.sessions === 1 && server.open === 0, 'the first look is over');
  server.deliver(mail('poison'), mail('one'), mail('two'));
  // A session that ends at the first mail, one without it, and one of it alone.
  for (const nth of [1, 99, 1]) server.fault({ at: 'mid-mail', how: 'cut', nth });
  await later(setting, () => server.mails.length === 1 && server.sessions === 4, 'the others are through');
  t.strictSame(await texts(rig), [`${ALICE} one`, `${ALICE} two`]);
  await later(setting, () => server.mails.length === 0, 'it comes through when it can');
  t.equal((await rig.outbox()).length, 3);
});

t.test('sizes', async (t) => {
  const setting = await setUp(t, { max_size: '4', limit: '10000' }, '', [mail('x'.repeat(6_000)), mail('small')]);
  const { server, rig } = setting;
  await emptied(setting);
  t.strictSame(await texts(rig), [`${ALICE} small`]);
  t.strictSame(
    server.commands.filter((command) => command.startsWith('RETR')),
    ['RETR 2'],
    'what is too large is not fetched',
  );
  server.mails = [
    { uniqueId: 'liar', size: 100, content: Buffer.from(mail('y'.repeat(200_000))) },
    { uniqueId: 'fine', content: Buffer.from(mail('after it')) },
  ];
  await later(setting, () => server.mails.length === 0, 'one that is larger than it says ends the session once');
  t.strictSame(await texts(rig), [`${ALICE} small`, `${ALICE} after it`]);
});

t.test('several numbers', async (t) => {
  const subject = '+37060000001, 0037060000002, +37060000001';
  const setting = await setUp(t, { max_recipients: '3' }, '', [mail('to both', subject)]);
  const { server, rig } = setting;
  await emptied(setting);
  t.strictSame(await texts(rig), ['+37060000001 to both', '+37060000002 to both']);
  server.deliver(mail('to too many', '1111,2222,3333,4444'));
  await later(setting, () => server.mails.length === 0, 'it is read');
  t.equal((await rig.outbox()).length, 2);
});

t.test('an outbox that is full: the rest stays in the mailbox', async (t) => {
  const gateway = "config gateway 'gateway'\n\toption queue_limit '3'\n";
  const server = await ScriptedPop3.start();
  t.teardown(() => server.stop());
  const rig = await ModuleRig.open(testFolder(t), { config: config(server, {}, gateway) });
  t.teardown(() => rig.close());
  const setting = { server, rig };
  await until(() => server.sessions === 1 && server.open === 0, 'the first look');
  rig.modem.ready = false;
  rig.store.outbox.senderChanged('gsm0');
  const numbers = [1, 2, 3, 4, 5, 6, 7];
  server.deliver(...numbers.map((n) => mail(`${n}`, `+3706000000${n}`)));
  await later(setting, () => server.mails.length < 7, 'the first are taken');
  t.equal(server.mails.length, 4);
  await until(() => /3 messages wait/.test(`${rig.modules.status('pop3').details['error']}`), 'status says why');
  rig.modem.ready = true;
  rig.store.outbox.senderChanged('gsm0');
  await later(setting, () => server.mails.length === 0, 'the others follow');
  t.strictSame(
    await texts(rig),
    numbers.map((n) => `+3706000000${n} ${n}`),
  );
});

t.test('mails that cannot be deleted are not said to be gone by a session that did not come to them', async (t) => {
  const gateway = "config gateway 'gateway'\n\toption queue_limit '3'\n";
  const setting = await setUp(t, {}, gateway);
  const { server, rig } = setting;
  server.keeps = 'refuses';
  server.newIds = true;
  server.deliver(mail('stays'));
  await later(setting, () => status(rig).undeletable === 1, 'it cannot be deleted');
  rig.modem.ready = false;
  rig.store.outbox.senderChanged('gsm0');
  for (let n = 0; n < 3; n++) {
    await rig.store.outbox.submit({ number: numberOf(n), content: { type: 'text', text: 'x' }, source: 'test' });
  }
  server.deliver(mail('new'));
  server.mails.reverse();
  await later(setting, () => /3 messages wait/.test(`${rig.modules.status('pop3').details['error']}`), 'no room');
  t.equal(status(rig).undeletable, 1);
  rig.modem.ready = true;
  rig.store.outbox.senderChanged('gsm0');
  await later(setting, () => status(rig).undeletable === 2, 'both are sent');
  t.notOk(rig.log.some((line) => line.includes('are gone')));
  t.equal((await texts(rig)).filter((text) => text === `${ALICE} stays`).length, 1);
});

t.test('the limit of the function: the rest waits in the mailbox, and nothing is lost or sent twice', async (t) => {
  const gateway = section('gateway', { function_limit: ['pop3 3 0 0'] });
  const setting = await setUp(t, {}, gateway);
  const { server, rig } = setting;
  const numbers = [1, 2, 3, 4, 5, 6, 7];
  server.deliver(...numbers.map((n) => mail(`${n}`, `+3706000000${n}`)));
  await later(setting, () => server.mails.length === 4, 'the first are taken');
  await until(() => /limit of 3 SMS a minute of pop3/.test(`${rig.modules.status('pop3').details['error']}`), 'why');
  await later(setting, () => server.mails.length === 0, 'the others follow');
  t.strictSame(
    await texts(rig),
    numbers.map((n) => `+3706000000${n} ${n}`),
  );
  const lines = rig.log.filter((line) => line.includes('mails wait in the mailbox'));
  t.equal(lines.length, 1, lines.join('\n'));
});

t.test('the limit of one number holds back only mails to it', async (t) => {
  const gateway = section('gateway', { recipient_per_day: '2' });
  const setting = await setUp(t, { max_recipients: '3', time: 'hour', hour: '1' }, gateway);
  const { server, rig } = setting;
  const premium = '+37090000001';
  server.deliver(...[1, 2, 3, 4].map((n) => mail(`${n}`, premium)));
  server.deliver(mail('both', `${premium}, ${ALICE}`), mail('after'));
  await later(setting, () => server.mails.length === 3, 'all but those to the number are sent', HOUR);
  t.same((await texts(rig)).sort(), [`${ALICE} after`, `${ALICE} both`, `${premium} 1`, `${premium} 2`]);
  const fetched = () => server.commands.filter((command) => command.startsWith('RETR')).length;
  const before = fetched();
  const { sessions } = server;
  await later(setting, () => server.sessions > sessions + 2, 'more looks', HOUR);
  t.equal(fetched(), before, 'they are not fetched again until there is room');
  for (let day = 1; day <= 2; day++) {
    await rig.clock.advance(DAY + MINUTE);
  }
  await later(setting, () => server.mails.length === 0, 'they go on the next days', HOUR);
  t.same((await texts(rig)).filter((text) => text === `${ALICE} both`).length, 1, 'and nobody gets one twice');
  t.equal((await rig.outbox()).length, 7);
});

t.test('a number that is not allowed', async (t) => {
  const gateway = section('gateway', { deny_prefix: ['pop3 +370900'] });
  const setting = await setUp(t, {}, gateway, [mail('x', '+37090000001'), mail('y')]);
  await emptied(setting);
  t.strictSame(await texts(setting.rig), [`${ALICE} y`]);
});

t.test('many mails take several sessions, one right after the other', async (t) => {
  const many = Array.from({ length: 700 }, (_, n) => mail(`${n}`));
  const setting = await setUp(t, {}, noLimits, many);
  await emptied(setting);
  t.equal((await setting.rig.outbox()).length, 700);
  t.equal(setting.server.sessions, 3);
});

t.test('mails with equal octets', async (t) => {
  const same = mail('alarm').replace(/Message-ID.*\r\n/, '');
  const setting = await setUp(
    t,
    {},
    noLimits,
    Array.from({ length: 310 }, () => same),
  );
  await emptied(setting);
  t.equal((await setting.rig.outbox()).length, 310, 'each is one of its own');
  t.equal(status(setting.rig).error, undefined);
});

t.test('intervals', async (t) => {
  const cases: readonly (readonly [Options, number])[] = [
    [{}, MINUTE],
    [{ time: 'min', min: '5' }, 5 * MINUTE],
    [{ time: 'hour', hour: '2', min: '5' }, 120 * MINUTE],
    [{ time: 'day', day: '15' }, 15 * DAY],
  ];
  const folder = testFolder(t);
  for (const [at, [options, interval]] of cases.entries()) {
    const server = await ScriptedPop3.start();
    const rig = await ModuleRig.open(join(folder, `${at}`), { config: config(server, options) });
    const over = async (n: number, sleeps: () => boolean) => {
      await until(() => server.sessions === n && server.open === 0, `look ${n} is over`);
      await until(sleeps, 'it sleeps');
    };
    const well = () => rig.clock.waits(interval);
    const failed = () => rig.modules.status('pop3').nextTry !== undefined;
    await over(1, well);
    await rig.clock.advance(interval - 1_000);
    t.equal(server.sessions, 1);
    await rig.clock.advance(2_000);
    await over(2, well);
    t.pass(`${interval} ms`);
    // A cut connection is no reason to wait for days.
    server.fault({ at: 'QUIT', how: 'cut' });
    await rig.clock.advance(interval + 1_000);
    await over(3, failed);
    await rig.clock.advance(MINUTE + 1_000);
    await over(4, well);
    await rig.close();
    await server.stop();
  }
});

t.test('pauses after a wrong password grow', async (t) => {
  const setting = await setUp(t, { password: 'wrong one' });
  const { server, rig } = setting;
  await until(() => server.sessions === 1 && server.open === 0, 'the first try');
  rig.clock.waitsFor(ANSWER);
  rig.clock.waitsForSessions(server);
  await rig.clock.advance(4 * HOUR);
  t.ok(server.sessions >= 5 && server.sessions <= 12, `${server.sessions} tries in four hours`);
  t.equal(
    rig.log.filter((line) => line.startsWith('warning') && line.includes('login failed')).length,
    1,
    'logged once',
  );
  t.notOk(
    rig.log.some((line) => line.includes('wrong one')),
    'the log keeps the password',
  );
  t.match(rig.modules.status('pop3').details, { error: /login failed/ });
  t.match(rig.modules.status('pop3'), { error: /login failed/, nextTry: Number });
  await t.rejects(rig.modules.test('pop3', new AbortController().signal), { code: 'access_denied' });
  await rig.configure(config(server));
  await until(() => server.commands.includes('QUIT'), 'the right one works at once');
});

t.test('it stops at once, whatever the server does', async (t) => {
  const folder = testFolder(t);
  for (const at of ['greeting', 'PASS', 'RETR', 'QUIT'] as const) {
    const server = await ScriptedPop3.start();
    server.deliver(mail('one'));
    server.fault({ at, how: 'hang' });
    const rig = await ModuleRig.open(join(folder, at), { config: config(server) });
    await until(() => server.open === 1, 'it is connected');
    await wait(20);
    // No deadline passes on the clock of the rig: it ends because it is stopped.
    await rig.close();
    t.pass(`while it hangs at ${at}`);
    await until(() => server.open === 0, 'the connection is closed');
    await server.stop();
  }
});

const smtp = (server: ScriptedSmtp): string =>
  section('forwarding_to_smtp', {
    ...{ enabled: '1', smtpip: '127.0.0.1', smtpport: `${server.port}`, senderemail: 'gateway@example.com' },
    recipemail: ['boss@example.com'],
  });

t.test('writers get a mail about failures', async (t) => {
  const out = await ScriptedSmtp.start();
  t.teardown(() => out.stop());
  const setting = await setUp(t, { reply_on_failure: '1', limit: '20' }, smtp(out), []);
  const { server } = setting;
  let { rig } = setting;
  const replies = () => out.mails.filter(({ to }) => to[0] === 'a@example.com').map(({ content }) => content);
  const look = async (...mails: readonly string[]) => {
    server.deliver(...mails);
    await later({ server, rig }, () => server.mails.length === 0 && notes(rig) === 0, 'it is read');
  };

  await look(mail('x'.repeat(21)));
  await until(() => replies().length === 1, 'too long');
  const [first = ''] = replies();
  t.match(first, /^Subject: SMS not sent: \+37060000001\r$/m);
  t.match(first, /^In-Reply-To: <[0-9]+@example\.com>\r$/m);
  t.match(first, /^Auto-Submitted: auto-replied\r$/m);
  t.match(first.replace(/=\r\n/g, ''), /the text has 21 characters, and may have 20/);

  await look(mail('no number', 'Hello'), mail('y'.repeat(22), ALICE, 'Auto-Submitted: auto-generated'));
  await look(mail('z'.repeat(23), ALICE, 'Reply-To: b@example.com'));
  await until(() => out.mails.length === 2, 'only the writer of the last mail gets a reply');
  t.strictSame(out.mails[1]?.to, ['b@example.com']);

  rig.modem.will(refused);
  await look(mail('refused'));
  await until(() => replies().length === 2, 'the network refused it');
  t.match(replies()[1]?.replace(/=\r\n/g, ''), /the message to \+37060000001 is failed/);

  // The mail server is away, and then the gateway is.
  out.fault({ at: 'MAIL', how: { say: '450 later' }, to: '' });
  rig.modem.will(refused);
  await look(mail('refused, too'));
  await until(() => rig.log.some((line) => line.includes('450 later')), 'the mail server is away');
  out.heal();
  rig = await rig.crash();
  await until(() => replies().length === 3, 'a reply after the restart');
  await wait(50);
  t.equal(replies().length, 3, 'and only once');
  await until(() => rig.store.notes.book('pop3 replies').entries().length === 0, 'nothing more is noted');

  for (let i = 0; i < 15; i++) await look(mail(`${i}`.padEnd(30, 'x')));
  await until(() => rig.store.notes.book('pop3 replies').entries().length === 0, 'all are done with');
  t.ok(replies().length <= 13, 'no more than ten an hour to one address');
  await rig.close();
});

t.test('an answer to a forwarded message goes back as SMS', async (t) => {
  const out = await ScriptedSmtp.start();
  t.teardown(() => out.stop());
  const forwarding = smtp(out).replace("option enabled '1'", "option enabled '1'\n\toption reply_by_mail '1'");
  const setting = await setUp(t, { allow_from: ['boss@example.com'] }, forwarding, []);
  const { server, rig } = setting;
  await rig.receive('+37060000009', 'who are you?');
  await rig.handled('forwarding_to_smtp');
  const [forwarded] = out.mails;
  const subject = /^Subject: (.*)\r$/m.exec(forwarded?.content ?? '')?.[1] ?? '';
  t.match(subject, /\[SMS \+37060000009 /);
  const answer = 'A gateway.\r\n\r\nOn Mon, 24 Nov 2026, gateway@example.com wrote:\r\n> who are you?';
  server.deliver(
    mail(answer, `Re: ${subject}`),
    mail('out of office', `Re: ${subject}`, 'Auto-Submitted: auto-replied'),
  );
  server.deliver(forwarded?.content ?? '');
  await later(setting, () => server.mails.length === 0, 'they are read');
  t.strictSame(await texts(rig), ['+37060000009 A gateway.']);
});

async function startServer(t: Test, ...mails: readonly string[]): Promise<ScriptedPop3> {
  const server = await ScriptedPop3.start();
  t.teardown(() => server.stop());
  server.deliver(...mails);
  return server;
}

const errorOf = (rig: ModuleRig) => rig.modules.list().find(({ name }) => name === 'pop3')?.error;
const retrieved = (server: ScriptedPop3) => server.commands.filter((command) => command.startsWith('RETR'));
const begunNotes = (rig: ModuleRig) => rig.store.notes.book('pop3 begun').entries();
const warnings = (rig: ModuleRig) => rig.log.filter((line) => /passed over/.test(line) && /warning/.test(line));

t.test('a mail at which the process ended is passed over, and stays on the server', async (t) => {
  const server = await startServer(t, mail('deadly'));
  server.fault({ at: 'mid-mail', how: 'hang' });
  let rig = await ModuleRig.open(testFolder(t), { config: config(server) });
  t.teardown(() => rig.close());
  await until(() => server.hung === 1, 'it is being read');
  rig = await rig.crash();
  server.deliver(mail('harmless'));
  await later({ server, rig }, () => server.mails.length === 1, 'the other one is sent and deleted');
  t.strictSame(await texts(rig), [`${ALICE} harmless`]);
  t.strictSame(retrieved(server), ['RETR 1', 'RETR 2']);
  await until(() => warnings(rig).length > 0, 'it is logged');
  t.match(warnings(rig), [/number 1, \d+ octets, unique id u1$/], 'one line names it');
  t.match(rig.modules.status('pop3').details, { passed: 1 });
  t.match(errorOf(rig), /passed over/);

  rig = await rig.crash();
  server.deliver(mail('next'));
  await later({ server, rig }, () => server.mails.length === 1, 'a further restart passes it over as well');
  t.equal(server.mails[0]?.uniqueId, 'u1');

  server.mails = [];
  await later({ server, rig }, () => begunNotes(rig).length === 0, 'it is forgotten when its owner has deleted it');
  await until(() => errorOf(rig) === undefined, 'nothing is wrong any more');
  t.notMatch(rig.modules.status('pop3').details, { passed: 1 });
});

t.test('of several mails the one at which the process ends is found, the others are sent', async (t) => {
  const server = await startServer(t, mail('one'), mail('deadly'), mail('three'));
  server.fault({ at: 'RETR', how: 'hang', nth: 2 });
  let rig = await ModuleRig.open(testFolder(t), { config: config(server) });
  t.teardown(() => rig.close());
  await until(() => server.hung === 1, 'the second is being read');
  server.fault({ at: 'RETR', how: 'hang', nth: 2 });
  rig = await rig.crash();
  await until(() => server.hung === 2, 'they are read one by one');
  t.match(
    begunNotes(rig).map(([, note]) => note.split(' ')[0]),
    ['batch', 'alone'],
  );
  rig = await rig.crash();
  await until(() => server.mails.length === 1, 'the others are sent and deleted');
  t.equal(server.mails[0]?.uniqueId, 'u2');
  t.strictSame((await texts(rig)).sort(), [`${ALICE} one`, `${ALICE} three`]);
  await until(() => warnings(rig).length === 1, 'the log says so');
});

t.test('a mail during which the power failed is tried once more', async (t) => {
  const root = testFolder(t, { proc: { sys: { kernel: { random: { boot_id: 'first\n' } } } } });
  const reboot = (id: string) => writeFileSync(join(root, 'proc/sys/kernel/random/boot_id'), `${id}\n`);
  const server = await startServer(t, mail('slow'));
  const hang = () => server.fault({ at: 'RETR', how: 'hang' });
  hang();
  let rig = await ModuleRig.open(root, { config: config(server), system: new System({ root }) });
  t.teardown(() => rig.close());
  await until(() => server.hung === 1, 'it is being read');
  reboot('second');
  hang();
  rig = await rig.crash();
  await until(() => server.hung === 2, 'it is read again');
  reboot('third');
  rig = await rig.crash();
  await until(() => warnings(rig).length === 1, 'the third time it is passed over');
  t.equal(server.mails.length, 1);
  t.equal(retrieved(server).length, 2);
});

t.test('notes about mails that are read cost two writes a batch, and none where nothing is new', async (t) => {
  const setting = await setUp(t, { delete: 'handled' });
  const { server, rig } = setting;
  server.uidl = false;
  server.deliver(...Array.from({ length: 20 }, () => mail('private', 'Hello')));
  await later(setting, () => retrieved(server).length === 20, 'they are read');
  const journal = () => readFileSync(join(rig.directory, 'journal'), 'utf8').match(/pop3 begun/g)?.length;
  await until(() => begunNotes(rig).length === 0, 'the notes are gone');
  const before = journal();
  await later(setting, () => retrieved(server).length === 40, 'without unique ids they are read again');
  t.equal(journal(), before);
});
