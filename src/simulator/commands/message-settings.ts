import { type CommandFamily, ok } from '../at/command.ts';
import { badArgument, cms } from '../at/failure.ts';
import type { ModemCore } from '../core.ts';
import type { StorageName } from '../settings.ts';
import { charsetText, numberType, quoted } from '../text-mode.ts';

const NOT_SUPPORTED = 303;

/** Which storages may be read, written to, and received into. */
const storages = [
  ['SM', 'ME', 'SR'],
  ['SM', 'ME'],
  ['SM', 'ME'],
] as const satisfies readonly StorageName[][];

function usage({ settings, memories }: ModemCore, named: boolean): string {
  const fields = settings.memories.map((name) => {
    const count = `${memories[name].used},${memories[name].total}`;
    return named ? `"${name}",${count}` : count;
  });
  return `+CPMS: ${fields.join(',')}`;
}

function storageList(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(',');
}

/** Message settings: TS 27.005 3.2 and 3.3. */
export const messageSettingCommands: CommandFamily = {
  '+CSMS': {
    errors: 'cms',
    test: () => ['+CSMS: (0,1)'],
    read: ({ settings }) => [`+CSMS: ${settings.service},1,1,1`],
    set: ({ settings }, args) => {
      const service = args.atMost(1).integer(0, 0, 255);
      if (service > 1) throw cms(NOT_SUPPORTED);
      settings.service = service;
      return ['+CSMS: 1,1,1'];
    },
  },
  '+CPMS': {
    errors: 'cms',
    sim: true,
    test: ({ deviations }) => [
      deviations.bareMemoryList
        ? `+CPMS: ${storageList(storages[0])},(),(),()`
        : `+CPMS: ${storages.map((names) => `(${storageList(names)})`).join(',')}`,
    ],
    read: (modem) => [usage(modem, true)],
    set: (modem, args) => {
      const { settings, deviations, memories } = modem;
      const [, write, receive] = settings.memories;
      const chosen = [args.atMost(3).string(0), args.string(1, write), args.string(2, receive)] as const;
      const find = (place: 0 | 1 | 2): StorageName => {
        const known = storages[place].find((name) => name === chosen[place].toUpperCase());
        if (known === undefined) throw cms(NOT_SUPPORTED);
        return known;
      };
      settings.memories = [find(0), find(1), find(2)];
      const [, , receiving] = settings.memories;
      if (deviations.memoryFullIndication && memories[receiving].full) modem.report(`^SMMEMFULL: "${receiving}"`);
      return [usage(modem, false)];
    },
  },
  '+CMGF': {
    errors: 'cms',
    test: () => ['+CMGF: (0,1)'],
    read: ({ settings }) => [`+CMGF: ${settings.textMode ? 1 : 0}`],
    set: ({ settings }, args) => {
      settings.textMode = args.atMost(1).integer(0, 0, 1, 0) === 1;
      return ok;
    },
  },
  '+CSCA': {
    errors: 'cms',
    sim: true,
    test: () => [],
    read: ({ sim, settings }) => [`+CSCA: ${quoted(settings.charset, sim.smsc)},${numberType(sim.smsc)}`],
    set: ({ sim, settings }, args) => {
      const number = charsetText(settings.charset, args.atMost(2).string(0));
      const bare = number.replace(/^\+/, '');
      if (!/^[0-9]{0,20}$/.test(bare)) throw badArgument();
      const type = args.integer(1, 128, 255, numberType(number));
      sim.smsc = type === 145 && bare !== '' ? `+${bare}` : bare;
      return ok;
    },
  },
  '+CSMP': {
    errors: 'cms',
    test: () => [],
    read: ({ settings: { textParameters: p } }) => [`+CSMP: ${p.fo},${p.vp},${p.pid},${p.dcs}`],
    set: ({ settings }, args) => {
      const now = settings.textParameters;
      settings.textParameters = {
        fo: args.atMost(4).integer(0, 0, 255, now.fo),
        vp: args.integer(1, 0, 255, now.vp),
        pid: args.integer(2, 0, 255, now.pid),
        dcs: args.integer(3, 0, 255, now.dcs),
      };
      return ok;
    },
  },
  '+CSDH': {
    errors: 'cms',
    test: () => ['+CSDH: (0,1)'],
    read: ({ settings }) => [`+CSDH: ${settings.showHeader ? 1 : 0}`],
    set: ({ settings }, args) => {
      settings.showHeader = args.atMost(1).integer(0, 0, 1, 0) === 1;
      return ok;
    },
  },
  '+CMMS': {
    errors: 'cms',
    test: () => ['+CMMS: (0-2)'],
    read: ({ settings }) => [`+CMMS: ${settings.moreMessages}`],
    set: ({ settings }, args) => {
      settings.moreMessages = args.atMost(1).integer(0, 0, 2);
      return ok;
    },
  },
};

const NO_ACKNOWLEDGEMENT_EXPECTED = 340;

/** How messages are announced and acknowledged: TS 27.005 3.4. */
export const indicationCommands: CommandFamily = {
  '+CNMI': {
    errors: 'cms',
    test: ({ deviations }) => [`+CNMI: (0-3),(0-3),(0,2),${deviations.noDirectReports ? '(0,2)' : '(0-2)'},(0,1)`],
    read: ({ settings: { indications: i } }) => [`+CNMI: ${i.mode},${i.mt},${i.bm},${i.ds},${i.bfr}`],
    set: (modem, args) => {
      const now = modem.settings.indications;
      const bm = args.atMost(5).integer(2, 0, 3, now.bm);
      const ds = args.integer(3, 0, 2, now.ds);
      if (bm === 1 || bm === 3) throw badArgument();
      if (ds === 1 && modem.deviations.noDirectReports) throw cms(NOT_SUPPORTED);
      modem.settings.indications = {
        mode: args.integer(0, 0, 3, now.mode),
        mt: args.integer(1, 0, 3, now.mt),
        bm,
        ds,
        bfr: args.integer(4, 0, 1, now.bfr),
      };
      modem.receiver.indicationsChanged();
      return ok;
    },
  },
  '+CNMA': {
    errors: 'cms',
    test: () => ['+CNMA: (0-2)'],
    execute: ({ receiver, settings }) => {
      if (settings.service === 0 || !receiver.acknowledge(true)) throw cms(NO_ACKNOWLEDGEMENT_EXPECTED);
      return ok;
    },
    set: async ({ receiver, settings }, args, io) => {
      if (settings.textMode) throw cms(302);
      const answer = args.atMost(2).integer(0, 0, 2);
      // A length announces the TPDU of the acknowledgement, which the network here does not look at.
      if (args.has(1) && args.integer(1, 0, 164) > 0 && (await io.prompt()) === undefined) return ok;
      if (settings.service === 0 || !receiver.acknowledge(answer !== 2)) throw cms(NO_ACKNOWLEDGEMENT_EXPECTED);
      return ok;
    },
  },
};
