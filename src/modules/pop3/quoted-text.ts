/** Lines behind which there is nothing of the writer's own: the signature (RFC 3676 4.3), and the mail answered to. */
const ends = [
  /^-- ?$/,
  // "-----Original Message-----" in any language, and the rule that Outlook draws.
  /^-{3,} ?\S.*\S ?-{3,}$/,
  /^_{10,}$/,
];

/** What the writer of a mail has written himself: without signature, quoted lines and their introduction. */
export function ownText(text: string): string {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => ends.some((pattern) => pattern.test(line)));
  const own: string[] = [];
  for (const line of end < 0 ? lines : lines.slice(0, end)) {
    if (line.startsWith('>')) dropIntroduction(own);
    else own.push(line);
  }
  return own.join('\n').trim();
}

/** "On Monday, somebody wrote:" in any language, on one line or two, right in front of what is quoted. */
function dropIntroduction(lines: string[]): void {
  const last = lines.findLastIndex((line) => line.trim() !== '');
  if (!lines[last]?.trimEnd().endsWith(':')) return;
  const wrapped = /@|<|\b20[0-9][0-9]\b/.test(lines[last - 1] ?? '');
  lines.length = wrapped ? last - 1 : last;
}
