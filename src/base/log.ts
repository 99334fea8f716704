import { printable } from './printable.ts';

/** The log: one line a message, which procd hands to syslog and systemd to its journal. */
export const logLevels = ['error', 'warning', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

type Text = string | (() => string);

export interface Logger {
  error(text: Text): void;
  warning(text: Text): void;
  info(text: Text): void;
  debug(text: Text): void;
  /** A logger whose lines carry one more name: `modem.gsm0`. */
  child(name: string): Logger;
}

export interface LogSink {
  level: LogLevel;
  write(line: string, level: LogLevel): void;
}

/** Info and debug go to stdout, warnings and errors to stderr: procd and systemd only have these two levels. */
export const processSink = (level: LogLevel): LogSink => ({
  level,
  write: (line, of) => void (of === 'info' || of === 'debug' ? process.stdout : process.stderr).write(line),
});

export function createLogger(sink: LogSink, name = ''): Logger {
  const prefix = name === '' ? '' : `${name}: `;
  const at = (level: LogLevel) => (text: Text) => {
    if (logLevels.indexOf(level) > logLevels.indexOf(sink.level)) return;
    sink.write(`${level} ${prefix}${printable(typeof text === 'string' ? text : text())}\n`, level);
  };
  return {
    error: at('error'),
    warning: at('warning'),
    info: at('info'),
    debug: at('debug'),
    child: (child) => createLogger(sink, name === '' ? child : `${name}.${child}`),
  };
}
