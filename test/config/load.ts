import type { Test } from 'tap';
import { type LoadedConfig, loadConfig } from '../../src/config/load-config.ts';
import { testFolder } from '../support/folder.ts';

/** Loads a config that has this text. */
export async function load(t: Test, text: string | Buffer): Promise<LoadedConfig> {
  return loadConfig(testFolder(t, { sms_gateway: text }));
}

/** What is wrong, one line each: `line section.option: message`, warnings in brackets. */
export const complaints = ({ errors }: Pick<LoadedConfig, 'errors'>) =>
  errors.map(({ severity, line, section, option, message }) => {
    const text = `${line ?? '-'} ${section}.${option ?? ''}: ${message}`;
    return severity === 'error' ? text : `(${text})`;
  });
