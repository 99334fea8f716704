/**
 * `npm run screenshots`: pictures of the pages for the README and docs, at the width of a desk and of a phone, from a
 * daemon with a simulated modem and a story. Needs chromium.
 */
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { WebAccounts } from '../src/access/web-accounts.ts';
import { Daemon } from '../test/support/daemon.ts';
import { withPalette } from './palette-png.ts';

const target = join(import.meta.dirname, '../docs/img');
const PASSWORD = 'a good password';
const widths = { desk: 1280, phone: 390 } as const;
const HEIGHT = 860;

/** What messages are forwarded to. */
const receiver = createServer((_request, response) => void response.end('OK'));
receiver.listen(0, '127.0.0.1');
await once(receiver, 'listening');
const address = receiver.address();
const port = typeof address === 'object' && address !== null ? address.port : 0;

const config = `
config gateway 'gateway'
	option log_level 'info'

config modem 'lte0'
	option device 'sim'
	option send_interval '0'
	option daily_limit '200'

config modem 'lte1'
	option device 'sim'

config post_get 'post_get'
	option enabled '1'
	option username 'monitoring'
	option password 'something else'

config auto_reply 'auto_reply'
	option enabled '1'
	option mode 'list'
	list number '+37060000009'
	option msg 'We have received your message and call you back.'

config sms_gateway 'forwarding_to_http'
	option enabled '1'
	option url '127.0.0.1:${port}/sms?key=1'
	option method 'post'
	option number_name 'Sender'
	option message_name 'Text'
	option extra_name1 'Name'
	option extra_value1 'RUT240'

config sms_gateway 'forwarding_to_smtp'
	option enabled '0'
	option smtpip 'smtp.example.com'

config group
	option name 'on call'
	list tel '+37060000001'
	list tel '+37060000002'

config msg
	option enable '1'
	option phonenumber '+37060000001'
	option message 'Good morning! All pumps are running.'
	option repeats 'week'
	option weekday 'mon'
	option hour '8'
	option minute '0'

config msg
	option enable '1'
	option group 'on call'
	option message 'Monthly test of the alarm line'
	option repeats 'month'
	option monthday '28-31'
	option hour '17'
	option minute '30'

config rule
	option enabled '1'
	option smstext 'status'
	option action 'send_status'
	option authorisation 'no'
	option allowed_phone 'group'
	option group 'on call'
	option message 'Router %rn, signal %ss'

config rule
	option enabled '1'
	option smstext 'reboot'
	option action 'reboot'
`;

/** What has been said; `<` is received. */
const story = [
  ['<', '+37060000002', 'I am back at nine, then you can call me.'],
  ['<', 'Energy Co', 'Your reading is due until 30 November.'],
  ['>', '+37060000001', 'ALARM: water in the basement, sensor 3'],
  ['<', '+37060000001', 'On my way. Is the pump running?'],
  ['>', '+37060000001', 'Yes, since 09:40. Pressure 2.1 bar, level falling.'],
  ['<', '+37060000001', 'Good. I look at it this afternoon.'],
] as const;

async function tell(daemon: Daemon): Promise<void> {
  let received = 0;
  for (const [direction, number, text] of story) {
    if (direction === '>') await daemon.call('sms_gateway.message', 'send', { number, text, modem: 'lte0', wait: 20 });
    else {
      await daemon.call('sms_gateway.simulator', 'receive', { from: number, text, modem: 'lte0' });
      received++;
      await daemon.until('sms_gateway.message', 'total', {}, ({ used }) => used === received);
    }
  }
}

/** Pages, and what is done on them before the picture is taken. */
const pictures: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  overview: async () => {},
  messages: async (page) => {
    await page.locator('.sg-person', { hasText: '+37060000001' }).click();
    await page.getByText('this afternoon').last().waitFor();
    await page.locator('[aria-current=true] .sg-count').waitFor({ state: 'detached' });
  },
  scheduled: async () => {},
  forwarding: async () => {},
  rules: async (page) => {
    await page.getByRole('button', { name: 'Edit' }).first().click();
    await page.locator('.modal .sg-counter', { hasText: 'SMS' }).waitFor();
  },
  modems: async () => {},
};

const folder = await mkdtemp(join(tmpdir(), 'smsgw-pictures-'));
const daemon = new Daemon({ folder, config, args: ['--ubus', 'off'] });
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  await new WebAccounts(`${folder}/config`, async () => undefined).setPassword('admin', PASSWORD);
  await daemon.start();
  await daemon.until(
    'sms_gateway.modem',
    'list',
    {},
    ({ modems }) => JSON.stringify(modems).split('"ready"').length === 3,
  );
  await tell(daemon);
  await mkdir(target, { recursive: true });
  for (const [device, width] of Object.entries(widths)) {
    const context = await browser.newContext({ viewport: { width, height: HEIGHT }, locale: 'en-GB' });
    const page = await context.newPage();
    await page.goto(daemon.http);
    await page.fill('#username', 'admin');
    await page.fill('#password', PASSWORD);
    await page.click('form button');
    await page.waitForURL('**/overview');
    for (const [name, prepare] of Object.entries(pictures)) {
      await page.goto(`${daemon.http}/admin/services/sms_gateway/${name}`);
      await page.locator('#view > *').first().waitFor();
      await page.locator('#view .spinning').first().waitFor({ state: 'detached' });
      await prepare(page);
      const picture = withPalette(await page.screenshot({ fullPage: name === 'overview', animations: 'disabled' }));
      await writeFile(join(target, `${name}-${device}.png`), picture);
    }
    await context.close();
  }
} finally {
  await browser.close();
  await daemon.stop();
  receiver.close();
  await rm(folder, { recursive: true, force: true });
}
