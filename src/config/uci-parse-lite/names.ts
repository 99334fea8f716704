/** What uci accepts as a name of a section or an option. */
export function isName(text: string): boolean {
  return /^[A-Za-z0-9_]+$/.test(text);
}

export function isPackageName(text: string): boolean {
  return /^[A-Za-z0-9_-]+$/.test(text);
}

/** What uci accepts as the type of a section: printable ASCII without blanks. */
export function isType(text: string): boolean {
  return /^[!-~]+$/.test(text);
}

/** The name that uci gives to an unnamed section: the running number of the section and a hash of its type. */
export function anonymousName(number: number, type: string): string {
  let hash = 5381;
  for (let i = 0; i < type.length; i++) hash = (Math.imul(hash, 33) + type.charCodeAt(i)) | 0;
  const hex = (value: number, width: number) => value.toString(16).padStart(width, '0');
  return `cfg${hex(number, 2)}${hex(hash & 0xffff, 4)}`;
}
