export { commitPackage, replaceConfigFile } from './commit.ts';
export { loadPackage } from './load.ts';
export { UciPackage } from './package-model.ts';
export { limits, parsePackage } from './parse.ts';
export { type UciOption, UciSection, type UciValue } from './section-model.ts';
export { exportForm, fileForm } from './serialize.ts';
export { UciError } from './uci-error.ts';
