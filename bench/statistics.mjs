/** Nearest-rank percentile of a sorted array. */
function percentile(sorted, p) {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((p / 100) * sorted.length) - 1))];
}

/** @param {number[]} samples any unit; the figures have the same. */
export function summary(samples) {
  if (samples.length === 0) throw new Error("no samples");
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    n: sorted.length,
    min: sorted[0],
    p50: percentile(sorted, 50),
    p95: percentile(sorted, 95),
    p99: percentile(sorted, 99),
  };
}

/**
 * `ofMedians` compares the two distributions. `pairwise` is the median of the rounds' own ratios: sample i of both was
 * taken side by side, so slow drift of the machine cancels out of it. `quartiles` of those ratios show how sure it is.
 */
export function ratio(samples, base) {
  if (samples.length !== base.length) throw new Error("pairs are needed: the two rows differ in length");
  const ratios = samples.map((value, i) => value / base[i]).sort((a, b) => a - b);
  return {
    ofMedians: summary(samples).p50 / summary(base).p50,
    pairwise: percentile(ratios, 50),
    quartiles: [percentile(ratios, 25), percentile(ratios, 75)],
  };
}

/** The same for what is added instead of multiplied: median of the rounds' own differences. */
export function difference(samples, base) {
  if (samples.length !== base.length) throw new Error("pairs are needed: the two rows differ in length");
  const differences = samples.map((value, i) => value - base[i]).sort((a, b) => a - b);
  return {
    ofMedians: summary(samples).p50 - summary(base).p50,
    pairwise: percentile(differences, 50),
    quartiles: [percentile(differences, 25), percentile(differences, 75)],
  };
}
