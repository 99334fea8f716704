export { UciError, type UciOption, UciPackage, UciSection, type UciValue } from './model.ts';
export { limits, loadPackage, parsePackage } from './read.ts';
export { commitPackage, exportForm, fileForm, replaceConfigFile } from './write.ts';
