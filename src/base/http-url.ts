/** A web address as people write it, taken apart. */
export interface HttpUrl {
  /** Without credentials and fragment; what is not ASCII is percent-encoded as UTF-8, a host name in its `xn--` form. */
  readonly url: URL;
  /** `user:password` in octets, where the address has them. A secret. */
  readonly credentials?: Buffer;
}

const MAX_LENGTH = 2000;
const scheme = /^https?:\/\//i;

/**
 * Reads an address as curl does: blanks around it and its fragment do not count, HTTP is meant where it has no scheme,
 * user and password are percent-decoded. `https` replaces the scheme. Undefined when it is no http or https URL.
 */
export function parseHttpUrl(text: string, https = false): HttpUrl | undefined {
  const bare = text.trim();
  // A lone surrogate stands for an octet that is not UTF-8. URL would drop control characters without a word.
  if (bare.length > MAX_LENGTH || /[\s\x7f\uD800-\uDFFF]/u.test(bare) || hasControls(bare)) return undefined;
  const own = scheme.exec(bare)?.[0].toLowerCase();
  const href = `${https ? 'https://' : (own ?? 'http://')}${bare.replace(scheme, '')}`;
  // Behind the scheme a second one is an odd scheme of the user's own; a slash at once is a missing host.
  if (/^https?:\/\/([a-z][a-z0-9+.-]*:)?\//i.test(href) || !URL.canParse(href)) return undefined;
  const url = new URL(href);
  return url.hostname === '' ? undefined : withoutCredentials(url);
}

/** As `parseHttpUrl`, of a config: its schema has refused all that is no URL. */
export function configuredUrl(text: string, https = false): HttpUrl {
  const parsed = parseHttpUrl(text, https);
  if (parsed === undefined) throw new Error('the config holds a URL that its schema refuses');
  return parsed;
}

/** Takes user, password and fragment out of a URL. */
export function withoutCredentials(full: URL): HttpUrl {
  const url = new URL(full);
  const { username, password } = url;
  url.username = '';
  url.password = '';
  url.hash = '';
  if (username === '' && password === '') return { url };
  return { url, credentials: Buffer.concat([octets(username), Buffer.from(':'), octets(password)]) };
}

function octets(encoded: string): Buffer {
  const decoded = encoded.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(decoded, 'latin1');
}

function hasControls(text: string): boolean {
  return [...text].some((character) => character < ' ');
}
