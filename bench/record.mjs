/** Samples in microseconds, by row; rows are described in report.mjs. */
export class Record {
  samples = {};
  notRun = {};

  add(row, us) {
    this.samples[row] ??= [];
    this.samples[row].push(us);
  }

  skip(row, why) {
    this.notRun[row] = why;
  }
}

/** Runs `work` and gives its time in microseconds. */
export async function timed(work) {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1000;
}
