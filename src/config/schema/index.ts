import { gateway } from './gateway.ts';
import { group } from './group.ts';
import { modem } from './modem.ts';
import { postGet } from './post-get.ts';

/** Sections of which there is one, found by name whatever their type. */
export const singleSections = { gateway, post_get: postGet } as const;

/** Sections of which there may be many, found by type, named or not; by the name they have in the typed config. */
export const repeatedSections = { modems: modem, groups: group } as const;

export type SingleName = keyof typeof singleSections;
export type RepeatedName = keyof typeof repeatedSections;
