import type { repeatedSections, singleSections } from './schema/index.ts';
import type { SectionConfig } from './schema/option.ts';

type Repeated<S> = S & {
  /** The section's name; `@type[n]` for an unnamed one, `modem0`, `modem1`, ... for an unnamed modem. */
  readonly section: string;
};

/** The whole config, typed: sections by name, options under their UCI names. */
export type Config = {
  readonly [K in keyof typeof singleSections]: SectionConfig<(typeof singleSections)[K]>;
} & {
  readonly [K in keyof typeof repeatedSections]: readonly Repeated<SectionConfig<(typeof repeatedSections)[K]>>[];
};

export type GatewayConfig = Config['gateway'];
export type PostGetConfig = Config['post_get'];
export type ModemConfig = Config['modems'][number];
export type GroupConfig = Config['groups'][number];
