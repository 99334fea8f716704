import { AddressList, parseAddress } from './address.ts';

/** Header fields that say where a request over HTTP comes from; what was not sent is absent. */
export interface OriginFields {
  readonly host?: string;
  readonly origin?: string;
  readonly referer?: string;
  /** Sec-Fetch-Site. Browsers send it to https and to this machine only. */
  readonly fetchSite?: string;
  readonly userAgent?: string;
  /** X-Forwarded-For, or what Forwarded says. */
  readonly forwardedFor?: string;
  /** Whether any field of a proxy was there. */
  readonly viaProxy?: boolean;
}

/** Header fields by their names in lower case, as Node has them. */
type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

const PROXY_FIELDS = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'] as const;

export function originFields(headers: Headers): OriginFields {
  const field = (name: string): string | undefined => {
    const value = headers[name];
    return typeof value === 'object' ? value.join(', ') : value;
  };
  const given = {
    host: field('host'),
    origin: field('origin'),
    referer: field('referer'),
    fetchSite: field('sec-fetch-site'),
    userAgent: field('user-agent'),
    forwardedFor: field('x-forwarded-for') ?? forwardedFor(field('forwarded')),
  };
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...known, ...(PROXY_FIELDS.some((name) => headers[name] !== undefined) && { viaProxy: true }) };
}

/** RFC 7239 as X-Forwarded-For has it. */
function forwardedFor(text: string | undefined): string | undefined {
  const found = [...(text ?? '').matchAll(/(?:^|[;,])\s*for=(?:"([^"]*)"|([^;,\s]+))/gi)];
  return found.length === 0 ? undefined : found.map((match) => match[1] ?? match[2]).join(', ');
}

/** Whether a page of another site has made the browser send this. Programs other than browsers send none of the fields. */
export function isFromOtherSite({ host, origin, referer, fetchSite }: OriginFields): boolean {
  if (fetchSite === 'cross-site' || fetchSite === 'same-site') return true;
  return [origin, referer].some(
    (url) => url !== undefined && (host === undefined || hostOf(url) !== host.toLowerCase()),
  );
}

/** Host and port of a URL; undefined for `null` and whatever else is no web page. */
function hostOf(url: string): string | undefined {
  return /^https?:\/\/([^/?#]+)/i.exec(url)?.[1]?.toLowerCase();
}

/**
 * Whether the request can be trusted to be what a person or a program here wants, without a secret that proves it. A
 * page elsewhere can make a browser send anything, without a word of where it comes from (`referrerpolicy`), and can
 * take a name of its own to this address by a trick with DNS. So a browser has to say that it comes from here when it
 * changes something, and has to know this machine by an address or a local name.
 */
export function isOwnRequest(fields: OriginFields, changes: boolean): boolean {
  if (isFromOtherSite(fields)) return false;
  const { host = '', origin, referer, fetchSite, userAgent = '' } = fields;
  const proved = origin !== undefined || referer !== undefined || fetchSite !== undefined;
  const isBrowser = proved || /^Mozilla\//i.test(userAgent);
  if (!isBrowser) return true;
  return isLocalName(host) && (proved || !changes);
}

/** An address, a name without dots, or one that no registrar sells (RFC 6761, RFC 6762, RFC 8375). */
function isLocalName(host: string): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  if (parseAddress(name) !== undefined) return true;
  return /^[a-z0-9-]+$/.test(name) || /\.(?:lan|local|localhost|internal|home\.arpa|test)$/.test(name);
}

/** Proxies in front of the gateway, whose word about their clients counts. */
export class TrustedProxies {
  readonly #proxies: AddressList;

  /** Throws RangeError for an entry that is no address or network. */
  constructor(entries: readonly string[]) {
    this.#proxies = new AddressList(entries);
  }

  /** Whether many clients come by this address. */
  has(address: string): boolean {
    return this.#proxies.has(address);
  }

  /**
   * The address of the client: of the connection, or where that is a trusted proxy's the last one before the proxies.
   * What a client itself wrote stands further in front. Undefined when it is no address.
   */
  clientOf(peer: string, forwardedFor: string | undefined): string | undefined {
    const address = parseAddress(peer);
    if (address === undefined || forwardedFor === undefined || !this.has(address)) return address;
    let client = address;
    for (const entry of forwardedFor.split(',').slice(-MAX_HOPS).reverse()) {
      const hop = parseAddress(withoutPort(entry.trim()));
      if (hop === undefined) return client;
      client = hop;
      if (!this.has(hop)) return client;
    }
    return client;
  }
}

/** Proxies behind each other that are followed. */
const MAX_HOPS = 16;

const withoutPort = (text: string): string =>
  text.replace(/^(\[[^\]]*\]):\d+$/, '$1').replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
