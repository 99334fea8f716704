import type { Command } from '../command.ts';
import { call } from './call.ts';
import { configCheck, configGet, reload } from './config.ts';
import { listen } from './listen.ts';
import { deleteMessages, list, read, total } from './messages.ts';
import { at, modems, ussd } from './modems.ts';
import { passwd } from './passwd.ts';
import { send } from './send.ts';
import { status } from './status.ts';

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [
  send,
  list,
  read,
  deleteMessages,
  total,
  status,
  modems,
  listen,
  ussd,
  at,
  call,
  reload,
  configCheck,
  configGet,
  passwd,
];
