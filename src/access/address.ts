import { BlockList, isIP, isIPv6 } from 'node:net';

/**
 * A client's address in one form: no brackets, no zone, IPv4-mapped IPv6 as IPv4. Undefined when the text is no address.
 */
export function parseAddress(text: string): string | undefined {
  const bare = text
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/%.*$/, '')
    .toLowerCase();
  if (isIP(bare) === 0) return undefined;
  // RFC 4291 2.5.5.2; written ::ffff:192.0.2.1 or ::ffff:c000:201.
  const mapped = isMapped(bare) && /ffff:(?:([0-9.]+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/.exec(bare);
  if (!mapped) return bare;
  if (mapped[1] !== undefined) return mapped[1];
  const word = Number.parseInt(mapped[2] ?? '0', 16) * 65_536 + Number.parseInt(mapped[3] ?? '0', 16);
  return [24, 16, 8, 0].map((shift) => (word >>> shift) & 0xff).join('.');
}

/**
 * The network that one subscriber holds, for counting by client: an IPv4 address itself, the /64 of an IPv6 address. Takes the result of `parseAddress`.
 */
export function subscriberNetwork(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string) => text.split(':').filter((group) => group !== '');
  const missing = address.includes('::') ? Math.max(0, 8 - groups(head).length - groups(tail).length) : 0;
  const all = [...groups(head), ...Array<string>(missing).fill('0'), ...groups(tail)];
  return all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

const mappedRange = new BlockList();
mappedRange.addSubnet('::ffff:0:0', 96, 'ipv6');
const isMapped = (address: string): boolean => isIPv6(address) && mappedRange.check(address, 'ipv6');

/** Addresses and networks in CIDR form, of both families. */
export class AddressList {
  readonly #list = new BlockList();

  /** Throws RangeError when an entry is neither an address nor a network. */
  constructor(entries: readonly string[]) {
    for (const entry of entries) this.#add(entry);
  }

  has(address: string): boolean {
    return isIP(address) !== 0 && this.#list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }

  #add(entry: string): void {
    const [, text = '', prefix] = /^([^/]*)(?:\/([0-9]{1,3}))?$/.exec(entry.trim()) ?? [];
    const address = parseAddress(text);
    if (address === undefined) throw new RangeError(`not an address or network: ${entry}`);
    const bits = isIPv6(address) ? 128 : 32;
    const length = Number(prefix ?? bits);
    if (length > bits) throw new RangeError(`prefix longer than ${bits} bits: ${entry}`);
    this.#list.addSubnet(address, length, bits === 128 ? 'ipv6' : 'ipv4');
  }
}

/** RFC 1918, loopback, link-local (RFC 3927, RFC 4291) and unique local addresses (RFC 4193). */
export const privateAddresses = new AddressList([
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '::1',
  'fe80::/10',
  'fc00::/7',
]);
