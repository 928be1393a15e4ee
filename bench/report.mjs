import { difference, ratio, summary } from "./statistics.mjs";

/** Rows of the table, in its order. `base` is the row that this one's rounds are compared with. */
const rows = [
  { id: "attach.floor", what: "C floor: attach by namespace, neighbours told" },
  { id: "attach.library", what: "library: attach by namespace", base: "attach.floor" },
  { id: "plain.floor", what: "C floor: the same, nobody told" },
  { id: "plain.library", what: "library: the same with `announce: false`", base: "plain.floor" },
  { id: "ipv6.floor", what: "C floor: told, guest with the kernel's own IPv6" },
  { id: "ipv6.library", what: "library: the same", base: "ipv6.floor" },
  { id: "idle.floor", what: "C floor: told, idle for 30 ms before" },
  { id: "idle.library", what: "library: the same", base: "idle.floor" },
  { id: "engine.inspect", what: "one raw inspect (kept-alive socket)" },
  { id: "name.namespace", what: "library: attach that container by namespace" },
  { id: "name.sum", what: "the two together" },
  { id: "name.name", what: "library: attach by container name", base: "name.sum" },
  { id: "detach.notice", what: "C floor: delete, until the kernel's notice" },
  { id: "detach.ack", what: "C floor: delete, until the ack" },
  { id: "detach.library", what: "library: detach", base: "detach.notice" },
  { id: "process.node", what: "`node -e 0`" },
  { id: "process.cli", what: "command line: attach by namespace", base: "process.node", add: true },
  { id: "process.cliName", what: "command line: attach by container name", base: "process.node", add: true },
  { id: "process.ipBest", what: "`ip` commands, best order (2 processes)" },
  { id: "process.ipScript", what: "`ip` commands, the shell script's order" },
  { id: "shell.plain", what: "the shell script without `arping`" },
  { id: "shell.arping", what: "the shell script with `arping`" },
  { id: "shell.cli", what: "command line, the same words", base: "shell.plain" },
];

const targets = [
  { what: "warm attach by namespace / C floor", row: "attach.library", limit: 1.4 },
  { what: "attach by container name / (by namespace + one inspect)", row: "name.name", limit: 1.2 },
  { what: "detach, median", row: "detach.library", limit: 2, unit: "ms" },
  { what: "command line, by namespace, beyond `node -e 0`", row: "process.cli", limit: 15, unit: "ms" },
  { what: "command line, by container name, beyond `node -e 0`", row: "process.cliName", limit: 15, unit: "ms" },
];

/** Figures of every row and target from the samples (microseconds). */
export function evaluate({ samples, notRun }) {
  const figures = rows.map(({ id, what, base, add }) => {
    if (!samples[id]) return { id, what, notRun: notRun[id] ?? "no samples" };
    const figure = { id, what, us: summary(samples[id]) };
    if (base && samples[base].length === samples[id].length) {
      figure.base = base;
      if (add) figure.addsUs = difference(samples[id], samples[base]);
      else figure.ratio = ratio(samples[id], samples[base]);
    }
    return figure;
  });
  const byId = new Map(figures.map((figure) => [figure.id, figure]));
  const measured = targets.map((target) => {
    const figure = byId.get(target.row);
    const value = target.unit !== "ms" ? figure.ratio?.ofMedians : (figure.addsUs?.ofMedians ?? figure.us?.p50) / 1000;
    return { ...target, value, held: value <= target.limit };
  });
  return { rows: figures, targets: measured };
}

const ms = (us) =>
  us >= 100_000 ? (us / 1000).toFixed(0) : us >= 10_000 ? (us / 1000).toFixed(1) : (us / 1000).toFixed(3);
const cells = (...values) => `| ${values.join(" | ")} |`;

function comparison({ ratio: times, addsUs }) {
  if (times) {
    const [low, high] = times.quartiles;
    return `x${times.ofMedians.toFixed(2)} (rounds: ${times.pairwise.toFixed(2)}, ${low.toFixed(2)}-${high.toFixed(2)})`;
  }
  if (!addsUs) return "";
  const [low, high] = addsUs.quartiles;
  return `+${ms(addsUs.ofMedians)} ms (rounds: ${ms(addsUs.pairwise)}, ${ms(low)}-${ms(high)})`;
}

export function markdown({ machine, options, result, evaluation }) {
  const lines = [
    `# Benchmark of ${machine.date}`,
    "",
    `${machine.cpu}, ${machine.cores} cores; Linux ${machine.kernel}; Node ${machine.node}; ${machine.iproute2}; ` +
      `${result.engine}; pipework ${machine.pipework}${options.quick ? "; quick run" : ""}, ${result.seconds.toFixed(0)} s. ` +
      "NODE_EXTRA_CA_CERTS and NODE_OPTIONS were unset for all processes.",
    "",
    "Times in milliseconds. Rows that are compared were taken in turn, in one run; read the ratios, not the times.",
    "",
    cells("", "n", "p50", "p95", "p99", "ratio of medians (median and quartiles of the rounds' own ratios)"),
    cells("---", "--:", "--:", "--:", "--:", "---"),
  ];
  for (const row of evaluation.rows) {
    if (row.notRun) lines.push(cells(row.what, "", "", "", "", `not run: ${row.notRun}`));
    else {
      const { n, p50, p95, p99 } = row.us;
      lines.push(cells(row.what, n, ms(p50), ms(p95), ms(p99), comparison(row)));
    }
  }
  lines.push("", cells("target", "limit", "measured", "held"), cells("---", "--:", "--:", "---"));
  for (const { what, limit, unit, value, held } of evaluation.targets) {
    const show = (number) => (unit ? `${Number(number.toFixed(2))} ${unit}` : `x${number.toFixed(2)}`);
    lines.push(cells(what, `<= ${show(limit)}`, show(value), held ? "yes" : "**no**"));
  }
  return `${lines.join("\n")}\n`;
}
