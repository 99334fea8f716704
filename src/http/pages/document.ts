import type { Json } from '../../base/json.ts';

/** What every answer with a page carries: nothing from elsewhere, no script in the page, no frame around it. */
export const pageHeaders = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  // With `no-referrer` a browser would name no origin when it sends a form, and look like another site.
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  // The page holds the session id.
  'Cache-Control': 'no-store',
} as const;

/** A text of the pages in the language of the reader. */
export type Translate = (text: string) => string;

export interface Reader {
  readonly language: string;
  readonly _: Translate;
}

export interface Links {
  readonly style: string;
  readonly icon: string;
}

/** The page around a view: the browser's side fills it in. `env` is what it has to know. */
export function viewDocument(
  links: Links & { readonly script: string; readonly views: readonly string[] },
  reader: Reader,
  env: Json,
): string {
  const { _ } = reader;
  const preloads = links.views.map((view) => `<link rel="preload" as="script" href="${escapeHtml(view)}">`).join('\n');
  return page(
    links,
    reader.language,
    `${preloads}\n<script defer src="${escapeHtml(links.script)}"></script>`,
    `
<a class="skip-link" href="#maincontent">${escapeHtml(_('Skip to content'))}</a>
<header class="bar">
  <button type="button" class="menu-button" id="menu-button" aria-expanded="false" aria-controls="menu" aria-label="${escapeHtml(_('Menu'))}"><span></span></button>
  <a class="brand" href="/">${logo}<span>SMS Gateway</span></a>
  <div id="indicators" role="status"></div>
  <form method="post" action="/logout" class="logout"><button class="btn quiet" id="logout">${escapeHtml(_('Log out'))}</button></form>
</header>
<div class="frame">
  <nav id="menu" aria-label="${escapeHtml(_('Pages'))}"></nav>
  <main id="maincontent" tabindex="-1">
    <noscript><div class="alert-message warning">${escapeHtml(_('These pages need JavaScript.'))}</div></noscript>
    <h1 class="sr-only" id="page-name">SMS Gateway</h1>
    <div id="notifications" aria-live="polite"></div>
    <div id="tabmenu"></div>
    <div id="view"><div class="spinning">${escapeHtml(_('Loading…'))}</div></div>
  </main>
</div>
<script type="application/json" id="env">${JSON.stringify(env).replaceAll('<', '\\u003c')}</script>`,
  );
}

export interface LoginForm {
  readonly action: string;
  readonly username: string;
  readonly fault?: string;
}

export function loginDocument(links: Links, reader: Reader, { action, username, fault }: LoginForm): string {
  const { _ } = reader;
  return card(
    links,
    reader,
    _('Log in'),
    `
${fault === undefined ? '' : alert(fault)}
<form method="post" action="${escapeHtml(action)}" class="cbi-section">
  <label for="username">${escapeHtml(_('User name'))}</label>
  <input id="username" name="luci_username" value="${escapeHtml(username)}" autocomplete="username" autocapitalize="none" spellcheck="false" required>
  <label for="password">${escapeHtml(_('Password'))}</label>
  <input id="password" name="luci_password" type="password" autocomplete="current-password" required autofocus>
  <button class="btn cbi-button-positive">${escapeHtml(_('Log in'))}</button>
</form>`,
  );
}

export function setupDocument(links: Links, reader: Reader, username: string, fault?: string): string {
  const { _ } = reader;
  const invitation = _('Nobody can log in yet. Choose a password for the user %s, at least 8 characters.');
  return card(
    links,
    reader,
    _('Welcome'),
    `
<p>${escapeHtml(invitation).replace('%s', () => `<strong>${escapeHtml(username)}</strong>`)}</p>
${fault === undefined ? '' : alert(fault)}
<form method="post" action="/setup" class="cbi-section">
  <input name="username" autocomplete="username" value="${escapeHtml(username)}" hidden>
  <label for="password">${escapeHtml(_('Password'))}</label>
  <input id="password" name="password" type="password" autocomplete="new-password" minlength="8" required autofocus>
  <label for="again">${escapeHtml(_('Password again'))}</label>
  <input id="again" name="again" type="password" autocomplete="new-password" minlength="8" required>
  <button class="btn cbi-button-positive">${escapeHtml(_('Set password and log in'))}</button>
</form>`,
  );
}

/** For who comes from elsewhere before there is a password. */
export function closedDocument(links: Links, reader: Reader, message: string): string {
  return card(links, reader, 'SMS Gateway', `<p>${escapeHtml(message)}</p>`);
}

function card(links: Links, { language }: Reader, title: string, content: string): string {
  return page(
    links,
    language,
    '',
    `<main class="card">
<div class="brand">${logo}<span>SMS Gateway</span></div>
<h1>${escapeHtml(title)}</h1>
${content}
</main>`,
  );
}

const alert = (text: string): string => `<div class="alert-message danger" role="alert">${escapeHtml(text)}</div>`;

function page({ style, icon }: Links, language: string, head: string, body: string): string {
  return `<!DOCTYPE html>
<html lang="${escapeHtml(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>SMS Gateway</title>
<link rel="icon" href="${escapeHtml(icon)}">
<link rel="stylesheet" href="${escapeHtml(style)}">
${head}
</head>
<body>${body}
</body>
</html>
`;
}

const logo =
  '<svg class="logo" viewBox="0 0 24 24" width="26" height="26" aria-hidden="true"><path d="M4 3h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2h-7l-5 4v-4H4a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2z" fill="currentColor"/><path d="M7 12.5V11m3.3 1.5V9.500m3.400 3V8m3.300 4.500V6.500" stroke="#fff" stroke-width="1.700" stroke-linecap="round"/></svg>';

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
