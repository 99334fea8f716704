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
