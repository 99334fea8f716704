import type { Config } from '../config.ts';
import type { RepeatedName } from '../schema/index.ts';
import type { Report } from './report.ts';

/** Names that must not occur twice; the later section is the one with the error. */
export function checkUniqueNames(config: Config, report: Report): void {
  const check = <K extends RepeatedName>(key: K, option: string, nameOf: (section: Config[K][number]) => string) => {
    const seen = new Set<string>();
    for (const section of config[key]) {
      const name = nameOf(section);
      if (seen.has(name)) report.error([key, section.section], option, `${JSON.stringify(name)} is there already`);
      seen.add(name);
    }
  };
  check('groups', 'name', (group) => group.name);
  check('commands', 'name', (command) => command.name);
}
