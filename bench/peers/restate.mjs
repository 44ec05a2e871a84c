// The service that Restate would call when the delay is over; it is not over while anything is measured.
import * as restate from '@restatedev/restate-sdk';

const reminder = restate.service({
  name: 'Reminder',
  handlers: { fire: async (_context, task) => task },
});
restate.serve({ services: [reminder], port: Number(process.argv[2]) });
