import manifest from '../../package.json' with { type: 'json' };

export const { version, description, license } = manifest;
export const packageName = 'sms-gateway';
export const homepage = 'https://sms-gateway.example.org';
export const maintainer = 'SMS gateway developers <sms-gateway@example.org>';

/** A processor family, with the names that others have for it. */
export interface Target {
  /** Of OpenWrt; a device takes packages of the names that `opkg print-architecture` lists. */
  readonly openwrt: string;
  readonly debian: string;
  /** `process.arch` of Node, as in the folders of prebuilt bindings. */
  readonly node: string;
  /** What the binding of serialport has in front of `glibc` or `musl` in its file name. */
  readonly binding: string;
  readonly zig: string;
  /** Triplet of Debian's cross compiler, and that of musl. */
  readonly gnu: string;
  readonly musl: string;
  readonly flags: readonly string[];
}

const families: readonly (Target & { readonly pattern: RegExp })[] = [
  {
    pattern: /^x86_64$/,
    openwrt: 'x86_64',
    debian: 'amd64',
    node: 'x64',
    binding: '',
    zig: 'x86_64-linux-musl',
    gnu: 'x86_64-linux-gnu',
    musl: 'x86_64-linux-musl',
    flags: [],
  },
  {
    pattern: /^aarch64(_\w[\w-]*)?$/,
    openwrt: 'aarch64_generic',
    debian: 'arm64',
    node: 'arm64',
    binding: 'armv8.',
    zig: 'aarch64-linux-musl',
    gnu: 'aarch64-linux-gnu',
    musl: 'aarch64-linux-musl',
    flags: [],
  },
  {
    pattern: /^arm_cortex-a\d+(_[\w-]+)?$/,
    openwrt: 'arm_cortex-a7',
    debian: 'armhf',
    node: 'arm',
    binding: 'armv7.',
    zig: 'arm-linux-musleabihf',
    gnu: 'arm-linux-gnueabihf',
    musl: 'arm-linux-musleabihf',
    flags: ['-march=armv7-a+fp', '-mfloat-abi=hard'],
  },
];

/** The target of `--arch`: a family, or the full name that a device has for its processor. Throws for others. */
export function targetOf(arch: string): Target {
  const family = families.find(({ pattern }) => pattern.test(arch));
  if (family === undefined) {
    throw new Error(`no packages for ${arch}: x86_64, aarch64, arm_cortex-a7 or a longer name of one of them`);
  }
  return { ...family, openwrt: arch === 'aarch64' ? family.openwrt : arch };
}
