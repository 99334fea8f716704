import type { Config } from '../config.ts';
import type { Problems, SectionPlace } from '../problems.ts';
import type { Values } from '../read-section.ts';
import type { RepeatedName } from '../schema/index.ts';
import { checkForwarding } from './forwarding.ts';
import { checkMail } from './mail.ts';
import { checkModemNames } from './modem-names.ts';
import { checkModems } from './modems.ts';
import { type KnownNames, reportTo } from './report.ts';
import { checkRules } from './rules.ts';
import { checkScheduled } from './scheduled.ts';
import { checkSenderLists } from './sender-lists.ts';
import { checkSmpp } from './smpp.ts';
import { checkUniqueNames } from './unique-names.ts';

/** What one row of the schema cannot say: options that depend on each other, and on other sections. */
export function checkConfig(
  read: readonly { readonly place: SectionPlace; readonly values: Values }[],
  config: Config,
  problems: Problems,
): void {
  const report = reportTo(
    problems,
    read.map(({ place }) => place),
  );
  const namesOf = (key: RepeatedName) =>
    read.filter(({ place }) => place.key === key).map(({ values }) => `${values['name']}`);
  const known: KnownNames = {
    modems: new Set(read.filter(({ place }) => place.key === 'modems').map(({ place }) => place.section)),
    groups: new Set(namesOf('groups')),
    commands: new Set(namesOf('commands')),
  };
  checkUniqueNames(config, report);
  checkModems(config, report);
  checkModemNames(config, report, known);
  checkSenderLists(config, report);
  checkForwarding(config, report);
  checkMail(config, report);
  checkSmpp(config, report);
  checkScheduled(config, report, known);
  checkRules(config, report, known);
}
