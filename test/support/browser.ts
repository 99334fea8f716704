import { existsSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { Test } from 'tap';
import { WebAccounts } from '../../src/access/web-accounts.ts';
import { Daemon } from './daemon.ts';
import { testFolder } from './folder.ts';

const CHROMIUM = '/usr/bin/chromium';

/** Why there is no browser to test with; in CI that is a failure. */
export function withoutBrowser(): string | undefined {
  if (existsSync(CHROMIUM)) return undefined;
  if (process.env['CI'] === 'true') throw new Error('chromium is missing: apt-get install chromium');
  return 'needs chromium: apt-get install chromium';
}

export async function openBrowser(t: Test): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  t.teardown(() => browser.close());
  return browser;
}

/** A page of its own, and what it complained about. */
export async function newPage(
  browser: Browser,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<{ page: Page; context: BrowserContext; complaints: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => void complaints.push(String(error)));
  return { page, context, complaints };
}

export const PASSWORD = 'a good password';

/** A daemon with the account `admin`. */
export async function startDaemon(t: Test, config: string): Promise<Daemon> {
  const daemon = new Daemon({ folder: testFolder(t), config, args: ['--ubus', 'off'] });
  await new WebAccounts(`${daemon.folder}/config`, async () => undefined).setPassword('admin', PASSWORD);
  await daemon.start();
  t.teardown(() => daemon.stop());
  return daemon;
}

/** Fills the login that stands in place of any page. */
export async function logIn(page: Page, username: string, password: string): Promise<void> {
  await page.fill('#username', username);
  await page.fill('#password', password);
  await page.click('form button');
}

/** A person of their own, with a session of their own, at a page. */
export async function visit(browser: Browser, daemon: Daemon, view: string): Promise<Page> {
  const { page } = await newPage(browser);
  await page.goto(`${daemon.http}/admin/services/sms_gateway/${view}`);
  await logIn(page, 'admin', PASSWORD);
  await page.waitForURL(`**/${view}`);
  await page.locator('#view .cbi-map').waitFor();
  return page;
}
