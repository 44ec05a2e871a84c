import PgBoss from 'pg-boss';
import { load, payload } from './load.mjs';

const boss = new PgBoss({
  connectionString: process.argv[2],
  max: 16,
  supervise: false,
  schedule: false,
});
await boss.start();
await boss.createQueue('bench');
await load(() => boss.send('bench', payload()));
process.exit(0);
