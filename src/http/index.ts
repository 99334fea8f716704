export { cgiBin } from './cgi-bin.ts';
export { lazyApi } from './lazy-api.ts';
export { LazySite } from './lazy-site.ts';
export { monitoring } from './monitoring.ts';
export { clientsOf } from './same-site.ts';
export { WebServer } from './web-server.ts';
