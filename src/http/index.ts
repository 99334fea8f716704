export { cgiBin } from './cgi-bin.ts';
export { HttpServer } from './server.ts';
