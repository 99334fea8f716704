import type { Formatter, Options } from 'html-to-text';
import { QUOTE_BEGINS, QUOTE_ENDS, REST_IS_QUOTED } from './quoted-text.ts';

/** Tags of one mail that are read: each costs the parser memory, and a text for an SMS has some dozen. */
const MAX_TAGS = 20_000;
/** Levels of elements; mails laid out by tables have thirty. */
const MAX_DEPTH = 150;

/** Marks what is quoted, for `ownText`. */
const quote: Formatter = (element, walk, builder) => {
  builder.openBlock({ leadingLineBreaks: 1 });
  builder.addLiteral(QUOTE_BEGINS);
  walk(element.children, builder);
  builder.addLiteral(QUOTE_ENDS);
  builder.closeBlock({ trailingLineBreaks: 1 });
};

/** Outlook puts the mail answered to behind such an element, not within. */
const quotedFromHere: Formatter = (element, walk, builder) => {
  builder.openBlock({ leadingLineBreaks: 2 });
  builder.addLiteral(REST_IS_QUOTED);
  walk(element.children, builder);
  builder.closeBlock({ trailingLineBreaks: 1 });
};

/** Cells of a row stand beside each other. */
const cell: Formatter = (element, walk, builder) => {
  walk(element.children, builder);
  builder.addInline(' ');
};

const each = (selectors: string, format: string, options: Readonly<Record<string, unknown>> = {}) =>
  selectors.split(', ').map((selector) => ({ selector, format, options }));

const options: Options = {
  wordwrap: false,
  // Whatever stands outside of a body is shown as well.
  baseElements: { selectors: [] },
  limits: { maxInputLength: 1 << 24, maxDepth: MAX_DEPTH, ellipsis: '…' },
  formatters: { quote, quotedFromHere, cell },
  selectors: [
    ...each('head, title, style, script, template, noscript, select, img', 'skip'),
    ...each('*[hidden], *[style*="display:none"], *[style*="display: none"], *[style*="mso-hide:all"]', 'skip'),
    ...each('a', 'anchor', { ignoreHref: true }),
    ...each('h1, h2, h3, h4, h5, h6', 'heading', { uppercase: false, leadingLineBreaks: 2, trailingLineBreaks: 2 }),
    ...each('ul', 'block', { leadingLineBreaks: 2, trailingLineBreaks: 2 }),
    ...each('td, th', 'cell'),
    ...each('tr, li, dt, dd, option, legend', 'block', { leadingLineBreaks: 1, trailingLineBreaks: 1 }),
    ...each('table', 'block', { leadingLineBreaks: 2, trailingLineBreaks: 2 }),
    ...each('hr', 'lineBreak'),
    ...each('blockquote', 'quote'),
    // How editors indent text of one's own.
    ...each('blockquote[style*="border:none"], blockquote[style*="border: none"]', 'paragraph'),
    // Gmail, Thunderbird, Yahoo, Proton, Tuta, Zoho, GMX and web.de, Roundcube.
    ...each('div.gmail_quote, div.gmail_quote_container, div.moz-cite-prefix, div.yahoo_quoted', 'quote'),
    ...each('div.protonmail_quote, div.tutanota_quote, div.zmail_extra, div[name="quote"], p#reply-intro', 'quote'),
    // Outlook: in the browser, on phones, and on the desk with its rule above the header lines.
    ...each('div#appendonsend, div#divRplyFwdMsg, div#mail-editor-reference-message-container', 'quotedFromHere'),
    ...each('div.ms-outlook-mobile-reference-message, div.OutlookMessageHeader', 'quotedFromHere'),
    ...each('div[style*="border-top:solid #E1E1E1"], div[style*="border-top:solid #B5C4DF"]', 'quotedFromHere'),
  ],
};

let convert: Promise<(html: string) => string> | undefined;

/** The package is loaded by the first mail that needs it. */
async function load(): Promise<(html: string) => string> {
  const { compile } = await import('html-to-text');
  return compile(options);
}

/** The text of an HTML mail as a person reads it, with the marks of what is quoted. Bounded in time and memory. */
export async function htmlToText(html: string): Promise<string> {
  convert ??= load();
  const text = (await convert)(firstTags(html));
  return text
    .split('\n')
    .map((line) => line.trim())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

function firstTags(html: string): string {
  let at = -1;
  for (let tags = 0; tags <= MAX_TAGS; tags += 1) {
    at = html.indexOf('<', at + 1);
    if (at < 0) return html;
  }
  return html.slice(0, at);
}
