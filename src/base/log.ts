import { fstatSync } from 'node:fs';
import { printable } from './printable.ts';
import type { Redactor } from './redactor.ts';

/** The log: one line a message, which procd hands to syslog and systemd to its journal. */
const logLevels = ['error', 'warning', 'info', 'debug'] as const;
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
  /** Hides secrets in every line. */
  redactor?: Redactor;
  write(line: string, level: LogLevel): void;
}

export interface LogForm {
  /** The time in front of each line, for a log that adds none itself. */
  readonly time?: boolean;
  /** The priority in front of each line as systemd's journal reads it: sd-daemon(3). */
  readonly priority?: boolean;
}

/** Priorities of syslog. */
const priorities: Readonly<Record<LogLevel, number>> = { error: 3, warning: 4, info: 6, debug: 7 };

/** Info and debug go to stdout, warnings and errors to stderr: procd has these two priorities. */
export function processSink(level: LogLevel, { time = false, priority = false }: LogForm = {}): LogSink {
  return {
    level,
    write(line, of) {
      const head = `${priority ? `<${priorities[of]}>` : ''}${time ? `${new Date().toISOString()} ` : ''}`;
      (of === 'info' || of === 'debug' ? process.stdout : process.stderr).write(`${head}${line}`);
    },
  };
}

/** Whether stderr goes to systemd's journal: $JOURNAL_STREAM names its device and inode, systemd.exec(5). */
export function isJournal(stream: string | undefined): boolean {
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(2);
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

export function createLogger(sink: LogSink, name = ''): Logger {
  const prefix = name === '' ? '' : `${name}: `;
  const at = (level: LogLevel) => (text: Text) => {
    if (logLevels.indexOf(level) > logLevels.indexOf(sink.level)) return;
    const line = typeof text === 'string' ? text : text();
    sink.write(`${level} ${prefix}${printable(sink.redactor?.hide(line) ?? line)}\n`, level);
  };
  return {
    error: at('error'),
    warning: at('warning'),
    info: at('info'),
    debug: at('debug'),
    child: (child) => createLogger(sink, name === '' ? child : `${name}.${child}`),
  };
}
