/** The log: one line a message to stderr, which procd hands to syslog. */
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
  write(line: string): void;
}

export const stderrSink = (level: LogLevel): LogSink => ({ level, write: (line) => void process.stderr.write(line) });

/** Messages of strangers reach the log: a control character must not forge a line or colour a terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export function createLogger(sink: LogSink, name = ''): Logger {
  const prefix = name === '' ? '' : `${name}: `;
  const at = (level: LogLevel) => (text: Text) => {
    if (logLevels.indexOf(level) > logLevels.indexOf(sink.level)) return;
    sink.write(`${level} ${prefix}${printable(typeof text === 'string' ? text : text())}\n`);
  };
  return {
    error: at('error'),
    warning: at('warning'),
    info: at('info'),
    debug: at('debug'),
    child: (child) => createLogger(sink, name === '' ? child : `${name}.${child}`),
  };
}
