/** RTF_UP and RTF_REJECT of linux/route.h. */
const UP = 0x1;
const REJECT = 0x200;

interface Route {
  readonly device: string;
  readonly metric: number;
}

/**
 * The device of the default route with the least metric, from the texts of /proc/net/route and /proc/net/ipv6_route;
 * the latter counts only where the former has none. Undefined when there is no way out.
 */
export function defaultRoute(ipv4: string, ipv6: string): string | undefined {
  return best(lines(ipv4).flatMap(ipv4Default)) ?? best(lines(ipv6).flatMap(ipv6Default));
}

const lines = (text: string): readonly (readonly string[])[] =>
  text.split('\n').map((line) => line.trim().split(/\s+/));

function best(routes: readonly Route[]): string | undefined {
  return [...routes].sort((a, b) => a.metric - b.metric)[0]?.device;
}

/** Iface Destination Gateway Flags RefCnt Use Metric Mask …; flags are hexadecimal, the metric is decimal. */
function ipv4Default([device, destination, , flags, , , metric, mask]: readonly string[]): readonly Route[] {
  if (device === undefined || destination !== '00000000' || mask !== '00000000') return [];
  return usable(flags) ? [{ device, metric: Number(metric) }] : [];
}

/** Destination, its prefix length, source, its length, next hop, metric, references, uses, flags, device; hexadecimal. */
function ipv6Default(fields: readonly string[]): readonly Route[] {
  const [destination, prefix, , , , metric = '', , , flags, device] = fields;
  if (device === undefined || prefix !== '00' || !/^0{32}$/.test(destination ?? '')) return [];
  return usable(flags) && device !== 'lo' ? [{ device, metric: Number.parseInt(metric, 16) }] : [];
}

function usable(flags = ''): boolean {
  const bits = Number.parseInt(flags, 16);
  return (bits & UP) !== 0 && (bits & REJECT) === 0;
}

/** What carries the traffic of a network device, in the words of the status message. */
export type LinkType = 'mobile' | 'WiFi' | 'wired' | 'VPN';

/** DEVTYPE of a device's uevent file, as drivers set it. */
const byDeviceType: Readonly<Record<string, LinkType>> = { wwan: 'mobile', wlan: 'WiFi', wireguard: 'VPN' };

/** Names as OpenWrt's protocols and the kernel's drivers give them, for devices whose driver sets no type. */
const byName: readonly (readonly [RegExp, LinkType])[] = [
  [/^(wwan|rmnet|qmimux|mbim|3g-|ppp[0-9]|usb[0-9])/, 'mobile'],
  [/^(wlan|wl[ps]|phy[0-9]|ath|ra[0-9]|apcli)/, 'WiFi'],
  [/^(wg|tun|tap|ipsec|l2tp|zt)/, 'VPN'],
];

/** `uevent` is the text of the device's uevent file in sysfs. */
export function linkType(device: string, uevent: string): LinkType {
  const type = /^DEVTYPE=(.*)$/m.exec(uevent)?.[1] ?? '';
  return byDeviceType[type] ?? byName.find(([pattern]) => pattern.test(device))?.[1] ?? 'wired';
}
