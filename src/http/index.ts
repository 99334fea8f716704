export { cgiBin } from './cgi-bin.ts';
export { LazySite } from './lazy-site.ts';
export { HttpServer } from './server.ts';
