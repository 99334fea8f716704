import type { AtCommand, CommandFamily } from '../at/command.ts';
import { encodeText } from '../charset.ts';
import { numberType } from '../text-mode.ts';

const MANUFACTURER = 'SIMULATED';
const MODEL = 'SM-27005';
const REVISION = 'SM27005R01A01';

const fixed = (line: string): AtCommand => ({ errors: 'cme', execute: () => [line] });

/** TS 27.007 5. */
export const identityCommands: CommandFamily = {
  I: { errors: 'plain', execute: () => [MANUFACTURER, MODEL, `Revision: ${REVISION}`] },
  '+GMI': fixed(MANUFACTURER),
  '+GMM': fixed(MODEL),
  '+GMR': fixed(REVISION),
  '+GCAP': fixed('+GCAP: +CGSM'),
  '+CGMI': fixed(MANUFACTURER),
  '+CGMM': fixed(MODEL),
  '+CGMR': fixed(REVISION),
  '+GSN': { errors: 'cme', execute: ({ imei }) => [imei] },
  '+CGSN': { errors: 'cme', execute: ({ imei }) => [imei] },
  '+CIMI': { errors: 'cme', sim: true, execute: ({ sim }) => [sim.imsi] },
  '+CCID': { errors: 'cme', sim: true, execute: ({ sim }) => [`+CCID: ${sim.iccid}`] },
  '+CNUM': {
    errors: 'cme',
    sim: true,
    execute: ({ sim, settings: { charset } }) => {
      const [name, number] = [encodeText(charset, 'Own'), encodeText(charset, sim.number)];
      return [`+CNUM: "${name}","${number}",${numberType(sim.number)}`];
    },
  },
};
