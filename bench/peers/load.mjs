// A closed loop: each client waits for its answer before it sends the next. The lines it prints are
// read by bench, which takes CPU times at `begin` and `end`.
const [clients, warmUp, seconds] = process.argv.slice(3).map(Number);

// As large as a task of the other sides.
export const payload = () => ({
  id: crypto.randomUUID(),
  title: 'Water the plants on the balcony',
  notes: 'The ferns twice a week, the cactus once a month.',
  priority: 'medium',
  labels: ['home', 'balcony'],
  due: { local: '2027-01-31T09:00', time_zone: 'Europe/Berlin' },
});

export async function load(send) {
  const begin = performance.now() + warmUp * 1000;
  const end = begin + seconds * 1000;
  const taken = [];
  const client = async () => {
    for (;;) {
      const start = performance.now();
      if (start >= end) return;
      await send();
      const done = performance.now();
      if (done >= begin && done < end) taken.push(done - start);
    }
  };
  setTimeout(() => console.log('begin'), warmUp * 1000);
  setTimeout(() => console.log('end'), (warmUp + seconds) * 1000);
  await Promise.all(Array.from({ length: clients }, client));
  taken.sort((a, b) => a - b);
  const at = (quantile) => taken[Math.min(taken.length - 1, Math.floor(quantile * taken.length))] ?? 0;
  const latency = { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: at(1) };
  // After the timers, whichever ended first.
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, end - performance.now()) + 50));
  console.log(JSON.stringify({ completed: taken.length, latency_ms: latency }));
}
