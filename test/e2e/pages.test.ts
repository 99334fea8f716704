import { readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { WebAccounts } from '../../src/access/web-accounts.ts';
import { logIn, newPage, openBrowser, withoutBrowser } from '../support/browser.ts';
import { Daemon } from '../support/daemon.ts';
import { testFolder } from '../support/folder.ts';

const skip = withoutBrowser();

const PASSWORD = 'a good password';
const config = `
config modem 'sim0'
	option device 'sim'
	option send_interval '0'

config post_get 'post_get'
	option enabled '1'
	option username 'user1'
	option password 'our_secret'
`;

/** A daemon, with the accounts that are asked for. */
async function start(t: Test, accounts: readonly string[]): Promise<Daemon> {
  const daemon = new Daemon({ folder: testFolder(t), config, args: ['--ubus', 'off'] });
  const web = new WebAccounts(`${daemon.folder}/config`, async () => undefined);
  for (const account of accounts) await web.setPassword(account, PASSWORD);
  await daemon.start();
  t.teardown(() => daemon.stop());
  return daemon;
}

t.test('pages in a browser', { skip: skip ?? false, timeout: 300_000 }, async (t) => {
  const browser = await openBrowser(t);

  t.test('the first start asks for a password', async (t) => {
    const daemon = await start(t, []);
    const { page, context, complaints } = await newPage(browser);
    await page.goto(daemon.http);
    await page.fill('#password', 'short password');
    await page.fill('#again', 'another one');
    await page.click('form button');
    await page.getByText('The two passwords differ').waitFor();
    await page.fill('#password', PASSWORD);
    await page.fill('#again', PASSWORD);
    await page.click('form button');
    await page.waitForURL('**/overview');
    await page.getByText('Modems').first().waitFor();
    const [cookie] = await context.cookies();
    t.match(cookie, { httpOnly: true, sameSite: 'Strict' });
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.locator('#username').waitFor();
    await logIn(page, 'admin', PASSWORD);
    await page.waitForURL('**/overview');
    t.strictSame(
      complaints.filter((text) => !/40[03]/.test(text)),
      [],
    );
    await context.close();
  });

  t.test('a form goes to the file and back', async (t) => {
    const daemon = await start(t, ['admin']);
    const { page, context, complaints } = await newPage(browser);
    await page.goto(`${daemon.http}/admin/services/sms_gateway/post_get`);
    await logIn(page, 'admin', PASSWORD);
    await page.waitForURL('**/post_get');
    const username = page.locator('[id="widget.cbid.sms_gateway.post_get.username"]');
    t.equal(await username.inputValue(), 'user1', 'back at the page after the login');
    await username.fill('');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('must not be empty').or(page.getByText('non-empty value')).first().waitFor();
    await page.keyboard.press('Escape');
    await username.fill('another');
    await page.getByRole('tab', { name: 'Advanced' }).click();
    const list = page.locator('[id="widget.cbid.sms_gateway.post_get.allow_from"]');
    await list.fill('not an address');
    await page.locator('.cbi-input-invalid').waitFor();
    await list.fill('192.168.1.0/24');
    await list.press('Enter');
    await list.fill('127.0.0.1');
    await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Save & Apply' }).click()]);
    t.match(
      readFileSync(`${daemon.folder}/config/sms_gateway`, 'utf8'),
      /option username 'another'[\s\S]*list allow_from '192.168.1.0\/24'\n\tlist allow_from '127.0.0.1'/,
    );
    await page.getByRole('tab', { name: 'General' }).click();
    t.equal(await username.inputValue(), 'another');
    const url = (name: string) => `${daemon.http}/cgi-bin/sms_total?username=${name}&password=our_secret`;
    t.match(await (await fetch(url('another'))).text(), /Used/, 'and the module works by it');
    await username.fill('third');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Unsaved Changes: 1').click();
    await page.getByText("uci set sms_gateway.post_get.username='third'").waitFor();
    await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Revert' }).click()]);
    t.equal(await username.inputValue(), 'another');
    t.strictSame(complaints, []);
    await context.close();
  });

  t.test('events are seen at once', async (t) => {
    const daemon = await start(t, ['admin']);
    const { page, context } = await newPage(browser);
    // No poll comes by itself.
    await page.addInitScript('window.setInterval = () => 1;');
    await page.goto(daemon.http);
    await logIn(page, 'admin', PASSWORD);
    await page.getByTitle('Inbox: 0 of 1000').waitFor();
    await daemon.until('sms_gateway.modem', 'list', {}, ({ modems }) => JSON.stringify(modems).includes('"ready"'));
    await daemon.call('sms_gateway.simulator', 'receive', { from: '+37060000001', text: 'hello' });
    await page.getByTitle('Inbox: 1 of 1000').waitFor();
    await context.close();
  });

  t.test('a session that is over leads to the login and back', async (t) => {
    const daemon = await start(t, ['admin']);
    const { page, context } = await newPage(browser);
    await page.goto(daemon.http);
    await logIn(page, 'admin', PASSWORD);
    await page.waitForURL('**/overview');
    await page.getByText('Modems').first().waitFor();
    await daemon.stop();
    await page.getByText('Connection lost').waitFor();
    const port = new URL(daemon.http).port;
    const again = new Daemon({ folder: daemon.folder, config, args: ['--ubus', 'off', '--http', `127.0.0.1:${port}`] });
    t.teardown(() => again.stop());
    await again.start();
    await page.getByRole('heading', { name: 'Session expired' }).waitFor();
    await page.getByRole('button', { name: 'Log in…' }).click();
    await logIn(page, 'admin', PASSWORD);
    await page.waitForURL('**/overview');
    await page.getByText('Modems').first().waitFor();
    await context.close();
  });

  t.test('a page that does not poll notices the end of its session, too', async (t) => {
    const daemon = await start(t, ['admin']);
    const { page, context } = await newPage(browser);
    await page.goto(`${daemon.http}/admin/services/sms_gateway/post_get`);
    const connected = page.waitForEvent('websocket');
    await logIn(page, 'admin', PASSWORD);
    await (await connected).waitForEvent('framereceived');
    await page.evaluate("L.require('rpc').then((rpc) => rpc.declare({ object: 'session', method: 'destroy' })())");
    await page.getByRole('heading', { name: 'Session expired' }).waitFor();
    await context.close();
  });

  t.test('an account that may only look', async (t) => {
    const daemon = await start(t, ['admin', 'viewer']);
    const path = `${daemon.folder}/config/rpcd`;
    const [others = '', viewer = ''] = readFileSync(path, 'utf8').split(
      /(?=\nconfig login\n\toption username 'viewer')/,
    );
    writeFileSync(path, others + viewer.replace("\tlist write '*'\n", ''));
    const { page, context, complaints } = await newPage(browser, { viewport: { width: 390, height: 800 } });
    await page.goto(`${daemon.http}/admin/services/sms_gateway/post_get`);
    await logIn(page, 'viewer', PASSWORD);
    const username = page.locator('[id="widget.cbid.sms_gateway.post_get.username"]');
    await username.waitFor();
    t.equal(await username.isDisabled(), true);
    t.equal(await page.getByRole('button', { name: /Save/ }).count(), 0, 'no Save');
    t.equal(await page.locator('[id="widget.cbid.sms_gateway.post_get.password"]').inputValue(), '', 'no secret');
    const width = await page.locator('html').evaluate((root) => root.scrollWidth);
    t.ok(width <= 390, 'a phone scrolls in one direction only');
    t.strictSame(complaints, []);
    await context.close();
  });
});
