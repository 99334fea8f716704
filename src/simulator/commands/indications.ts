import { type CommandFamily, ok } from '../at/command.ts';
import { badArgument, cms } from '../at/failure.ts';

const NO_ACKNOWLEDGEMENT_EXPECTED = 340;
const NOT_SUPPORTED = 303;

/** How messages are announced and acknowledged: TS 27.005 3.4. */
export const indicationCommands: CommandFamily = {
  '+CNMI': {
    errors: 'cms',
    test: ({ quirks }) => [`+CNMI: (0-3),(0-3),(0,2),${quirks.noDirectReports ? '(0,2)' : '(0-2)'},(0,1)`],
    read: ({ settings: { indications: i } }) => [`+CNMI: ${i.mode},${i.mt},${i.bm},${i.ds},${i.bfr}`],
    set: (modem, args) => {
      const now = modem.settings.indications;
      const bm = args.atMost(5).integer(2, 0, 3, now.bm);
      const ds = args.integer(3, 0, 2, now.ds);
      if (bm === 1 || bm === 3) throw badArgument();
      if (ds === 1 && modem.quirks.noDirectReports) throw cms(NOT_SUPPORTED);
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
