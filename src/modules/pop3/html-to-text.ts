import { resolveEntities } from './html-entities.ts';

/** What is between these is no text. */
const silent = /^(script|style|head|title|template|noscript)$/;
const block =
  /^(p|div|h[1-6]|ul|ol|dl|table|blockquote|pre|section|article|header|footer|address|form|fieldset|hr|body|center)$/;
const line = /^(br|tr|li|dt|dd|option)$/;

/** A comment, a declaration, or the beginning of a tag. */
const markup = /<!--[\s\S]*?(?:-->|$)|<[!?][^>]*(?:>|$)|<(\/?)([A-Za-z][A-Za-z0-9:-]*)/g;

/** The text of an HTML mail as a person reads it: no markup, lines where blocks begin and end. Takes linear time. */
export function htmlToText(html: string): string {
  const pattern = new RegExp(markup);
  let text = '';
  let from = 0;
  let hidden: string | undefined;
  for (let match = pattern.exec(html); match !== null; match = pattern.exec(html)) {
    const [, slash = '', name] = match;
    if (hidden === undefined) text += inline(html.slice(from, match.index));
    from = name === undefined ? pattern.lastIndex : endOfTag(html, pattern.lastIndex);
    pattern.lastIndex = from;
    const tag = name?.toLowerCase() ?? '';
    if (hidden !== undefined) {
      if (slash !== '' && tag === hidden) hidden = undefined;
    } else if (silent.test(tag) && slash === '') {
      hidden = tag;
    } else {
      text += spaceOf(tag, slash !== '');
    }
  }
  if (hidden === undefined) text += inline(html.slice(from));
  return text
    .split('\n')
    .map((words) => words.replace(/ {2,}/g, ' ').trim())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/** Where the tag is over: behind its `>`, which is none within quotes. */
function endOfTag(html: string, start: number): number {
  const special = /[>"']/g;
  special.lastIndex = start;
  for (let match = special.exec(html); match !== null; match = special.exec(html)) {
    if (match[0] === '>') return special.lastIndex;
    const closing = html.indexOf(match[0], special.lastIndex);
    if (closing >= 0) special.lastIndex = closing + 1;
  }
  return html.length;
}

function spaceOf(tag: string, closing: boolean): string {
  if (block.test(tag)) return '\n\n';
  if (line.test(tag)) return closing ? '' : '\n';
  return tag === 'td' || tag === 'th' ? ' ' : '';
}

/** White space in HTML is one blank; references are resolved after that, so that `&nbsp;` stays. */
const inline = (text: string): string => resolveEntities(text.replace(/[ \t\r\n\f]+/g, ' '));
