import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import t from 'tap';
import { parsePackage } from '../../src/config/uci-parse-lite/index.ts';
import { logIn, newPage, openBrowser, PASSWORD, startDaemon, visit, withoutBrowser } from '../support/browser.ts';
import { Daemon } from '../support/daemon.ts';

const config = `
config modem 'sim0'
	option device 'sim'
	option send_interval '0'

config post_get 'post_get'
	option enabled '1'
	option username 'user1'
	option password 'our_secret'

config auto_reply 'auto_reply'
	option enabled '1'
	option msg 'first'

config sms_gateway 'forwarding_to_sms'
	option enabled '1'
	list number '+37060000009'

config msg 'daily'
	option enable '1'
	option phonenumber '+37060000007'
	option message 'Good morning'

config group
	option name 'friends'
	list tel '0037060000001'
`;

t.setTimeout(300_000);
const options = { skip: withoutBrowser() ?? false, timeout: 300_000 };

const field = (page: Page, section: string, option: string) =>
  page.locator(`[id="widget.cbid.sms_gateway.${section}.${option}"]`);

async function apply(page: Page): Promise<void> {
  const loaded = page.waitForEvent('load');
  await page.getByRole('button', { name: 'Save & Apply' }).click();
  await loaded;
}

function stored(daemon: Daemon, section: string): Readonly<Record<string, unknown>> {
  const file = parsePackage('sms_gateway', readFileSync(`${daemon.folder}/config/sms_gateway`));
  const found = file.sections.find(({ name }) => name === section);
  return Object.fromEntries([...(found?.options ?? [])].map(([name, { value }]) => [name, value]));
}

interface State {
  readonly name: string;
  readonly state: string;
  readonly since: string;
}

/** When each function and modem came to its state. */
async function states(daemon: Daemon): Promise<ReadonlyMap<string, string>> {
  const { modules } = (await daemon.call('sms_gateway.module', 'list')) as unknown as { modules: State[] };
  const { modems } = (await daemon.call('sms_gateway.modem', 'list')) as unknown as { modems: State[] };
  return new Map([...modules, ...modems].map(({ name, state, since }) => [name, `${state} since ${since}`]));
}

t.test('a changed value takes effect, and restarts nothing else', options, async (t) => {
  const browser = await openBrowser(t);
  const daemon = await startDaemon(t, config);
  await daemon.until('sms_gateway.modem', 'list', {}, ({ modems }) => JSON.stringify(modems).includes('"ready"'));
  const page = await visit(browser, daemon, 'post_get');
  const others = async (changed: string) => [...(await states(daemon))].filter(([name]) => name !== changed);

  let before = await others('post_get');
  t.ok(before.length > 5);
  t.ok(before.every(([, state]) => /since \S*\d/.test(state)));
  const total = async (name: string) =>
    (await fetch(`${daemon.http}/cgi-bin/sms_total?username=${name}&password=our_secret`)).text();
  t.match(await total('user1'), /Used/);
  await field(page, 'post_get', 'username').fill('another');
  await apply(page);
  t.match(await total('another'), /Used/, 'the new name works');
  t.notMatch(await total('user1'), /Used/, 'and the old one no more');
  t.strictSame(await others('post_get'), before);

  before = await others('auto_reply');
  await page.goto(`${daemon.http}/admin/services/sms_gateway/auto_reply`);
  await field(page, 'auto_reply', 'msg').fill('second');
  await apply(page);
  t.strictSame(await others('auto_reply'), before);
  await daemon.call('sms_gateway.simulator', 'receive', { from: '+37060000001', text: 'hello' });
  await daemon.until('sms_gateway.message', 'list', { box: 'outbox' }, ({ messages }) =>
    JSON.stringify(messages).includes('"second"'),
  );
});

t.test('two people edit at once', options, async (t) => {
  const browser = await openBrowser(t);
  const daemon = await startDaemon(t, config);
  const [one, two] = [await visit(browser, daemon, 'post_get'), await visit(browser, daemon, 'post_get')];
  await field(one, 'post_get', 'username').fill('changed by one');
  // No switches: a form of LuCI writes each of them as it stands on the page.
  await field(two, 'post_get', 'password').fill('changed by two');
  await apply(one);
  await apply(two);
  t.match(stored(daemon, 'post_get'), { enabled: '1', username: 'changed by one', password: 'changed by two' });
  t.equal(await field(two, 'post_get', 'username').inputValue(), 'changed by one', 'the second sees both');

  t.comment('the same option, and at the same moment');
  await one.reload();
  await field(one, 'post_get', 'username').fill('one');
  await field(two, 'post_get', 'username').fill('two');
  const outcome = async (page: Page) => {
    const loaded = page.waitForEvent('load').then(() => 'applied');
    const busy = page.getByText('Somebody else is applying changes').waitFor();
    const refused = busy.then(() => 'refused');
    for (const each of [loaded, refused]) each.catch(() => undefined);
    await page.getByRole('button', { name: 'Save & Apply' }).click();
    return Promise.race([loaded, refused]);
  };
  const outcomes = await Promise.all([outcome(one), outcome(two)]);
  t.ok(outcomes.includes('applied'), outcomes.join());
  const after = stored(daemon, 'post_get');
  t.match(after['username'], outcomes[0] === 'refused' ? 'two' : outcomes[1] === 'refused' ? 'one' : /^(?:one|two)$/);
  t.match(after, { enabled: '1', password: 'changed by two' }, 'nothing else is lost');
  for (const [at, page] of [one, two].entries()) {
    if (outcomes[at] !== 'refused') continue;
    await apply(page);
    t.equal(stored(daemon, 'post_get')['username'], ['one', 'two'][at], 'who was refused tries again');
  }
});

t.test('the service stops and comes back while a page is open', options, async (t) => {
  const browser = await openBrowser(t);
  // One page asks for the state every few seconds, the other asks for nothing.
  for (const view of ['post_get', 'groups']) {
    const daemon = await startDaemon(t, config);
    const { port } = new URL(daemon.http);
    const { page } = await newPage(browser);
    await page.goto(`${daemon.http}/admin/services/sms_gateway/${view}`);
    const connected = page.waitForEvent('websocket');
    await logIn(page, 'admin', PASSWORD);
    await (await connected).waitForEvent('framereceived');
    await page.locator('#view .cbi-map').waitFor();
    await daemon.stop();
    await page.getByText('Connection lost').waitFor();
    const args = ['--ubus', 'off', '--http', `127.0.0.1:${port}`];
    const again = new Daemon({ folder: daemon.folder, config, args });
    t.teardown(() => again.stop());
    await again.start();
    await page.getByRole('heading', { name: 'Session expired' }).waitFor();
    await page.getByRole('button', { name: 'Log in…' }).click();
    await logIn(page, 'admin', PASSWORD);
    await page.waitForURL(`**/${view}`);
    await page.locator('#view .cbi-map').waitFor();
    t.equal(await page.getByText('Connection lost').count(), 0, `${view}: all is well again`);
    await again.stop();
  }
});

t.test('a token for a program is made on the page, and shown once', options, async (t) => {
  const browser = await openBrowser(t);
  const daemon = await startDaemon(t, config);
  const page = await visit(browser, daemon, 'post_get');
  // As on a page without HTTPS.
  await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })");
  await page.locator('#cbi-sms_gateway-token .cbi-button-add').click();
  const modal = page.locator('.modal');
  await modal.locator('[data-name=name] input').fill('grafana');
  const make = modal.getByRole('button', { name: 'Make a new token' });
  await make.click();
  t.notMatch(await modal.textContent(), /the one before no longer/);
  const token = await modal.getByLabel('The token').inputValue();
  t.match(token, /^smsgw_[0-9a-f]{8}_[A-Za-z0-9_-]{43}$/);
  await modal.getByRole('button', { name: 'Copy', exact: true }).click();
  await modal.getByText(/^Copied\.|^Press Ctrl\+C/).waitFor();
  await modal.getByRole('button', { name: 'Save' }).click();
  await modal.waitFor({ state: 'hidden' });
  await apply(page);
  const status = async (bearer: string) =>
    (await fetch(`${daemon.http}/api/v1/version`, { headers: { Authorization: `Bearer ${bearer}` } })).status;
  t.equal(await status(token), 200);
  t.notOk((await page.content()).includes(token));
  t.notOk(readFileSync(`${daemon.folder}/config/sms_gateway`, 'utf8').includes(token), 'the config has its hash');

  await page.locator('#cbi-sms_gateway-token .cbi-button-edit').click();
  await make.click();
  t.match(await modal.textContent(), /the one before no longer does/);
  const next = await modal.getByLabel('The token').inputValue();
  await modal.getByRole('button', { name: 'Save' }).click();
  await modal.waitFor({ state: 'hidden' });
  await apply(page);
  t.same([await status(next), await status(token)], [200, 401]);
});

t.test(
  'what the service refuses is said in the language of the reader, with its code and words',
  options,
  async (t) => {
    const browser = await openBrowser(t);
    const daemon = await startDaemon(t, "config modem 'sim0'\n\toption device 'sim'\n");
    for (const [locale, wanted] of [
      ['de-DE', /^Diese Nachricht gibt es nicht mehr\. \(message_not_found: no message 99\)$/],
      ['en', /^no message 99$/],
    ] as const) {
      const { page } = await newPage(browser, { locale });
      await page.goto(`${daemon.http}/admin/services/sms_gateway/messages`);
      await logIn(page, 'admin', PASSWORD);
      await page.locator('#view .sg-tools').first().waitFor();
      const refused = await page.evaluate(
        "L.require('sms_gateway.service').then((service) => service.read({ id: 99 })).catch(({ message }) => message)",
      );
      t.match(refused, wanted, locale);
      await page.context().close();
    }
  },
);
