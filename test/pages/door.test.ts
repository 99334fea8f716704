/** What the server itself writes into the pages, before the browser's side has a catalogue, is in the language of the reader. */
import t from 'tap';
import { collectTexts, SERVER_TEXTS } from '../../scripts/texts.ts';
import { WebAccounts } from '../../src/access/web-accounts.ts';
import { PASSWORD } from '../support/browser.ts';
import { Daemon } from '../support/daemon.ts';
import { testFolder } from '../support/folder.ts';

t.test('login, first start and the frame of a page are in the language of the browser', async (t) => {
  const daemon = new Daemon({ folder: testFolder(t), config: "config gateway 'gateway'\n", args: ['--ubus', 'off'] });
  await daemon.start();
  t.teardown(() => daemon.stop());
  const texts = (await collectTexts({ folders: [SERVER_TEXTS], json: [] })).map(({ id }) => id);
  t.ok(texts.includes('Skip to content'));
  const ask = async (
    path: string,
    form?: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ) =>
    fetch(`${daemon.http}${path}`, {
      headers: { 'Accept-Language': 'de-DE,de;q=0.9,en;q=0.8', ...headers },
      redirect: 'manual',
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    });
  const isGerman = async (what: string, answer: Response, wanted: RegExp) => {
    const page = await answer.text();
    t.match(page, '<html lang="de">', what);
    t.match(page, wanted, what);
    const shown = page.replace(/<script[\s\S]*?<\/script>/g, '');
    const english = texts.filter((text) => shown.includes(`>${text}<`) || shown.includes(`"${text}"`));
    t.same(english, [], `${what}: nothing is left in English`);
    t.match(answer.headers.get('cache-control'), 'no-store', 'nobody else gets this one');
  };
  await isGerman('the first start', await ask('/'), /<strong>admin<\/strong>, mindestens 8 Zeichen/);
  await isGerman('two passwords', await ask('/setup', { password: PASSWORD, again: 'x' }), /sind verschieden/);
  await isGerman(
    'a short one',
    await ask('/setup', { password: 'x', again: 'x' }),
    /mindestens 8 Zeichen und höchstens \d+/,
  );
  await isGerman('from elsewhere', await ask('/', undefined, { Via: '1.1 proxy' }), /smsgw passwd/);
  await new WebAccounts(`${daemon.folder}/config`, async () => undefined).setPassword('admin', PASSWORD);
  await isGerman('the login', await ask('/'), /Benutzername/);
  await isGerman('a wrong one', await ask('/', { luci_username: 'admin', luci_password: 'x' }), /Passwort ist falsch/);
  const login = await ask('/', { luci_username: 'admin', luci_password: PASSWORD });
  const Cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
  const view = '/admin/services/sms_gateway/overview';
  await isGerman('a page', await ask(view, undefined, { Cookie }), /Zum Inhalt springen[\s\S]*aria-label="Seiten"/);
  await isGerman('no page', await ask('/admin/none', undefined, { Cookie }), /Diese Seite gibt es nicht/);

  const french = await (await ask('/', undefined, { 'Accept-Language': 'fr' })).text();
  t.match(french, /<html lang="en">[\s\S]*User name/, 'without a catalogue it is the language of the sources');
});
