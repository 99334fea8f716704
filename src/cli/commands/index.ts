import type { Command } from '../command.ts';
import { completion } from './completion.ts';
import { configCheck, configGet, configSet, reload } from './config.ts';
import { doctor } from './doctor.ts';
import { listen } from './listen.ts';
import { cancel, deleteMessages, list, read, retry, total } from './messages.ts';
import { at, modemRestart, modemStatus, modems, moduleRestart, moduleStatus, moduleTest, ussd } from './modems.ts';
import { otpSecret } from './otp.ts';
import { passwd } from './passwd.ts';
import { call, metrics } from './rpc.ts';
import { send } from './send.ts';
import { status } from './status.ts';
import { tokenCreate, tokenList, tokenRemove } from './token.ts';
import { exportMessages, importMessages } from './transfer.ts';

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [
  send,
  list,
  read,
  deleteMessages,
  cancel,
  retry,
  total,
  exportMessages,
  importMessages,
  status,
  doctor,
  modems,
  modemStatus,
  modemRestart,
  moduleStatus,
  moduleTest,
  moduleRestart,
  metrics,
  listen,
  ussd,
  at,
  call,
  reload,
  configCheck,
  configGet,
  configSet,
  passwd,
  otpSecret,
  tokenCreate,
  tokenList,
  tokenRemove,
  completion(() => commands),
];
