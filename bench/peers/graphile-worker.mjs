import { makeWorkerUtils } from 'graphile-worker';
import pg from 'pg';
import { load, payload } from './load.mjs';

const pgPool = new pg.Pool({ connectionString: process.argv[2], max: 16 });
// A connection that breaks makes the next call fail, which ends the run.
pgPool.on('error', () => {});
pgPool.on('connect', (client) => client.on('error', () => {}));
const utils = await makeWorkerUtils({ pgPool });
await utils.migrate();
await load(() => utils.addJob('bench', payload()));
process.exit(0);
