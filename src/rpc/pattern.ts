/** Whether `name` fits a ubus pattern: equal to it, or beginning with what stands before a trailing `*`. */
export function matchesPattern(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
