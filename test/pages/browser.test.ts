import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { WebAccounts } from '../../src/access/web-accounts.ts';
import { logIn, newPage, openBrowser, withoutBrowser } from '../support/browser.ts';
import { Daemon } from '../support/daemon.ts';
import { testFolder } from '../support/folder.ts';

const PASSWORD = 'a good password';
const WIDTHS = [390, 1280] as const;
const LOOKS = [
  { width: 390, colorScheme: 'light' },
  { width: 1280, colorScheme: 'light' },
  { width: 1280, colorScheme: 'dark' },
] as const;
const views = readdirSync(join(import.meta.dirname, '../../files/www/luci-static/resources/view/sms_gateway'))
  .filter((file) => file.endsWith('.js'))
  .map((file) => file.replace(/\.js$/, ''));
const axe = readFileSync(join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'), 'utf8');

t.setTimeout(600_000);

/** What a stranger may send to break a page. */
const HOSTILE = '<img src=x onerror="window.broken=1">\u202e<script>window.broken=1</script>😀 ';
const config = `
config modem 'sim0'
	option device 'sim'
	option send_interval '0'

config group
	option name '<b onclick=x>friends</b>'
	list tel '0037060000001'

config msg
	option enable '1'
	option phonenumber '+37060000007'
	option message '<img src=x onerror="window.broken=1">'
	option repeats 'week'
	option weekday 'mon'

config rule
	option enabled '1'
	option action 'send_status'
	option smstext '<img src=x onerror="window.broken=1">'
	option authorisation 'no'

config hook 'bell'
	list argv '/bin/true'
	list argv '<img src=x onerror="window.broken=1">'

config webhook 'panel'
	option url 'http://127.0.0.1:1/'
`;

const absentModem = `
config modem 'absent'
	option device '/dev/there-is-no-such-port'

config modem 'late'
	option device 'tcp://127.0.0.1:1'
`;

async function start(t: Test, accounts: readonly string[] = ['admin'], text = config): Promise<Daemon> {
  const daemon = new Daemon({ folder: testFolder(t), config: text, args: ['--ubus', 'off'] });
  const web = new WebAccounts(`${daemon.folder}/config`, async () => undefined);
  for (const account of accounts) await web.setPassword(account, PASSWORD);
  await daemon.start();
  t.teardown(() => daemon.stop());
  await daemon.until('sms_gateway.modem', 'list', {}, ({ modems }) => JSON.stringify(modems).includes('"ready"'));
  return daemon;
}

const receive = (daemon: Daemon, from: string, text: string) =>
  daemon.call('sms_gateway.simulator', 'receive', { from, text });

async function open(browser: Browser, daemon: Daemon, width: number, account = 'admin') {
  const opened = await newPage(browser, { viewport: { width, height: 800 } });
  await opened.page.goto(daemon.http);
  await logIn(opened.page, account, PASSWORD);
  await opened.page.waitForURL('**/overview');
  return opened;
}

async function show(page: Page, daemon: Daemon, view: string): Promise<void> {
  await page.goto(`${daemon.http}/admin/services/sms_gateway/${view}`);
  await page.locator('#view > *').first().waitFor();
  await page.locator('#view .spinning').first().waitFor({ state: 'detached' });
}

/** Whether the page is as the window is wide, and what axe finds that keeps people out. */
async function inspect(t: Test, page: Page, what: string): Promise<void> {
  const [inner, outer] = await page
    .locator('html')
    .evaluate((root: { scrollWidth: number; clientWidth: number }) => [root.scrollWidth, root.clientWidth]);
  t.ok((inner ?? 0) <= (outer ?? 0), `${what} does not scroll sideways: ${inner} in ${outer}`);
  const findings = await page.evaluate<readonly string[]>(`(async () => {
    const { violations } = await axe.run(document, { resultTypes: ['violations'] });
    return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes.map(({ target }) => target.join(' ')).join(', '));
  })()`);
  t.strictSame(findings, [], `${what}: no serious findings`);
  t.equal(await page.evaluate('window.broken'), undefined, `${what}: no text of a stranger ran`);
}

/** Messages of all kinds; resolves when they are there. */
async function fill(daemon: Daemon): Promise<void> {
  await receive(daemon, '+37060000001', HOSTILE + 'long '.repeat(380));
  await receive(daemon, 'Bank', HOSTILE);
  await daemon.call('sms_gateway.message', 'send', { number: '+37060000001', text: HOSTILE });
  await daemon.until('sms_gateway.message', 'total', {}, ({ used }) => used === 2);
}

t.test('every page', { skip: withoutBrowser() ?? false, timeout: 300_000 }, async (t) => {
  const browser = await openBrowser(t);
  const daemon = await start(t);
  await fill(daemon);
  for (const { width, colorScheme } of LOOKS) {
    const { page, context, complaints } = await open(browser, daemon, width);
    await page.emulateMedia({ colorScheme });
    await page.addInitScript(axe);
    for (const view of views) {
      await show(page, daemon, view);
      await inspect(t, page, `${view}, ${colorScheme}, at ${width}`);
    }
    t.strictSame(complaints, [], `no complaints at ${width}`);
    await context.close();
  }
});

t.test('dialogues, and texts of strangers', { skip: withoutBrowser() ?? false, timeout: 300_000 }, async (t) => {
  const browser = await openBrowser(t);
  const daemon = await start(t);
  await fill(daemon);
  for (const width of WIDTHS) {
    const { page, context, complaints } = await open(browser, daemon, width);
    await page.addInitScript(axe);
    for (const view of ['scheduled', 'rules', 'groups', 'modems', 'hooks']) {
      await show(page, daemon, view);
      await page.getByRole('button', { name: 'Edit' }).first().click();
      await page.locator('.modal .cbi-value').first().waitFor();
      await inspect(t, page, `dialogue of ${view} at ${width}`);
      await page.keyboard.press('Escape');
      await page.locator('.modal').waitFor({ state: 'detached' });
    }
    await show(page, daemon, 'messages');
    await page.locator('.sg-person', { hasText: 'Bank' }).click();
    await page.locator('.sg-bubble bdi', { hasText: '<img src=x' }).waitFor();
    await page.getByText('cannot be answered').waitFor();
    await inspect(t, page, `a thread at ${width}`);
    for (const tab of ['Inbox', 'Outbox', 'USSD']) {
      await page.getByRole('tab', { name: tab }).click();
      if (tab !== 'USSD') await page.locator('.sg-list bdi:visible', { hasText: '<script>' }).first().waitFor();
      await inspect(t, page, `${tab} at ${width}`);
    }
    t.strictSame(complaints, []);
    await context.close();
  }
});

t.test('what is read at a glance', { skip: withoutBrowser() ?? false, timeout: 300_000 }, async (t) => {
  const browser = await openBrowser(t);
  const daemon = await start(t, ['admin'], config + absentModem);
  await daemon.call('sms_gateway.message', 'send', { number: '+37060000001', text: 'word '.repeat(60) });
  const { page, context, complaints } = await open(browser, daemon, 1280);

  const card = page.locator('[data-modem=absent]');
  await card.locator('.label.danger', { hasText: 'opening the port' }).waitFor();
  await card.locator('.alert-message.danger', { hasText: 'does not exist' }).waitFor();
  const { since } = await daemon.call('sms_gateway.modem', 'status', { modem: 'late' });
  const begun = Date.parse(String(since));
  await page.clock.setFixedTime(begun + 1_000);
  await page.locator('[data-modem=late] .label.warning').waitFor();
  await page.clock.setFixedTime(begun + 120_000);
  await page.locator('[data-modem=late] .label.danger').waitFor();

  const functions = await page
    .locator('.sg-rows [data-module]')
    .evaluateAll((rows) =>
      rows.map((row) => (row as { getAttribute(name: string): string }).getAttribute('data-module')),
    );
  t.strictSame(functions, [
    ...['post_get', 'pop3', 'scheduled', 'auto_reply', 'forwarding_to_http', 'forwarding_to_sms', 'forwarding_to_smtp'],
    ...['hooks', 'webhooks', 'smpp', 'mqtt', 'rules', 'alarms'],
  ]);
  await page.locator('[data-modem=sim0]').getByText('2 parts', { exact: true }).waitFor();
  await page.getByText('1 message sent', { exact: true }).waitFor();

  await show(page, daemon, 'messages');
  await page.getByRole('tab', { name: 'Outbox' }).click();
  const number = page.locator('.sg-list:visible .sg-number', { hasText: '+37060000001' });
  await number.waitFor();
  const lines = await number.evaluate(
    (node) => (node as { getClientRects(): { length: number } }).getClientRects().length,
  );
  t.equal(lines, 1, 'a number stands on one line');

  await page.setViewportSize({ width: 390, height: 800 });
  await show(page, daemon, 'gateway');
  const strip = page.locator('.cbi-tabmenu').first();
  await strip.waitFor();
  const [inner, outer] = await strip.evaluate((node) => {
    const { scrollWidth, clientWidth } = node as { scrollWidth: number; clientWidth: number };
    return [scrollWidth, clientWidth];
  });
  t.ok((inner ?? 0) <= (outer ?? 0), `all tabs are in sight: ${inner} in ${outer}`);
  t.strictSame(complaints, []);
  await context.close();
});

t.test('a conversation, live', { skip: withoutBrowser() ?? false, timeout: 300_000 }, async (t) => {
  const browser = await openBrowser(t);
  const daemon = await start(t);
  const { page, context, complaints } = await open(browser, daemon, 1280);
  await show(page, daemon, 'messages');
  await page.getByText('There are no messages yet').waitFor();
  await receive(daemon, '+37060000001', 'Is the pump running?');
  await page.locator('.sg-person', { hasText: '+37060000001' }).getByLabel('1 unread').waitFor();
  await page.locator('.sg-person').click();
  await page.locator('.sg-bubble', { hasText: 'Is the pump running?' }).waitFor();
  await daemon.until('sms_gateway.message', 'total', {}, ({ unread }) => unread === 0);
  await page.locator('.sg-count').waitFor({ state: 'detached' });

  const field = page.getByPlaceholder('Write a message');
  await field.fill('Grüße an ž');
  await page.locator('.sg-counter', { hasText: 'Unicode because of “ž”' }).waitFor();
  await field.fill('x'.repeat(161));
  await page.locator('.sg-counter', { hasText: '2 SMS' }).waitFor();
  await field.fill('Yes, since nine');
  await field.press('Control+Enter');
  await page.locator('.sg-bubble.out', { hasText: 'Yes, since nine' }).getByText('delivered').waitFor();
  t.equal(await field.inputValue(), '', 'the field is free again');

  await page.getByRole('button', { name: 'New message' }).click();
  await page.getByLabel('Phone number').fill('12x');
  await page.getByRole('dialog').getByRole('button', { name: 'Send' }).click();
  await page.getByRole('alert').filter({ hasText: 'a phone number such as' }).waitFor();
  await page.getByLabel('Phone number').fill('0037060000002');
  await page.getByLabel('Message text').last().fill('To somebody else');
  await page.getByRole('dialog').getByRole('button', { name: 'Send' }).click();
  await page.locator('.sg-thread-head', { hasText: '+37060000002' }).waitFor();
  await page.locator('.sg-bubble.out', { hasText: 'To somebody else' }).waitFor();

  await page.getByRole('tab', { name: 'Outbox' }).click();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export CSV' }).last().click();
  const path = await (await download).path();
  t.match(readFileSync(path, 'utf8'), /"\+37060000002","To somebody else","(?:sent|delivered)"/);
  await page.getByLabel('Select all shown').last().check();
  await page.getByRole('button', { name: 'Delete 2' }).click();
  await page.getByText('The outbox is empty').waitFor();
  t.same(await daemon.call('sms_gateway.message', 'list', { box: 'outbox' }), { messages: [] });
  t.strictSame(complaints, []);
  await context.close();
});

t.test('a rule and a group are made by hand', { skip: withoutBrowser() ?? false, timeout: 300_000 }, async (t) => {
  const browser = await openBrowser(t);
  const daemon = await start(t);
  const { page, context, complaints } = await open(browser, daemon, 1280);
  await show(page, daemon, 'scheduled');
  await page.getByLabel('Phone number').fill('not a number');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('alert').filter({ hasText: 'a phone number' }).waitFor();
  await page.getByLabel('Phone number').fill('+370 600 00009');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const dialogue = page.getByRole('dialog');
  await dialogue.getByLabel('Message text').fill('Wake up');
  await dialogue.getByLabel('Enable').check();
  await dialogue.getByLabel('Hour').fill('6');
  await dialogue.getByLabel('Hour').blur();
  await dialogue.getByText('Every day at 06:01, the message goes to +370 600 00009.').waitFor();
  await dialogue.getByLabel('Hour').fill('24');
  await dialogue.getByRole('button', { name: 'Save' }).click();
  await dialogue.getByText('value between 0 and 23').waitFor();
  await dialogue.getByLabel('Hour').fill('6');
  await dialogue.getByRole('button', { name: 'Save' }).click();
  await dialogue.waitFor({ state: 'hidden' });
  await page.getByText('Every day at 06:01').waitFor();
  await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Save & Apply' }).click()]);
  await page.getByRole('cell', { name: /\d{4}-\d\d-\d\d 06:01/ }).waitFor();
  t.match(
    readFileSync(`${daemon.folder}/config/sms_gateway`, 'utf8'),
    /option phonenumber '\+370 600 00009'[\s\S]*option message 'Wake up'/,
  );
  t.strictSame(complaints, []);
  await context.close();
});

t.test('a test says how it went', { skip: withoutBrowser() ?? false, timeout: 300_000 }, async (t) => {
  const browser = await openBrowser(t);
  const daemon = await start(t);
  const { page, context, complaints } = await open(browser, daemon, 1280);
  await show(page, daemon, 'forwarding');
  const field = (name: string) => page.locator(`[id="widget.cbid.sms_gateway.forwarding_to_http.${name}"]`);
  const test = page.locator('[data-tab="to_http"]').getByRole('button', { name: 'Test saved settings' });
  await field('enabled').check();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Needed while this is switched on').first().waitFor();
  await page.keyboard.press('Escape');
  await field('url').fill('127.0.0.1:1/sms');
  await field('message_name').fill('Text');
  await test.click();
  await page.getByText('not yet applied').waitFor();
  await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Save & Apply' }).click()]);
  await test.click();
  await page.locator('.sg-test-answer .danger').waitFor();
  t.match(await page.locator('.sg-test-answer').first().textContent(), /127\.0\.0\.1/, 'the sentence of the service');
  t.match(readFileSync(`${daemon.folder}/config/sms_gateway`, 'utf8'), /config sms_gateway 'forwarding_to_http'/);
  t.strictSame(complaints, []);
  await context.close();
});

t.test('an account that may only look', { skip: withoutBrowser() ?? false, timeout: 300_000 }, async (t) => {
  const browser = await openBrowser(t);
  const daemon = await start(t, ['admin', 'viewer']);
  const path = `${daemon.folder}/config/rpcd`;
  const [others = '', viewer = ''] = readFileSync(path, 'utf8').split(/(?=\nconfig login\n\toption username 'viewer')/);
  writeFileSync(path, others + viewer.replace("\tlist write '*'\n", ''));
  await receive(daemon, '+37060000001', 'hello');
  const { page, context, complaints } = await open(browser, daemon, 1280, 'viewer');
  for (const view of views) {
    await show(page, daemon, view);
    t.equal(await page.getByRole('button', { name: /^(?:Save|Add|Delete)/ }).count(), 0, `${view}: nothing to save`);
  }
  await show(page, daemon, 'messages');
  await page.locator('.sg-person').click();
  await page.locator('.sg-bubble').waitFor();
  t.equal(await page.getByPlaceholder('Write a message').isDisabled(), true);
  t.match(await daemon.call('sms_gateway.message', 'total'), { unread: 1 }, 'looking marks nothing as read');
  t.strictSame(complaints, []);
  await context.close();
});
