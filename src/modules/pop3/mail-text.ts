import type { Formatter, Options } from 'html-to-text';

/** Tags that are read of a mail: each costs the parser memory, and a text for an SMS has some dozen. */
const MAX_TAGS = 20_000;
/** Levels of elements; mails laid out by tables have thirty. */
const MAX_DEPTH = 150;

/** Marks quoted text for `ownText`. */
const quote: Formatter = (element, walk, builder) => {
  builder.openBlock({ leadingLineBreaks: 1 });
  builder.addLiteral(QUOTE_BEGINS);
  walk(element.children, builder);
  builder.addLiteral(QUOTE_ENDS);
  builder.closeBlock({ trailingLineBreaks: 1 });
};

/** Outlook puts the quoted mail behind such an element, not within. */
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
  // Text outside of the body is shown too.
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
    // Editors indent text with this.
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

/** Loaded by the first HTML mail. The only place that imports html-to-text. */
async function load(): Promise<(html: string) => string> {
  const { compile } = await import('html-to-text');
  return compile(options);
}

/** The visible text of an HTML mail, with marks around quoted text. Bounded in time and memory. */
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

/**
 * Marks in the text of an HTML mail, by noncharacters (Unicode 23.7): the text between the first two is quoted, and all
 * text behind the third.
 */
const QUOTE_BEGINS = '\ufdd0';
const QUOTE_ENDS = '\ufdd1';
const REST_IS_QUOTED = '\ufdd2';
const marks = /[\ufdd0-\ufdd2]/g;

export const withoutMarks = (text: string): string => text.replace(marks, '');

const words = (...lists: readonly string[]): ReadonlySet<string> => new Set(lists.flatMap((list) => list.split('|')));

/** Labels of header lines above a quoted mail, as Outlook and others write them in the languages of their users. */
const from = words(
  'from|von|de|da|od|nuo|från|fra|lähettäjä|saatja|no|feladó|expéditeur|remitente|mittente|nadawca|siuntėjas|absender',
  'van|afzender|от|от кого|від|від кого|отправитель|ад|од|пошиљалац|από|kimden|gönderen|de la|odesílatel|odosielateľ',
  'šalje|pošiljatelj|pošiljalac|sūtītājs|lähtettäjä|发件人|寄件者|差出人|보낸 사람|보낸사람|מאת|من|จาก|từ|dari',
);
const sent = words(
  'sent|date|gesendet|datum|envoyé|envoyé le|enviado|enviado el|enviada em|enviado em|fecha|data|inviato|wysłano|wysłane',
  'išsiųsta|siųsta|отправлено|дата|дата отправки|надіслано|адпраўлена|изпратено|verzonden|skickat|sendt|dato|lähetetty',
  'päivämäärä|saadetud|kuupäev|nosūtīts|datums|odesláno|odoslané|dátum|elküldve|küldve|trimis|expediat|poslano|poslato',
  'послато|στάλθηκε|ημερομηνία|gönderildi|gönderilme tarihi|tarih|发送时间|发送日期|日期|寄件日期|送信日時|日時|보낸 날짜',
  'נשלח|תאריך|تاريخ الإرسال|التاريخ|ngày|tanggal',
);
const to = words(
  'to|an|à|para|a|do|kam|gavėjas|кому|aan|till|til|vastaanottaja|kime|alıcı|către|komu|címzett|za|prima|saaja|kellele',
  'adresāts|προς|до|收件人|宛先|받는 사람|받는사람|אל|إلى|destinataire|destinatario|empfänger|adresat',
);
const subject = words(
  'subject|betreff|objet|asunto|assunto|oggetto|temat|tema|тема|onderwerp|ämne|emne|aihe|teema|temats|předmět|predmet',
  'tárgy|subiect|предмет|относно|θέμα|konu|主题|主旨|件名|제목|נושא|الموضوع|chủ đề|subjek',
);

const MOST_READ = 1_000;
const label = /^[\s>*]*([^\s:：*][^:：*]{0,24}?)\s*\*?\s?[:：]\*?(?:\s|$)/;

const labelOf = (line: string): string | undefined => label.exec(line.slice(0, MOST_READ))?.[1]?.trim().toLowerCase();

/** Whether the line begins the header of a quoted mail: who, and below it when, and to whom or about what. */
function beginsHeader(lines: readonly string[], at: number): boolean {
  if (!from.has(labelOf(lines[at] ?? '') ?? '')) return false;
  const below = lines
    .slice(at, at + 12)
    .filter((line) => line.trim() !== '')
    .slice(0, 7);
  const labels = below.map(labelOf).filter((name) => name !== undefined);
  const known = [sent, to, subject].filter((list) => labels.slice(1).some((name) => list.has(name)));
  const address = /[^\s@]@[^\s@]/.test(below.join('\n').slice(0, MOST_READ));
  return known.length >= 2 || (address && known.length === 1 && labels.length >= 3);
}

/** "On Monday, somebody wrote:" */
const wrote =
  /wrote|schrieb|écrit|escribió|escribi|scritto|scrive|escreveu|napisał|pisze|rašė|parašė|пишет|писал|написал|пише|написав|schreef|skrev|kirjoitti|napsal|napísal|írta|έγραψε|yazdı|şunları|scris|rakstīja|kirjutas|je napisa|је написа|写道|寫道|のメッセージ|作成|작성|כתב|كتب/i;
const dated = /@|<|\b20\d\d\b|\b\d{1,2}[.:/-]\d{1,2}\b|年|년/;

/** Who by address, the year and the time: an introduction in any language, whatever its verb. */
const isAttribution = (text: string): boolean =>
  /<[^<>\s@]{1,64}@[^<>\s@]{1,190}>/.test(text) &&
  /(?:20|۲۰|٢٠)[0-9۰-۹٠-٩]{2}(?![0-9۰-۹٠-٩])/.test(text) &&
  /[0-9۰-۹٠-٩]{1,2}[.:][0-9۰-۹٠-٩]{2}(?![0-9۰-۹٠-٩.])/.test(text);

/** How many lines the introduction of a quotation has that ends with the line `at`; 0 for another line. */
function introduction(lines: readonly string[], at: number, verbNeeded: boolean): number {
  if (!/[:：]\s*$/.test(lines[at]?.slice(-10) ?? '')) return 0;
  for (let length = 1; length <= 3; length += 1) {
    const first = lines[at - length + 1] ?? '';
    const whole = lines.slice(at - length + 1, at + 1).join(' ');
    if (first.trim() === '' || whole.length > MOST_READ) return 0;
    if ((verbNeeded && !wrote.test(whole) && !isAttribution(whole)) || !dated.test(whole)) continue;
    // Programs break a line where it becomes too long: the date may stand in the one above.
    const above = lines[at - length] ?? '';
    const wraps = length < 3 && above.length > 25 && above.length < 200 && !/[.!?:]\s*$/.test(above);
    return wraps && /\b20\d\d\b|\b\d{1,2}:\d\d\b/.test(above) ? length + 1 : length;
  }
  return 0;
}

/** Lines that begin the signature (RFC 3676 4.3) or the quoted mail: the writer's own text ends there. */
const ends = [
  /^-- ?$/,
  // "-----Original Message-----" in any language, and the rule that Outlook draws.
  /^-{3,} ?\S.{0,80}\S ?-{3,}$/,
  /^_{10,}$/,
  /^\s*(begin forwarded message|anfang der weitergeleiteten nachricht|début du message (transféré|réexpédié)|inicio del mensaje reenviado|inizio messaggio inoltrato)\s?:\s*$/i,
];

/** Lines that phones and apps add below a mail. */
const advertisement =
  /^\s*(sent from (my|mail|outlook|yahoo)|sent via|get outlook for|von meinem .{1,40} gesendet|gesendet (mit|von) (mein|der|outlook|mail)|envoyé (de mon|depuis|à partir)|obtenir outlook|télécharger outlook|enviado desde|obtener outlook|enviado do meu|obter o outlook|inviato da|ottieni outlook|scarica outlook|wysłan[eo] z|wysłano z|pobierz (aplikację )?outlook|išsiųsta iš|siųsta iš|отправлено (с|из)|надіслано з|verzonden vanaf|verstuurd vanaf|skickat från|sendt fra|lähetetty |odesláno z|odoslané z|iphone'?\S* |trimis de pe|nosūtīts no|saadetud minu)/i;

/** The writer's own text: without signature, quotations and their introductions. Linear time. */
export function ownText(text: string): string {
  const lines = withoutMarks(unmarked(text)).split('\n');
  const own: string[] = [];
  let within = false;
  for (const [at, line] of lines.entries()) {
    if (ends.some((pattern) => pattern.test(line.slice(0, MOST_READ))) || beginsHeader(lines, at)) break;
    if (/^\s{0,3}>/.test(line)) {
      if (!within) dropIntroduction(own, false);
      within = true;
      continue;
    }
    own.push(line);
    within &&= line.trim() === '';
    if (introduction(lines, at, true) > 0 && !isQuotedBelow(lines, at)) {
      dropIntroduction(own, true);
      break;
    }
  }
  dropAdvertisement(own);
  return own.join('\n').trim();
}

/** The text without marked quotations. A line `>` stands for each, so that its introduction is found. */
function unmarked(text: string): string {
  let depth = 0;
  let own = '';
  for (const piece of text.split(/([\ufdd0-\ufdd2])/)) {
    if (piece === REST_IS_QUOTED && depth === 0) return own;
    if (piece === QUOTE_BEGINS) {
      if (depth === 0) own += '\n>\n';
      depth += 1;
    } else if (piece === QUOTE_ENDS) depth -= 1;
    else if (depth === 0) own += piece;
  }
  return own;
}

const isQuotedBelow = (lines: readonly string[], at: number): boolean =>
  /^\s{0,3}>/.test(lines.slice(at + 1, at + 6).find((line) => line.trim() !== '') ?? '');

/** Drops the introduction that ends the lines. */
function dropIntroduction(lines: string[], verbNeeded: boolean): void {
  const last = lines.findLastIndex((line) => line.trim() !== '');
  const length = introduction(lines, last, verbNeeded);
  if (length > 0) lines.length = last + 1 - length;
  else if (!verbNeeded && /[:：]\s*$/.test(lines[last] ?? '')) lines.length = last;
}

function dropAdvertisement(lines: string[]): void {
  const last = lines.findLastIndex((line) => line.trim() !== '');
  if (last >= 0 && advertisement.test(lines[last]?.slice(0, 200) ?? '')) lines.length = last;
}
