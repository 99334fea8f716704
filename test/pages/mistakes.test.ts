import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { singleNames } from '../../src/config/schema/index.ts';
import { logIn, newPage, openBrowser, PASSWORD, startDaemon, visit, withoutBrowser } from '../support/browser.ts';

const config = `
config modem
	option device 'sim'
	option send_interval '0'

config modem 'lte0'
	option device 'sim'
	option enabled '0'

config gateway 'gateway'
`;

t.setTimeout(300_000);
const options = { skip: withoutBrowser() ?? false, timeout: 300_000 };

t.test('a name that is in use makes no new section', options, async (t) => {
  const browser = await openBrowser(t);
  const daemon = await startDaemon(t, config);
  const page = await visit(browser, daemon, 'modems');
  const name = page.getByLabel('Name', { exact: true });
  const add = page.getByRole('button', { name: 'Add a modem' });
  const alert = page.locator('.cbi-section-create [role=alert]:not(:empty)');
  // One of the file, one of another type, one that the file does not have, and the one that an unnamed section goes by.
  for (const taken of ['lte0', 'gateway', 'post_get', 'modem0']) {
    await name.fill(taken);
    await add.click();
    await alert.waitFor();
    t.equal(await alert.textContent(), `The name ${taken} is taken. Choose another one.`);
    t.equal(await page.locator('.modal').count(), 0, 'no dialogue opens');
  }
  for (const [wrong, fault] of [
    ['lte 1', /UCI identifier/],
    ['', /non-empty/],
  ] as const) {
    await name.fill(wrong);
    await add.click();
    await alert.waitFor();
    t.match(await alert.textContent(), fault);
  }
  await name.fill('lte1');
  await alert.waitFor({ state: 'detached' });
  await add.click();

  t.comment('somebody else takes it meanwhile');
  appendFileSync(`${daemon.folder}/config/sms_gateway`, "\nconfig group 'lte1'\n\toption name 'friends'\n");
  const modal = page.locator('.modal');
  await modal.getByRole('button', { name: 'Save' }).click();
  t.match(await modal.getByRole('alert').filter({ hasText: 'This could not be saved' }).textContent(), /: ./);
  await modal.getByRole('button', { name: 'Dismiss' }).click();
  await modal.waitFor({ state: 'detached' });
  t.equal(await page.locator('[data-sid=lte1]').count(), 0);
});

t.test('the names of single sections are known to the pages', async (t) => {
  const path = join(import.meta.dirname, '../../files/www/luci-static/resources/sms_gateway/grid.js');
  const list = /const singles = \[([^\]]*)\]/.exec(readFileSync(path, 'utf8'))?.[1] ?? '';
  t.same([...list.matchAll(/'(\w+)'/g)].map(([, name]) => name).sort(), [...singleNames].sort());
});

t.test('a fault on another tab is brought into sight, and its tab is marked', options, async (t) => {
  const browser = await openBrowser(t);
  const daemon = await startDaemon(t, config);
  const page = await visit(browser, daemon, 'scheduled');
  await page.getByLabel('Phone number').fill('+37060000001');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const modal = page.locator('.modal');
  const [general, advanced] = [
    modal.getByRole('tab', { name: 'General' }),
    modal.getByRole('tab', { name: 'Advanced' }),
  ];
  const front = (tab: typeof general) => tab.and(page.locator('[aria-selected=true]')).waitFor();
  await advanced.click();
  await modal.getByRole('button', { name: 'Save' }).click();
  await front(general);
  const message = modal.locator('[data-name=message] textarea');
  t.ok(await message.and(page.locator(':focus')).isVisible());
  t.equal(await modal.locator('li[data-errors="1"]').textContent(), 'General');
  t.equal(await general.getAttribute('title'), '1 invalid field');
  await message.fill('Good morning');
  t.equal(await modal.locator('li[data-errors]').count(), 0, 'the mark goes with the fault');

  await advanced.click();
  await modal.locator('[data-name=cron] input').fill('never');
  await modal.locator('li[data-errors="1"]', { hasText: 'Advanced' }).waitFor();
  await general.click();
  await modal.getByRole('button', { name: 'Save' }).click();
  await front(advanced);
  await modal.getByText('Expecting: five fields').waitFor();

  t.comment('in the form of a page, too');
  await page.goto(`${daemon.http}/admin/services/sms_gateway/post_get`);
  await page.locator('[data-name=username] input').fill('');
  await page.getByRole('tab', { name: 'Examples' }).click();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('heading', { name: 'Save error' }).waitFor();
  await page.getByRole('button', { name: 'Dismiss' }).click();
  await front(page.getByRole('tab', { name: 'General' }));
  t.ok(await page.locator('[data-name=username] input:focus').isVisible());
});

t.test('a program that runs must be named', options, async (t) => {
  const browser = await openBrowser(t);
  const daemon = await startDaemon(t, `${config}\nconfig hook 'idle'\n\toption enabled '0'\n`);
  const page = await visit(browser, daemon, 'hooks');
  const modal = page.locator('.modal');
  const argv = modal.locator('[data-name=argv]');
  const save = modal.getByRole('button', { name: 'Save' });
  const faults = argv.getByRole('alert').filter({ hasText: /./ });
  const hooks = page.locator('#cbi-sms_gateway-hook');
  await hooks.getByLabel('Name', { exact: true }).fill('bell');
  await page.getByRole('button', { name: 'Add a hook' }).click();
  await modal.getByRole('tab', { name: 'Advanced' }).click();
  await save.click();
  await faults.filter({ hasText: 'At least one entry is needed while this is switched on.' }).waitFor();
  t.equal(await modal.locator('li[data-errors]').textContent(), 'General');
  await argv.locator('input').fill('true');
  await argv.locator('input').press('Enter');
  await save.click();
  await faults.filter({ hasText: 'The first entry must be the absolute path of a program.' }).waitFor();
  await argv.locator('.remove').click();
  t.equal(await faults.count(), 0);
  await modal.getByLabel('Enable').uncheck();
  await save.click();
  await modal.waitFor({ state: 'detached' });

  t.comment('nor can it be switched on in its row');
  await hooks.getByLabel('Enable, idle').check();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Program and arguments: Needed while this is switched on.').waitFor();
  await page.getByRole('button', { name: 'Dismiss' }).click();

  await page.locator('#edit-bell').click();
  await argv.locator('input').fill('/bin/true');
  // The label is that of the dialogue, not of the row behind it.
  await modal.getByText('Enable', { exact: true }).click();
  t.ok(await modal.getByLabel('Enable').isChecked());
  await save.click();
  await modal.waitFor({ state: 'detached' });
  await hooks.getByLabel('Enable, idle').uncheck();
  await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Save & Apply' }).click()]);
  const { config_errors } = await daemon.call('sms_gateway', 'status');
  t.same(config_errors, []);

  t.comment('a command always runs');
  await page.goto(`${daemon.http}/admin/services/sms_gateway/rules`);
  await page.getByRole('button', { name: 'Add a command' }).click();
  await modal.locator('[data-name=name] input').fill('lamp');
  await save.click();
  await faults.filter({ hasText: 'At least one entry is needed.' }).waitFor();
});

t.test('a row shows the default that is in force', options, async (t) => {
  const browser = await openBrowser(t);
  const sections = [
    "config hook 'bell'\n\tlist argv '/bin/true'\n",
    "config hook 'calls'\n\tlist argv '/bin/true'\n\tlist event 'call.incoming'\n\tlist event 'modem.state'\n",
    "config webhook 'panel'\n\toption url 'http://127.0.0.1:1/'\n",
    `config token 'plant'\n\toption name 'plant'\n\toption hash '0a1b2c3d:${'ab'.repeat(32)}'\n`,
  ];
  const daemon = await startDaemon(t, `${config}\n${sections.join('\n')}`);
  const page = await visit(browser, daemon, 'hooks');
  const shown = (section: string, option: string) =>
    page.locator(`[data-sid=${section}] [data-name=${option}]`).textContent();
  t.equal(await shown('bell', 'event'), 'SMS received');
  t.equal(await shown('calls', 'event'), 'Call, State of a modem');
  t.equal(await shown('panel', 'event'), 'SMS received');
  await page.goto(`${daemon.http}/admin/services/sms_gateway/post_get`);
  t.equal(await shown('plant', 'scope'), 'send');
});

t.test('what is said of a fault is true of a new section, too', options, async (t) => {
  const browser = await openBrowser(t);
  const daemon = await startDaemon(t, `${config}\nconfig hook 'bell'\n`);
  const page = await visit(browser, daemon, 'hooks');
  const warning = page.locator('.alert-message.warning').filter({ hasText: 'bell.argv' });
  t.match(await warning.textContent(), /Until this is mended these settings are not fully in force/);
  t.notMatch(await warning.textContent(), /last good/);
});

t.test('long values leave the buttons of a row in sight, and short words whole', options, async (t) => {
  const browser = await openBrowser(t);
  const port = '/dev/serial/by-id/usb-SimTech__Incorporated_SimTech__Incorporated_0123456789ABCDEF-if02-port0';
  const sections = [
    `config modem 'lte1'\n\toption device '${port}'\n\toption enabled '0'\n`,
    `config modem '${'a_modem_of_a_long_name_'.repeat(3)}'\n\toption device '${port}'\n\toption enabled '0'\n`,
    "config hook 'bell'\n\tlist argv '/bin/true'\n",
    `config hook 'horn'\n\tlist argv '/usr/lib/${'very-long-'.repeat(10)}/program'\n\tlist argv 'x'\n\tlist event 'sms.received'\n\tlist event 'modem.state'\n`,
    `config webhook 'panel'\n\toption url 'https://example.org/${'0123456789'.repeat(12)}'\n`,
    `config group\n\toption name '${'g'.repeat(64)}'\n\tlist tel '+37060000001'\n\tlist tel '+37060000002'\n`,
    `config rule\n\toption smstext '${'w'.repeat(160)}'\n\toption action 'send_status'\n\toption authorisation 'no'\n\toption allowed_phone 'group'\n\toption group '${'g'.repeat(64)}'\n`,
    `config command\n\toption name '${'c'.repeat(64)}'\n\tlist argv '/bin/${'d'.repeat(200)}'\n`,
    `config msg\n\toption phonenumber '+37060000001'\n\toption message '${'m'.repeat(160)}'\n\toption repeats 'day'\n`,
    `config token\n\toption name '${'t'.repeat(32)}'\n\toption hash '0a1b2c3d:${'ab'.repeat(32)}'\n\toption expires '2030-12-31 08:00'\n\tlist scope 'send'\n\tlist scope 'read'\n\tlist scope 'delete'\n`,
    "config smpp_account\n\toption username 'a_long_username'\n\toption password 'secret'\n",
  ];
  const daemon = await startDaemon(t, `${config}\n${sections.join('\n')}`);
  for (const locale of ['en', 'de-DE']) {
    const { page, context } = await newPage(browser, { locale });
    await page.goto(daemon.http);
    await logIn(page, 'admin', PASSWORD);
    await page.waitForURL('**/overview');
    for (const view of ['modems', 'hooks', 'groups', 'rules', 'scheduled', 'post_get', 'smpp']) {
      await page.goto(`${daemon.http}/admin/services/sms_gateway/${view}`);
      await page.locator('#view .cbi-section-actions').first().waitFor();
      for (const width of [390, 700, 800, 900, 1024, 1280]) {
        await page.setViewportSize({ width, height: 800 });
        t.same(await page.evaluate(layoutFaults), [], `${view} at ${width}, ${locale}`);
      }
    }
    await context.close();
  }
});

/** What stands out of its card or the window, and what is broken within a word though it is short. */
const layoutFaults = `(() => {
  const faults = [];
  const { clientWidth } = document.documentElement;
  for (const section of document.querySelectorAll('#view .cbi-section')) {
    const right = Math.min(section.getBoundingClientRect().right, clientWidth);
    for (const node of section.querySelectorAll('table, .td, .td *, button')) {
      const box = node.getBoundingClientRect();
      if (box.width > 0 && box.right > right + 0.5) faults.push(node.tagName + '.' + node.className + ' ends at ' + box.right + ' of ' + right);
    }
  }
  const walker = document.createTreeWalker(document.querySelector('#view'), NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text !== null; text = walker.nextNode()) {
    if (text.parentElement.closest('.tr') === null || text.parentElement.closest('option') !== null) continue;
    for (const { 0: word, index } of text.data.matchAll(/\\S+/g)) {
      const range = document.createRange();
      range.setStart(text, index);
      range.setEnd(text, index + word.length);
      const lines = new Set([...range.getClientRects()].filter(({ width }) => width > 0).map(({ top }) => Math.round(top)));
      if (word.length < 25 && !/[-/]/.test(word) && lines.size > 1) faults.push(word + ' is broken');
    }
  }
  return faults;
})()`;
